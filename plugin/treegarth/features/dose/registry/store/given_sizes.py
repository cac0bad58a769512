"""Sizes and weights that files tell of studies, as deciding asks for them. Queries only.

Asked for every study that is decided, in its transaction: so a file that was applied holds for what arrives later, too.
Where no file names a study that is one look into an index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, case, exists, null, or_, select, true, update

from treegarth.database.parameters import is_among
from treegarth.features.dose.registry.size_matching import (
    GivenLine,
    Match,
    Named,
    NamedStudy,
    Told,
    of_studies,
    told,
)
from treegarth.features.dose.registry.store.undecided import note_undecided
from treegarth.features.dose.registry.tables import dose_study, size_import, size_line
from treegarth.index.tables import study

GIVEN = tuple(name for name in GivenLine.__dataclass_fields__ if name != "applied_at")
NOTHING = dict.fromkeys(("size_import_id", "weight_import_id", "told_size_m", "told_weight_kg"))
_KNOWN_AS = ("outcome", "orthanc_study_id", "study_count")


def with_given(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of studies that are decided, with the sizes and weights of files in place of what their objects say, which
    stays beside. Notes other studies that have to be decided for it: two patients that share an accession number."""
    lines = _lines(connection, rows)
    if not lines:
        return [{**row, **NOTHING} for row in rows]
    given = [_given(one) for one in lines]
    here = {row["orthanc_study_id"]: _study_of(row) for row in rows}
    others = [one for one in known_studies(connection, given) if one.orthanc_study_id not in here]
    named = Named([*here.values(), *others])
    lines_of = of_studies(given, here, named)
    _note_outcomes(connection, lines, [(line, match) for found in lines_of.values() for line, match in found])
    _note_others(connection, given, named, here)
    return [_with(row, lines_of.get(row["orthanc_study_id"], ())) for row in rows]


def _told_to(orthanc_study_id: str, lines: Iterable[tuple[GivenLine, Match]]) -> Told:
    return told(
        [
            line
            for line, match in lines
            if match.outcome == "found" and any(one.orthanc_study_id == orthanc_study_id for one in match.studies)
        ]
    )


def _with(row: Mapping[str, Any], lines: Iterable[tuple[GivenLine, Match]]) -> dict[str, Any]:
    found = _told_to(row["orthanc_study_id"], lines)
    return {
        **row,
        **NOTHING,
        **_one(row, found.size, "patient_size_m", "size_import_id", "told_size_m"),
        **_one(row, found.weight, "patient_weight_kg", "weight_import_id", "told_weight_kg"),
    }


def _one(row: Mapping[str, Any], line: GivenLine | None, value: str, by: str, said: str) -> dict[str, Any]:
    return {} if line is None else {value: getattr(line, value), by: line.size_import_id, said: row[value]}


def _lines(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Row[Any]]:
    """Those of files that hold that name one of these studies."""
    uids = sorted({row["study_instance_uid"] for row in rows})
    accessions = sorted({row["accession_number"] for row in rows if row["accession_number"]})
    line = size_line.c
    query = (
        select(*(line[name] for name in dict.fromkeys((*GIVEN, *_KNOWN_AS))), size_import.c.applied_at)
        .join(size_import, size_import.c.id == line.size_import_id)
        .where(or_(is_among(line.study_instance_uid, uids), is_among(line.accession_number, accessions)))
        .where(line.problem.is_(None), size_import.c.state == "applied")
    )
    return list(connection.execute(query))


def _given(row: Row[Any]) -> GivenLine:
    return GivenLine(**{name: row._mapping[name] for name in GivenLine.__dataclass_fields__})


def _study_of(row: Mapping[str, Any]) -> NamedStudy:
    return NamedStudy(
        orthanc_study_id=row["orthanc_study_id"],
        study_instance_uid=row["study_instance_uid"],
        accession_number=row["accession_number"],
        patient_id=row["patient_id"],
        is_replaced=row["replaced_by"] is not None,
        told_size_m=row["patient_size_m"],
        told_weight_kg=row["patient_weight_kg"],
    )


def known_studies(connection: Connection, lines: Iterable[GivenLine]) -> list[NamedStudy]:
    """The studies that lines could be of: those with a dose, and those of the archive without one."""
    given = list(lines)
    uids = sorted({one.study_instance_uid for one in given if one.study_instance_uid})
    accessions = sorted({one.accession_number for one in given if one.accession_number and not one.study_instance_uid})
    names = ("orthanc_study_id", "study_instance_uid", "accession_number", "patient_id")
    dosed, found = dose_study.c, study.c
    size = case((dosed.size_import_id.is_(None), dosed.patient_size_m), else_=dosed.told_size_m)
    weight = case((dosed.weight_import_id.is_(None), dosed.patient_weight_kg), else_=dosed.told_weight_kg)
    with_dose = select(
        *(dosed[name] for name in names),
        true().label("has_dose"),
        dosed.replaced_by.is_not(None).label("is_replaced"),
        size.label("told_size_m"),
        weight.label("told_weight_kg"),
    ).where(or_(is_among(dosed.study_instance_uid, uids), is_among(dosed.accession_number, accessions)))
    without = select(*(found[name] for name in names), null().label("told")).where(
        or_(is_among(found.study_instance_uid, uids), is_among(found.accession_number, accessions)),
        ~exists().where(dosed.orthanc_study_id == found.orthanc_study_id),
    )
    return [
        *(NamedStudy(**row._mapping) for row in connection.execute(with_dose)),
        *(
            NamedStudy(**{name: row._mapping[name] for name in names}, has_dose=False)
            for row in connection.execute(without)
        ),
    ]


def outcome_of(line: GivenLine, match: Match) -> dict[str, Any]:
    """What the row of a line says of what it is of."""
    first = match.studies[0] if match.studies else None
    return {
        "outcome": match.outcome,
        "orthanc_study_id": first.orthanc_study_id if first else None,
        "study_count": len(match.studies),
        "told_size_m": first.told_size_m if first else None,
        "told_weight_kg": first.told_weight_kg if first else None,
        "differs": match.outcome == "found" and match.differs(line),
    }


def write_outcomes(connection: Connection, outcomes: Iterable[tuple[GivenLine, Mapping[str, Any]]]) -> None:
    """What `outcome_of` says of each line, as one statement for many."""
    rows = [{"of_import": line.size_import_id, "of_line": line.line, **said} for line, said in outcomes]
    if rows:
        its = and_(size_line.c.size_import_id == bindparam("of_import"), size_line.c.line == bindparam("of_line"))
        values: dict[str, Any] = {name: bindparam(name) for name in rows[0] if name not in ("of_import", "of_line")}
        connection.execute(update(size_line).where(its).values(values), rows)


def _note_outcomes(
    connection: Connection, rows: Sequence[Row[Any]], matches: Iterable[tuple[GivenLine, Match]]
) -> None:
    """Of lines that waited for a study, or that mean another patient's, too, by now."""
    was = {(row.size_import_id, row.line): {name: row._mapping[name] for name in _KNOWN_AS} for row in rows}
    changed = {}
    for line, match in matches:
        now = outcome_of(line, match)
        if was[line.size_import_id, line.line] != {name: now[name] for name in _KNOWN_AS}:
            changed[line.size_import_id, line.line] = line, now
    write_outcomes(connection, [changed[key] for key in sorted(changed)])


def _note_others(
    connection: Connection, lines: Sequence[GivenLine], named: Named, here: Mapping[str, NamedStudy]
) -> None:
    """Studies beside these for which a line holds that does not any more, or does again. By all lines that name them,
    as they are decided themselves; those of which that is so already are not noted: two do not have each other decided
    for ever."""
    alike = [one for line in lines for one in named.alike(line)]
    others = {one.orthanc_study_id: one for one in alike if one.orthanc_study_id not in here and one.has_dose}
    if not others:
        return
    theirs = [_given(one) for one in _lines(connection, [asdict(one) for one in others.values()])]
    known = [one for one in known_studies(connection, theirs) if one.orthanc_study_id not in here]
    lines_of = of_studies(theirs, others, Named([*here.values(), *known]))
    row = dose_study.c
    query = select(row.orthanc_study_id, row.size_import_id, row.weight_import_id)
    now = connection.execute(query.where(is_among(row.orthanc_study_id, sorted(others)))).all()
    other = []
    for one in now:
        found = _told_to(one.orthanc_study_id, lines_of.get(one.orthanc_study_id, ()))
        files = (found.size and found.size.size_import_id, found.weight and found.weight.size_import_id)
        if files != (one.size_import_id, one.weight_import_id):
            other.append(one.orthanc_study_id)
    if other:
        note_undecided(connection, other)
