"""Users of a server that knows them by their sign-in, made in its database as `treegarth users` makes them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any

import requests

from tests.delivery_support import ledger_of
from tests.servers import OrthancServer
from treegarth.access.actors import EVERY_PERMISSION, Permission
from treegarth.access.passwords import Argon2id
from treegarth.access.secrets import digest_of, new_token
from treegarth.access.store import create_token, create_user

PASSWORD = "a long enough word"


def add_user(server: OrthancServer, name: str, *roles: str, password: str | None = PASSWORD) -> int:
    """The number of a new one."""
    hashed = Argon2id().hashed(password) if password else None
    with ledger_of(server) as ledger, ledger.engine.begin() as connection:
        return create_user(connection, name, datetime.now(UTC), by=None, roles=roles, password_hash=hashed).id


def add_token(server: OrthancServer, user_id: int, permissions: Collection[Permission] = EVERY_PERMISSION) -> str:
    secret, now = new_token(), datetime.now(UTC)
    with ledger_of(server) as ledger, ledger.engine.begin() as connection:
        create_token(
            connection, user_id, "a test", digest_of(secret), permissions, now, now + timedelta(days=1), by=None
        )
    return secret


def signed_in(
    server: OrthancServer, name: str, password: str = PASSWORD, *, place: str = "/treegarth/"
) -> requests.Session:
    """A browser of this user, which was led to this place."""
    session = requests.Session()
    form = {"name": name, "password": password, "next": place}
    answer = session.post(f"{server.base_url}/sign-in", data=form, timeout=60, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, place), answer.text[:500]
    return session


def of_user(token: str) -> dict[str, str]:
    """The header of a program."""
    return {"Authorization": f"Bearer {token}"}


def until(wanted: int, method: str, url: str, within_s: float, **given: Any) -> float:
    """Asks until this is the status; how many seconds it took."""
    begin = monotonic()
    while (status := requests.request(method, url, timeout=30, **given).status_code) != wanted:
        assert monotonic() - begin < within_s, f"{url} answers {status} after {within_s} s"
        sleep(0.05)
    return monotonic() - begin
