"""The lists of standard names and of raw names, and what the page of a standard name says of what it is given to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from markupsafe import Markup
from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.features.dose.analysis.names.model import Modality
from treegarth.features.dose.analysis.names.rules import Of
from treegarth.features.dose.analysis.names.service import rule_for, suggestions
from treegarth.features.dose.analysis.names.store.name_documents import STANDARD_NAMES, StandardName
from treegarth.features.dose.analysis.names.store.raw_names import (
    Named,
    NamedSum,
    RawName,
    RawNamesWanted,
    select_names,
    select_raw_names,
)
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.parts import render_part
from treegarth.web.routes import Identifier, Parameters, Text

SHOWN_OF_ONE = 100
"""Raw names on the page of a standard name; the list of raw names has all of them."""
MODALITIES = {one: one for one in get_args(Modality)}
OF_NAMES = {"exams": N_("Exams"), "events": N_("Irradiation events")}
FIELD_NAMES = {
    "study_description": N_("Study description"),
    "requested_procedure_description": N_("Requested procedure"),
    "procedure_code": N_("Procedure code"),
    "protocol": N_("Protocol"),
}


# ---- lists ----


class NamesAsked(Parameters):
    """Which standard names."""

    modality: Modality | None = None
    text: Text | None = None
    """A part of the name, or of its code's meaning."""


def find_names(asker: Asker, connection: Connection, asked: NamesAsked) -> Select[Any]:
    return select_names(modality=asked.modality, text=asked.text)


def list_extras(
    call: AnyCall, connection: Connection, asked: NamesAsked, rows: Sequence[NamedSum]
) -> Mapping[str, Any]:
    return {"may_change": call.actor.may(Permission.DECIDE_DOSE)}


NAMES = Listing(
    name="dose.standard_names",
    title=N_("Standard names"),
    counts=NN_("%(num)s standard name", "%(num)s standard names"),
    path="dose/standard-names",
    api_name="standard_names",
    api_path="dose/standard-names",
    tag="dose",
    summary="The standard names, in the order in which they are given, and how often each is.",
    record=NamedSum,
    asked=NamesAsked,
    query=find_names,
    unique="id",
    order="modality",
    columns=(
        Column(name="modality", label=N_("Modality"), sorts_by=("modality", "place")),
        Column(name="place", label=N_("Place"), form="number", narrow="c-2"),
        Column(name="name", label=N_("Standard name"), form="own"),
        Column(name="is_on", label=N_("State"), form="own", narrow="c-1"),
        Column(name="exam_count", label=N_("Exams")),
        Column(name="event_count", label=N_("Events")),
        Column(name="raw_name_count", label=N_("Raw names"), narrow="c-0"),
        Column(name="rule_count", label=N_("Rules"), narrow="c-1"),
        Column(name="code_value", label=N_("Code"), form="own", narrow="c-3"),
    ),
    filters=(
        Filter(name="modality", label=N_("Modality"), choices=MODALITIES),
        Filter(name="text", label=N_("Name"), width="wide"),
    ),
    empty=Empty(
        title=N_("No standard names yet"),
        text=N_(
            "A standard name is what this site calls an exam or a protocol, whatever its scanners call it: statistics "
            "put together what has the same one. Take one of the names that have none, or import a table."
        ),
        filtered=N_("No standard name fits these filters"),
    ),
    template="dose/standard_name_list.html",
    extras=list_extras,
)


class RawNamesAsked(Parameters):
    """Which raw names."""

    named: Named = "no"
    """Those without a standard name; `yes`: those with one; `any`: all."""
    of: Of | None = None
    """Of exams, or of irradiation events alone."""
    modality: Modality | None = None
    standard_name_id: Identifier | None = None
    """Those that have this standard name."""
    text: Text | None = None
    """A part of one of its texts."""


def find_raw_names(asker: Asker, connection: Connection, asked: RawNamesAsked) -> Select[Any]:
    return select_raw_names(
        RawNamesWanted(
            named=asked.named,
            of=asked.of,
            modality=asked.modality,
            standard_name_id=asked.standard_name_id,
            text=asked.text,
        )
    )


def raw_extras(
    call: AnyCall, connection: Connection, asked: RawNamesAsked, rows: Sequence[RawName]
) -> Mapping[str, Any]:
    """Suggestions for those of this page that have no name."""
    return {
        "asked": asked,
        "of_names": OF_NAMES,
        "suggested": suggestions(connection, [one for one in rows if one.standard_name_id is None]),
        "rules": {one.key: rule_for(one) for one in rows if one.standard_name_id is None},
        "may_change": call.actor.may(Permission.DECIDE_DOSE),
    }


RAW_NAMES = Listing(
    name="dose.raw_names",
    title=N_("Raw names"),
    counts=NN_("%(num)s raw name", "%(num)s raw names"),
    path="dose/raw-names",
    api_name="raw_names",
    api_path="dose/raw-names",
    tag="dose",
    summary="What exams and protocols are called by their objects, how often, and by which standard name.",
    record=RawName,
    asked=RawNamesAsked,
    query=find_raw_names,
    unique="key",
    order="-count",
    columns=(
        Column(name="of", label=N_("Of what"), form="own"),
        Column(name="modality", label=N_("Modality")),
        Column(name="study_description", label=N_("Study description")),
        Column(name="requested_procedure_description", label=N_("Requested procedure"), narrow="c-1"),
        Column(name="procedure_codes", label=N_("Procedure code"), sorts_by=(), narrow="c-2"),
        Column(name="protocols", label=N_("Protocol"), sorts_by=()),
        Column(name="count", label="n"),
        Column(name="standard_name", label=N_("Standard name"), form="own"),
    ),
    filters=(
        Filter(
            name="named",
            label=N_("Standard name"),
            choices={"no": N_("without one"), "yes": N_("with one"), "any": N_("all of them")},
            is_own=True,
            is_shown=False,
        ),
        Filter(name="modality", label=N_("Modality"), choices=MODALITIES),
        Filter(name="of", label=N_("Of what"), choices=OF_NAMES),
        Filter(name="text", label=N_("A part of it"), width="wide"),
        Filter(name="standard_name_id", label=N_("Standard name"), is_shown=False),
    ),
    empty=Empty(
        title=N_("Every exam and every protocol has a standard name"),
        text=N_("What scanners call in a way that no rule takes stands here, the most frequent first."),
        filtered=N_("Nothing is called so that fits these filters"),
    ),
    template="dose/standard_name_raw_names.html",
    extras=raw_extras,
)


# ---- the page of one ----


def section_of(call: AnyCall, stored: StandardName) -> Markup:
    """Its rules, and what it is the name of."""
    found = select_raw_names(RawNamesWanted(standard_name_id=stored.id))
    with call.connect() as connection:
        rows = RAW_NAMES.rows(connection, found, limit=SHOWN_OF_ONE)
        total = RAW_NAMES.count(connection, found)
        versions = STANDARD_NAMES.history(connection, stored.id)
    return render_part(
        call,
        "dose/standard_name_section.html",
        name=stored,
        rows=rows.items,
        total=total,
        versions=versions,
        fields=FIELD_NAMES,
        of_names=OF_NAMES,
        may_change=call.actor.may(Permission.DECIDE_DOSE) and stored.removed_at is None,
    )
