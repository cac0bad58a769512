"""Pages of users: a new one, and one with roles, state, password, sessions and tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

from flask import Response
from pydantic import Field

from treegarth.access.actors import PERMISSION_WORDS, Permission
from treegarth.access.passwords import MOST_LENGTH
from treegarth.access.second_step_store import take_off_second_step
from treegarth.access.store import (
    end_session_of,
    end_sessions_of,
    known_roles,
    read_sessions,
    read_tokens,
    read_user,
    rename_user,
    revoke_token_of,
    set_roles,
    switch_user,
)
from treegarth.documents.language import author_of
from treegarth.errors import InvalidRequest, RequestConflict
from treegarth.features.accounts.api import NewUser
from treegarth.features.accounts.browsers import browser_in_words
from treegarth.features.accounts.managing import (
    LONGEST_NAME,
    Wanted,
    add_user,
    check_name,
    give_password,
    has_passwords,
    make_password,
)
from treegarth.features.accounts.pages.sign_in import has_roles_of_provider, provider_name
from treegarth.features.accounts.paths import UserPath, UserSessionPath, UserTokenPath
from treegarth.phrases import N_, NN_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.forms import Typed, document_of, form_of, sent_values
from treegarth.web.parts import in_words
from treegarth.web.routes import AnyText, Handler, Method, Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import Counted, Kind, Sentence, see_other
from treegarth.web.validation import InvalidFields, validated

BASE = "/treegarth/access/users"
ONE = "/{user_id}"


class RolesForm(Parameters):
    """The roles that are ticked."""

    roles: list[Text] = Field(default_factory=list, max_length=100)


class NameForm(Parameters):
    """What pages call somebody."""

    full_name: Annotated[AnyText, Field(max_length=LONGEST_NAME)] = ""


class StateForm(Parameters):
    """The button that switches on and off."""

    on: bool


class PasswordForm(Parameters):
    """A password for somebody else."""

    password: Annotated[AnyText, Field(max_length=2 * MOST_LENGTH)] = ""
    """Empty: one is drawn by lot."""


def _user_route(name: str, path: str, handler: Handler, summary: str, method: Method = "POST") -> Route:
    return route(
        name=f"accounts.{name}",
        path=f"{BASE}{path}",
        method=method,
        permission=Permission.ADMINISTER,
        handler=handler,
        summary=summary,
    )


def routes() -> list[Route]:
    return [
        _user_route("new_user_page", "/new", new, "A form for a new user.", "GET"),
        _user_route("create_user_page", "/new", create, "Make a user."),
        _user_route("user_page", ONE, user, "One user: roles, password, sessions and tokens.", "GET"),
        _user_route("set_roles_page", f"{ONE}/roles", change_roles, "Give a user these roles and no others."),
        _user_route("rename_user_page", f"{ONE}/name", rename, "Say what pages call a user."),
        _user_route("switch_user_page", f"{ONE}/switch", switch, "Switch a user off or on."),
        _user_route("user_password_page", f"{ONE}/password", set_a_password, "Give a user a password to begin with."),
        _user_route(
            "take_off_second_step_page", f"{ONE}/second-step/off", take_off, "Take the second step off a user."
        ),
        _user_route("end_user_sessions_page", f"{ONE}/sessions/end", end_all, "End every session of a user."),
        _user_route("end_user_session_page", f"{ONE}/sessions/{{session_id}}/end", end_one, "End a user's session."),
        _user_route("revoke_user_token_page", f"{ONE}/tokens/{{token_id}}/revoke", revoke, "Revoke a user's token."),
    ]


# ---- a new one ----


def new(call: Call[None, None, None]) -> Response:
    return _new_form(call, {})


def create(call: Call[None, None, None]) -> Response:
    """Its page, which shows a password that was drawn by lot this once."""
    typed = sent_values(call.http.form)
    document = document_of(typed, NewUser)
    document["password"] = call.http.form.get("password", "") or None
    try:
        wanted = validated(NewUser, document)
        name = check_name(wanted.name)
    except InvalidFields as refused:
        gettext = call.site.languages[call.language].gettext
        return _new_form(call, typed, {one.field: [one.said(gettext)] for one in refused.faults})
    except InvalidRequest as refused:
        return _new_form(call, typed, {"name": [in_words(call, refused.sentence)]})
    services, password = call.services, None
    try:
        if has_passwords(services.settings):
            password = make_password(services.passwords, wanted.password or "", name)
        with call.begin() as connection:
            asked = Wanted(name=name, full_name=wanted.full_name, roles=wanted.roles)
            made = add_user(connection, asked, password, author_of(call))
    except InvalidRequest as refused:
        return _new_form(call, typed, {"password": [in_words(call, refused.sentence)]})
    except RequestConflict as refused:
        return _new_form(call, typed, {refused.field or "": [in_words(call, refused.sentence)]})
    services.refresh_known()
    return _page(call, made.id, made_up=password.made_up if password else None, is_new=True)


def _new_form(call: AnyCall, typed: Typed, problems: Mapping[str, Sequence[str]] = MappingProxyType({})) -> Response:
    """A password that was typed is not sent back."""
    with call.connect() as connection:
        roles = known_roles(connection)
    kept = {name: values for name, values in typed.items() if name != "password"}
    return render_page(
        call,
        "accounts/new_user.html",
        status=400 if problems else 200,
        form=form_of(kept, NewUser, problems, choices={"roles": {name: name for name in roles}}),
        sign_in=call.services.settings.sign_in,
        has_passwords=has_passwords(call.services.settings),
    )


# ---- one ----


def user(call: Call[None, None, UserPath]) -> Response:
    return _page(call, call.path.user_id)


def change_roles(call: Call[None, RolesForm, UserPath]) -> Response:
    try:
        with call.begin() as connection:
            set_roles(connection, call.path.user_id, call.body.roles)
    except RequestConflict as refused:
        return _back(call, call.path.user_id, refused.sentence, kind="failed")
    return _back(call, call.path.user_id, P_("The roles are changed. They hold at once."))


def rename(call: Call[None, NameForm, UserPath]) -> Response:
    with call.begin() as connection:
        rename_user(connection, call.path.user_id, call.body.full_name.strip() or None)
    return _back(call, call.path.user_id, P_("The name is changed."))


def switch(call: Call[None, StateForm, UserPath]) -> Response:
    services, is_on = call.services, call.body.on
    try:
        with call.begin() as connection:
            switch_user(connection, call.path.user_id, services.clock(), is_on=is_on, by=call.actor.name)
    except RequestConflict as refused:
        return _back(call, call.path.user_id, refused.sentence, kind="failed")
    said = P_("This user may sign in.") if is_on else P_("Switched off: every session is ended, no token acts.")
    return _back(call, call.path.user_id, said)


def set_a_password(call: Call[None, PasswordForm, UserPath]) -> Response:
    """The user's page, which shows a password that was drawn by lot this once."""
    services, number = call.services, call.path.user_id
    with call.connect() as connection:
        name = read_user(connection, number).name
    try:
        _check_passwords(call)
        password = make_password(services.passwords, call.body.password, name)
    except InvalidRequest as refused:
        return _page(call, number, wrong=in_words(call, refused.sentence))
    with call.begin() as connection:
        give_password(connection, number, password, author_of(call))
    services.refresh_known()
    if password.made_up is None:
        return _back(call, number, P_("The password is set. It is changed at the next sign-in."))
    return _page(call, number, made_up=password.made_up)


def take_off(call: Call[None, None, UserPath]) -> Response:
    """Of who has lost the telephone: the password alone lets in until another one is set up."""
    with call.begin() as connection:
        read_user(connection, call.path.user_id)
        take_off_second_step(connection, call.path.user_id)
    return _back(call, call.path.user_id, P_("The second step is taken off: the password alone lets in."))


def end_all(call: Call[None, None, UserPath]) -> Response:
    with call.begin() as connection:
        read_user(connection, call.path.user_id)
        count = end_sessions_of(connection, call.path.user_id, call.services.clock(), by=call.actor.name)
    ended = NN_("%(num)s session is ended", "%(num)s sessions are ended")
    return _back(call, call.path.user_id, Counted(forms=ended, count=count))


def end_one(call: Call[None, None, UserSessionPath]) -> Response:
    path = call.path
    with call.begin() as connection:
        end_session_of(connection, path.user_id, path.session_id, call.services.clock(), by=call.actor.name)
    return _back(call, path.user_id, P_("The session is ended."))


def revoke(call: Call[None, None, UserTokenPath]) -> Response:
    path = call.path
    with call.begin() as connection:
        revoke_token_of(connection, path.user_id, path.token_id, call.services.clock(), by=call.actor.name)
    return _back(call, path.user_id, P_("The token is revoked."))


def _check_passwords(call: AnyCall) -> None:
    """Raises InvalidRequest."""
    if not has_passwords(call.services.settings):
        raise InvalidRequest(N_("Passwords are kept where users sign in, and not here."))


def _page(
    call: AnyCall, number: int, *, made_up: str | None = None, is_new: bool = False, wrong: str | None = None
) -> Response:
    now, sign_in = call.services.clock(), call.services.settings.sign_in
    with call.connect() as connection:
        found = read_user(connection, number)
        sessions = read_sessions(connection, number, now)
        tokens = read_tokens(connection, number)
        roles = known_roles(connection)
    return render_page(
        call,
        "accounts/user.html",
        status=400 if wrong else 200,
        user=found,
        roles=[*roles, *(one for one in found.roles if one not in roles)],
        gone=[one for one in found.roles if one not in roles],
        sessions=sessions,
        browsers={one.id: browser_in_words(one.browser) for one in sessions},
        tokens=tokens,
        permission_words=PERMISSION_WORDS,
        sign_in=sign_in,
        has_passwords=has_passwords(call.services.settings),
        roles_from=provider_name(call) if found.by_provider and has_roles_of_provider(call) else None,
        made_up=made_up,
        is_new=is_new,
        wrong=wrong,
    )


def _back(call: AnyCall, number: int, said: Sentence, kind: Kind = "ok") -> Response:
    call.services.refresh_known()
    return see_other(call, call.site.url("accounts.user_page", user_id=number), said, kind=kind)
