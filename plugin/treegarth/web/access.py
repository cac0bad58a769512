"""Who is asking, and whether this request may come from where it comes from. Decides only; answers nothing itself.

Orthanc has checked the login before a request arrives here, so a Basic header is proof enough of the user's name.
Until roles exist every user has every permission.
"""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from flask import Request

from treegarth.errors import RequestForbidden, Unauthenticated
from treegarth.phrases import N_
from treegarth.reach import Reach, host_of, is_loopback, origin_of
from treegarth.settings import Mode, Settings
from treegarth.web.actors import EVERY_PERMISSION, NOBODY, Actor, Permission

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Access(Protocol):
    """How a site knows its users."""

    def actor(self, request: Request) -> Actor:
        """Who sent the request; NOBODY where it does not say."""


class AccessWithoutLogin:
    """Modes dev and test: whoever reaches the port may do everything."""

    def actor(self, request: Request) -> Actor:
        return Actor(name=None, permissions=EVERY_PERMISSION)


class AccessByOrthancUser:
    """Mode prod: the user whom Orthanc has let in by Basic authentication."""

    def actor(self, request: Request) -> Actor:
        given = request.authorization
        if given is None or given.type != "basic" or not given.username:
            return NOBODY
        return Actor(name=given.username, permissions=EVERY_PERMISSION)


def access_of(settings: Settings) -> Access:
    return AccessByOrthancUser() if settings.mode is Mode.PROD else AccessWithoutLogin()


def check_permission(actor: Actor, permission: Permission) -> None:
    """Raises Unauthenticated where a login could help, RequestForbidden where it could not."""
    if actor.may(permission):
        return
    if actor is NOBODY:
        raise Unauthenticated(N_("Log in first: this needs a user of Orthanc."))
    raise RequestForbidden(N_("You may not do this. Ask who administers this server."))


def known_hosts(settings: Settings, reach: Reach) -> frozenset[str] | None:
    """The names beside loopback's under which alone we may be reached without a login; None: under any."""
    if settings.mode is Mode.PROD or (settings.allow_remote_access_without_login and reach.public_url is None):
        return None
    return frozenset(host_of(url) for url in (reach.public_url, settings.orthanc_url) if url)


def check_host(request: Request, settings: Settings, reach: Reach) -> None:
    """Refuse a strange Host header where there is no login.

    A foreign page could otherwise reach us under its own name (DNS rebinding). Raises RequestForbidden.
    """
    known = known_hosts(settings, reach)
    host = host_of(f"//{request.headers.get('Host', '')}")
    if known is not None and not (is_loopback(host) or host in known):
        raise RequestForbidden(
            N_(
                "Without a login Treegarth answers only under a name of this machine's loopback, such as localhost, or "
                "that of PublicUrl. Open it by http://localhost, or set Mode prod with users."
            )
        )


def check_same_origin(request: Request, reach: Reach) -> None:
    """Refuse what a page of another site made a browser send, unless it is a link that somebody followed here.

    `plugin/orthanc_guard.lua` judges Orthanc's own addresses by the same rules. Raises RequestForbidden.
    """
    if not _is_of_own_page(request, reach):
        raise RequestForbidden(
            N_("A page of another site asked for this. It may lead here by a link, but not show or read it.")
            if request.method in SAFE_METHODS
            else N_("This request came from a page of another site. Nothing was changed.")
        )


def _is_of_own_page(request: Request, reach: Reach) -> bool:
    """Browsers say where a request comes from by Sec-Fetch-Site, where they have it, Origin and Referer; a program that
    is no browser sends none of them, and carries no login that it was not given."""
    headers, is_safe = request.headers, request.method in SAFE_METHODS
    source = headers.get("Origin") or headers.get("Referer")
    origin = origin_of(source or "")
    if origin in reach.allowed_origins:
        return True
    if site := headers.get("Sec-Fetch-Site"):
        is_link = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Dest") == "document"
        return site in ("same-origin", "none") or (is_safe and is_link)
    if not source or (origin is not None and (origin in reach.origins or _is_same_host(origin, request))):
        return True
    is_page = headers.get("Accept", "").startswith("text/html")  # a link, not a picture
    return is_safe and not headers.get("Origin") and is_page


def _is_same_host(origin: str, request: Request) -> bool:
    """Whether an origin has the host that the request names. Its scheme may differ: a proxy may speak HTTPS for us."""
    scheme = urlsplit(origin).scheme
    return origin == origin_of(f"{scheme}://{request.headers.get('Host', '')}")
