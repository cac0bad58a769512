"""A chart while it is composed: its form, and the document that it means. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import BaseModel

from treegarth.features.dose.analysis.charts.model import NEEDED
from treegarth.features.dose.analysis.charts.words import GROUPS, KINDS, PERIODS, STATISTICS
from treegarth.features.dose.analysis.figures import OF_LEVEL
from treegarth.features.dose.analysis.wanted import BY_PHANTOM, Level, Phantom
from treegarth.phrases import N_
from treegarth.web.condition_form import ConditionForm
from treegarth.web.condition_form import acted as condition_acted
from treegarth.web.condition_tree import Group, read_group, write_group
from treegarth.web.forms import SentFields, Shown, Typed, begun, document_of, sent_values, typed_of

_VALUES = ("level", "quantity", "phantom")
"""What one input chooses together: whose values, of what, of which phantom."""


class ChartForm(BaseModel):
    """What a person composes, beside the condition."""

    name: Annotated[str | None, Shown(N_("Name"))] = None
    why: Annotated[str | None, Shown(N_("What it shows"), hint=N_("For whoever opens it"), is_wide=True)] = None
    chart: Annotated[str, Shown(N_("Chart"), choices=KINDS)] = "boxes"
    values: Annotated[str, Shown(N_("Values"), choices={"": "–"})] = "exam dlp_mgy_cm body"
    by: Annotated[
        str | None, Shown(N_("Side by side"), hint=N_("Of all but a histogram"), choices=GROUPS, begins="device")
    ] = None
    statistic: Annotated[
        str | None, Shown(N_("Statistic"), hint=N_("Of bars and a line"), choices=STATISTICS, begins="median")
    ] = None
    modality: Annotated[str | None, Shown(N_("Modality"), choices={"": "–"})] = None
    standard_name: Annotated[str | None, Shown(N_("Standard name"), choices={"": N_("all")})] = None
    period: Annotated[
        str | None, Shown(N_("Days"), hint=N_("As they are when it is opened"), choices={"": N_("all"), **PERIODS})
    ] = None
    study_date_from: Annotated[str | None, Shown(N_("From"), is_day=True)] = None
    study_date_to: Annotated[str | None, Shown(N_("To"), is_day=True)] = None
    with_doubted: Annotated[bool, Shown(N_("Doubted doses count too"))] = False


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What stands in the form."""

    typed: Typed
    condition: Group


def blank(modality: str) -> Draft:
    """A form nobody typed in yet."""
    return Draft(typed={**begun(ChartForm), "modality": (modality,)}, condition=Group())


def read_draft(sent: SentFields, conditions: ConditionForm) -> Draft:
    """The draft of a form that was sent. Raises ConditionRefused for more or deeper parts than a condition may have."""
    return Draft(typed=sent_values(sent), condition=conditions.read(sent))


def after_button(draft: Draft, act: str) -> Draft:
    """The draft after a button of its condition."""
    return replace(draft, condition=condition_acted(draft.condition, act))


def form_of_document(document: Mapping[str, Any], conditions: ConditionForm) -> Draft:
    """The form of a chart's document."""
    values = " ".join(str(document[name]) for name in _VALUES if document.get(name) is not None)
    typed = typed_of({**document, "values": values}, ChartForm)
    given = document.get("studies")
    condition = Group() if given is None else read_group(given, conditions.read_comparison)
    return Draft(typed=typed, condition=condition)


def form_document(draft: Draft, conditions: ConditionForm) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form means, and the form's path of each place of it: only what a chart of its kind says."""
    said = document_of(draft.typed, ChartForm)
    values = str(said.pop("values", "")).split(" ")
    found = {**said, **{name: one for name, one in zip(_VALUES, values, strict=False) if one}}
    needed = next((names for kind, names in NEEDED.items() if kind == said.get("chart")), ("by", "statistic"))
    for name in ("by", "statistic"):
        if name not in needed:
            found.pop(name, None)
    studies = write_group(draft.condition, conditions.kind_of, place="studies")
    if draft.condition.parts and studies.document != {"all": []}:
        found["studies"] = studies.document
    places = {name: name for name in ChartForm.model_fields} | dict.fromkeys(_VALUES, "values")
    return found, {**places, **studies.paths}


_PHANTOMS: Mapping[Level, tuple[Phantom, ...]] = {
    "exam": ("body", "head", "both", "unknown"),
    "event": ("body", "head", "unknown"),
}


def choices_of_values() -> list[tuple[Level, str, Phantom | None]]:
    """Every quantity of exams and of events, of each phantom where it is by one."""
    return [
        (level, quantity, phantom)
        for level, quantities in OF_LEVEL.items()
        for quantity in quantities
        for phantom in _phantoms(level, quantity)
    ]


def _phantoms(level: Level, quantity: str) -> Sequence[Phantom | None]:
    return _PHANTOMS[level] if quantity in BY_PHANTOM[level] else (None,)
