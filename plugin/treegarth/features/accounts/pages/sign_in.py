"""The way in and out: the sign-in's page, and what its form and the button to sign out do."""

from __future__ import annotations

from math import ceil
from typing import Annotated

from flask import Response
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.access.known import ABSOLUTE
from treegarth.access.passwords import MOST_LENGTH
from treegarth.access.store import end_session, id_token_of
from treegarth.access.throttle import Throttle
from treegarth.audit.model import What
from treegarth.errors import NotFound
from treegarth.features.accounts.signing_in import (
    CODE_WITHIN,
    Begun,
    CodeNeeded,
    Refused,
    Tried,
    TriedCode,
    Visitor,
    second_step,
    sign_in,
)
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
CODE_PAGE = "accounts.code_page"
START = "accounts.provider_start"
HALF_COOKIE = "treegarth_half"
LONGEST_CODE = 40
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


class CodeForm(Parameters):
    """Of the app, or a recovery code."""

    code: Annotated[AnyText, Field(max_length=LONGEST_CODE)]
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
            name=CODE_PAGE,
            path="/treegarth/sign-in/code",
            permission=Permission.PUBLIC,
            handler=code_page,
            summary="The sign-in's second step.",
        ),
        route(
            name="accounts.send_code",
            path="/treegarth/sign-in/code",
            method="POST",
            permission=Permission.PUBLIC,
            handler=send_code,
            audit=What.SIGN_IN,
            summary="Begin a session with a code of one's app.",
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
    check_by_session(call)
    if call.actor.session_id is not None:
        return see_other(call, place_after(call, call.query.next))
    return _page(call, next_place=call.query.next)


def enter(call: Call[None, SignInForm, None]) -> Response:
    check_by_password(call)
    services, form = call.services, call.body
    tried = Tried(name=form.name.strip(), password=form.password, visitor=visitor_of(call), now=services.clock())
    _note_user(call, tried.name)
    found = sign_in(services.database, services.passwords, call.part(Throttle), tried)
    if isinstance(found, Refused):
        _note_lock(call, found)
        wrong = _why(found, P_("The name or the password is not right."))
        return _page(call, next_place=form.next, name=form.name, wrong=wrong, status=403)
    if isinstance(found, CodeNeeded):
        call.noted.detail = "the password was right, a code is asked for"
        response = see_other(call, call.site.url(CODE_PAGE, next=form.next or None))
        keep_cookie(call, response, HALF_COOKIE, found.secret, int(CODE_WITHIN.total_seconds()), call.site.url(PAGE))
        return response
    return let_in(call, found, form.next)


def code_page(call: Call[SignInQuery, None, None]) -> Response:
    check_by_password(call)
    if not call.http.cookies.get(HALF_COOKIE):
        return see_other(call, call.site.url(PAGE, next=call.query.next or None))
    return _code_page(call, next_place=call.query.next)


def send_code(call: Call[None, CodeForm, None]) -> Response:
    check_by_password(call)
    services, form = call.services, call.body
    tried = TriedCode(
        secret=call.http.cookies.get(HALF_COOKIE, ""), code=form.code, visitor=visitor_of(call), now=services.clock()
    )
    found = second_step(services.database, call.part(Throttle), tried)
    if isinstance(found, Begun):
        response = let_in(call, found, form.next)
        response.delete_cookie(HALF_COOKIE, path=call.site.url(PAGE))
        return response
    _note_user(call, found.name)
    _note_lock(call, found)
    if found.why == "late":
        call.noted.is_let_go = True
        again = call.site.url(PAGE, next=form.next or None)
        return see_other(call, again, P_("That took too long. Sign in once more."), kind="attention")
    wrong = _why(found, P_("The code is not right, or was used before. The app shows a new one every 30 seconds."))
    return _code_page(call, next_place=form.next, wrong=wrong, status=403)


def let_in(call: AnyCall, begun: Begun, next_place: str) -> Response:
    """To where the browser was on its way, with the cookies of its session."""
    if call.services.known is not None:
        call.services.known.refresh()
        if (actor := call.services.known.by_session(begun.secret)) is not None:
            call.noted.actor, call.noted.user_id = actor.name, actor.user_id
    place = call.site.url("accounts.password_page") if begun.must_change_password else place_after(call, next_place)
    response = see_other(call, place)
    keep_cookie(
        call, response, SESSION_COOKIE, begun.secret, int(ABSOLUTE.total_seconds()), call.services.reach.path("/")
    )
    keep_cookie(call, response, BROWSER_COOKIE, begun.browser_secret, BROWSER_KNOWN_S, call.site.url(PAGE))
    return response


def _note_user(call: AnyCall, typed: str) -> None:
    """For the audit trail, where there is such a user; of others nothing: a password is typed there by mistake, too."""
    known = call.services.known.snapshot.names.get(fold(typed)) if call.services.known is not None else None
    if known is not None:
        call.noted.actor, call.noted.user_id = known.name, known.id


def _note_lock(call: AnyCall, refused: Refused) -> None:
    if refused.wait:
        call.noted.what = What.LOCK


def visitor_of(call: AnyCall) -> Visitor:
    return Visitor(
        address=call.http.environ.get("REMOTE_ADDR", ""),
        browser=call.http.headers.get("User-Agent", ""),
        browser_secret=call.http.cookies.get(BROWSER_COOKIE),
    )


def leave(call: Call[None, None, None]) -> Response:
    """Also in the windows beside; the browser stays known. At the identity provider, too, where that is set."""
    check_by_session(call)
    id_token = None
    if call.actor.session_id is not None:
        with call.begin() as connection:
            id_token = id_token_of(connection, call.actor.session_id)
            end_session(connection, call.actor.session_id, call.services.clock(), by=call.actor.name)
        if call.services.known is not None:
            call.services.known.refresh()
    elsewhere = _log_out_elsewhere(call, id_token) if id_token else None
    if elsewhere:
        response = render_page(call, "accounts/signed_out.html", elsewhere=elsewhere, provider=provider_name(call))
    else:
        response = see_other(call, call.site.url(PAGE), P_("You have signed out."))
    response.delete_cookie(SESSION_COOKIE, path=call.services.reach.path("/"))
    return response


def _log_out_elsewhere(call: AnyCall, id_token: str) -> str | None:
    """The address at the identity provider at which its own session ends."""
    oidc, back_to = call.services.settings.oidc, call.services.reach.url(call.site.routes[PAGE].path)
    if call.services.settings.sign_in is not SignIn.OIDC or oidc is None or not oidc.log_out or back_to is None:
        return None
    from treegarth.access.provider import Provider

    return call.part(Provider).log_out_address(id_token, back_to)


def provider_name(call: AnyCall) -> str | None:
    """Of the identity provider, where people sign in there."""
    settings = call.services.settings
    return settings.oidc.shown_name if settings.sign_in is SignIn.OIDC and settings.oidc else None


def has_roles_of_provider(call: AnyCall) -> bool:
    """Whether each sign-in by the provider gives roles anew, from groups."""
    settings = call.services.settings
    return settings.sign_in is SignIn.OIDC and settings.oidc is not None and bool(settings.oidc.roles)


def _page(
    call: AnyCall, *, next_place: str, name: str = "", wrong: Phrase | None = None, status: int = 200
) -> Response:
    """The way to the identity provider is at `PublicUrl`, to which it leads back: a cookie must be there by then."""
    start = call.site.url(START, next=next_place or None) if provider_name(call) else None
    reach = call.services.reach
    return render_page(
        call,
        "accounts/sign_in.html",
        status=status,
        next_place=next_place,
        typed_name=name,
        wrong=wrong,
        provider=provider_name(call),
        start=(reach.url(start.removeprefix(reach.prefix)) or start) if start else None,
        by_password=_is_by_password(call),
        is_first=_is_by_password(call) and call.services.knows_users and not has_administrator(call),
    )


def has_administrator(call: AnyCall) -> bool:
    """Whether anybody can sign in who makes users."""
    return call.services.known is not None and call.services.known.snapshot.has_administrator


def _code_page(call: AnyCall, *, next_place: str, wrong: Phrase | None = None, status: int = 200) -> Response:
    return render_page(call, "accounts/code.html", status=status, next_place=next_place, wrong=wrong)


def _why(refused: Refused, wrong: Phrase) -> Phrase:
    """What the page says of it: that it was wrong, or how long to wait."""
    minutes = ceil(refused.wait.total_seconds() / 60)
    if not minutes:
        return wrong
    return P_("Too many tries for this name from here. The next one is possible in %(count)s min.", count=minutes)


def keep_cookie(call: AnyCall, response: Response, name: str, value: str, age_s: int, path: str) -> None:
    """A cookie. Lax, for a link from a mail or from the identity provider must find it."""
    secure = call.services.reach.is_secure
    response.set_cookie(name, value, max_age=age_s, path=path, secure=secure, httponly=True, samesite="Lax")


def check_by_session(call: AnyCall) -> None:
    """Raises NotFound where nobody signs in here."""
    if not call.services.settings.sign_in.by_session:
        raise NotFound(N_("This server knows its users by other means."))


def check_by_password(call: AnyCall) -> None:
    """Raises NotFound where no password is taken here."""
    if not _is_by_password(call):
        raise NotFound(N_("This server knows its users by other means."))


def _is_by_password(call: AnyCall) -> bool:
    settings = call.services.settings
    also = settings.sign_in is SignIn.OIDC and settings.oidc is not None and settings.oidc.also_password
    return settings.sign_in is SignIn.TREEGARTH or also


def place_after(call: AnyCall, asked: str) -> str:
    """An address of this server alone: whoever made the link must not lead people elsewhere."""
    is_here = asked.startswith("/") and asked[1:2] not in ("/", "\\") and "\\" not in asked
    is_plain = all(ord(letter) > 32 for letter in asked)
    prefix = call.services.reach.prefix
    if is_here and is_plain and asked.startswith(f"{prefix}/") and BASE_PATH + "/sign-" not in asked:
        return asked
    return call.site.url(TODAY)
