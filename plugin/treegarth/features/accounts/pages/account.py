"""One's own account: what one may do, the password, browsers that are signed in, tokens for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from treegarth.access.actors import PERMISSION_WORDS, Permission
from treegarth.access.passwords import MOST_LENGTH, check_new_password
from treegarth.access.store import (
    end_session_of,
    end_sessions_of,
    password_of,
    read_sessions,
    read_tokens,
    read_user,
    revoke_token_of,
    set_password,
)
from treegarth.errors import InvalidRequest, NotFound, RequestConflict
from treegarth.features.accounts.browsers import browser_in_words
from treegarth.features.accounts.managing import has_passwords
from treegarth.features.accounts.own_api import own_as_person
from treegarth.features.accounts.own_tokens import (
    LONGEST_NAME,
    UPLOAD_ONLY,
    USUAL,
    TokenMade,
    TokenWanted,
    make_token,
    permissions_of,
)
from treegarth.features.accounts.pages.sign_in import PAGE as SIGN_IN_PAGE
from treegarth.features.accounts.pages.sign_in import has_roles_of_provider, provider_name
from treegarth.features.accounts.paths import SessionPath, TokenPath
from treegarth.limits import LONGEST_TEXT
from treegarth.phrases import N_, NN_, P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.lists import is_over
from treegarth.web.routes import AnyText, Handler, Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import Counted, Sentence, see_other


class TokenForm(Parameters):
    """A token for a program, as the form says it."""

    name: Annotated[AnyText, Field(max_length=LONGEST_TEXT)] = ""
    kind: Literal["upload", "chosen"] = "chosen"
    permissions: list[Text] = Field(default_factory=list, max_length=len(PERMISSION_WORDS))
    last_day: Text = ""


class PasswordForm(Parameters):
    """The old one, and twice the new one."""

    old: Annotated[AnyText, Field(max_length=MOST_LENGTH)]
    new: Annotated[AnyText, Field(max_length=2 * MOST_LENGTH)]
    again: Annotated[AnyText, Field(max_length=2 * MOST_LENGTH)]


def routes() -> list[Route]:
    return [
        route(
            name="accounts.account_page",
            path="/treegarth/account",
            permission=Permission.SIGNED_IN,
            handler=account,
            summary="One's own account.",
        ),
        _posted("end_own_sessions_page", "/sessions/end", end_others, "End one's own sessions, but this one."),
        _posted("end_own_session_page", "/sessions/{session_id}/end", end_one, "End one of one's own sessions."),
        _posted("create_own_token_page", "/tokens", create, "Make a token for a program."),
        _posted("revoke_own_token_page", "/tokens/{token_id}/revoke", revoke, "Revoke one of one's own tokens."),
        route(
            name="accounts.password_page",
            path="/treegarth/account/password",
            permission=Permission.SIGNED_IN,
            handler=password,
            summary="A form for a new password of one's own.",
        ),
        route(
            name="accounts.change_password",
            path="/treegarth/account/password",
            method="POST",
            permission=Permission.SIGNED_IN,
            handler=change,
            summary="Set a new password of one's own.",
        ),
    ]


def _posted(name: str, path: str, handler: Handler, summary: str) -> Route:
    return route(
        name=f"accounts.{name}",
        path=f"/treegarth/account{path}",
        method="POST",
        permission=Permission.SIGNED_IN,
        handler=handler,
        summary=summary,
    )


def account(call: Call[None, None, None]) -> Response:
    return _page(call)


def end_others(call: Call[None, None, None]) -> Response:
    actor, now = call.actor, call.services.clock()
    with call.begin() as connection:
        count = end_sessions_of(connection, own_as_person(actor), now, by=actor.name, but=actor.session_id)
    return _back(call, Counted(forms=NN_("%(num)s session is ended", "%(num)s sessions are ended"), count=count))


def end_one(call: Call[None, None, SessionPath]) -> Response:
    actor, now = call.actor, call.services.clock()
    with call.begin() as connection:
        end_session_of(connection, own_as_person(actor), call.path.session_id, now, by=actor.name)
    return _back(call, P_("The session is ended."))


def create(call: Call[None, TokenForm, None]) -> Response:
    """The account's page, which shows the token this once."""
    form, services = call.body, call.services
    wanted, wrong = _wanted(call)
    if wanted is not None:
        try:
            with call.begin() as connection:
                made = make_token(connection, call.actor, services.settings.sign_in, wanted, services.clock())
            services.refresh_known()
            return _page(call, made=made)
        except RequestConflict as refused:
            wrong = {"last_day" if refused.field == "ends_at" else refused.field: refused.sentence}
    return _page(call, given=form, wrong=wrong)


def _wanted(call: Call[None, TokenForm, None]) -> tuple[TokenWanted | None, Mapping[str, str]]:
    """What the form asks for, or what is wrong with it, by field."""
    form, services, wrong = call.body, call.services, {}
    if not 0 < len(form.name.strip()) <= LONGEST_NAME:
        wrong["name"] = P_("Say in at most 100 letters what it is for.")
    try:
        ends_at = is_over(date.fromisoformat(form.last_day.strip()), services.zone)
    except ValueError:
        ends_at = services.clock()
        wrong["last_day"] = P_("Write a day such as 2027-01-31.")
    if wrong:
        return None, wrong
    known = {str(one): one for one in PERMISSION_WORDS}
    chosen = UPLOAD_ONLY if form.kind == "upload" else [known[name] for name in form.permissions if name in known]
    return TokenWanted(name=form.name.strip(), permissions=chosen, ends_at=ends_at), {}


def revoke(call: Call[None, None, TokenPath]) -> Response:
    actor, now = call.actor, call.services.clock()
    with call.begin() as connection:
        revoke_token_of(connection, own_as_person(actor), call.path.token_id, now, by=actor.name)
    return _back(call, P_("The token is revoked."))


def _back(call: AnyCall, said: Sentence) -> Response:
    call.services.refresh_known()
    return see_other(call, call.site.url("accounts.account_page"), said)


def _page(
    call: AnyCall,
    *,
    made: TokenMade | None = None,
    given: TokenForm | None = None,
    wrong: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Also of who has no row here: what they may do."""
    actor, services = call.actor, call.services
    now, sign_in = services.clock(), services.settings.sign_in
    user, sessions, tokens = None, [], []
    if actor.user_id is not None:
        with call.connect() as connection:
            user = read_user(connection, actor.user_id)
            sessions = read_sessions(connection, user.id, now)
            tokens = read_tokens(connection, user.id)
    last_day = (now.astimezone(services.zone) + USUAL).date().isoformat()
    return render_page(
        call,
        "accounts/account.html",
        status=400 if wrong else 200,
        user=user,
        may=permissions_of(actor),
        upload_only=actor.may(Permission.UPLOAD),
        sessions=sessions,
        browsers={one.id: browser_in_words(one.browser) for one in sessions},
        tokens=tokens,
        permission_words=PERMISSION_WORDS,
        sign_in=sign_in,
        has_password=user is not None and user.has_password and sign_in.by_session and has_passwords(services.settings),
        roles_from=provider_name(call)
        if user is not None and user.by_provider and has_roles_of_provider(call)
        else None,
        made=made,
        store_url=_whole(call, "/instances"),
        me_url=_whole(call, call.site.url("api.me").removeprefix(services.reach.prefix)),
        given=given or TokenForm(last_day=last_day, kind="upload" if actor.may(Permission.UPLOAD) else "chosen"),
        wrong=wrong,
    )


def _whole(call: AnyCall, path: str) -> str:
    """The address of a path below Orthanc's root, for a shell."""
    return call.services.reach.url(path) or f"{call.http.host_url.rstrip('/')}{path}"


def password(call: Call[None, None, None]) -> Response:
    return _password_page(call)


def change(call: Call[None, PasswordForm, None]) -> Response:
    """Every session ends, this one too: who knows the new one signs in."""
    form, services, number = call.body, call.services, own_number(call)
    try:
        check_new_password(form.new, call.actor.name or "")
        if form.new != form.again:
            raise InvalidRequest(N_("The two new ones differ."))
    except InvalidRequest as wrong:
        return _password_page(call, wrong.sentence)
    with call.connect() as connection:
        found = password_of(connection, call.actor.name or "")
    if found is None or not services.passwords.fits(form.old, found.password_hash):
        return _password_page(call, P_("The old password is not right."))
    made = services.passwords.hashed(form.new)
    with call.begin() as connection:
        set_password(connection, number, made, services.clock(), must_change=False, by=call.actor.name)
    if services.known is not None:
        services.known.refresh()
    return see_other(call, call.site.url(SIGN_IN_PAGE), P_("The password is changed. Sign in with the new one."))


def _password_page(call: AnyCall, wrong: str | Phrase | None = None) -> Response:
    own_number(call)
    return render_page(call, "accounts/password.html", status=400 if wrong else 200, wrong=wrong)


def own_number(call: AnyCall) -> int:
    """The user's number. Raises NotFound where nobody has an account here."""
    if call.actor.user_id is None or call.actor.session_id is None:
        raise NotFound(N_("Only who has signed in by the page has an account here."))
    return call.actor.user_id
