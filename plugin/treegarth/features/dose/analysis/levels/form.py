"""The form of a set of reference levels: its inputs, and the document that it means. Pure.

A set of more levels than a form has lines stays text and CSV: nothing of it is left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel

from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.phrases import N_, P_
from treegarth.web.forms import MOST_ROWS, Shown, Typed, acted, begun, document_of, numbered, typed_of

ROWS = "rows"
PUBLICATION = "publication"
_ROW = re.compile(rf"{ROWS}\.([0-9]+)(\.|$)")


class PublicationFields(BaseModel):
    """Where the numbers come from."""

    authors: Annotated[str, Shown(N_("Authors"), hint=N_("Persons, or the body that published it"), is_wide=True)]
    title: Annotated[str, Shown(N_("Title"), is_wide=True)]
    year: Annotated[int, Shown(N_("Year of publication"))]
    table: Annotated[str, Shown(N_("Table"), hint=N_("Which one of it has the numbers"))]
    where: Annotated[str | None, Shown(N_("Page or address"), is_wide=True)] = None


class RowFields(BaseModel):
    """One level."""

    modality: Annotated[str, Shown(N_("Modality"), choices={"": "–"})]
    standard_name: Annotated[str, Shown(N_("Standard name"), suggestions="standard-names")]
    quantity: Annotated[str, Shown(N_("Quantity"), choices={"": "–"})]
    phantom: Annotated[
        str | None,
        Shown(N_("Phantom"), choices={"": "–", "head": N_("head 16 cm"), "body": N_("body 32 cm")}),
    ] = None
    level: Annotated[float, Shown(N_("Reference level"), hint=N_("In the unit of the quantity"))]
    achievable: Annotated[float | None, Shown(N_("Achievable"))] = None
    age_from_years: Annotated[float | None, Shown(N_("Age from"), hint=N_("In years of age"))] = None
    age_to_years: Annotated[float | None, Shown(N_("Age below"), hint=N_("In years of age"))] = None
    weight_from_kg: Annotated[float | None, Shown(N_("Weight from"), unit="kg")] = None
    weight_to_kg: Annotated[float | None, Shown(N_("Weight below"), unit="kg")] = None


class SetFields(BaseModel):
    """A set; what a publication is asked for stands in a part of its own."""

    name: Annotated[str, Shown(N_("Name"), is_wide=True)]
    place: Annotated[str, Shown(N_("Country or site"))]
    publication: PublicationFields
    year: Annotated[int | None, Shown(N_("Year of the survey"), hint=N_("Where it is not the publication's"))] = None
    valid_from: Annotated[str | None, Shown(N_("Valid from"), is_day=True)] = None
    valid_to: Annotated[str | None, Shown(N_("Valid to"), hint=N_("The last day on which they hold"), is_day=True)] = (
        None
    )
    least_exams: Annotated[int | None, Shown(N_("Exams at least"), hint=N_("20 if not given"))] = None
    note: Annotated[str | None, Shown(N_("Note"), is_wide=True)] = None
    rows: Annotated[tuple[RowFields, ...] | None, Shown(N_("Levels"))] = None


PARTS: Mapping[str, type[BaseModel]] = {PUBLICATION: PublicationFields}


def blank() -> Typed:
    """A new form, with a line to fill."""
    return acted({**begun(SetFields), **begun(PublicationFields, f"{PUBLICATION}.")}, f"add-row {ROWS}", SetFields)


def fits(document: Mapping[str, Any]) -> bool:
    """Whether the form has lines for all levels of a set."""
    return len(document.get(ROWS, ())) <= MOST_ROWS


def typed_of_set(document: Mapping[str, Any]) -> Typed:
    """The form of a set that is kept."""
    publication = document.get(PUBLICATION, {})
    return {**typed_of(document, SetFields), **typed_of(publication, PublicationFields, f"{PUBLICATION}.")}


def lines_of(typed: Typed) -> int:
    """How many lines were sent."""
    return len({found[1] for name in typed if (found := _ROW.match(name))})


def pressed(typed: Typed, act: str) -> tuple[Typed, Mapping[str, Sequence[str]]]:
    """The form after a button of its lines, and what is wrong with that: one line too many is not added."""
    if lines_of(typed) > MOST_ROWS or (act == f"add-row {ROWS}" and lines_of(typed) == MOST_ROWS):
        return numbered(typed, ROWS), {ROWS: [too_many()]}
    return numbered(acted(numbered(typed, ROWS), act, SetFields), ROWS), {}


def too_many() -> str:
    return P_("A form has at most %(most)s levels: more of them come as CSV or text.", most=MOST_ROWS)


def set_document(typed: Typed) -> dict[str, Any]:
    """The document that the form means: what is empty is left out, and a line without a word is none."""
    found = document_of(typed, SetFields)
    publication = document_of(typed, PublicationFields, f"{PUBLICATION}.")
    return {**found, PUBLICATION: publication, ROWS: found.get(ROWS) or []}


def without_empty_lines(typed: Typed) -> Typed:
    """The form without the lines in which nothing stands."""
    lines = {found[1]: False for name in typed if (found := _ROW.match(name))}
    for name, values in typed.items():
        if (found := _ROW.match(name)) and any(values):
            lines[found[1]] = True
    kept = {name: values for name, values in typed.items() if not (found := _ROW.match(name)) or lines[found[1]]}
    return numbered(kept, ROWS)


def quantity_choices(translated: Mapping[str, str]) -> dict[str, str]:
    """What a level can be of, with the unit in which it is written."""
    return {"": "–", **{name: f"{translated[name]} ({one.unit})" for name, one in LEVEL_QUANTITIES.items()}}
