"""Compare a password, begin a session, end one. Knows no HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from treegarth.access.known import ABSOLUTE
from treegarth.access.passwords import NOBODYS, Passwords
from treegarth.access.secrets import digest_of, new_secret
from treegarth.access.store import begin_session, is_known_browser, password_of
from treegarth.access.throttle import Throttle
from treegarth.folding import fold
from treegarth.web.services import Database


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Who tries to sign in, and from where."""

    name: str
    password: str
    address: str
    browser: str
    """What the browser calls itself."""
    browser_secret: str | None
    """Of the cookie by which it is known, where it has signed in before."""
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A session: its secrets go to the browser and nowhere else."""

    secret: str
    browser_secret: str
    must_change_password: bool


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why not; `wait` is how long the next try has to."""

    why: Literal["wrong", "wait"]
    wait: timedelta = timedelta(0)


def sign_in(database: Database, passwords: Passwords, throttle: Throttle, tried: Tried) -> Begun | Refused:
    """A new session, where the password is the user's. To refuse takes as long for a user who is not there.

    Raises DatabaseUnavailable, MachineNotReady.
    """
    name = fold(tried.name)
    with database.connect() as connection:
        known = tried.browser_secret is not None and is_known_browser(
            connection, digest_of(tried.browser_secret), tried.name
        )
        found = password_of(connection, tried.name)
    place = f"browser {tried.browser_secret}" if known else f"address {tried.address}"
    if wait := throttle.wait(name, place, tried.now):
        return Refused(why="wait", wait=wait)
    fits = passwords.fits(tried.password, found.password_hash if found else NOBODYS)
    if found is None or not fits:
        throttle.note_wrong(name, place, tried.now)
        return Refused(why="wrong", wait=throttle.wait(name, place, tried.now))
    throttle.note_right(name, place)
    begun = Begun(
        secret=new_secret(),
        browser_secret=tried.browser_secret if known and tried.browser_secret else new_secret(),
        must_change_password=found.must_change,
    )
    with database.begin() as connection:
        begin_session(
            connection,
            found.user_id,
            digest_of(begun.secret),
            tried.now,
            tried.now + ABSOLUTE,
            address=tried.address or None,
            browser=tried.browser[:200] or None,
            browser_digest=digest_of(begun.browser_secret),
        )
    return begun
