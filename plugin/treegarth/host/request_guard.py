"""Refuse, on all of Orthanc's web addresses, what a page of another site makes a browser ask for.

Orthanc itself checks the login and nothing else: a browser that has it sends it with whatever a foreign page asks for,
and without a login any page may reach a server of this machine under its own name (DNS rebinding). Browsers tell where
a request comes from by Sec-Fetch-Site (only where the address is HTTPS or this machine), Origin and Referer; programs
send none of them. A link from elsewhere, as from a RIS, is a navigation and passes. Treegarth's own addresses ask
again, with a sentence (`web/access.py`): what Orthanc's filter refuses is an empty 403.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from treegarth.host.forgotten_references import ForgottenReferences
from treegarth.reach import Reach, host_of, is_loopback, origin_of

_SAY_AGAIN_S = 60.0

logger = logging.getLogger(__name__)


class RequestGuard:
    """Orthanc's filter of HTTP requests. `hosts`: under whose names alone it may be reached; None: under any."""

    def __init__(self, reach: Reach, *, safe_methods: frozenset[int], hosts: frozenset[str] | None) -> None:
        self.refused = 0
        self._forgotten = ForgottenReferences()
        self._reach = reach
        self._safe_methods = safe_methods
        self._hosts = hosts
        self._said_at = -_SAY_AGAIN_S
        self._sampled = threading.Lock()
        self._learns = False

    def learn_what_is_forgotten(self) -> None:
        """Learn from the next request what Orthanc forgets of it, and give that back from then on.

        Only where no script of the site is asked as well: what that one keeps would be taken for forgotten.
        """
        self._learns = True

    def __call__(self, uri: str, **request: Any) -> bool:
        """Whether Orthanc may answer. `request` holds method, ip, headers (in small letters) and get."""
        try:
            headers: Mapping[str, str] = request["headers"]
            allowed = self._is_own_name(headers) and self._is_own_page(request["method"], headers)
        except Exception:
            logger.exception("A request could not be judged and was refused.")
            allowed = False
        if not allowed:
            self._count(request.get("headers", {}))
        if self._learns and self._sampled.acquire(blocking=False):  # once
            threading.Thread(target=self._forgotten.learn, args=(dict(request),), daemon=True).start()
        else:
            self._forgotten.give_back(request)
        return allowed

    def _is_own_name(self, headers: Mapping[str, str]) -> bool:
        host = host_of(f"//{headers.get('host', '')}")
        return self._hosts is None or not host or is_loopback(host) or host in self._hosts

    def _is_own_page(self, method: int, headers: Mapping[str, str]) -> bool:
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        safe = method in self._safe_methods
        if origin is not None and origin_of(origin) in self._reach.origins:
            return True
        if site is not None:
            is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
            return site in ("same-origin", "none") or (safe and is_link)
        source = origin or headers.get("referer")
        if source is None or self._is_here(source, headers):
            return True
        return safe and origin is None and headers.get("accept", "").startswith("text/html")  # a link, not a picture

    def _is_here(self, source: str, headers: Mapping[str, str]) -> bool:
        """Whether a page came from the host that the request names; a proxy may speak HTTPS for us."""
        origin = origin_of(source)
        return origin is not None and (
            origin in self._reach.origins
            or origin == origin_of(f"{urlsplit(origin).scheme}://{headers.get('host', '')}")
        )

    def _count(self, headers: Mapping[str, str]) -> None:
        self.refused += 1
        if monotonic() - self._said_at > _SAY_AGAIN_S:
            self._said_at = monotonic()
            source = origin_of(headers.get("origin") or headers.get("referer") or "") or "an unknown site"
            logger.warning(
                "A page of %s asked Orthanc for something under the name %s and was refused (%d so far). If it may: "
                "Treegarth.AllowedOrigins, PublicUrl.",
                source,
                host_of(f"//{headers.get('host', '')}")[:80],
                self.refused,
            )
