"""The way to the identity provider and back. Why somebody was not let in is in the log and on no page."""

from __future__ import annotations

import logging
from hmac import compare_digest

from flask import Response

from treegarth.access.actors import Permission
from treegarth.audit.model import What
from treegarth.errors import NotFound
from treegarth.features.accounts.pages.sign_in import (
    PAGE,
    START,
    SignInQuery,
    check_by_session,
    keep_cookie,
    let_in,
    place_after,
    visitor_of,
)
from treegarth.phrases import N_
from treegarth.settings import Oidc, SignIn
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.web.told import see_other

BACK = "accounts.provider_back"
COOKIE = "treegarth_provider"
BACK_WITHIN_S = 600
LONGEST_PLACE = 1500
"""Of where to afterwards: a cookie holds 4 KB."""

logger = logging.getLogger(__name__)


def routes() -> list[Route]:
    return [
        route(
            name=START,
            path="/treegarth/sign-in/oidc",
            permission=Permission.PUBLIC,
            handler=start,
            summary="To the identity provider.",
        ),
        route(
            name=BACK,
            audit=What.SIGN_IN,
            path="/treegarth/sign-in/oidc/callback",
            permission=Permission.PUBLIC,
            handler=back,
            any_query=True,
            summary="Back from the identity provider, with a code for a session.",
        ),
    ]


def start(call: Call[SignInQuery, None, None]) -> Response:
    from treegarth.access.provider import Begun, Provider, ProviderUnavailable, SignInRefused

    _oidc(call)
    if call.actor.session_id is not None:
        return see_other(call, place_after(call, call.query.next))
    place = call.query.next if len(call.query.next) <= LONGEST_PLACE else ""
    begun = Begun.new(int(call.services.clock().timestamp()), place)
    try:
        address = call.part(Provider).address(begun, _redirect_uri(call))
    except ProviderUnavailable:
        return _away(call, place)
    except SignInRefused as refused:
        return _refused(call, str(refused), place)
    response = see_other(call, address)
    keep_cookie(call, response, COOKIE, begun.cookie(), BACK_WITHIN_S, call.site.url(PAGE))
    return response


def back(call: Call[None, None, None]) -> Response:
    from treegarth.access.provider import Begun, Provider, ProviderUnavailable, SignInRefused
    from treegarth.features.accounts.by_provider import sign_in_by_provider

    oidc, provider, now = _oidc(call), call.part(Provider), call.services.clock()
    begun = Begun.read(call.http.cookies.get(COOKIE, ""))
    place = begun.next_place if begun else ""
    try:
        if begun is None:
            raise SignInRefused("the browser has no cookie of the way there")
        code = _code(call, begun.state)
        if not 0 <= int(now.timestamp()) - begun.moment <= BACK_WITHIN_S:
            raise SignInRefused("the way there was begun too long ago")
        if not provider.is_first_use(begun):
            raise SignInRefused("the answer was used before")
        issuer = call.http.args.get("iss")
        identity = provider.identity(begun, code, issuer, _redirect_uri(call), int(now.timestamp()))
        session = sign_in_by_provider(call.services.database, oidc, identity, visitor_of(call), now)
    except ProviderUnavailable:
        return _forgotten(call, _away(call, place))
    except SignInRefused as refused:
        return _forgotten(call, _refused(call, str(refused), place))
    return _forgotten(call, let_in(call, session, place))


def _code(call: AnyCall, state: str) -> str:
    """The answer's, which fits the way that this browser began. Raises SignInRefused."""
    from treegarth.access.provider import SignInRefused

    given = call.http.args
    if any(len(given.getlist(name)) > 1 for name in ("state", "code", "iss", "error")):
        raise SignInRefused("the answer says something twice")
    if not compare_digest(given.get("state", "").encode(errors="replace"), state.encode()):
        raise SignInRefused("the answer's state is not that of this browser")
    if "error" in given:
        raise SignInRefused(f"the provider answered {given['error']!r:.100}")
    if not given.get("code"):
        raise SignInRefused("there is no code in the answer")
    return str(given["code"])


def _oidc(call: AnyCall) -> Oidc:
    """Raises NotFound where nobody signs in by a provider."""
    check_by_session(call)
    settings = call.services.settings
    if settings.sign_in is not SignIn.OIDC or settings.oidc is None:
        raise NotFound(N_("This server knows its users by other means."))
    return settings.oidc


def _redirect_uri(call: AnyCall) -> str:
    """What is registered at the provider."""
    found = call.services.reach.url(call.site.routes[BACK].path)
    if found is None:
        raise NotFound(N_("PublicUrl is not set: the identity provider has no address to lead back to."))
    return found


def _refused(call: AnyCall, reason: str, place: str) -> Response:
    logger.warning("A sign-in by the identity provider was refused: %s.", reason)
    return _page(call, 403, place, is_away=False)


def _away(call: AnyCall, place: str) -> Response:
    return _page(call, 503, place, is_away=True)


def _page(call: AnyCall, status: int, place: str, *, is_away: bool) -> Response:
    return render_page(call, "accounts/not_let_in.html", status=status, is_away=is_away, next_place=place)


def _forgotten(call: AnyCall, response: Response) -> Response:
    """The cookie is of one way there and back."""
    response.delete_cookie(COOKIE, path=call.site.url(PAGE))
    return response
