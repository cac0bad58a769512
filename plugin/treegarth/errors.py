"""Every error that Treegarth raises on purpose. One root; an error's docstring is its message where none is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from treegarth.phrases import P_, Phrase


class TreegarthError(Exception):
    """Treegarth could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def sentence(self) -> str:
        """What it says: the phrase where it was raised with one, of which `str()` gives the English text only."""
        said: str = self.args[0]
        return said


def kind_of_error(error: Exception) -> str:
    """What went wrong with an object, in a word or two; nothing of its content."""
    if isinstance(error, RecursionError):
        return P_("its sequences are nested too deep")
    return type(error).__name__


class SettingsRefused(TreegarthError):
    """The configuration is not usable; the message lists every problem."""


class PlaceRefused(SettingsRefused):
    """The settings do not let a destination use this place of the machine or of the network."""


class DatabaseUnavailable(TreegarthError):
    """PostgreSQL does not answer. Stored objects are safe in Orthanc; the index catches up when it is back."""


class DatabaseNewerThanCode(TreegarthError):
    """The database was made by a newer Treegarth. Install that version, or restore the backup from before."""


class DatabaseUnsuitable(TreegarthError):
    """The database server, or the role that logs in there, cannot be used as it is."""


class MachineNotReady(TreegarthError):
    """Something that Treegarth needs on this machine is missing or in use."""


class EmbeddedServerFailed(TreegarthError):
    """The embedded PostgreSQL could not be started."""


class OrthancUnavailable(TreegarthError):
    """Orthanc does not answer over HTTP."""


class OrthancRefused(TreegarthError):
    """Orthanc answered a request with an error. `code` and `details` are Orthanc's own, where it gave them."""

    def __init__(self, message: str | None = None, *, status: int, code: int | None = None, details: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details = details

    @property
    def sentence(self) -> str:
        """What Orthanc says of it, where it says something."""
        return P_("Orthanc says: %(details)s", details=self.details) if self.details else super().sentence


class ObjectsKeptBack(TreegarthError):
    """Some of several objects were not given to Orthanc; the others were."""


class UnreadableObject(TreegarthError):
    """The object is not readable DICOM."""


class InvalidRequest(TreegarthError):
    """The request is not valid; the message names the field and what would be right."""


class Problem(NamedTuple):
    """What is wrong at one place of a document, and what would be right there; without a place it is of the whole."""

    place: str
    wrong: str
    right: str = ""

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """The place and what is to be said of it, which a page can translate."""
        message = ("%(place)s: " if self.place else "") + ("%(wrong)s %(right)s" if self.right else "%(wrong)s")
        return Phrase(message, self._asdict())


class DocumentRefused(InvalidRequest):
    """A document is not valid; `problems` has each place, what is wrong there and what would be right."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class ConditionRefused(DocumentRefused):
    """A condition is not valid."""


class Unauthenticated(TreegarthError):
    """Log in first: this needs a user of Orthanc."""


class SignInNeeded(TreegarthError):
    """Sign in first. Answered with 403: Orthanc's plugins send no 401 without a browser's dialog for a password."""


class RequestForbidden(TreegarthError):
    """This request is not allowed."""


class RequestConflict(TreegarthError):
    """What was asked does not fit the present state."""

    def __init__(
        self, message: str | None = None, *, field: str = "", choices: Sequence[Mapping[str, str | None]] = ()
    ) -> None:
        super().__init__(message)
        self.field = field  # of the request, where one of them does not fit
        self.choices = tuple(choices)  # where what was asked for means several: what tells them apart


class UnsupportedBody(TreegarthError):
    """The request's body is of a kind that is not understood here."""


class NotFound(TreegarthError):
    """What was asked for is not here."""


class PushFailed(TreegarthError):
    """The made-up hospital day could not be sent; the message says which device's association failed and how."""
