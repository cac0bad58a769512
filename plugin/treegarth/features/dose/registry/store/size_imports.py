"""Files with sizes and weights as they are kept: sent, looked at, applied and undone as a whole. Queries only.

What is sent is kept with what each line would do; nothing holds until it is applied. A file of few lines is read,
applied and undone at once, in the transaction of who asks; one of many by a long work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Connection, Select, delete, func, insert, or_, select, update

from treegarth.database.parameters import is_among
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.dose.registry.size_file import NoSizeFile, SizeUnit, heading_of, read_lines
from treegarth.features.dose.registry.size_matching import GivenLine, Named, NamedStudy, Outcome
from treegarth.features.dose.registry.store.exams import decide_studies
from treegarth.features.dose.registry.store.given_sizes import GIVEN, known_studies, outcome_of, write_outcomes
from treegarth.features.dose.registry.tables import dose_report, dose_study, size_import, size_line
from treegarth.index.tables import study
from treegarth.phrases import P_, Phrase
from treegarth.record import Record
from treegarth.work.kinds import Block
from treegarth.work.store import ClaimedWork, LongWork, latest, start

KIND = "dose.sizes"
AT_ONCE = 20_000
"""Characters of a file that is read in the request: about a thousand lines."""
LINES_OF_A_LOOK = 1_000
LINES_DECIDED = 200
"""Of a block; a file with no more is applied in the request."""

State = Literal["reading", "checked", "applied", "undone", "failed"]
MISSING = P_("There is no file of sizes with this number.")


class SizeImport(Record):
    """A file with sizes and weights, and what became of it."""

    id: int
    """Later ones have greater ones."""
    file_name: str | None
    size_unit: Literal["m", "cm"] | None
    """Null: the heading says it."""
    ignored: list[str]
    """Headings that mean nothing here."""
    state: State
    """`checked`: nothing holds yet; `applied`: it holds; `failed`: it could not be read."""
    problem: str | None
    """Why it could not be read."""
    line_count: int | None
    """Null until they are read."""
    sent_by: str | None
    """Null without a login."""
    sent_at: datetime
    applied_by: str | None
    applied_at: datetime | None
    reason: str | None
    """Why it was applied."""
    undone_by: str | None
    undone_at: datetime | None
    undone_reason: str | None


class SizeOutcomes(Record):
    """How many lines would do what, or did."""

    found: int = 0
    """Of an exam with a dose."""
    no_dose: int = 0
    """Of a study of which no dose was read: they hold as soon as one is."""
    waits: int = 0
    """Of no study that is here: they hold as soon as it arrives."""
    ambiguous: int = 0
    """Of studies of several patients: they tell nothing."""
    refused: int = 0
    """Not taken, each with its reason."""
    differs: int = 0
    """Of those that are found: the objects say otherwise."""


class SizeLineRow(Record):
    """A line of such a file."""

    line: int
    """Of the file, from 1."""
    text: str
    """Its beginning."""
    outcome: Outcome
    """`found`: of an exam; `no dose`: of a study without a dose; `waits`: of none that is here; `ambiguous`: of studies
    of several patients; `refused`: not taken."""
    problem: str | None
    """Why it is not taken."""
    study_instance_uid: str | None
    accession_number: str | None
    patient_id: str | None
    patient_size_m: float | None
    patient_weight_kg: float | None
    told_size_m: float | None
    """What the objects of its study say."""
    told_weight_kg: float | None
    differs: bool
    """Whether that is something else."""
    orthanc_study_id: str | None
    """Its study, the first of several."""
    study_count: int


def select_imports() -> Select[Any]:
    """Every file, in no order."""
    return select(*(size_import.c[name] for name in SizeImport.model_fields))


def read_import(connection: Connection, number: int) -> SizeImport:
    """Raises NotFound."""
    row = connection.execute(select_imports().where(size_import.c.id == number)).one_or_none()
    if row is None:
        raise NotFound(MISSING)
    return SizeImport.model_validate(row._asdict())


def outcomes_of(connection: Connection, number: int) -> SizeOutcomes:
    """How many lines of a file are of which outcome."""
    line = size_line.c
    counts = select(line.outcome, func.count().label("count"), func.count().filter(line.differs).label("differs"))
    rows = connection.execute(counts.where(line.size_import_id == number).group_by(line.outcome)).all()
    by_name = {row.outcome.replace(" ", "_"): int(row._mapping["count"]) for row in rows}
    return SizeOutcomes(**by_name, differs=sum(row.differs for row in rows))


def receive(
    connection: Connection,
    text: str,
    *,
    file_name: str | None,
    size_unit: SizeUnit | None,
    by: str | None,
    now: datetime,
) -> int:
    """Keep a file and look what its lines would do, at once where they are few; its number. Raises NoSizeFile."""
    text = text.replace("\0", "\ufffd")  # which no column can hold
    heading = heading_of(text, size_unit)
    values: dict[str, Any] = {
        "file_name": file_name,
        "size_unit": size_unit,
        "ignored": list(heading.ignored),
        "text": text,
    }
    values |= {"state": "reading", "sent_by": by, "sent_at": now}
    number: int = connection.execute(insert(size_import).values(values).returning(size_import.c.id)).scalar_one()
    if len(text) > AT_ONCE:
        start(connection, KIND, by=by, now=now, subject=str(number), given={"act": "read"}, detail=file_name)
        return number
    read_in(connection, number)
    place: int | None = 0
    while place is not None:
        _, place = look_on(connection, number, place)
    return number


def read_in(connection: Connection, number: int) -> int:
    """The lines of the file, which itself is not kept any longer; how many. Raises NoSizeFile."""
    row = connection.execute(select(size_import).where(size_import.c.id == number)).one()
    lines = read_lines(row.text, heading_of(row.text, row.size_unit))
    values = [
        {**asdict(one), "size_import_id": number, "outcome": "waits" if one.problem is None else "refused"}
        for one in lines
    ]
    connection.execute(insert(size_line), values)
    its = update(size_import).where(size_import.c.id == number)
    connection.execute(its.values(text=None, line_count=len(lines)))
    return len(lines)


def look_on(connection: Connection, number: int, after: int) -> tuple[int, int | None]:
    """What the next lines would do: how many, and the last of them; None behind the last of all, and it is checked."""
    lines = _lines(connection, number, after, LINES_OF_A_LOOK)
    named = Named(known_studies(connection, lines))
    matches = [(one, named.of(one)) for one in lines]
    write_outcomes(  # a line that waits is one that was read and not found: it stands so already
        connection, [(one, outcome_of(one, match)) for one, match in matches if match.outcome != "waits"]
    )
    if len(lines) == LINES_OF_A_LOOK:
        return len(lines), lines[-1].line
    connection.execute(update(size_import).where(size_import.c.id == number).values(state="checked"))
    return len(lines), None


def _lines(connection: Connection, number: int, after: int, count: int) -> list[GivenLine]:
    """The next that are taken."""
    line = size_line.c
    query = select(*(line[name] for name in GIVEN)).where(line.size_import_id == number, line.line > after)
    rows = connection.execute(query.where(line.problem.is_(None)).order_by(line.line).limit(count))
    return [GivenLine(**row._mapping) for row in rows]


def apply_import(connection: Connection, number: int, *, reason: str, by: str | None, now: datetime) -> SizeImport:
    """Its lines hold from now on, for what arrives later, too. Raises NotFound, RequestConflict."""
    one = _taken(connection, number)
    if one.state != "checked":
        raise RequestConflict(P_("Only a file that was looked at and was not applied yet can be applied."))
    values = {"state": "applied", "applied_by": by, "applied_at": now, "reason": reason}
    connection.execute(update(size_import).where(size_import.c.id == number).values(values))
    _decide(connection, one, by, now)
    return read_import(connection, number)


def undo_import(connection: Connection, number: int, *, reason: str, by: str | None, now: datetime) -> SizeImport:
    """None of its lines holds any more: what was before it holds again. Raises NotFound, RequestConflict."""
    one = _taken(connection, number)
    if one.state != "applied":
        raise RequestConflict(P_("Only a file that holds can be undone."))
    values = {"state": "undone", "undone_by": by, "undone_at": now, "undone_reason": reason}
    connection.execute(update(size_import).where(size_import.c.id == number).values(values))
    _decide(connection, one, by, now)
    return read_import(connection, number)


def discard_import(connection: Connection, number: int) -> None:
    """Forget a file that never held. Raises NotFound, RequestConflict."""
    one = _taken(connection, number)
    if one.state not in ("checked", "failed"):
        raise RequestConflict(P_("A file that held once stays, with who applied it; it can be undone."))
    connection.execute(delete(size_import).where(size_import.c.id == number))


def _taken(connection: Connection, number: int) -> SizeImport:
    """For whoever changes it: one at a time, and not while a work is at it."""
    connection.execute(select(size_import.c.id).where(size_import.c.id == number).with_for_update())
    found = read_import(connection, number)
    work = latest(connection, KIND, str(number))
    if work is not None and work.is_running:
        raise RequestConflict(P_("The file is being worked on: wait until that is done."))
    return found


def _decide(connection: Connection, one: SizeImport, by: str | None, now: datetime) -> None:
    count = one.line_count or 0
    if count > LINES_DECIDED:
        given = {"act": "decide"}
        start(connection, KIND, by=by, now=now, subject=str(one.id), given=given, detail=one.file_name, total=count)
        return
    decide_on(connection, one.id, 0, now)


def decide_on(connection: Connection, number: int, after: int, now: datetime) -> tuple[int, int | None]:
    """Decide the studies of the next lines anew: how many lines, and the last of them; None behind the last of all."""
    lines = _lines(connection, number, after, LINES_DECIDED)
    named = Named(known_studies(connection, lines))
    # Also those of which no dose stands here yet: one that is being decided has not seen that the file holds.
    studies = {of.orthanc_study_id for line in lines for of in named.alike(line)}
    if studies:
        decide_studies(connection, sorted(studies), now)
    return len(lines), lines[-1].line if len(lines) == LINES_DECIDED else None


def carry_on(connection: Connection, work: ClaimedWork, now: datetime) -> Block:
    """The next lines of a file that is read, applied or undone."""
    number = int(work.subject)
    if work.given["act"] == "decide":
        done, place = decide_on(connection, number, work.place or 0, now)
    elif work.place is None:
        return _read_all(connection, number)
    else:
        done, place = look_on(connection, number, work.place)
    if place is None:
        return Block(done=done, total=work.done + done, place=work.place, ends="done")
    return Block(done=done, place=place)


def _read_all(connection: Connection, number: int) -> Block:
    try:
        with connection.begin_nested():
            count = read_in(connection, number)
    except NoSizeFile as refused:
        said = cast(Phrase, refused.sentence)
        values = {"state": "failed", "problem": said, "text": None}
        connection.execute(update(size_import).where(size_import.c.id == number).values(values))
        return Block(ends="failed", error=said)
    return Block(place=0, total=count)


def work_of(connection: Connection, number: int) -> LongWork | None:
    """The latest work on a file; None where all of it was done at once."""
    return latest(connection, KIND, str(number))


def select_lines(number: int, *, outcome: Outcome | None, differs: bool | None) -> Select[Any]:
    """The lines of a file, in no order."""
    line = size_line.c
    query = select(*(line[name] for name in SizeLineRow.model_fields if name in line)).where(
        line.size_import_id == number
    )
    query = query if outcome is None else query.where(line.outcome == outcome)
    return query if differs is None else query.where(line.differs.is_(differs))


def uids_of(connection: Connection, orthanc_study_ids: Iterable[str]) -> dict[str, str]:
    """The Study Instance UIDs of studies, of those with a dose and of the archive's."""
    found: dict[str, str] = {}
    for table in (study, dose_study):
        query = select(table.c.orthanc_study_id, table.c.study_instance_uid)
        rows = connection.execute(query.where(is_among(table.c.orthanc_study_id, sorted(set(orthanc_study_ids)))))
        found |= {row.orthanc_study_id: row.study_instance_uid for row in rows}
    return found


class SizeSource(Record):
    """Who tells a size or a weight of an exam."""

    size_import_id: int | None
    """Of a file; null: objects of the study."""
    file_name: str | None
    line: int | None
    said_by: str | None
    """Of a file, who applied it; null without a login."""
    said_at: datetime | None
    undone_at: datetime | None
    """Of a file that holds no longer."""
    object_count: int
    """How many objects say it; 0 of a file."""
    patient_size_m: float | None
    patient_weight_kg: float | None


def sizes_of(connection: Connection, orthanc_study_id: str) -> list[SizeSource]:
    """Whoever tells a size or a weight of an exam, files before objects and the latest first, those too that tell it no
    longer or never did because the objects of another patient are meant as well."""
    row = dose_study.c
    names = (row.study_instance_uid, row.accession_number, row.patient_id)
    query = select(row.orthanc_study_id, *names).where(row.orthanc_study_id == orthanc_study_id)
    found = connection.execute(query).one_or_none()
    if found is None:
        return []
    return [*_of_files(connection, NamedStudy(**found._mapping)), *_of_objects(connection, orthanc_study_id)]


def _of_files(connection: Connection, of: NamedStudy) -> list[SizeSource]:
    line, file = size_line.c, size_import.c
    told = [line.study_instance_uid == of.study_instance_uid]
    if of.accession_number is not None:  # compared with none it would find every line that names no accession number
        told.append(line.accession_number == of.accession_number)
    query = (
        select(*(line[name] for name in GIVEN), file.file_name, file.applied_by, file.applied_at, file.undone_at)
        .join(size_import, file.id == line.size_import_id)
        .where(or_(*told))
        .where(line.problem.is_(None), file.applied_at.is_not(None))
        .order_by(file.applied_at.desc(), file.id.desc(), line.line.desc())
    )
    return [
        SizeSource(
            size_import_id=row.size_import_id,
            file_name=row.file_name,
            line=row.line,
            said_by=row.applied_by,
            said_at=row.applied_at,
            undone_at=row.undone_at,
            object_count=0,
            patient_size_m=row.patient_size_m,
            patient_weight_kg=row.patient_weight_kg,
        )
        for row in connection.execute(query)
        if GivenLine(**{name: row._mapping[name] for name in GIVEN}).is_of(of)
    ]


def _of_objects(connection: Connection, orthanc_study_id: str) -> list[SizeSource]:
    """Each pair of values once, of what was read."""
    values = (dose_report.c.patient_size_m, dose_report.c.patient_weight_kg)
    count = func.count().label("object_count")
    query = (
        select(*values, count)
        .where(dose_report.c.orthanc_study_id == orthanc_study_id, dose_report.c.kind.is_not(None))
        .where(or_(*(one.is_not(None) for one in values)))
        .group_by(*values)
        .order_by(count.desc(), *values)
    )
    nothing = dict.fromkeys(("size_import_id", "file_name", "line", "said_by", "said_at", "undone_at"))
    return [SizeSource(**{**nothing, **row._mapping}) for row in connection.execute(query)]
