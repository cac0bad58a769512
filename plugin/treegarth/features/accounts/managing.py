"""What administrators do with users: make one, set their password. Pages, API and commands do it by this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from treegarth.access.passwords import Passwords, check_new_password
from treegarth.access.secrets import new_password
from treegarth.access.store import User, create_user, set_password
from treegarth.documents.store import Author
from treegarth.errors import InvalidRequest
from treegarth.phrases import N_
from treegarth.settings import Settings, SignIn

LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Password:
    """What somebody signs in with, made into what is kept of it."""

    hashed: str
    made_up: str | None
    """Where we drew it by lot: who administers tells it to the user, who chooses another one."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A user to be made."""

    name: str
    full_name: str | None
    roles: Sequence[str]


def has_passwords(settings: Settings) -> bool:
    """Whether passwords are ours to set: Orthanc or a provider keeps those of its own users."""
    if settings.sign_in is SignIn.OIDC:
        return settings.oidc is not None and settings.oidc.also_password
    return settings.sign_in is not SignIn.ORTHANC


def make_password(passwords: Passwords, given: str, user_name: str) -> Password:
    """Of what was given; drawn by lot where nothing was. It takes its time: not within a transaction. Raises
    InvalidRequest where it is too easy."""
    if given:
        check_new_password(given, user_name)
    made_up = None if given else new_password()
    return Password(hashed=passwords.hashed(given or made_up or ""), made_up=made_up)


def check_name(name: str) -> str:
    """The name without spaces around it. Raises InvalidRequest where it could not be typed at a sign-in, or not be
    sent by HTTP Basic (RFC 7617: the first colon ends it)."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or ":" in name or not name.isprintable():
        raise InvalidRequest(N_("A user's name has 1 to 100 letters that can be seen, and no colon."))
    return name


def add_user(connection: Connection, wanted: Wanted, password: Password | None, author: Author) -> User:
    """A new one; a password of an administrator's is changed at the first sign-in. Raises RequestConflict."""
    return create_user(
        connection,
        wanted.name,
        author.now,
        by=author.name,
        full_name=wanted.full_name,
        roles=wanted.roles,
        password_hash=password.hashed if password else None,
        must_change_password=password is not None,
    )


def give_password(connection: Connection, user_id: int, password: Password, author: Author) -> None:
    """To be changed at the next sign-in; every session ends. Raises NotFound."""
    set_password(connection, user_id, password.hashed, author.now, must_change=True, by=author.name)
