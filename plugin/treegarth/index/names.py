"""Whose a study is, for every row that is of one: of the index, else of what is kept of studies that left. Reads only.

A list asks for the names of the rows that it has found, once a page: what it finds, and in which order, stays as quick
as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol, TypeAlias

from sqlalchemy import Connection, literal, select

from treegarth.index.tables import departed_study, study
from treegarth.record import Record

FoundIn: TypeAlias = Literal["archive", "ledger"]
_NAMES = ("patient_name", "patient_id", "study_date", "study_description")
_KEYS = ("orthanc_study_id", "study_instance_uid")


class Keyed(Protocol):
    """A row that is of a study, by Orthanc's identifier."""

    @property
    def orthanc_study_id(self) -> str: ...


class OfNamedStudy(Record):
    """Base of a row that is of a study: whose it is stands beside the study's UID. A list fills it in."""

    patient_name: str | None = None
    """With all its groups, as in DICOM."""
    patient_id: str | None = None
    study_date: date | None = None
    study_description: str | None = None
    found_in: FoundIn | None = None
    """`archive`: the index has the study; `ledger`: it left, and `retention/ledger` tells of it; null: neither."""


@dataclass(frozen=True, kw_only=True)
class StudyName:
    """By what a person knows a study."""

    orthanc_study_id: str
    study_instance_uid: str
    patient_name: str | None
    patient_id: str | None
    study_date: date | None
    study_description: str | None
    found_in: FoundIn | None


def name_studies(connection: Connection, rows: Iterable[Keyed]) -> Mapping[str, StudyName]:
    """By Orthanc's identifier the names of those of these rows' studies that are known."""
    return _names(connection, {row.orthanc_study_id for row in rows})


def name_study(connection: Connection, orthanc_study_id: str) -> StudyName | None:
    """The name of this study; None where nothing is known of it."""
    return _names(connection, {orthanc_study_id}).get(orthanc_study_id)


def name_of(connection: Connection, study_instance_uid: str, orthanc_study_id: str | None) -> StudyName | None:
    """The name of the study that an address says; None where nothing is known of it, or several have its UID."""
    if orthanc_study_id:
        return name_study(connection, orthanc_study_id)
    for table in (study, departed_study):
        which = select(table.c.orthanc_study_id).where(table.c.study_instance_uid == study_instance_uid).limit(2)
        if len(found := connection.execute(which).scalars().all()) == 1:
            return name_study(connection, found[0])
    return None


def with_names(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each with whose its study is where it does not say that itself."""
    names = _names(connection, {row["orthanc_study_id"] for row in rows if row.get("orthanc_study_id")})
    return [_filled(row, names.get(row.get("orthanc_study_id") or "")) for row in rows]


def _filled(row: Mapping[str, Any], name: StudyName | None) -> dict[str, Any]:
    known = {} if name is None else {one: getattr(name, one) for one in (*_NAMES, "found_in")}
    return {**row, **{one: value for one, value in known.items() if row.get(one) is None}}


def _names(connection: Connection, keys: Iterable[str]) -> dict[str, StudyName]:
    wanted, found = sorted(set(keys)), dict[str, StudyName]()
    for table, place in ((study, "archive"), (departed_study, "ledger")):
        missing = [one for one in wanted if one not in found]
        if not missing:
            break
        columns = (*(table.c[name] for name in (*_KEYS, *_NAMES)), literal(place).label("found_in"))
        rows = connection.execute(select(*columns).where(table.c.orthanc_study_id.in_(missing)))
        found |= {row.orthanc_study_id: StudyName(**row._mapping) for row in rows}
    return found
