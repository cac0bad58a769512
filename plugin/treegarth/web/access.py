"""Who is asking, and whether this request may come from where it comes from. Decides only; answers nothing itself."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from flask import Request

from treegarth.access.actors import EVERY_PERMISSION, NOBODY, PERMISSION_WORDS, Actor, Permission
from treegarth.access.known import Known
from treegarth.errors import RequestForbidden, Unauthenticated
from treegarth.phrases import N_, P_, Phrase
from treegarth.reach import Reach, host_of, is_loopback, origin_of
from treegarth.settings import Settings, SignIn

SESSION_COOKIE = "treegarth_session"
BROWSER_COOKIE = "treegarth_browser"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Access(Protocol):
    """How a site knows its users."""

    def actor(self, headers: Mapping[str, str]) -> Actor:
        """Who sent a request with these headers, by names in small letters; NOBODY where they do not say."""


class AccessWithoutLogin:
    """SignIn none: whoever reaches the port may do everything."""

    def actor(self, headers: Mapping[str, str]) -> Actor:
        return Actor(name=None, permissions=EVERY_PERMISSION)


class AccessByOrthancUser:
    """SignIn orthanc: Orthanc has checked the password before a request arrives here, so that a Basic header is proof
    enough of the user's name."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def actor(self, headers: Mapping[str, str]) -> Actor:
        found = _basic(headers.get("authorization", ""))
        return self._known.by_orthanc_name(found[0]) if found is not None and found[0] else NOBODY


class AccessBySession:
    """SignIn treegarth and oidc: a browser's session, a program's token (Bearer, or as the password of Basic)."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def actor(self, headers: Mapping[str, str]) -> Actor:
        if given := headers.get("authorization"):
            kind, _, secret = given.partition(" ")
            basic = _basic(given)
            token = secret.strip() if kind.lower() == "bearer" else basic[1] if basic else ""
            return (self._known.by_token(token) if token else None) or NOBODY
        session = cookie_of(headers, SESSION_COOKIE)
        return (self._known.by_session(session) if session else None) or NOBODY


def access_of(settings: Settings, known: Known | None) -> Access:
    """Without a `known` nobody can be known."""
    if settings.sign_in is SignIn.NONE or known is None:
        return AccessWithoutLogin() if settings.sign_in is SignIn.NONE else _AccessOfNobody()
    return AccessByOrthancUser(known) if settings.sign_in is SignIn.ORTHANC else AccessBySession(known)


class _AccessOfNobody:
    def actor(self, headers: Mapping[str, str]) -> Actor:
        return NOBODY


def cookie_of(headers: Mapping[str, str], name: str) -> str | None:
    """The value of a cookie; of one that was sent twice, of none."""
    parts = (one.strip().partition("=") for one in headers.get("cookie", "").split(";"))
    found = [value for key, _, value in parts if key == name]
    return found[0] if len(found) == 1 else None


def _basic(authorization: str) -> tuple[str, str] | None:
    """User and password of HTTP Basic (RFC 7617), as UTF-8."""
    kind, _, given = authorization.partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return (name, password) if colon else None


def check_permission(actor: Actor, permission: Permission) -> None:
    """Raises Unauthenticated where a sign-in could help, RequestForbidden where it could not."""
    if actor.may(permission):
        return
    if actor.name is None:
        raise Unauthenticated(N_("Sign in first."))
    raise RequestForbidden(
        P_(
            "Your roles do not let you do this: it needs “%(permission)s”.",
            permission=Phrase(PERMISSION_WORDS[permission]),
        )
        if permission in PERMISSION_WORDS
        else N_("You may not do this. Ask who administers this server.")
    )


def known_hosts(settings: Settings, reach: Reach) -> frozenset[str] | None:
    """The names beside loopback's under which alone we may be reached without a login; None: under any."""
    if settings.sign_in is not SignIn.NONE:
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
                "that of PublicUrl. Open it by http://localhost, or set SignIn to treegarth."
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
