"""Write events into their chain, read them, cut what is too old, take an identity away. Queries only."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, any_, distinct, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from treegarth.audit.chain import BEGINNING, Anchor, Head, Link, SigningKey, link
from treegarth.audit.model import IDENTITY, MOST_STUDIES, Event, EventOutcome, Way, What
from treegarth.audit.tables import audit_anchor, audit_chain, audit_event
from treegarth.audit.verify import Verdict, verify
from treegarth.index.tables import departed_study, instance, patient, series, study
from treegarth.record import Record

ANCHOR_EVERY = 1000
"""Events between two anchors at most."""
ANCHOR_WITHIN = timedelta(days=1)
"""Between two anchors of a chain in which something is written."""
PIECE = 2000
"""Rows that are read at once."""
_FIELDS = (
    "at", "until", "what", "outcome", "way", "actor", "user_id", "session_id", "token_id", "address", "place",
    "status", "count", "path", "query", "detail",
)  # fmt: skip
_LISTS = ("roles", "studies", "patients")


# ---- writing ----


def append(
    connection: Connection, server: str, events: Sequence[tuple[str, Event]], key: SigningKey, now: datetime
) -> int:
    """Write events, each with its key, as the next of the server's chain; how many were new. In one transaction.

    Whoever else writes to this chain waits; those of other servers do not.
    """
    head = _locked_head(connection, server, key)
    written = audit_event.c.key
    there = set(
        connection.execute(select(written).where(written == any_(literal([one for one, _ in events])))).scalars()
    )
    new = [(one, event) for one, event in events if one not in there]
    if head.key_name == key.name and not key.signed_head(head):
        broken = Event(what=What.BROKEN, outcome=EventOutcome.FAILED, at=now, way=Way.SERVER)
        new.insert(0, (f"broken-{secrets.token_hex(8)}", broken))
    if not new:
        return 0
    links = _linked(head, server, new)
    connection.execute(insert(audit_event), [_row(one) for one in links])
    last = links[-1]
    _keep_head(connection, key.head(server, last.number, last.hash, head.cut_number, head.cut_hash))
    if _needs_anchor(connection, server, last.number, now):
        connection.execute(insert(audit_anchor).values(vars(key.anchor(server, last.number, last.hash, now))))
    return len(new)


def _locked_head(connection: Connection, server: str, key: SigningKey) -> Head:
    beginning = key.head(server, 0, BEGINNING, 0, BEGINNING)
    connection.execute(upsert(audit_chain).values(vars(beginning)).on_conflict_do_nothing())
    query = select(audit_chain).where(audit_chain.c.server == server).with_for_update()
    return _head(connection.execute(query).one())


def _head(row: Any) -> Head:
    return Head(
        server=row.server,
        number=row.number,
        hash=bytes(row.hash),
        cut_number=row.cut_number,
        cut_hash=bytes(row.cut_hash),
        key_name=row.key_name,
        signature=bytes(row.signature),
    )


def _keep_head(connection: Connection, head: Head) -> None:
    connection.execute(update(audit_chain).where(audit_chain.c.server == head.server).values(vars(head)))


def _linked(head: Head, server: str, events: Sequence[tuple[str, Event]]) -> list[Link]:
    before, found = head.hash, list[Link]()
    for number, (key, event) in enumerate(events, start=head.number + 1):
        found.append(link(before, server, number, key, event, secrets.token_bytes(16)))
        before = found[-1].hash
    return found


def _row(one: Link) -> dict[str, Any]:
    return {
        "server": one.server,
        "number": one.number,
        "key": one.key,
        **{name: getattr(one.event, name) for name in _FIELDS},
        **{name: list(getattr(one.event, name)) for name in _LISTS},
        "salt": one.salt,
        "identity_digest": one.identity_digest,
        "hash": one.hash,
    }


def _needs_anchor(connection: Connection, server: str, number: int, now: datetime) -> bool:
    table = audit_anchor.c
    query = select(table.number, table.at).where(table.server == server).order_by(table.number.desc()).limit(1)
    latest = connection.execute(query).one_or_none()
    return latest is None or number - latest.number >= ANCHOR_EVERY or now - latest.at >= ANCHOR_WITHIN


# ---- whose it is ----


def resolve(connection: Connection, events: Sequence[Event]) -> list[Event]:
    """The same events with the studies and patients of what they name; what the index does not know stays unknown."""
    resources = {one for event in events for one in event.resources}
    of_resource = _of_resources(connection, resources)
    uids = {uid for event in events for uid in event.studies}
    of_uid = _patients_of(connection, uids)
    return [_resolved(event, of_resource, of_uid) for event in events]


def _resolved(
    event: Event, of_resource: Mapping[str, tuple[str | None, str | None]], of_uid: Mapping[str, set[str]]
) -> Event:
    if not event.resources and not event.studies:
        return event
    found = [of_resource[one] for one in event.resources if one in of_resource]
    studies = dict.fromkeys((*event.studies, *(uid for uid, _ in found if uid)))
    patients = dict.fromkeys(
        (
            *event.patients,
            *(one for _, one in found if one),
            *(one for uid in event.studies for one in sorted(of_uid.get(uid, ()))),
        )
    )
    return replace(event, studies=tuple(studies)[:MOST_STUDIES], patients=tuple(patients)[:MOST_STUDIES], resources=())


def _of_resources(connection: Connection, resources: set[str]) -> dict[str, tuple[str | None, str | None]]:
    """Study Instance UID and Patient ID by "studies/1a2b..."; of a patient the ID alone."""
    by_level: dict[str, list[str]] = {}
    for one in resources:
        level, _, key = one.partition("/")
        by_level.setdefault(level, []).append(key)
    by_level["studies that left"] = by_level.get("studies", [])
    found: dict[str, tuple[str | None, str | None]] = {}
    for level, (query, by) in _queries().items():
        if wanted := sorted(by_level.get(level, ())):
            for orthanc_id, uid, patient_id in connection.execute(query.where(by == any_(literal(wanted)))):
                found[f"{level.partition(' ')[0]}/{orthanc_id}"] = (uid, patient_id)
    return found


def _queries() -> dict[str, tuple[Select[Any], ColumnElement[Any]]]:
    """By level: an identifier with its study and patient, and by which column it is asked."""
    of_study = (study.c.study_instance_uid, study.c.patient_id)
    with_study = series.join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
    with_series = instance.join(with_study, series.c.orthanc_series_id == instance.c.orthanc_series_id)
    gone, here, whose = departed_study.c, study.c, patient.c
    of_series, of_instance = series.c.orthanc_series_id, instance.c.orthanc_instance_id
    return {
        "studies that left": (
            select(gone.orthanc_study_id, gone.study_instance_uid, gone.patient_id),
            gone.orthanc_study_id,
        ),
        "patients": (select(whose.orthanc_patient_id, literal(None), whose.patient_id), whose.orthanc_patient_id),
        "studies": (select(here.orthanc_study_id, *of_study), here.orthanc_study_id),
        "series": (select(of_series, *of_study).select_from(with_study), of_series),
        "instances": (select(of_instance, *of_study).select_from(with_series), of_instance),
    }


def _patients_of(connection: Connection, uids: set[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table in (study, departed_study) if uids else ():
        wanted = table.c.study_instance_uid == any_(literal(sorted(uids)))
        for uid, patient_id in connection.execute(select(table.c.study_instance_uid, table.c.patient_id).where(wanted)):
            if patient_id:
                found.setdefault(uid, set()).add(patient_id)
    return found


# ---- reading ----


def read_heads(connection: Connection) -> list[Head]:
    """Of every chain, by server."""
    return [_head(row) for row in connection.execute(select(audit_chain).order_by(audit_chain.c.server))]


def read_anchors(connection: Connection, server: str) -> dict[int, Anchor]:
    """By number."""
    rows = connection.execute(select(audit_anchor).where(audit_anchor.c.server == server))
    return {
        row.number: Anchor(
            server=row.server,
            number=row.number,
            hash=bytes(row.hash),
            at=row.at,
            key_name=row.key_name,
            signature=bytes(row.signature),
        )
        for row in rows
    }


def read_links(connection: Connection, server: str) -> Iterator[Link]:
    """A chain from its first event that is left, in pieces."""
    number = -1
    while True:
        table = audit_event.c
        query = select(audit_event).where(table.server == server, table.number > number)
        rows = connection.execute(query.order_by(table.number).limit(PIECE)).all()
        yield from map(link_of, rows)
        if len(rows) < PIECE:
            return
        number = rows[-1].number


def link_of(row: Any) -> Link:
    """Of a row of the table."""
    given: dict[str, Any] = {name: getattr(row, name) for name in _FIELDS}
    given |= {name: tuple(getattr(row, name) or ()) for name in _LISTS}
    given |= {name: given[name] or "" for name in IDENTITY if name not in _LISTS}
    return Link(
        server=row.server,
        number=row.number,
        key=row.key,
        event=Event(**given),
        salt=None if row.salt is None else bytes(row.salt),
        identity_digest=bytes(row.identity_digest),
        hash=bytes(row.hash),
    )


def verify_chain(connection: Connection, head: Head, keys: Mapping[str, SigningKey]) -> Verdict:
    """Of what the connection sees: one that reads at one moment (REPEATABLE READ) sees no writer's half."""
    return verify(head, read_links(connection, head.server), read_anchors(connection, head.server), keys)


# ---- what goes ----


def cut(connection: Connection, server: str, before: datetime, key: SigningKey) -> int:
    """Delete the chain's events up to the latest anchor from before this moment; how many went."""
    head = _locked_head(connection, server, key)
    table = audit_anchor.c
    query = select(table.number, table.hash).where(table.server == server, table.at < before)
    found = connection.execute(query.order_by(table.number.desc()).limit(1)).one_or_none()
    if found is None or found.number <= head.cut_number or not key.signed_head(head):
        return 0
    gone = connection.execute(select(func.audit_cut(server, found.number, before))).scalar_one()
    _keep_head(connection, key.head(server, head.number, head.hash, found.number, bytes(found.hash)))
    return int(gone)


def studies_of_patient(connection: Connection, patient_id: str) -> list[str]:
    """The Study Instance UIDs that the index knows of a Patient ID, those too that left the archive."""
    found: set[str] = set()
    for table in (study, departed_study):
        query = select(table.c.study_instance_uid).where(table.c.patient_id == patient_id)
        found.update(connection.execute(query).scalars())
    return sorted(found)


def take_identity_away(connection: Connection, patient_id: str, study_instance_uids: Sequence[str] = ()) -> int:
    """Blank what rows say of a patient, for good: those of this Patient ID or of these studies. How many there were.

    That it was done is an event of its own, which the caller writes. Queries that have the Patient ID as a value go
    too; what was searched by a name cannot be known to be of this patient.
    """
    table = audit_event.c
    which = or_(
        table.patients.contains([patient_id]),
        table.studies.overlap(list(study_instance_uids)),
        table.query.contains(patient_id, autoescape=True),
    )
    blank = dict.fromkeys((*IDENTITY, "salt"))
    return connection.execute(update(audit_event).where(which, table.salt.is_not(None)).values(blank)).rowcount


# ---- for people ----


class AuditEvent(Record):
    """Something that somebody did, or tried."""

    id: int
    """In the order of writing."""
    at: datetime
    until: datetime | None
    """Of several that are one row, when the last one was."""
    actor: str | None
    """A user's name, of DICOM an AE title; null: nobody had signed in."""
    user_id: int | None
    roles: list[str]
    """That the user had then."""
    what: What
    """What it was."""
    outcome: EventOutcome
    """`passed`: let through to Orthanc, which does not tell what it answered."""
    count: int
    """How often, or to how many things it was done."""
    patients: list[str] | None
    """(0010,0020) of those it was about; null, as what follows, where the identity was erased."""
    studies: list[str] | None
    """(0020,000D) of those it was about."""
    path: str | None
    """The address that was asked."""
    query: str | None
    """What was asked of it."""
    detail: str | None
    way: Way
    """By which door."""
    address: str
    """Of the other end of the connection: a proxy's, where there is one."""
    place: str
    """The route's name; of Orthanc's own addresses the method."""
    status: int | None
    """Of HTTP; null where it is not known."""
    session_id: int | None
    token_id: int | None
    server: str
    """Whose chain it is in."""
    number: int
    """Its place there."""
    is_erased: bool
    """Whether what it said of a patient was taken away."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one actor had to do with a patient or study."""

    actor: str | None
    way: str
    whats: list[str]
    count: int
    last_at: datetime


def select_events(
    *,
    actor: str | None = None,
    what: str | None = None,
    outcome: str | None = None,
    way: str | None = None,
    begin: datetime | None = None,
    end: datetime | None = None,
    patient_id: str | None = None,
    study_instance_uid: str | None = None,
    address: str | None = None,
    server: str | None = None,
) -> Select[Any]:
    """Events that are all of this, in no order; `end` is not included."""
    table = audit_event.c
    names = (name for name in AuditEvent.model_fields if name in table)
    query = select(*(table[name] for name in names), table.salt.is_(None).label("is_erased"))
    given = {"actor": actor, "what": what, "outcome": outcome, "way": way, "address": address, "server": server}
    query = query.where(*(table[name] == value for name, value in given.items() if value is not None))
    if begin is not None:
        query = query.where(table.at >= begin)
    if end is not None:
        query = query.where(table.at < end)
    if patient_id is not None:
        query = query.where(table.patients.contains([patient_id]))
    if study_instance_uid is not None:
        query = query.where(table.studies.contains([study_instance_uid]))
    return query


def read_events(
    connection: Connection, *, begin: datetime | None = None, end: datetime | None = None, latest: int | None = None
) -> Iterator[AuditEvent]:
    """In the order of writing, in pieces; with `latest` so many, the newest first."""
    query = select_events(begin=begin, end=end)
    if latest is not None:
        rows = connection.execute(query.order_by(audit_event.c.id.desc()).limit(latest))
        yield from (AuditEvent(**row._mapping) for row in rows)
        return
    last = 0
    while rows_of_piece := connection.execute(
        query.where(audit_event.c.id > last).order_by(audit_event.c.id).limit(PIECE)
    ).all():
        yield from (AuditEvent(**row._mapping) for row in rows_of_piece)
        last = rows_of_piece[-1].id


def who_saw(connection: Connection, patient_id: str | None, study_instance_uid: str, *, most: int) -> list[Seen]:
    """Who had to do with a patient, or with this study of none; the latest first. What was refused shows nothing."""
    table = audit_event.c
    which = table.studies.contains([study_instance_uid])
    if patient_id is not None:
        which = or_(which, table.patients.contains([patient_id]))
    last = func.max(func.coalesce(table.until, table.at)).label("last_at")
    whats = func.array_agg(distinct(table.what)).label("whats")
    query = (
        select(table.actor, table.way, whats, func.sum(table.count).label("count"), last)
        .where(which, table.outcome.in_([EventOutcome.DONE, EventOutcome.PASSED]))
        .group_by(table.actor, table.way)
        .order_by(last.desc())
        .limit(most)
    )
    return [Seen(**row._mapping) for row in connection.execute(query)]
