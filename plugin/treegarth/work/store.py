"""Long work as it is kept: start, claim, note a block, stop, go on, and the file that comes of it. Queries only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import computed_field
from sqlalchemy import BigInteger, Connection, Select, case, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from treegarth.access.actors import Actor, Permission
from treegarth.errors import NotFound, RequestConflict
from treegarth.phrases import P_
from treegarth.record import Record
from treegarth.tasks.leases import unlocked
from treegarth.work.tables import long_work, long_work_file

PART_BYTES = 1_000_000
SEVERAL = 3
"""Failures in a row from which on a person should look."""
_RUNS = long_work.c.state == "running"
MISSING = P_("There is no long work of this number.")


class LongWork(Record):
    """A long work, and how far it is."""

    id: int
    kind: str
    """What is done: `dose.redeciding`."""
    subject: str
    """What it is about, where several of a kind run at once: a rule's number; empty otherwise."""
    detail: str | None
    """What exactly, where its kind does not say it: the name of a rule, what is done with which list."""
    asked_by: str | None
    """Null without a login, and where it began by itself."""
    is_asked: bool
    """Whether a person or a program asked for it; false: it began by itself."""
    asked_at: datetime
    state: Literal["running", "done", "partly", "failed", "stopped"]
    """`partly`: it ended, and some could not be done; `failed`: none, or it was given up."""
    total: int | None
    """Of what the kind counts; null where nobody knows. Never less than `done`."""
    done: int
    counts: dict[str, int]
    """What else the kind counts, by name."""
    working_s: float
    """Seconds that it worked, without those that it waited."""
    attempts: int
    """Failures of the next block in a row."""
    next_attempt_at: datetime
    """Of one that runs: when its next block is tried, or tried again."""
    waits_for: str | None
    last_error: str | None
    stopped_by: str | None
    """Null without a login, and where nobody stopped it."""
    finished_at: datetime | None
    """Null while it runs."""
    result_name: str | None
    """The name of the file that it made; null without one."""
    result_until: datetime | None
    """When this file is deleted."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def is_running(self) -> bool:
        return self.state == "running"

    @computed_field  # type: ignore[prop-decorator]
    @property
    def per_second(self) -> float | None:
        """How much a second of the time that it worked; null before the first."""
        return self.done / self.working_s if self.done and self.working_s > 0 else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seconds_left(self) -> float | None:
        """At its own pace; null where that or the rest is not known."""
        left = (self.total or 0) - self.done
        return left / self.per_second if self.is_running and left > 0 and self.per_second else None


class ClaimedWork(LongWork):
    """A work with what its kind needs to go on."""

    given: dict[str, Any]
    """What it was asked for with."""
    place: Any
    """Where the next block begins; None at the beginning."""


def start(
    connection: Connection,
    kind: str,
    *,
    by: str | None,
    now: datetime,
    total: int | None = None,
    subject: str = "",
    given: Mapping[str, Any] | None = None,
    detail: str | None = None,
    is_asked: bool = True,
) -> LongWork:
    """A new one, or that which runs already of this kind and subject."""
    values: dict[str, Any] = {"kind": kind, "subject": subject, "given": dict(given or {}), "total": total}
    values |= {"detail": detail, "asked_by": by, "is_asked": is_asked, "asked_at": now, "next_attempt_at": now}
    made = insert(long_work).values(values).on_conflict_do_nothing().returning(long_work.c.id)
    while (number := connection.execute(made).scalar_one_or_none()) is None:
        if (found := running(connection, kind, subject)) is not None:  # else it ended just now
            return found
    return read(connection, number)


def select_works(
    *, kind: str | None = None, subject: str | None = None, state: str | None = None, actor: Actor | None = None
) -> Select[Any]:
    """Works, in no order; those that are for this actor."""
    wanted = {"kind": kind, "subject": subject, "state": state}
    conditions = [long_work.c[name] == value for name, value in wanted.items() if value is not None]
    if actor is not None and not actor.may(Permission.OPERATE):
        conditions += [long_work.c.is_asked, long_work.c.asked_by == (actor.name or "")]
    return _select(LongWork).where(*conditions)


def read(connection: Connection, number: int) -> LongWork:
    """Raises NotFound."""
    row = connection.execute(_select(LongWork).where(long_work.c.id == number)).one_or_none()
    if row is None:
        raise NotFound(MISSING)
    return LongWork.model_validate(row._asdict())


def is_for(work: LongWork, actor: Actor) -> bool:
    """Whether somebody may see a work and its file: who asked for it, and who may operate."""
    return actor.may(Permission.OPERATE) or (actor.name is not None and work.is_asked and work.asked_by == actor.name)


def read_for(connection: Connection, number: int, actor: Actor) -> LongWork:
    """Raises NotFound, also where it is for others."""
    work = read(connection, number)
    if not is_for(work, actor):
        raise NotFound(MISSING)
    return work


def latest(connection: Connection, kind: str, subject: str = "") -> LongWork | None:
    """The one that runs, or the last one; None before the first."""
    query = select_works(kind=kind, subject=subject).order_by(long_work.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else LongWork.model_validate(row._asdict())


def recent(connection: Connection, kind: str, *, limit: int) -> list[LongWork]:
    """Of a kind, whatever they are about, the latest first."""
    rows = connection.execute(select_works(kind=kind).order_by(long_work.c.id.desc()).limit(limit))
    return [LongWork.model_validate(row._asdict()) for row in rows]


def enlarge(connection: Connection, number: int, more: int) -> LongWork:
    """So much more is to be done of one that runs."""
    total = func.coalesce(long_work.c.total, 0) + more
    connection.execute(update(long_work).where(long_work.c.id == number).values(total=total))
    return read(connection, number)


def count_troubled(connection: Connection) -> int:
    """Those whose next block has failed several times, and those that were given up and not started anew since."""
    newer = long_work.alias("newer")
    is_latest = ~exists().where(
        newer.c.kind == long_work.c.kind, newer.c.subject == long_work.c.subject, newer.c.id > long_work.c.id
    )
    fails = _RUNS & (long_work.c.attempts >= SEVERAL)
    is_troubled = or_(fails, (long_work.c.state == "failed") & is_latest)
    return connection.execute(select(func.count()).select_from(long_work).where(is_troubled)).scalar_one()


def running(connection: Connection, kind: str, subject: str = "") -> LongWork | None:
    """The one that runs."""
    row = connection.execute(select_works(kind=kind, subject=subject, state="running")).one_or_none()
    return None if row is None else LongWork.model_validate(row._asdict())


def claim(connection: Connection, kinds: Collection[str], now: datetime) -> ClaimedWork | None:
    """The work that waited longest for its next block, locked: another worker does not get it in this transaction."""
    due = (_RUNS, long_work.c.next_attempt_at <= now, long_work.c.kind.in_(kinds))
    query = _select(ClaimedWork).where(*due).order_by(long_work.c.next_attempt_at).limit(1)
    row = connection.execute(unlocked(query)).one_or_none()
    return None if row is None else ClaimedWork.model_validate(row._asdict())


def read_claimed(connection: Connection, number: int) -> ClaimedWork:
    """With what its kind needs, for who stops it. Raises NoResultFound."""
    row = connection.execute(_select(ClaimedWork).where(long_work.c.id == number)).one()
    return ClaimedWork.model_validate(row._asdict())


def note_place(connection: Connection, number: int, place: object) -> None:
    """Where its next block begins, of one that was stopped."""
    connection.execute(update(long_work).where(long_work.c.id == number).values(place=place))


def next_turn(connection: Connection, kinds: Collection[str]) -> datetime | None:
    """When the next block of one that runs comes."""
    runs = (_RUNS, long_work.c.kind.in_(kinds))
    found: datetime | None = connection.execute(select(func.min(long_work.c.next_attempt_at)).where(*runs)).scalar_one()
    return found


def put_off(connection: Connection, number: int, until: datetime) -> None:
    """Its next block comes then: the end of a lease."""
    connection.execute(update(long_work).where(long_work.c.id == number).values(next_attempt_at=until))


def note_block(connection: Connection, work: ClaimedWork, values: Mapping[str, Any]) -> None:
    """What a block changed; one that somebody stopped meanwhile stays stopped, and goes on behind this block."""
    ours = update(long_work).where(long_work.c.id == work.id)
    if connection.execute(ours.where(_RUNS).values(values)).rowcount == 0:
        kept = {name: value for name, value in values.items() if name in ("done", "counts", "place", "working_s")}
        connection.execute(ours.where(long_work.c.state == "stopped").values(kept))


def report(connection: Connection, number: int, *, done: int, total: int | None, lease_until: datetime) -> bool:
    """How far a block is that is not at its end, and until when nobody else gets it; whether it is to go on."""
    values = {"done": done, "next_attempt_at": lease_until, **({"total": total} if total is not None else {})}
    ours = update(long_work).where(long_work.c.id == number, _RUNS).values(values)
    return connection.execute(ours).rowcount == 1


def advance(
    connection: Connection, kind: str, subject: str, *, done: int = 0, counted: str = "", error: str | None = None
) -> None:
    """Of the one that runs: what others did for it, such as who handles what its blocks have noted."""
    values: dict[str, Any] = {"done": long_work.c.done + done}
    if counted:
        more = func.coalesce(long_work.c.counts[counted].as_integer(), 0) + 1
        values["counts"] = long_work.c.counts.concat(func.jsonb_build_object(counted, more))
    if error is not None:
        values["last_error"] = error
    ours = (long_work.c.kind == kind, long_work.c.subject == subject, _RUNS)
    connection.execute(update(long_work).where(*ours).values(values))


def note_progress(
    connection: Connection,
    number: int,
    *,
    done: int,
    working_s: float,
    now: datetime,
    total: int | None = None,
    counts: Mapping[str, int] | None = None,
    is_done: bool = False,
) -> bool:
    """How far one is that a process of its own carries on, beside the workers; whether it is to go on."""
    values: dict[str, Any] = {"done": done, "working_s": working_s}
    values |= {"total": total} if total is not None else {}
    values |= {"counts": dict(counts)} if counts is not None else {}
    values |= {"state": "done", "finished_at": now} if is_done else {}
    ours = update(long_work).where(long_work.c.id == number, _RUNS).values(values)
    return connection.execute(ours).rowcount == 1


def note_failure(
    connection: Connection, number: int, error: str, *, attempts: int, again_at: datetime | None, now: datetime
) -> None:
    """Its next block failed; it is tried again then, or not any more."""
    values: dict[str, Any] = {"attempts": attempts, "last_error": error}
    values |= {"next_attempt_at": again_at} if again_at else {"state": "failed", "finished_at": now}
    ours = update(long_work).where(long_work.c.id == number, long_work.c.state == "running")
    connection.execute(ours.values(values))


def stop(connection: Connection, number: int, *, by: str | None, now: datetime) -> LongWork:
    """What was done stays done; a block that is at hand is the last. Raises NotFound, RequestConflict."""
    values = {"state": "stopped", "stopped_by": by, "finished_at": now, "waits_for": None}
    stopped = update(long_work).where(long_work.c.id == number, _RUNS).values(values)
    if connection.execute(stopped).rowcount == 0:
        read(connection, number)
        raise RequestConflict(P_("It does not run any more."))
    return read(connection, number)


def resume(connection: Connection, number: int, now: datetime) -> LongWork:
    """Go on with one that was stopped or given up, from where it was. Raises NotFound, RequestConflict."""
    before = read(connection, number)
    if before.state not in ("stopped", "failed", "running"):
        raise RequestConflict(P_("It is at its end: start another one."))
    values: dict[str, Any] = dict.fromkeys(("stopped_by", "finished_at", "last_error"))
    values |= {"state": "running", "attempts": 0, "next_attempt_at": now}
    try:
        with connection.begin_nested():
            connection.execute(update(long_work).where(long_work.c.id == number, ~_RUNS).values(values))
    except IntegrityError as error:
        raise RequestConflict(P_("Another one of its kind runs already.")) from error
    return read(connection, number)


def keep_file(connection: Connection, number: int, parts: Iterable[bytes], *, name: str, until: datetime) -> None:
    """The file that it made, in place of any other."""
    forget_file(connection, number)
    for part, content in enumerate(parts):
        connection.execute(insert(long_work_file).values(work_id=number, part=part, content=content))
    kept = {"result_name": name, "result_until": until}
    connection.execute(update(long_work).where(long_work.c.id == number).values(kept))


def read_file(connection: Connection, number: int) -> Iterator[bytes]:
    """Part by part."""
    content = select(long_work_file.c.content).where(long_work_file.c.work_id == number)
    part = 0
    while (found := connection.execute(content.where(long_work_file.c.part == part)).scalar_one_or_none()) is not None:
        yield bytes(found)
        part += 1


def forget_file(connection: Connection, number: int) -> None:
    connection.execute(delete(long_work_file).where(long_work_file.c.work_id == number))
    gone = {"result_name": None, "result_until": None}
    connection.execute(update(long_work).where(long_work.c.id == number).values(gone))


def forget_old_files(connection: Connection, now: datetime) -> int:
    """Delete the files whose time is over; how many."""
    over = long_work.c.result_until <= now
    found = list(connection.execute(select(long_work.c.id).where(over)).scalars())
    for number in found:
        forget_file(connection, number)
    return len(found)


def _select(record: type[LongWork]) -> Select[Any]:
    columns = {name: long_work.c[name] for name in record.model_fields}
    at_least = func.greatest(long_work.c.total, long_work.c.done, type_=BigInteger)
    total = case((long_work.c.total.is_not(None), at_least))
    return select(*(total.label(name) if name == "total" else column for name, column in columns.items()))
