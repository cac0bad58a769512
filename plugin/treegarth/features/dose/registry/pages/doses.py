"""The dose list. Orders by date and by dose-length product are read from indexes; the others sort what the filters
leave, about a second for a million studies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.features.dose.analysis.names.store.raw_names import name_of_number
from treegarth.features.dose.analysis.store.percentiles import add_percentiles
from treegarth.features.dose.quantities import BEST
from treegarth.features.dose.registry.conditions import DoseConditions, Period
from treegarth.features.dose.registry.lacking import LACKING_NAMES
from treegarth.features.dose.registry.pages.dose_columns import (
    EVENT_RANGES,
    EVERY,
    MORE_RANGES,
    OF_KIND,
    RANGES,
    DoseColumn,
    Range,
    doubts_of,
    leading_doses,
)
from treegarth.features.dose.registry.pages.names import DOUBT_NAMES, KIND_NAMES, MEANING_NAMES
from treegarth.features.dose.registry.pages.percentiles import percentile_marks
from treegarth.features.dose.registry.pages.study import study_address
from treegarth.features.dose.registry.rules import Source
from treegarth.features.dose.registry.store.device_names import shown_devices
from treegarth.features.dose.registry.store.equipment import read_device_name
from treegarth.features.dose.registry.store.not_patients import NOT_PATIENTS
from treegarth.features.dose.registry.store.queue import count_waiting
from treegarth.features.dose.registry.store.studies import DoseStudy, select_studies_with_dose, told_apart_with_kept
from treegarth.index.labels import labels_of
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter, label_choices
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Navigation
from treegarth.web.templates import url_with

PERIODS: dict[Period, str] = {
    "today": N_("Today"),
    "last_7_days": N_("7 days"),
    "last_30_days": N_("30 days"),
    "this_month": N_("This month"),
    "last_month": N_("Last month"),
    "this_year": N_("This year"),
    "last_year": N_("Last year"),
}
SOURCES: dict[Source, str] = {
    Source.REPORT: N_("dose report"),
    Source.CAPTURE: N_("captured dose page"),
    Source.HEADER: N_("image headers"),
}


def find(asker: Asker, connection: Connection, asked: DoseConditions) -> Select[Any]:
    return select_studies_with_dose(connection, asked.filter(asker.today))


def extras(
    call: AnyCall, connection: Connection, asked: DoseConditions, studies: Sequence[DoseStudy]
) -> Mapping[str, Any]:
    which = told_apart_with_kept(connection, studies)
    columns = {one.name: one for one in EVERY}
    orders = OF_KIND[asked.kind] if asked.kind else EVERY
    return {
        "addresses": {study.orthanc_study_id: study_address(call, study, which(study)) for study in studies},
        "marks": {study.orthanc_study_id: percentile_marks(call, study.percentiles) for study in studies},
        "leading": {study.orthanc_study_id: leading_doses(study) for study in studies},
        "labels": labels_of(connection, [study.orthanc_study_id for study in studies]),
        "doubts_of": lambda study, column: doubts_of(study, column.removeprefix("best_")),
        "doses": columns,
        "orders": [(one.quantity.label, _order(call, one)) for one in orders if not one.is_derived],
        "events_url": call.site.url("dose.events_page", **asked_of_both(call)),
        "waiting": count_waiting(connection),
        "meanings": MEANING_NAMES,
        "lacking_names": LACKING_NAMES,
        "device_names": shown_devices(connection, {one.device_key for one in studies if one.device_key}),
        **ranges(),
    }


def asked_of_both(call: AnyCall) -> dict[str, str]:
    """What is asked of exams is asked of their events, too, and the other way round; not the order."""
    return {name: value for name, value in call.http.args.items() if name in DoseConditions.model_fields and value}


def _order(call: AnyCall, column: DoseColumn) -> str:
    return url_with(call, sort=f"-{column.name}", cursor=None)


def ranges() -> dict[str, list[Range]]:
    """What the template of the filters shows."""
    return {"ranges": RANGES, "more_ranges": MORE_RANGES, "event_ranges": EVENT_RANGES}


def _column(column: DoseColumn) -> Column:
    return Column(
        name=column.name,
        label=column.quantity.label,
        unit=column.quantity.unit,
        form="number",
        sorts_by=() if column.is_derived else None,
        nulls_first=True,
        narrow=column.narrow,
    )


def shown(asked: DoseConditions, studies: Sequence[DoseStudy]) -> Sequence[Column]:
    """The quantities of the kind that is listed, else what each exam is known by; standard names where one has any."""
    doses = [DOSE] if asked.kind is None else [_column(one) for one in OF_KIND[asked.kind]]
    called = any(one.standard_names for one in studies)
    return [*WHO_AND_WHEN, *doses, READING, *(one for one in ABOUT if called or one.name != "standard_names")]


def _limits(range_: Range, *, is_more: bool) -> tuple[Filter, ...]:
    return tuple(
        Filter(name=name, label=range_.said or range_.label, is_shown=False, is_own=True, is_more=is_more, sign=sign)
        for name, sign in ((range_.first, "≥"), (range_.last, "≤"))
    )


def device_asked_for(call: AnyCall, connection: Connection) -> Mapping[str, str]:
    """The name of the one device of the address, by its key, which says nothing to a reader."""
    key = call.http.args.get("device", "")
    name = read_device_name(connection, key) if key else ""
    return {key: name} if name else {}


def name_asked_for(call: AnyCall, connection: Connection) -> Mapping[str, str]:
    """The one standard name of the address, by its number."""
    asked = call.http.args.get("standard_name", "")
    found = name_of_number(connection, int(asked)) if re.fullmatch("[0-9]{1,9}", asked) else None
    return {asked: found} if found else {}


def rules_that_mark(call: AnyCall, connection: Connection) -> Mapping[str, str]:
    """The name of each rule that says whose study is no patient's."""
    return {str(number): name for name, number in NOT_PATIENTS.names(connection).items()}


def _more(name: str, label: str, *, width: str = "mid", hint: str = "", **choices: str) -> Filter:
    return Filter(name=name, label=label, width=width, hint=hint, choices=choices, is_more=True)


FILTERS = (
    Filter(name="kind", label=N_("Kind"), choices={str(kind): name for kind, name in KIND_NAMES.items()}),
    Filter(name="patient_id", label=N_("Patient ID")),
    Filter(name="description", label=N_("Description"), width="wide"),
    Filter(name="protocol", label=N_("Protocol"), width="wide"),
    Filter(name="equipment", label=N_("Equipment"), width="wide"),
    Filter(name="study_date_from", label=N_("From")),
    Filter(name="study_date_to", label=N_("To")),
    Filter(
        name="not_patient",
        label=N_("Of patients"),
        choices={"false": N_("only patients"), "true": N_("phantom, QA, service")},
    ),
    Filter(
        name="period", label=N_("Days"), is_shown=False, choices={str(one): words for one, words in PERIODS.items()}
    ),
    Filter(name="issuer_of_patient_id", label=N_("Issuer of patient ID"), is_shown=False),
    Filter(name="device", label=N_("Device"), find_choices=device_asked_for, is_shown=False),
    Filter(name="not_patient_rule", label=N_("Rule"), find_choices=rules_that_mark, is_shown=False),
    Filter(name="standard_name", label=N_("Standard name"), find_choices=name_asked_for, is_shown=False),
    _more("called", N_("Standard name"), width="wide"),
    Filter(name="label", label=N_("Label"), find_choices=label_choices, is_more=True),
    _more("modality", N_("Modality"), width="short", hint="CT,PT"),
    _more("procedure", N_("Procedure")),
    _more("institution", N_("Institution")),
    _more("patient_sex", N_("Sex"), F=N_("female"), M=N_("male"), O=N_("other")),
    _more("source", N_("Source"), **{str(one): words for one, words in SOURCES.items()}),
    _more("doubtful", N_("Doubtful"), true=N_("yes"), false=N_("no")),
    _more("doubt", N_("Doubt"), **{str(one): words for one, words in DOUBT_NAMES.items()}),
    _more("doubt_quantity", N_("Doubted dose"), **{name: one.label for name, one in BEST.items()}),
    _more("issues", N_("With issues"), true=N_("yes"), false=N_("no")),
    *(limit for one in RANGES for limit in _limits(one, is_more=False)),
    *(limit for one in (*MORE_RANGES, *EVENT_RANGES) for limit in _limits(one, is_more=True)),
)
"""The same of exams and of their events."""

WHO_AND_WHEN = (
    Column(name="patient_name", label=N_("Patient"), nulls_first=True),
    Column(name="patient_id", label=N_("Patient ID"), narrow="c-1", nulls_first=True),
    Column(name="study_date", label=N_("Study date"), sorts_by=("study_date", "study_time"), nulls_first=True),
)
"""Before the doses, which are in sight however narrow the page is."""
ABOUT = (
    Column(name="study_description", label=N_("Description"), narrow="c-0", nulls_first=True),
    Column(name="standard_names", label=N_("Standard name"), sorts_by=(), narrow="c-2"),
    Column(name="protocols", label=N_("Protocols"), narrow="c-4"),
    Column(
        name="equipment",
        label=N_("Equipment"),
        form="own",
        sorts_by=("manufacturer_model_name", "station_name"),
        narrow="c-3",
        nulls_first=True,
    ),
    Column(name="irradiation_event_count", label=N_("Events"), narrow="c-3"),
)
DOSE = Column(name="dose", label=N_("Dose"), form="own", sorts_by=())
READING = Column(name="reading", label=N_("Reading"), sorts_by=(), narrow="c-0")
DOSES = Listing(
    name="dose.doses",
    title=N_("Dose"),
    counts=NN_("%(num)s study with a dose", "%(num)s studies with a dose"),
    path="dose",
    api_name="dose_studies",
    api_path="dose/studies",
    tag="dose",
    summary="Studies whose dose was read, by filter, sort and page.",
    record=DoseStudy,
    asked=DoseConditions,
    query=find,
    unique="orthanc_study_id",
    order="-study_date",
    columns=(*WHO_AND_WHEN, DOSE, *(_column(column) for column in EVERY), READING, *ABOUT),
    shown=shown,
    filters=FILTERS,
    period="period",
    empty=Empty(
        title=N_("No doses yet"),
        text=N_(
            "Studies with a radiation dose report are listed here with their totals. Let the scanner send its dose "
            "report (X-Ray Radiation Dose SR) along with the images; it is read within seconds."
        ),
        filtered=N_("No study with a dose fits these filters"),
        advice=N_("Take a filter away, or widen the dates."),
    ),
    template="dose/doses.html",
    extras=extras,
    looked_up={"percentiles": add_percentiles},
    navigation=Navigation(label=N_("Dose"), icon="dose", order=30, key="d"),
)
