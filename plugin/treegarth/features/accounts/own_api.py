"""Who asks, over HTTP: what they may do, their sessions and tokens."""

from __future__ import annotations

from functools import partial
from typing import Annotated, get_args

from pydantic import Field

from treegarth.access.actors import Actor, Permission
from treegarth.access.store import (
    Token,
    end_session_of,
    end_sessions_of,
    read_sessions,
    read_tokens,
    read_user,
    revoke_token_of,
)
from treegarth.errors import NotFound, RequestForbidden
from treegarth.features.accounts.api import Ended, Revoked, SessionList, TokenList, access_route
from treegarth.features.accounts.own_tokens import LONGEST_NAME, TokenWanted, make_token, permissions_of
from treegarth.features.accounts.paths import SessionPath, TokenPath
from treegarth.features.accounts.roles import Permitted
from treegarth.phrases import N_
from treegarth.settings import SignIn
from treegarth.web.call import Call
from treegarth.web.lists import Moment
from treegarth.web.routes import Answer, AnyText, Parameters, Route

own_route = partial(access_route, permission=Permission.SIGNED_IN)


class Me(Answer):
    """Who asks, and what they may do."""

    name: str | None
    """Null: nobody has signed in, or nobody has to."""
    full_name: str | None
    roles: list[str]
    permissions: list[str]
    """What a role can allow, as far as it is allowed here; of a token what it was made for."""
    user_id: int | None
    """Null for who has no account."""
    session_id: int | None
    token_id: int | None
    """Of the token by which is asked."""
    sign_in: SignIn
    """How this server knows its users: the setting `SignIn`."""


class TokenBody(Parameters):
    """A token to be made."""

    name: Annotated[AnyText, Field(min_length=1, max_length=LONGEST_NAME)]
    """What it is for."""
    permissions: Annotated[list[Permitted], Field(min_length=1, max_length=len(get_args(Permitted)))]
    """What the program may do, of what you may do yourself. `["upload"]` brings objects and sees nothing."""
    ends_at: Moment
    """Within a year."""


class TokenAnswer(Answer):
    """A token that was made."""

    token: Token
    secret: str
    """Said only now: `Authorization: Bearer …`, or the password of HTTP Basic, with any name."""


def routes() -> list[Route]:
    return [
        own_route(
            "me",
            "me",
            me,
            "Who you are here and what you may do; it also answers who has not signed in.",
            permission=Permission.PUBLIC,
        ),
        own_route("own_sessions", "me/sessions", sessions, "Your own sessions."),
        own_route(
            "end_own_sessions",
            "me/sessions",
            end_others,
            "End your own sessions, but the one that asks.",
            method="DELETE",
            problems=(404, 503),
        ),
        own_route(
            "end_own_session",
            "me/sessions/{session_id}",
            end_one,
            "End one of your own sessions.",
            method="DELETE",
            problems=(404, 503),
        ),
        own_route("own_tokens", "me/tokens", tokens, "Your own tokens."),
        own_route(
            "create_own_token",
            "me/tokens",
            create,
            "Make a token for a program. Ask so as somebody who has signed in: a token makes no tokens.",
            method="POST",
            status=201,
            problems=(404, 409, 503),
            example={"name": "gateway", "permissions": ["upload"], "ends_at": "2027-11-20T00:00:00+09:00"},
        ),
        own_route(
            "revoke_own_token",
            "me/tokens/{token_id}",
            revoke,
            "Revoke one of your own tokens.",
            method="DELETE",
            problems=(404, 503),
        ),
    ]


def own(actor: Actor) -> int:
    """The number of who asks. Raises NotFound for who has no account here."""
    if actor.user_id is None:
        raise NotFound(N_("You have no account here."))
    return actor.user_id


def own_as_person(actor: Actor) -> int:
    """The number of who asks by a session: a token that leaked must keep nobody out. Raises RequestForbidden."""
    if actor.token_id is not None:
        raise RequestForbidden(N_("A token ends no sessions and no tokens: sign in by the page."))
    return own(actor)


def me(call: Call[None, None, None]) -> Me:
    actor, user = call.actor, None
    if actor.user_id is not None:
        with call.connect() as connection:
            user = read_user(connection, actor.user_id)
    return Me(
        name=actor.name,
        full_name=user.full_name if user else None,
        roles=user.roles if user else [],
        permissions=[one.value for one in permissions_of(actor)],
        user_id=actor.user_id,
        session_id=actor.session_id,
        token_id=actor.token_id,
        sign_in=call.services.settings.sign_in,
    )


def sessions(call: Call[None, None, None]) -> SessionList:
    """None of who has no account here."""
    if call.actor.user_id is None:
        return SessionList(items=[])
    with call.connect() as connection:
        return SessionList(items=read_sessions(connection, call.actor.user_id, call.services.clock()))


def end_others(call: Call[None, None, None]) -> Ended:
    actor, now = call.actor, call.services.clock()
    with call.begin() as connection:
        count = end_sessions_of(connection, own_as_person(actor), now, by=actor.name, but=actor.session_id)
    call.services.refresh_known()
    return Ended(ended=count)


def end_one(call: Call[None, None, SessionPath]) -> Ended:
    actor, now = call.actor, call.services.clock()
    with call.begin() as connection:
        end_session_of(connection, own_as_person(actor), call.path.session_id, now, by=actor.name)
    call.services.refresh_known()
    return Ended(ended=1)


def tokens(call: Call[None, None, None]) -> TokenList:
    """None of who has no account here."""
    if call.actor.user_id is None:
        return TokenList(items=[])
    with call.connect() as connection:
        return TokenList(items=read_tokens(connection, call.actor.user_id))


def create(call: Call[None, TokenBody, None]) -> TokenAnswer:
    body, services = call.body, call.services
    wanted = TokenWanted(
        name=body.name.strip(), permissions=[Permission(one) for one in body.permissions], ends_at=body.ends_at
    )
    with call.begin() as connection:
        made = make_token(connection, call.actor, services.settings.sign_in, wanted, services.clock())
    services.refresh_known()
    return TokenAnswer(token=made.token, secret=made.secret)


def revoke(call: Call[None, None, TokenPath]) -> Revoked:
    actor, now = call.actor, call.services.clock()
    with call.begin() as connection:
        token = revoke_token_of(connection, own_as_person(actor), call.path.token_id, now, by=actor.name)
    call.services.refresh_known()
    return Revoked(token=token)
