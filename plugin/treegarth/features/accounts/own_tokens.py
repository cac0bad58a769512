"""One's own tokens: keys by which programs do a part of what one may do oneself, until a day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from treegarth.access.actors import PERMISSION_WORDS, Actor, Permission
from treegarth.access.secrets import digest_of, new_token
from treegarth.access.store import Token, create_token
from treegarth.errors import NotFound, RequestConflict, RequestForbidden
from treegarth.phrases import N_, P_
from treegarth.settings import SignIn

LONGEST = timedelta(days=366)
"""To the end of the day a year from now."""
USUAL = timedelta(days=90)
LONGEST_NAME = 100
UPLOAD_ONLY = (Permission.UPLOAD,)
"""Of a program that brings objects: it sees nothing of what is here."""


@dataclass(frozen=True, kw_only=True)
class TokenWanted:
    """What a program is to be allowed."""

    name: str
    permissions: Collection[Permission]
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class TokenMade:
    """A token, and its secret: what is kept of that is its digest."""

    token: Token
    secret: str


def permissions_of(actor: Actor) -> list[Permission]:
    """What somebody may do, of what a role can allow; in the order of the roles' form."""
    return [one for one in PERMISSION_WORDS if actor.may(one)]


def check_makes_tokens(actor: Actor, sign_in: SignIn) -> int:
    """The number of the user. Raises NotFound where nobody has an account, RequestForbidden where a program asks:
    a token that makes tokens would never end; RequestConflict where none acts."""
    if actor.user_id is None:
        raise NotFound(N_("You have no account here."))
    if sign_in in (SignIn.NONE, SignIn.ORTHANC):
        raise RequestConflict(N_("Orthanc's own users have no tokens: programs use their name and password."))
    if actor.token_id is not None:
        raise RequestForbidden(N_("A token makes no tokens: sign in by the page."))
    return actor.user_id


def make_token(connection: Connection, actor: Actor, sign_in: SignIn, wanted: TokenWanted, now: datetime) -> TokenMade:
    """Raises what `check_makes_tokens` does, and RequestConflict with the field that is not right."""
    number = check_makes_tokens(actor, sign_in)
    beyond = [one for one in PERMISSION_WORDS if one in wanted.permissions and not actor.may(one)]
    if beyond:
        raise RequestConflict(
            P_("You may not do this yourself: “%(what)s”.", what=beyond[0].value), field="permissions"
        )
    if not wanted.permissions:
        raise RequestConflict(N_("Choose what the program may do."), field="permissions")
    if not now < wanted.ends_at <= now + LONGEST:
        raise RequestConflict(N_("A token ends within a year, and not in the past."), field="ends_at")
    secret = new_token()
    token = create_token(
        connection,
        number,
        wanted.name,
        digest_of(secret),
        wanted.permissions,
        now,
        wanted.ends_at,
        by=actor.name,
    )
    return TokenMade(token=token, secret=secret)
