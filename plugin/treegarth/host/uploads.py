"""Who uploads the object that Orthanc has just stored: the person whose request its thread is answering.

Orthanc keeps the name of a Basic login with what comes to `/instances`, and nothing of a cookie, a Bearer token or
STOW. Its filter and OnStoredInstance run on one thread, so that what the filter bound to it says who it is. But a
request with Orthanc's own token reaches no filter, and what an earlier one left on the thread would be taken for it:
an object counts as a request's only where it can be of that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import get_ident
from time import monotonic

from treegarth.access.actors import Permission
from treegarth.host.request_filter import Asked, RequestFilter

BY_REST, BY_PLUGIN = 3, 4  # orthanc.InstanceOrigin.REST_API, PLUGIN: STOW is of the DICOMweb plugin
_OF_ORTHANC = ("/instances", "/tools/create-dicom")
# Orthanc reads an archive whole, then stores file after file; a slow network is behind it by then.
_BETWEEN_FILES_S = 60.0
_FIRST_WITHIN_S = 3600.0  # of the beginning of a request


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploader:
    """As the filter knew them."""

    name: str
    user_id: int | None
    session_id: int | None
    token_id: int | None
    address: str

    def about(self) -> dict[str, str | int | None]:
        """As it goes to the indexer."""
        return {
            "name": self.name,
            "user": self.user_id,
            "session": self.session_id,
            "token": self.token_id,
            "address": self.address,
        }


class Uploads:
    """Asked within OnStoredInstance, on Orthanc's thread."""

    def __init__(self, requests: RequestFilter) -> None:
        self._requests = requests
        self._last: dict[int, tuple[Asked, float]] = {}  # by thread: the last object of a request of several

    def uploader(self, origin: int, remote_ip: str | None, size: int) -> Uploader | None:
        """None where nobody is known to have uploaded it: it came by DICOM, or with Orthanc's own token."""
        if origin not in (BY_REST, BY_PLUGIN):
            return None
        asked = self._requests.bound()
        if asked is None or asked.actor.name is None or not asked.is_allowed or not _may_store(asked, origin):
            return None
        if origin == BY_REST and not self._is_of(asked, remote_ip, size):
            return None
        actor = asked.actor
        return Uploader(
            name=asked.actor.name,
            user_id=actor.user_id,
            session_id=actor.session_id,
            token_id=actor.token_id,
            address=asked.address,
        )

    def _is_of(self, asked: Asked, remote_ip: str | None, size: int) -> bool:
        """Workers of ours post what they bring back to `/instances`, with Orthanc's token."""
        if remote_ip != asked.address:
            return False
        thread, now = get_ident(), monotonic()
        if asked.length == size:  # the body is the object: no second one is of this request
            self._requests.forget()
            self._last.pop(thread, None)
            return True
        last = self._last.pop(thread, None)
        is_first = last is None or last[0] is not asked
        if now > (asked.at + _FIRST_WITHIN_S if last is None or is_first else last[1] + _BETWEEN_FILES_S):
            self._requests.forget()
            return False
        self._last[thread] = (asked, now)
        return True


def _may_store(asked: Asked, origin: int) -> bool:
    """Whether this request is one that makes Orthanc store objects which come this way."""
    if asked.method != "POST":
        return False
    path = asked.path.rstrip("/")
    if origin == BY_REST:
        return path in _OF_ORTHANC
    return asked.needs is Permission.UPLOAD and path not in _OF_ORTHANC
