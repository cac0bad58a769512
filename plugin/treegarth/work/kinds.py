"""Kinds of long work: what a feature declares of one, and what a block of it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.phrases import Phrase
from treegarth.tasks.backoff import Backoff
from treegarth.work.store import ClaimedWork, LongWork

Ending: TypeAlias = Literal["done", "partly", "failed"]

BACKOFF = Backoff(first=timedelta(seconds=5), longest=timedelta(minutes=10), most_attempts=8)
"""Of a block that fails: after a quarter of an hour a person decides."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """What one block did. Without `ends` another one follows."""

    done: int = 0  # more of the total
    counts: Mapping[str, int] = field(default_factory=dict)  # more of what else the kind counts
    place: object = None  # where the next block begins: anything that JSON has
    total: int | None = None  # as it is known now
    ends: Ending | None = None
    error: Phrase | None = None  # why it did not do all
    result: tuple[str, datetime] | None = None  # a file elsewhere: its name, and until when
    took_s: float | None = None  # where others worked for it; without, how long the block took
    waits: timedelta = timedelta(0)  # for so long, before the next block
    waits_for: Phrase | None = None


Report: TypeAlias = Callable[[int, int | None], None]
"""Of a block that takes long: how much is done by now, and of how much. Raises Stopped where somebody stopped it."""


@dataclass(frozen=True, kw_only=True)
class Within:
    """A block that changes rows only, in the transaction that notes how far it is: each effect is there once."""

    block: Callable[[Connection, ClaimedWork, datetime], Block]
    after: Callable[[], None] = lambda: None  # when it is committed: a hint to who goes on with what it noted


@dataclass(frozen=True, kw_only=True)
class Outside:
    """A block that talks to others, under a lease and without a transaction: what is done twice must have one effect.

    `act` may raise any TreegarthError: the block is tried again.
    """

    act: Callable[[ClaimedWork, Report], Block]
    lease: timedelta = timedelta(minutes=1)  # longer than `act` needs between two reports


Carry: TypeAlias = Within | Outside


@dataclass(frozen=True, kw_only=True)
class WorkKind:
    """A kind of long work, as pages and workers know it."""

    name: str  # "dose.redeciding"
    title: str  # a msgid
    explained: str  # a msgid: what it does, and that nobody need wait for it
    unit: tuple[str, str]  # NN_("%(num)s study", "%(num)s studies")
    counts: Mapping[str, str] = field(default_factory=dict)  # what else it counts, by name: msgids
    about: tuple[str, str] | None = None  # the page of its subject, by its route, and the part of the path
    permission: Permission = Permission.OPERATE  # to stop it, and to let it go on
    can_stop: bool = True  # not what begins again by itself
    backoff: Backoff = BACKOFF
    waits_for_others: bool = False  # many at once beside works that compute
    is_due: Callable[[Connection, datetime], bool] | None = None  # whether it begins by itself
    begins: Callable[[Connection], int | None] = lambda connection: None  # the total, where it begins by itself
    result: Callable[[ClaimedWork], str] | None = None  # the path at Orthanc of a file that is there
    stopped: Callable[[Connection, LongWork], None] = lambda *_: None  # in the transaction that stops it


@dataclass(frozen=True, kw_only=True)
class WorkKinds:
    """Those of all features."""

    every: Sequence[WorkKind]

    def named(self, name: str) -> WorkKind:
        """Raises KeyError."""
        return {one.name: one for one in self.every}[name]

    def is_about_a_study(self, name: str) -> bool:
        """Whether the subject of such a work is a study, by Orthanc's identifier."""
        return any(one.name == name and one.about and one.about[1] == "orthanc_study_id" for one in self.every)
