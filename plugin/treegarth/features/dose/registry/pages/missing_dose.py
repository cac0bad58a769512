"""What is missing: studies of dose modalities without any dose or with a part of it, per device and over time. Reads
only.

The list goes by the studies' date, which has an index, as patient, ID and accession number have; what a study lacks is
told by an index too. The count, the filters of what lacks, and the orders by description and by objects look at every
study, or sort those that are left, which are few where devices send their reports: with 400,000 studies they take one
to two seconds, the usual page 35 ms.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from typing import Any, Literal

from flask import Response
from pydantic.fields import FieldInfo
from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.features.dose.registry.lacking import DOSE_MODALITIES, LACKING_NAMES, Lacking
from treegarth.features.dose.registry.store.device_names import device_key_of, named_devices
from treegarth.features.dose.registry.store.missing_dose import (
    Known,
    MonthOfDevice,
    StudyWithoutDose,
    count_missing_by_month,
    select_without_dose,
)
from treegarth.features.dose.registry.store.studies import told_apart_with_kept
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker, Call
from treegarth.web.endpoints import route
from treegarth.web.export import BYTE_ORDER_MARK, csv_text
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.lists import Day, LastDay
from treegarth.web.routes import Parameters, Route

MONTHS_SHOWN = 12
REFUSALS_SHOWN = 3
DEVICE = ("manufacturer", "manufacturer_model_name", "station_name", "device_serial_number")
CSV_COLUMNS = (*DEVICE, "month", "study_count", "without_dose_count", "partial_dose_count")
KNOWN_NAMES: dict[Known, str] = {"none": N_("without dose"), "partly": N_("partly")}
KNOWN_CHOICES: Mapping[str, str] = {str(known): words for known, words in KNOWN_NAMES.items()}
LACKING_CHOICES: Mapping[str, str] = {str(lacking): words for lacking, words in LACKING_NAMES.items()}


class MissingAsked(Parameters):
    """Which studies."""

    study_date_from: Day | None = None
    """The first day of the studies listed, `2026-11-20`."""
    study_date_to: LastDay = None
    """The last day of the studies listed, included."""
    dose: Known | None = None
    """`none`: no object gave anything; `partly`: something was read, and something lacks."""
    lacks: Lacking | None = None
    """Those that lack this dose."""
    refused: bool | None = None
    """`true`: with objects that were read and hold no dose; `false`: without any."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Studies of dose modalities, and how many of them have no dose, or a part of it."""

    studies: int = 0
    without: int = 0
    partly: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            studies=self.studies + other.studies,
            without=self.without + other.without,
            partly=self.partly + other.partly,
        )

    @property
    def missing(self) -> int:
        return self.without + self.partly

    @property
    def with_dose(self) -> int:
        """With every dose that their modalities demand."""
        return self.studies - self.missing

    @property
    def percent(self) -> float | None:
        return 100 * self.missing / self.studies if self.studies else None


@dataclass(frozen=True, kw_only=True)
class DeviceCounts:
    """A device: what it is, where it stands (station and serial number), and what of it is missing."""

    name: str
    place: str
    counts: Counts


def routes() -> list[Route]:
    return [
        route(
            name="dose.missing_months_csv",
            path="/treegarth/dose/missing/months.csv",
            permission=Permission.SEE_DOSE,
            handler=months_csv,
            summary="How many studies have no dose, and how many a part of it, per device and month, as CSV.",
            media_type="text/csv",
        ),
    ]


def find(asker: Asker, connection: Connection, asked: MissingAsked) -> Select[Any]:
    return select_without_dose(
        connection,
        study_date_from=asked.study_date_from,
        study_date_to=asked.study_date_to,
        dose=asked.dose,
        lacks=asked.lacks,
        has_refusals=asked.refused,
    )


def extras(
    call: AnyCall, connection: Connection, asked: MissingAsked, studies: Sequence[StudyWithoutDose]
) -> Mapping[str, Any]:
    months = count_missing_by_month(connection, study_date_from=first_month(today(call)))
    return {
        "months": by_month(months, today(call)),
        "devices": by_device(months, named_devices(connection)),
        "every": sum((_counts(month) for month in months), Counts()),
        "as_table": getattr(asked, "months", "chart") == "table",
        "which": told_apart_with_kept(connection, studies),
        "modalities_of_dose": ", ".join(DOSE_MODALITIES),
        "most_refusals": REFUSALS_SHOWN,
        "known_names": KNOWN_NAMES,
        "lacking_names": LACKING_NAMES,
    }


def months_csv(call: Call[None, None, None]) -> Response:
    with call.connect() as connection:
        months = count_missing_by_month(connection)
    headers = {"Content-Disposition": 'attachment; filename="missing-months.csv"'}
    return Response(BYTE_ORDER_MARK + "".join(_csv_lines(months)), mimetype="text/csv", headers=headers)


def today(call: AnyCall) -> date:
    """The day in the site's zone."""
    services = call.services
    return services.clock().astimezone(services.zone).date()


def first_month(day: date) -> date:
    """The first day of the first month shown: a year up to this month."""
    return _months_back(day, MONTHS_SHOWN - 1)


def by_month(found: Sequence[MonthOfDevice], day: date) -> list[tuple[date, Counts]]:
    """Each of the months shown, the latest first, months without a study too."""
    counts: dict[date | None, Counts] = {}
    for month in found:
        counts[month.month] = counts.get(month.month, Counts()) + _counts(month)
    shown = [_months_back(day, back) for back in range(MONTHS_SHOWN)]
    return [(month, counts.get(month, Counts())) for month in shown]


def by_device(found: Sequence[MonthOfDevice], names: Mapping[str, str] | None = None) -> list[DeviceCounts]:
    """The devices, those that lack the most first; `names` are what people call them, by their keys."""
    counts: dict[tuple[str, str], Counts] = {}
    for month in found:
        device = device_key_of(*(getattr(month, name) for name in DEVICE))
        key = (
            (names or {}).get(device) or _joined(month.manufacturer, month.manufacturer_model_name),
            _joined(month.station_name, month.device_serial_number),
        )
        counts[key] = counts.get(key, Counts()) + _counts(month)
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1].missing, -entry[1].studies, entry[0]))
    return [DeviceCounts(name=name, place=place, counts=counted) for (name, place), counted in ordered]


def _joined(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)


def _counts(month: MonthOfDevice) -> Counts:
    return Counts(studies=month.study_count, without=month.without_dose_count, partly=month.partial_dose_count)


def _months_back(day: date, back: int) -> date:
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _csv_lines(months: Sequence[MonthOfDevice]) -> Iterator[str]:
    yield ",".join(CSV_COLUMNS) + "\r\n"
    for month in months:
        file = StringIO()
        csv.writer(file).writerow([csv_text(getattr(month, name)) for name in CSV_COLUMNS])
        yield file.getvalue()


MISSING = Listing(
    name="dose.missing",
    title=N_("Studies without dose"),
    counts=NN_("%(num)s study misses a dose", "%(num)s studies miss a dose"),
    path="dose/missing",
    api_name="dose_missing",
    api_path="dose/missing",
    tag="dose",
    summary="Studies of dose modalities without any dose, or without a dose that these demand.",
    record=StudyWithoutDose,
    asked=MissingAsked,
    query=find,
    unique="orthanc_study_id",
    order="-study_date",
    columns=(
        Column(name="patient_name", label=N_("Patient"), form="own"),
        Column(name="patient_id", label=N_("Patient ID"), narrow="c-1"),
        Column(name="study_date", label=N_("Study date"), nulls_first=True),
        Column(name="modalities", label=N_("Modalities"), form="modalities", sorts_by=()),
        Column(name="dose", label=N_("Dose"), form="own", sorts_by=()),
        Column(name="lacks", label=N_("Lacks"), form="own", sorts_by=()),
        Column(name="study_description", label=N_("Description")),
        Column(name="accession_number", label=N_("Accession number"), narrow="c-2"),
        Column(name="refused_count", label=N_("Objects"), form="own", narrow="c-0"),
    ),
    filters=(
        Filter(name="study_date_from", label=N_("From")),
        Filter(name="study_date_to", label=N_("To")),
        Filter(name="dose", label=N_("Dose"), choices=KNOWN_CHOICES),
        Filter(name="lacks", label=N_("Lacks"), choices=LACKING_CHOICES),
        Filter(name="refused", label=N_("Refused objects"), choices={"true": N_("yes"), "false": N_("no")}),
    ),
    empty=Empty(
        title=N_("No studies of dose modalities yet"),
        text=N_(
            "Studies of these modalities without any dose that could be read, or without one that they demand, are "
            "listed here, so that a device that stops sending its reports is noticed:"
        ),
        filtered=N_("No study that misses a dose fits these filters"),
    ),
    template="dose/missing.html",
    extras=extras,
    page_fields={"months": (Literal["chart", "table"], FieldInfo(default="chart", description="How they are shown."))},
    views=("months",),
)
