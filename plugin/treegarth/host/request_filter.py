"""The gate before all of Orthanc's HTTP: Orthanc asks here before any handler, its own or a plugin's.

It judges by memory alone (`treegarth.access`). What is refused is an empty 403, which is all that Orthanc's plugins can
say; our own addresses pass, for each endpoint there asks for what it needs and says what is wrong. Orthanc calls this
on the thread on which handlers and OnStoredInstance follow: who asks is bound to it. A request that has Orthanc's own
token passes without being asked about, so that whoever looks at what is bound says which request he means.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import get_ident
from time import monotonic

from treegarth.access.actors import Actor, Permission
from treegarth.access.gate import METHODS, Gate
from treegarth.audit.model import NothingRecorded, Recorder
from treegarth.audit.orthanc_addresses import event_of
from treegarth.web.access import Access

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request as the filter saw it."""

    actor: Actor
    address: str
    """Of the other end of the connection: a proxy's, where there is one."""
    method: str | None
    path: str
    needs: Permission | None
    """None at addresses of ours, where each endpoint says what it needs."""
    is_allowed: bool
    length: int | None = None
    """Bytes of the body, of a POST that says so."""
    at: float = field(default_factory=monotonic)


class RequestFilter:
    """Who may ask what. `is_ours` is whether Treegarth answers at one of its own addresses, which a site's script may
    do as well."""

    def __init__(
        self,
        access: Access,
        gate: Gate,
        is_ours: Callable[[str], bool],
        audit: Recorder | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._access = access
        self._gate = gate
        self._is_ours = is_ours
        self._audit, self._clock = audit or NothingRecorded(), clock
        self._bound: dict[int, Asked] = {}
        self.count = 0
        """Requests since the start: on plugin 4.0 each leaves about a kilobyte behind."""

    def __call__(
        self, uri: str, method: int, ip: str, headers: Mapping[str, str], get: Mapping[str, str] | None = None
    ) -> bool:
        try:
            asked = self._judged(uri, method, ip, headers, get or {})
        except Exception:
            logger.exception("A request could not be judged and is refused.")
            self._bound.pop(get_ident(), None)
            return False
        self._bound[get_ident()] = asked
        self.count += 1
        return asked.is_allowed

    def bound(self, path: str | None = None) -> Asked | None:
        """The request that this thread of Orthanc is answering, where it is one of this path (handlers see it without a
        slash at its end); the last one that was asked about, where no path is said."""
        asked = self._bound.get(get_ident())
        return asked if asked is not None and path in (None, asked.path, asked.path.rstrip("/")) else None

    def forget(self) -> None:
        """What this thread was asked for is answered."""
        self._bound.pop(get_ident(), None)

    def _judged(
        self, uri: str, method: int, ip: str, headers: Mapping[str, str], arguments: Mapping[str, str]
    ) -> Asked:
        name = METHODS.get(int(method))
        actor = self._access.actor(headers)
        if self._gate.is_own(uri) and self._is_ours(uri):
            return Asked(actor=actor, address=ip, method=name, path=uri, needs=None, is_allowed=True)
        needs = self._gate.needs(name, uri, arguments)
        length = headers.get("content-length", "") if name == "POST" else ""
        asked = Asked(
            actor=actor,
            address=ip,
            method=name,
            path=uri,
            needs=needs,
            is_allowed=actor.may(needs),
            length=int(length) if length.isascii() and length.isdecimal() else None,
        )
        event = event_of(
            actor=actor,
            address=ip,
            method=name,
            path=uri,
            arguments=arguments,
            needs=needs,
            is_allowed=asked.is_allowed,
            at=self._clock(),
        )
        if event is not None:
            self._audit.put(event)
        return asked
