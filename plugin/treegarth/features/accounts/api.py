"""Users over HTTP, for who administers: roles, state, password, sessions and tokens."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field

from treegarth.access.passwords import MOST_LENGTH
from treegarth.access.second_step_store import take_off_second_step
from treegarth.access.store import (
    Session,
    Token,
    User,
    end_session_of,
    end_sessions_of,
    read_sessions,
    read_tokens,
    read_user,
    rename_user,
    revoke_token_of,
    set_roles,
    switch_user,
)
from treegarth.documents.answers import StateBody
from treegarth.documents.language import author_of
from treegarth.errors import RequestConflict
from treegarth.features.accounts.managing import (
    LONGEST_NAME,
    Wanted,
    add_user,
    check_name,
    give_password,
    has_passwords,
    make_password,
)
from treegarth.features.accounts.paths import UserPath, UserSessionPath, UserTokenPath
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import endpoint
from treegarth.web.forms import Shown
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, AnyText, Parameters, Route, Text

access_route = partial(endpoint, tag="access", under=f"{API_PATH}/access")
Roles = Annotated[list[Text], Field(max_length=100)]
FullName = Annotated[AnyText, Field(max_length=LONGEST_NAME)]
GivenPassword = Annotated[AnyText, Field(max_length=2 * MOST_LENGTH)]


class NewUser(Parameters):
    """A user to be made."""

    name: Annotated[
        AnyText,
        Field(min_length=1, max_length=LONGEST_NAME),
        Shown(N_("User"), hint=N_("What is typed at the sign-in; it stays")),
    ]
    """What is typed at the sign-in, or what Orthanc calls them; it stays."""
    full_name: Annotated[FullName | None, Shown(N_("Full name"))] = None
    """What pages call them."""
    roles: Annotated[Roles, Shown(N_("Roles"))] = Field(default=[])
    """By name: what they may do is what their roles allow together."""
    password: Annotated[
        GivenPassword | None,
        Shown(N_("Password"), hint=N_("Empty: one is drawn by lot and shown once"), type="password"),
    ] = None
    """To begin with: they change it at their first sign-in. Without, one is drawn by lot."""


class RolesBody(Parameters):
    """The roles that somebody has from now on."""

    roles: Roles
    """By name, and no others."""


class FullNameBody(Parameters):
    """What somebody is called."""

    full_name: FullName | None
    """On pages; null: by the name of the sign-in."""


class PasswordBody(Parameters):
    """A password to begin with."""

    password: GivenPassword | None = None
    """Without, one is drawn by lot."""


class UserMade(Answer):
    """A user, and what they sign in with the first time."""

    user: User
    password: str | None
    """Where it was drawn by lot; it is said only now. Null where you gave it, or where passwords are not ours."""


class SessionList(Answer):
    """Sessions that have not ended, the latest first."""

    items: list[Session]


class TokenList(Answer):
    """Tokens, the latest first; also those that have ended."""

    items: list[Token]


class Ended(Answer):
    """What became of sessions."""

    ended: int
    """How many."""


class Revoked(Answer):
    """A token that acts no more."""

    token: Token


def routes() -> list[Route]:
    one = "users/{user_id}"
    return [
        access_route(
            "create_access_user",
            "users",
            create,
            "Make a user.",
            method="POST",
            status=201,
            problems=(409, 503),
            example={"name": "anna", "full_name": "Anna Kim", "roles": ["physicist"]},
        ),
        access_route("read_access_user", one, read, "One user.", problems=(404, 503)),
        access_route(
            "set_access_user_roles",
            f"{one}/roles",
            change_roles,
            "Give a user these roles and no others. Somebody remains an administrator.",
            method="PUT",
            problems=(404, 409, 503),
            example={"roles": ["physicist"]},
        ),
        access_route(
            "set_access_user_name",
            f"{one}/name",
            rename,
            "Say what pages call a user.",
            method="PUT",
            problems=(404, 503),
            example={"full_name": "Anna Kim"},
        ),
        access_route(
            "set_access_user_state",
            f"{one}/state",
            switch,
            "Switch a user off or on. Who is switched off has no session any more, and no token of theirs acts.",
            method="PUT",
            problems=(404, 409, 503),
        ),
        access_route(
            "set_access_user_password",
            f"{one}/password",
            set_a_password,
            "Give a user a password to begin with: every session ends, and at the next sign-in they change it.",
            method="PUT",
            problems=(404, 409, 503),
            example={"password": "correct horse battery"},
        ),
        access_route(
            "take_off_access_user_second_step",
            f"{one}/second-step",
            take_off,
            "Take the second step of the sign-in off a user, as when the telephone is lost.",
            method="DELETE",
            problems=(404, 503),
        ),
        access_route("access_user_sessions", f"{one}/sessions", sessions, "A user's sessions.", problems=(404, 503)),
        access_route(
            "end_access_user_sessions",
            f"{one}/sessions",
            end_all,
            "End every session of a user.",
            method="DELETE",
            problems=(404, 503),
        ),
        access_route(
            "end_access_user_session",
            f"{one}/sessions/{{session_id}}",
            end_one,
            "End one session of a user.",
            method="DELETE",
            problems=(404, 503),
        ),
        access_route("access_user_tokens", f"{one}/tokens", tokens, "A user's tokens.", problems=(404, 503)),
        access_route(
            "revoke_access_user_token",
            f"{one}/tokens/{{token_id}}",
            revoke,
            "Revoke a token of a user.",
            method="DELETE",
            problems=(404, 503),
        ),
    ]


def create(call: Call[None, NewUser, None]) -> UserMade:
    """Hashing takes its time, and so is done before the transaction."""
    body, services, password = call.body, call.services, None
    name = check_name(body.name)
    if has_passwords(services.settings):
        password = make_password(services.passwords, body.password or "", name)
    with call.begin() as connection:
        wanted = Wanted(name=name, full_name=body.full_name, roles=body.roles)
        made = add_user(connection, wanted, password, author_of(call))
    services.refresh_known()
    return UserMade(user=made, password=password.made_up if password else None)


def read(call: Call[None, None, UserPath]) -> User:
    with call.connect() as connection:
        return read_user(connection, call.path.user_id)


def change_roles(call: Call[None, RolesBody, UserPath]) -> User:
    with call.begin() as connection:
        changed = set_roles(connection, call.path.user_id, call.body.roles)
    return _known(call, changed)


def rename(call: Call[None, FullNameBody, UserPath]) -> User:
    with call.begin() as connection:
        return rename_user(connection, call.path.user_id, call.body.full_name)


def switch(call: Call[None, StateBody, UserPath]) -> User:
    services, number = call.services, call.path.user_id
    with call.begin() as connection:
        changed = switch_user(connection, number, services.clock(), is_on=call.body.is_on, by=call.actor.name)
    return _known(call, changed)


def set_a_password(call: Call[None, PasswordBody, UserPath]) -> UserMade:
    services, number = call.services, call.path.user_id
    if not has_passwords(services.settings):
        raise RequestConflict(N_("Passwords are kept where users sign in, and not here."))
    with call.connect() as connection:
        name = read_user(connection, number).name
    password = make_password(services.passwords, call.body.password or "", name)
    with call.begin() as connection:
        give_password(connection, number, password, author_of(call))
        user = read_user(connection, number)
    services.refresh_known()
    return UserMade(user=user, password=password.made_up)


def take_off(call: Call[None, None, UserPath]) -> User:
    with call.begin() as connection:
        read_user(connection, call.path.user_id)
        take_off_second_step(connection, call.path.user_id)
        return read_user(connection, call.path.user_id)


def sessions(call: Call[None, None, UserPath]) -> SessionList:
    with call.connect() as connection:
        read_user(connection, call.path.user_id)
        return SessionList(items=read_sessions(connection, call.path.user_id, call.services.clock()))


def end_all(call: Call[None, None, UserPath]) -> Ended:
    with call.begin() as connection:
        read_user(connection, call.path.user_id)
        count = end_sessions_of(connection, call.path.user_id, call.services.clock(), by=call.actor.name)
    call.services.refresh_known()
    return Ended(ended=count)


def end_one(call: Call[None, None, UserSessionPath]) -> Ended:
    path = call.path
    with call.begin() as connection:
        end_session_of(connection, path.user_id, path.session_id, call.services.clock(), by=call.actor.name)
    call.services.refresh_known()
    return Ended(ended=1)


def tokens(call: Call[None, None, UserPath]) -> TokenList:
    with call.connect() as connection:
        read_user(connection, call.path.user_id)
        return TokenList(items=read_tokens(connection, call.path.user_id))


def revoke(call: Call[None, None, UserTokenPath]) -> Revoked:
    path = call.path
    with call.begin() as connection:
        token = revoke_token_of(connection, path.user_id, path.token_id, call.services.clock(), by=call.actor.name)
    call.services.refresh_known()
    return Revoked(token=token)


def _known(call: AnyCall, changed: User) -> User:
    call.services.refresh_known()
    return changed
