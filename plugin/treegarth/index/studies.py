"""Which study a Study Instance UID means. Reads only.

A Study Instance UID is one study's (PS3.3 A.1.2), yet patients are met who share one. Orthanc keeps their studies
apart, for its identifiers are made of the patient's and the study's; so does everything here. Where a UID means several
studies an address says by Orthanc's identifier which one; where it does not, it is asked and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, null, select

from treegarth.database.parameters import is_among
from treegarth.errors import NotFound, RequestConflict
from treegarth.index.tables import study
from treegarth.phrases import P_


class OfStudy(Protocol):
    """A row that is of a study."""

    @property
    def orthanc_study_id(self) -> str: ...
    @property
    def study_instance_uid(self) -> str: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyKey:
    """One study, by Orthanc's identifier and its own."""

    orthanc_study_id: str
    study_instance_uid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyChoice:
    """What tells one of several studies with one Study Instance UID from the others."""

    orthanc_study_id: str
    patient_id: str | None
    patient_name: str | None
    study_date: date | None


class AmbiguousStudy(RequestConflict):
    """Several patients have a study with one Study Instance UID (against PS3.3 A.1.2); `studies` are theirs."""

    def __init__(self, studies: Sequence[StudyChoice]) -> None:
        super().__init__(
            P_(
                "%(count)s patients have a study with this Study Instance UID: orthanc_study_id says whose is meant.",
                count=len(studies),
            ),
            choices=[
                {
                    "orthanc_study_id": one.orthanc_study_id,
                    "patient_id": one.patient_id,
                    "patient_name": one.patient_name,
                    "study_date": one.study_date.isoformat() if one.study_date else None,
                }
                for one in studies
            ],
        )
        self.studies = tuple(studies)


def find_study(
    connection: Connection,
    study_instance_uid: str,
    orthanc_study_id: str | None = None,
    *,
    kept: Sequence[FromClause] = (),
) -> StudyKey | None:
    """The one study of this UID, or of those the one that is named; None where there is none and none is named.

    `kept` are tables whose rows outlive the study's own. Raises AmbiguousStudy where several patients have one and none
    is named, NotFound where the named one is not of this UID.
    """
    found = _studies_of(connection, study_instance_uid, kept)
    if orthanc_study_id:
        if orthanc_study_id not in found:
            raise NotFound(P_("The study that orthanc_study_id names has another Study Instance UID, or is not here."))
        return StudyKey(orthanc_study_id=orthanc_study_id, study_instance_uid=study_instance_uid)
    if len(found) > 1:
        raise AmbiguousStudy(list(found.values()))
    return next((StudyKey(orthanc_study_id=one, study_instance_uid=study_instance_uid) for one in found), None)


def the_study(connection: Connection, study_instance_uid: str, orthanc_study_id: str | None = None) -> StudyKey:
    """The same, of the index alone. Raises NotFound where it has none, too."""
    found = find_study(connection, study_instance_uid, orthanc_study_id)
    if found is None:
        raise NotFound(P_("There is no study with this Study Instance UID."))
    return found


def named_study(connection: Connection, name: str) -> StudyKey:
    """The study of a path alone, as of PUT and DELETE, whose query Orthanc does not hand on: by its UID, or by
    Orthanc's identifier. Raises as `the_study` does."""
    return key_of(connection, name) or the_study(connection, name)


def key_of(connection: Connection, orthanc_study_id: str) -> StudyKey | None:
    """The study that Orthanc knows by this identifier; None where the index has none."""
    columns = (study.c.orthanc_study_id, study.c.study_instance_uid)
    row = connection.execute(select(*columns).where(study.c.orthanc_study_id == orthanc_study_id)).one_or_none()
    return None if row is None else StudyKey(**row._mapping)


def asked_study(
    connection: Connection,
    study_instance_uid: str | None,
    orthanc_study_id: str | None,
    *,
    kept: Sequence[FromClause] = (),
) -> StudyKey | None:
    """The study that a list is asked for; None where it is not asked for one. Of one that nothing is known of no row is
    found. Raises as `find_study` does."""
    if not study_instance_uid:
        return None
    found = find_study(connection, study_instance_uid, orthanc_study_id, kept=kept)
    return found or StudyKey(orthanc_study_id="", study_instance_uid=study_instance_uid)


def is_of(rows: FromClause, wanted: OfStudy) -> ColumnElement[bool]:
    """The condition that a row is of this study: the UID is what indexes know, Orthanc's identifier what is meant."""
    return and_(
        rows.c.study_instance_uid == wanted.study_instance_uid, rows.c.orthanc_study_id == wanted.orthanc_study_id
    )


def told_apart(
    connection: Connection, rows: Iterable[OfStudy], *, kept: Sequence[FromClause] = ()
) -> Callable[[OfStudy], str | None]:
    """For addresses of these rows' studies: Orthanc's identifier where the UID alone would mean another study or
    several, None where it is enough."""
    uids = {row.study_instance_uid for row in rows}
    known: dict[str, set[str]] = {}
    for source in (study, *kept) if uids else ():
        columns = (source.c.study_instance_uid, source.c.orthanc_study_id)
        for uid, key in connection.execute(select(*columns).where(is_among(columns[0], sorted(uids))).distinct()):
            known.setdefault(uid, set()).add(key)

    def which(row: OfStudy) -> str | None:
        enough = known.get(row.study_instance_uid, set()) <= {row.orthanc_study_id}
        return None if enough else row.orthanc_study_id or None

    return which


def others_of(connection: Connection, wanted: OfStudy) -> int:
    """How many other studies of the index have the study's UID: none, if all is right."""
    return len(_studies_of(connection, wanted.study_instance_uid, ()).keys() - {wanted.orthanc_study_id})


def _studies_of(connection: Connection, study_instance_uid: str, kept: Sequence[FromClause]) -> dict[str, StudyChoice]:
    """By Orthanc's identifier, in the order of patients' identifiers; what only `kept` knows has no name and day."""
    names = ("orthanc_study_id", "patient_id", "patient_name", "study_date")
    found: dict[str, StudyChoice] = {}
    for source in (study, *kept):
        columns = [(source.c[name] if name in source.c else null()).label(name) for name in names]
        query = select(*columns).where(source.c.study_instance_uid == study_instance_uid).distinct()
        for row in connection.execute(query):
            found.setdefault(row.orthanc_study_id, StudyChoice(**row._mapping))
    return dict(sorted(found.items(), key=lambda item: (item[1].patient_id or "", item[0])))


def count_instances(connection: Connection) -> int:
    """How many instances the index has, from its studies' counts: these are kept in the same transactions."""
    return int(connection.execute(select(func.coalesce(func.sum(study.c.instance_count), 0))).scalar_one())
