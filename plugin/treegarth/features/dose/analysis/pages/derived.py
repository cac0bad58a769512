"""The list of what was derived of exams, with the reasons why something was not. The usual order has an index; what a
filter leaves is found on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sqlalchemy import Connection, Select

from treegarth.features.dose.analysis.store.derived_list import DerivedOfExam, select_derived
from treegarth.features.dose.quantities import DERIVED
from treegarth.features.dose.registry.pages.addresses import dose_page_of
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.lists import Day, LastDay
from treegarth.web.routes import Parameters, Text

if TYPE_CHECKING:
    DerivedName: TypeAlias = str
else:
    DerivedName = Literal[tuple(DERIVED)]


class DerivedAsked(Parameters):
    """Which rows."""

    study_date_from: Day | None = None
    """The first day of the exams, `2026-11-20`."""
    study_date_to: LastDay = None
    """The last day of the exams, included."""
    study: Text | None = None
    """Of studies that have each of these words in the patient's name or ID, the accession number or the description,
    or that have this UID."""
    quantity: DerivedName | None = None
    """Only this one."""
    derived: bool | None = None
    """`true`: with a value; `false`: without one, and why."""
    doubtful: bool | None = None
    """Whether a value follows from a dose that is doubted."""


def find(asker: Asker, connection: Connection, asked: DerivedAsked) -> Select[Any]:
    return select_derived(
        quantity=asked.quantity,
        derived=asked.derived,
        doubtful=asked.doubtful,
        study_date_from=asked.study_date_from,
        study_date_to=asked.study_date_to,
    )


def extras(
    call: AnyCall, connection: Connection, asked: DerivedAsked, rows: Sequence[DerivedOfExam]
) -> Mapping[str, Any]:
    which = told_apart_with_kept(connection, rows)
    return {
        "addresses": {row.orthanc_study_id: dose_page_of(call, row.study_instance_uid, which(row)) for row in rows},
        "quantities": DERIVED,
    }


def _plain(name: str, label: str, narrow: str = "") -> Column:
    return Column(name=name, label=label, sorts_by=(), narrow=narrow)


DERIVED_DOSES = Listing(
    name="dose.derived",
    title=N_("Derived doses"),
    counts=NN_("%(num)s derived quantity", "%(num)s derived quantities"),
    path="dose/derived",
    api_name="dose_derived",
    api_path="dose/derived",
    tag="dose",
    summary="What follows from the doses of exams by a formula, a row each, or why it does not.",
    record=DerivedOfExam,
    asked=DerivedAsked,
    query=find,
    unique=("orthanc_study_id", "quantity"),
    order="-study_date",
    columns=(
        _plain("patient_name", N_("Patient")),
        _plain("patient_id", N_("Patient ID"), "c-2"),
        Column(
            name="study_date",
            label=N_("Study date"),
            sorts_by=("study_date", "study_time"),
            nulls_first=True,
        ),
        _plain("study_description", N_("Description"), "c-3"),
        _plain("quantity", N_("Quantity")),
        Column(name="value", label=N_("Value"), form="number", sorts_by=()),
        _plain("reason", N_("Why none")),
    ),
    filters=(
        Filter(name="study", label=N_("Study"), width="wide"),
        Filter(
            name="quantity",
            label=N_("Quantity"),
            choices={name: one.label for name, one in DERIVED.items()},
            width="wide",
        ),
        Filter(name="derived", label=N_("Value"), choices={"true": N_("with"), "false": N_("without")}),
        Filter(name="doubtful", label=N_("Doubtful"), choices={"true": N_("yes"), "false": N_("no")}),
        Filter(name="study_date_from", label=N_("From")),
        Filter(name="study_date_to", label=N_("To")),
    ),
    empty=Empty(
        title=N_("Nothing was derived yet"),
        text=N_(
            "Effective dose, activity per weight, activity at the scan and SSDE of each exam stand here, or the input "
            "that each lacks. They are worked out with the dose of the exam."
        ),
        filtered=N_("Nothing derived fits these filters"),
    ),
    template="dose/derived_doses.html",
    extras=extras,
)
