"""What an event of the audit trail is. Pure.

What tells of a patient (the path, the query, studies and patients) is the event's identity: it can be taken away for
good while the row stays, because the chain holds its digest only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from treegarth.phrases import N_

JOINED_WITHIN = timedelta(minutes=1)
"""Of each other: repeats of an event that may be joined are one row with a count."""
JOINED_AT_MOST = timedelta(hours=1)
LONGEST_PATH = 500
LONGEST_QUERY = 2000
MOST_STUDIES = 200
"""Studies that one row names; an act on more says how many it was."""


class What(StrEnum):
    """Kinds of events. The words in the database, which stay."""

    SIGN_IN = "sign in"
    LOCK = "lock"  # too many wrong passwords: the next try has to wait
    SIGN_OUT = "sign out"
    SEARCH = "search"  # a list: its query, never its rows
    VIEW = "view"
    IMAGES = "images"  # pixels, in OHIF or elsewhere
    DOWNLOAD = "download"  # whole DICOM objects
    EXPORT = "export"  # files of lists and figures, the yearly report to be printed
    STORE = "store"  # objects that came, by DICOM or HTTP
    SEND = "send"
    CHANGE = "change"
    DELETE = "delete"  # in Orthanc
    VOID = "void"  # decisions about doses
    ERASE = "erase"  # a person's identity
    RIGHTS = "rights"  # users, roles, passwords, tokens
    ADMINISTER = "administer"  # what of Orthanc is for administrators
    BROKEN = "broken"  # the trail's end was not as it was signed


WHAT_WORDS: Mapping[str, str] = {
    What.SIGN_IN: N_("sign-in"),
    What.LOCK: N_("sign-in held back"),
    What.SIGN_OUT: N_("sign-out"),
    What.SEARCH: N_("search"),
    What.VIEW: N_("view"),
    What.IMAGES: N_("images opened"),
    What.DOWNLOAD: N_("download"),
    What.EXPORT: N_("export"),
    What.STORE: N_("objects stored"),
    What.SEND: N_("send"),
    What.CHANGE: N_("change"),
    What.DELETE: N_("deletion"),
    What.VOID: N_("decision about a dose"),
    What.ERASE: N_("identity erased"),
    What.RIGHTS: N_("users and rights changed"),
    What.ADMINISTER: N_("Orthanc administered"),
    What.BROKEN: N_("trail tampered with"),
}


class EventOutcome(StrEnum):
    """What became of it."""

    DONE = "done"
    REFUSED = "refused"  # by permissions, or by a wrong password
    FAILED = "failed"  # by what was asked, or by the server
    PASSED = "passed"  # let through to Orthanc, which does not tell its plugins what it answers


OUTCOME_WORDS: Mapping[str, str] = {
    EventOutcome.DONE: N_("done"),
    EventOutcome.REFUSED: N_("refused"),
    EventOutcome.FAILED: N_("failed"),
    EventOutcome.PASSED: N_("let through"),
}


class Way(StrEnum):
    """By which door."""

    PAGE = "page"
    API = "api"
    ORTHANC = "orthanc"  # addresses of Orthanc and its plugins
    DICOM = "dicom"
    COMMAND = "command"
    SERVER = "server"  # by itself


WAY_WORDS: Mapping[str, str] = {
    Way.PAGE: N_("pages"),
    Way.API: "API",
    Way.ORTHANC: "Orthanc",
    Way.DICOM: "DICOM",
    Way.COMMAND: N_("command line"),
    Way.SERVER: N_("the server itself"),
}


@dataclass(frozen=True, kw_only=True)
class NotAudited:
    """Why a route leaves no event."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """What happened, as a request knows it: cheap to make. The writer finds out whose the resources are."""

    what: What
    outcome: EventOutcome
    at: datetime
    way: Way
    actor: str | None = None  # a user's name; None: nobody had signed in. Of DICOM an AE title
    user_id: int | None = None
    session_id: int | None = None
    token_id: int | None = None
    roles: tuple[str, ...] = ()
    address: str = ""
    place: str = ""  # the route's name; of Orthanc's addresses the method
    status: int | None = None  # of HTTP; None where it is not known
    count: int = 1
    until: datetime | None = None  # of several that are one row, when the last one was
    # What tells of a patient:
    path: str = ""
    query: str = ""
    detail: str = ""
    studies: tuple[str, ...] = ()  # Study Instance UIDs
    patients: tuple[str, ...] = ()  # Patient IDs
    resources: tuple[str, ...] = ()  # of Orthanc, "studies/1a2b...", until the writer has found their studies
    may_join: bool = False

    @property
    def joins_by(self) -> tuple[object, ...]:
        """What is the same of those that may be one row. Of images the study: their addresses are by the hundred."""
        where: object = (self.path, self.query)
        if self.what in (What.IMAGES, What.STORE) or self.outcome is EventOutcome.REFUSED:
            where = (self.studies, self.resources) if self.outcome is not EventOutcome.REFUSED else ()
        who = (self.actor, self.session_id, self.token_id, self.address)
        return (self.what, self.outcome, self.way, self.place, who, where)

    def joined(self, count: int, until: datetime) -> Event:
        """The same for so many, of which this is the first."""
        return replace(self, count=count, until=until)


class Recorder(Protocol):
    """Where events go."""

    def put(self, event: Event) -> None:
        """Take an event; never waits, never raises."""


class NothingRecorded:
    """Of processes that have no trail: tests, and what is asked by nobody."""

    def put(self, event: Event) -> None:
        """Let it go."""


def storable(text: str, longest: int) -> str:
    """As much of a text as the trail keeps: without NUL and half characters, which PostgreSQL refuses."""
    kept = text if len(text) <= longest else text[: longest - 1] + "…"
    return kept.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


IDENTITY = ("path", "query", "detail", "studies", "patients")
"""Fields that can be taken away."""


def to_json(event: Event) -> dict[str, Any]:
    """For a file, to be read by `from_json`."""
    found = asdict(event)
    return {
        **found,
        "at": moment_text(event.at),
        "until": moment_text(event.until) if event.until else None,
        **{name: list(found[name]) for name in ("roles", "studies", "patients", "resources")},
    }


def from_json(given: Mapping[str, Any]) -> Event:
    """Raises KeyError, TypeError, ValueError for what `to_json` did not make."""
    values = {one.name: given[one.name] for one in fields(Event)}
    return Event(
        **{
            **values,
            "what": What(given["what"]),
            "outcome": EventOutcome(given["outcome"]),
            "way": Way(given["way"]),
            "at": datetime.fromisoformat(given["at"]),
            "until": datetime.fromisoformat(given["until"]) if given["until"] else None,
            **{name: tuple(given[name]) for name in ("roles", "studies", "patients", "resources")},
        }
    )


def moment_text(moment: datetime) -> str:
    """In UTC with microseconds, always as long: what is hashed."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
