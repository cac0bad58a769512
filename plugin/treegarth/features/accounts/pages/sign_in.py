"""The way in and out: the sign-in's page, and what its form and the button to sign out do."""

from __future__ import annotations

from math import ceil
from typing import Annotated

from flask import Response
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.access.known import ABSOLUTE
from treegarth.access.passwords import MOST_LENGTH
from treegarth.access.store import end_session
from treegarth.access.throttle import Throttle
from treegarth.audit.model import What
from treegarth.errors import NotFound
from treegarth.features.accounts.signing_in import Begun, Tried, sign_in
from treegarth.folding import fold
from treegarth.phrases import N_, P_, Phrase
from treegarth.settings import SignIn
from treegarth.web.access import BROWSER_COOKIE, SESSION_COOKIE
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.paths import BASE_PATH
from treegarth.web.routes import AnyText, Parameters, Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

PAGE = "accounts.sign_in_page"
TODAY = "archive.today_page"
BROWSER_KNOWN_S = 180 * 24 * 3600
NextPlace = Annotated[AnyText, Field(max_length=4000)]


class SignInQuery(Parameters):
    """Where to afterwards."""

    next: NextPlace = ""
    """An address of this server, from its root: `/treegarth/studies`."""


class SignInForm(Parameters):
    """What is typed."""

    name: Annotated[AnyText, Field(max_length=200)]
    password: Annotated[AnyText, Field(max_length=MOST_LENGTH)]
    next: NextPlace = ""


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/sign-in",
            permission=Permission.PUBLIC,
            handler=page,
            summary="Sign in.",
        ),
        route(
            name="accounts.sign_in",
            path="/treegarth/sign-in",
            method="POST",
            permission=Permission.PUBLIC,
            handler=enter,
            audit=What.SIGN_IN,
            summary="Begin a session.",
        ),
        route(
            name="accounts.sign_out",
            path="/treegarth/sign-out",
            method="POST",
            permission=Permission.SIGNED_IN,
            handler=leave,
            audit=What.SIGN_OUT,
            summary="End one's session.",
        ),
    ]


def page(call: Call[SignInQuery, None, None]) -> Response:
    _check_mode(call)
    if call.actor.session_id is not None:
        return see_other(call, _place_after(call, call.query.next))
    return _page(call, next_place=call.query.next)


def enter(call: Call[None, SignInForm, None]) -> Response:
    _check_mode(call)
    services, form = call.services, call.body
    found = sign_in(
        services.database,
        services.passwords,
        call.part(Throttle),
        Tried(
            name=form.name.strip(),
            password=form.password,
            address=call.http.environ.get("REMOTE_ADDR", ""),
            browser=call.http.headers.get("User-Agent", ""),
            browser_secret=call.http.cookies.get(BROWSER_COOKIE),
            now=services.clock(),
        ),
    )
    known = services.known.snapshot.names.get(fold(form.name.strip())) if services.known is not None else None
    if known is not None:  # of others nothing is kept: a password is typed there by mistake, too
        call.noted.actor, call.noted.user_id = known.name, known.id
    if not isinstance(found, Begun):
        call.noted.what = What.LOCK if found.wait else None
        minutes = ceil(found.wait.total_seconds() / 60)
        wrong = P_("The name or the password is not right.")
        if minutes:
            wrong = P_(
                "Too many tries for this name from here. The next one is possible in %(count)s min.", count=minutes
            )
        return _page(call, next_place=form.next, name=form.name, wrong=wrong, status=403)
    if services.known is not None:
        services.known.refresh()
    place = call.site.url("accounts.password_page") if found.must_change_password else _place_after(call, form.next)
    response = see_other(call, place)
    reach = services.reach
    for name, value, age, path in (
        (SESSION_COOKIE, found.secret, int(ABSOLUTE.total_seconds()), reach.path("/")),
        (BROWSER_COOKIE, found.browser_secret, BROWSER_KNOWN_S, call.site.url(PAGE)),
    ):
        response.set_cookie(name, value, max_age=age, path=path, secure=reach.is_secure, httponly=True, samesite="Lax")
    return response


def leave(call: Call[None, None, None]) -> Response:
    """Also in the windows beside; the browser stays known."""
    _check_mode(call)
    if call.actor.session_id is not None:
        with call.begin() as connection:
            end_session(connection, call.actor.session_id, call.services.clock(), by=call.actor.name)
        if call.services.known is not None:
            call.services.known.refresh()
    response = see_other(call, call.site.url(PAGE), P_("You have signed out."))
    response.delete_cookie(SESSION_COOKIE, path=call.services.reach.path("/"))
    return response


def _page(
    call: AnyCall, *, next_place: str, name: str = "", wrong: Phrase | None = None, status: int = 200
) -> Response:
    return render_page(
        call, "accounts/sign_in.html", status=status, next_place=next_place, typed_name=name, wrong=wrong
    )


def _check_mode(call: AnyCall) -> None:
    """Raises NotFound where nobody signs in here."""
    if call.services.settings.sign_in is not SignIn.TREEGARTH:
        raise NotFound(N_("This server knows its users by other means."))


def _place_after(call: AnyCall, asked: str) -> str:
    """An address of this server alone: whoever made the link must not lead people elsewhere."""
    is_here = asked.startswith("/") and asked[1:2] not in ("/", "\\") and "\\" not in asked
    is_plain = all(ord(letter) > 32 for letter in asked)
    prefix = call.services.reach.prefix
    if is_here and is_plain and asked.startswith(f"{prefix}/") and BASE_PATH + "/sign-" not in asked:
        return asked
    return call.site.url(TODAY)
