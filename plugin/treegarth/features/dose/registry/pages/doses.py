"""The dose list. Orders by date and by dose-length product are read from indexes; the others sort what the filters
leave, about a second for a million studies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.features.dose.registry.conditions import DoseConditions
from treegarth.features.dose.registry.pages.dose_columns import (
    BREASTS,
    EVERY,
    MORE_RANGES,
    RANGES,
    DoseColumn,
    Range,
    columns_of,
)
from treegarth.features.dose.registry.pages.names import KIND_NAMES, MEANING_NAMES, doubts_in_words
from treegarth.features.dose.registry.pages.study import study_address
from treegarth.features.dose.registry.store.queue import count_waiting
from treegarth.features.dose.registry.store.studies import DoseStudy, select_studies_with_dose, told_apart_with_kept
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Navigation

BREASTS_COLUMN = "glandular_doses"
"""The name of the column that shows both breasts."""


def find(asker: Asker, connection: Connection, asked: DoseConditions) -> Select[Any]:
    return select_studies_with_dose(connection, asked.filter())


def extras(
    call: AnyCall, connection: Connection, asked: DoseConditions, studies: Sequence[DoseStudy]
) -> Mapping[str, Any]:
    which = told_apart_with_kept(connection, studies)
    return {
        "addresses": {study.orthanc_study_id: study_address(call, study, which(study)) for study in studies},
        "doubts": {study.orthanc_study_id: doubts_in_words(study.doubts) for study in studies},
        "doses": {_name(column): column for column in EVERY},
        "ranges": RANGES,
        "more_ranges": MORE_RANGES,
        "more_open": any(call.http.args.get(name) for one in MORE_RANGES for name in (one.first, one.last)),
        "waiting": count_waiting(connection),
        "meanings": MEANING_NAMES,
    }


def _name(column: DoseColumn) -> str:
    return BREASTS_COLUMN if column is BREASTS else column.names[0]


def _column(column: DoseColumn) -> Column:
    return Column(
        name=_name(column),
        label=column.quantity.label,
        unit=column.quantity.unit,
        form="number",
        sorts_by=column.names,
        nulls_first=True,
        narrow=column.narrow,
    )


def shown(asked: DoseConditions, studies: Sequence[DoseStudy]) -> Sequence[Column]:
    """The quantities of the kinds that are listed, between what is shown of all."""
    found = columns_of(asked.kind, (kind for study in studies for kind in study.kinds))
    doses = [replace(_column(one), narrow=one.narrow) for one in found]
    return [*ABOUT, *doses, READING]


def _limits(range_: Range) -> tuple[Filter, Filter]:
    one = Filter(name=range_.first, label=range_.label, is_shown=False, is_own=True, sign="≥")
    return one, replace(one, name=range_.last, sign="≤")


ABOUT = (
    Column(name="patient_name", label=N_("Patient"), nulls_first=True),
    Column(name="patient_id", label=N_("Patient ID"), narrow="c-1", nulls_first=True),
    Column(name="study_date", label=N_("Study date"), sorts_by=("study_date", "study_time"), nulls_first=True),
    Column(name="study_description", label=N_("Description"), nulls_first=True),
    Column(name="protocols", label=N_("Protocols"), narrow="c-3"),
    Column(
        name="equipment",
        label=N_("Equipment"),
        form="own",
        sorts_by=("manufacturer_model_name", "station_name"),
        narrow="c-1",
        nulls_first=True,
    ),
    Column(name="irradiation_event_count", label=N_("Events")),
)
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
    columns=(*ABOUT, *(_column(column) for column in EVERY), READING),
    shown=shown,
    filters=(
        Filter(name="kind", label=N_("Kind"), choices={str(kind): name for kind, name in KIND_NAMES.items()}),
        Filter(name="modality", label=N_("Modality"), width="short", hint="CT,PT"),
        Filter(name="patient_id", label=N_("Patient ID")),
        Filter(name="protocol", label=N_("Protocol"), width="wide"),
        Filter(name="equipment", label=N_("Equipment"), width="wide"),
        Filter(name="study_date_from", label=N_("From")),
        Filter(name="study_date_to", label=N_("To")),
        Filter(
            name="not_patient",
            label=N_("Of patients"),
            choices={"false": N_("only patients"), "true": N_("phantom, QA, service")},
        ),
        Filter(name="issuer_of_patient_id", label=N_("Issuer of patient ID"), is_shown=False),
        Filter(name="device", label=N_("Device"), is_shown=False),
        Filter(name="not_patient_rule", label=N_("Rule"), is_shown=False),
        *(limit for one in (*RANGES, *MORE_RANGES) for limit in _limits(one)),
    ),
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
    navigation=Navigation(label=N_("Dose"), icon="dose", order=30, key="d"),
)
