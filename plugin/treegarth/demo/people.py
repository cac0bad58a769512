"""Who can sign in at a demonstration: an administrator, a physicist and a nurse, each called as their role is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from treegarth.access.actors import Permission
from treegarth.access.passwords import Argon2id
from treegarth.access.roles import ADMINISTRATOR
from treegarth.access.secrets import digest_of, new_password, new_token
from treegarth.access.store import create_token, create_user, find_user, revoke_token, set_password
from treegarth.database.engine import transaction

ROLES = (ADMINISTRATOR, "physicist", "nurse")
BY = "demonstration"
_CHECKS = (Permission.SEE_STUDIES, Permission.SEE_DOSE, Permission.SEE_SYSTEM)


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user of the demonstration, who has that one role."""

    name: str
    password: str


def make_people(engine: Engine, now: datetime) -> list[Person]:
    """Each has a new password, drawn by lot: who can read what the demonstration prints can sign in. Somebody who is
    there already under the name keeps the roles."""
    people = [Person(name=role, password=new_password()) for role in ROLES]
    hashed = {one.name: Argon2id().hashed(one.password) for one in people}
    with transaction(engine) as connection:
        for one in people:
            user = find_user(connection, one.name) or create_user(connection, one.name, now, by=BY, roles=(one.name,))
            set_password(connection, user.id, hashed[one.name], now, must_change=False, by=BY)
    return people


@contextmanager
def token_for_checks(engine: Engine, now: datetime) -> Iterator[str]:
    """A token by which the demonstration looks at what the server has read; it ends with it."""
    secret = new_token()
    with transaction(engine) as connection:
        user = find_user(connection, ADMINISTRATOR)
        assert user is not None
        ends_at = now + timedelta(hours=1)
        made = create_token(connection, user.id, BY, digest_of(secret), _CHECKS, now, ends_at, by=BY)
    try:
        yield secret
    finally:
        with transaction(engine) as connection:
            revoke_token(connection, made.id, now, by=BY)
