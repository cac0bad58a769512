"""What a retention policy is, what is known of one object, and what was decided. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from treegarth.conditions.model import Condition
from treegarth.phrases import N_

SUFFICIENT_PROOFS = frozenset({"commitment", "find", "qido", "stored"})
"""Kinds of proof that an object is elsewhere: the node committed to keep it, or names it when it is asked, or its copy
was read back. The status of a C-STORE ("status") says only that the node took it, and never suffices."""

PROOFS_BY_UID = frozenset({"commitment", "find", "qido"})
"""Those by which the destination names a SOP Instance UID: whose object it has under it, and with what in it, it does
not say."""

DEFAULT_MINIMUM_AGE = timedelta(days=7)
DEFAULT_GRACE = timedelta(days=7)
RESCUED_FOR = timedelta(days=30)
"""A rescued object is not marked again by the same version of the policy for so long."""


class HoldKind(StrEnum):
    LEGAL = "legal"
    TEACHING = "teaching"
    PROJECT = "project"


class Since(StrEnum):
    """What an age is counted from; the value is what the text form writes."""

    RECEIVED = "received"
    STUDY_DATE = "study date"
    LAST_USE = "last use"


@dataclass(frozen=True, kw_only=True, slots=True)
class Age:
    """Older than this. A study without a date never gets old by its date."""

    since: Since
    least: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """When the archive's objects take more than the high mark, the least used go until they take the low one."""

    high_bytes: int
    low_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Keep:
    """What stays of a study that the policy is for."""

    dose_and_representatives: bool = False  # the dose objects, and one object of each series
    condition: Condition | None = None  # of a series or of an instance
    level: str = "instance"  # what the condition is asked of: series or instance


@dataclass(frozen=True, kw_only=True, slots=True)
class ProofDemand:
    """Where an object must be proved to be. `fresh`: how recent the proof must be when the object is deleted."""

    destination: str
    fresh: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """Of the day, in the site's zone; the end may lie on the next day."""

    begin: time
    end: time

    def include(self, moment: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """One version of one policy. `condition` None: every study."""

    name: str
    why: str
    condition: Condition | None = None
    keep: Keep = field(default_factory=Keep)
    age: Age | None = None
    space: Space | None = None
    minimum_age: timedelta = DEFAULT_MINIMUM_AGE
    grace: timedelta = DEFAULT_GRACE
    proofs: tuple[ProofDemand, ...] = ()
    hours: Hours | None = None
    per_minute: int = 600  # objects deleted at most
    asks_twice_above: float = 0.1  # of the archive's bytes: then its number is to be typed

    @property
    def for_marking(self) -> Policy:
        """As it is when objects are marked: any proof will do, for each is asked for again before the deletion."""
        return replace(self, proofs=tuple(replace(demand, fresh=timedelta.max) for demand in self.proofs))


class ProofVoid(StrEnum):
    """Why the proof of a delivery does not hold for what the archive has now; the first that is true."""

    STORED_SINCE = "stored since"  # the object was stored again after it was sent
    OTHER_CONTENT = "other content"  # other content was sent there before, and may have stayed there
    SHARED_UID = "shared uid"  # the destination may have another object under this UID


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What showed that an object is at a destination, and when. One that is void shows nothing any more."""

    destination: str
    kind: str
    at: datetime
    void: ProofVoid | None = None

    def as_json(self) -> dict[str, Any]:
        return {"destination": self.destination, "kind": self.kind, "at": self.at.isoformat()}


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectState:
    """What is known of one object, and of its study as far as it matters to the object."""

    orthanc_instance_id: str
    received_at: datetime
    last_used_at: datetime  # the latest of received, delivered, opened through us
    study_date: date | None = None
    size_bytes: int = 0
    matches: bool = True  # the policy's condition, for its study
    is_kept: bool = False  # by the policy's `keep`
    is_arriving: bool = False
    rules_wait: bool = False  # rules have not looked at its study yet, and may want it delivered
    is_dose_unread: bool = False  # a source of dose, or what may be chosen as one, or measured, that was not yet
    open_deliveries: tuple[str, ...] = ()  # destinations
    holds: tuple[str, ...] = ()  # kinds of those in force
    proofs: tuple[Proof, ...] = ()
    rescued_until: datetime | None = None  # from this version of the policy


class Cause(StrEnum):
    """Why an object goes or stays. Those of FORBIDDING hold whatever a policy says."""

    NOT_MEANT = "not meant"
    KEPT = "kept"
    TOO_RECENT = "too recent"
    RESCUED = "rescued"
    ARRIVING = "arriving"
    RULES_WAIT = "rules wait"
    HELD = "held"
    DELIVERY_OPEN = "delivery open"
    DOSE_UNREAD = "dose unread"
    TOO_YOUNG = "too young"
    PROOF_MISSING = "proof missing"
    PROOF_STALE = "proof stale"
    STORED_SINCE = "stored since"
    OTHER_CONTENT = "other content"
    SHARED_UID = "shared uid"
    MEANT = "meant"
    OLD_ENOUGH = "old enough"
    SPACE_WANTED = "space wanted"
    PROVED = "proved"


WORDS: Mapping[Cause, str] = {
    Cause.NOT_MEANT: N_("the policy is not for its study"),
    Cause.KEPT: N_("the policy keeps it"),
    Cause.TOO_RECENT: N_("it is not as old as the policy asks (%(about)s)"),
    Cause.RESCUED: N_("somebody rescued it"),
    Cause.ARRIVING: N_("its study is still arriving"),
    Cause.RULES_WAIT: N_("rules have not looked at its study yet"),
    Cause.HELD: N_("its study is on hold (%(about)s)"),
    Cause.DELIVERY_OPEN: N_("its delivery to %(about)s is open"),
    Cause.DOSE_UNREAD: N_("its dose has not been read, or the patient in it not measured"),
    Cause.TOO_YOUNG: N_("it arrived too recently"),
    Cause.PROOF_MISSING: N_("nothing proves that %(about)s has it"),
    Cause.PROOF_STALE: N_("the proof that %(about)s has it is too old"),
    Cause.STORED_SINCE: N_("it was stored again after it was sent to %(about)s: what is there may be older"),
    Cause.OTHER_CONTENT: N_(
        "%(about)s was sent other content with its UID before, and names UIDs only: it may have kept that"
    ),
    Cause.SHARED_UID: N_("another object has the same UID, and %(about)s names UIDs only: it may have the other"),
    Cause.MEANT: N_("the policy is for its study"),
    Cause.OLD_ENOUGH: N_("it is older than the policy asks (%(about)s)"),
    Cause.SPACE_WANTED: N_("it goes when the archive needs space, the least used first"),
    Cause.PROVED: N_("%(about)s is proved to have it"),
}
"""Each cause as a sentence about an object, a msgid; %(about)s is as in Reason."""

FORBIDDING = frozenset(
    {
        *(Cause.ARRIVING, Cause.RULES_WAIT, Cause.HELD, Cause.DELIVERY_OPEN),
        *(Cause.DOSE_UNREAD, Cause.TOO_YOUNG, Cause.PROOF_MISSING, Cause.PROOF_STALE),
        *(Cause.STORED_SINCE, Cause.OTHER_CONTENT, Cause.SHARED_UID),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One cause; `about` is a destination, a kind of hold or what an age counts from, where there is one."""

    cause: Cause
    about: str = ""
    at: datetime | None = None

    @property
    def words(self) -> str:
        """A msgid."""
        return WORDS[self.cause]

    @property
    def sentence(self) -> str:
        """In English."""
        return self.words % {"about": self.about}


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Whether the object goes, and everything that speaks for it and against it."""

    orthanc_instance_id: str
    in_favour: tuple[Reason, ...]
    against: tuple[Reason, ...]
    proofs: tuple[Proof, ...] = ()  # those that the policy's demands are met by

    @property
    def prune(self) -> bool:
        return not self.against

    @property
    def words(self) -> str:
        return "; ".join(reason.sentence for reason in (self.against or self.in_favour))
