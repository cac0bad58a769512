"""Compare a password, ask for a code where the user has an app, begin a session. Knows no HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection

from treegarth.access.known import ABSOLUTE
from treegarth.access.one_time_codes import fitting_step, is_recovery_code, plain_recovery_code
from treegarth.access.passwords import NOBODYS, Passwords
from treegarth.access.second_step_store import (
    app_of,
    begin_half,
    end_half,
    has_second_step,
    read_half,
    use_recovery_code,
    use_step,
)
from treegarth.access.secrets import digest_of, new_secret
from treegarth.access.store import begin_session, is_known_browser, password_of
from treegarth.access.throttle import Throttle
from treegarth.folding import fold
from treegarth.web.services import Database

CODE_WITHIN = timedelta(minutes=5)
"""How long the code may take after the password."""


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """A browser, and where it asks from."""

    address: str
    browser: str
    """What it calls itself."""
    browser_secret: str | None
    """Of the cookie by which it is known, where it has signed in before."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """Who tries to sign in, and from where."""

    name: str
    password: str
    visitor: Visitor
    now: datetime


@dataclass(frozen=True, kw_only=True)
class TriedCode:
    """The second step: a code of the app, or a recovery code. `secret` is that of the first."""

    secret: str
    code: str
    visitor: Visitor
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A session: its secrets go to the browser and nowhere else."""

    secret: str
    browser_secret: str
    must_change_password: bool = False


@dataclass(frozen=True, kw_only=True)
class CodeNeeded:
    """The password was right; with this secret the browser sends the code."""

    secret: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why not; `wait` is how long the next try has to. `late`: the first step was too long ago, or never was."""

    why: Literal["wrong", "wait", "late"]
    wait: timedelta = timedelta(0)
    name: str = ""
    """The user's, at the second step."""


def sign_in(database: Database, passwords: Passwords, throttle: Throttle, tried: Tried) -> Begun | CodeNeeded | Refused:
    """A new session, where the password is the user's and enough. To refuse takes as long for a user who is not there.

    Raises DatabaseUnavailable, MachineNotReady.
    """
    name, visitor = fold(tried.name), tried.visitor
    with database.connect() as connection:
        known = _known_secret(connection, visitor, tried.name)
        found = password_of(connection, tried.name)
        needs_code = found is not None and has_second_step(connection, found.user_id)
    place = f"browser {known}" if known else f"address {visitor.address}"
    if wait := throttle.wait(name, place, tried.now):
        return Refused(why="wait", wait=wait)
    fits = passwords.fits(tried.password, found.password_hash if found else NOBODYS)
    if found is None or not fits:
        throttle.note_wrong(name, place, tried.now)
        return Refused(why="wrong", wait=throttle.wait(name, place, tried.now))
    if needs_code:
        secret = new_secret()
        with database.begin() as connection:
            begin_half(connection, found.user_id, digest_of(secret), tried.now, tried.now + CODE_WITHIN)
        return CodeNeeded(secret=secret)
    throttle.note_right(name, place)
    with database.begin() as connection:
        return begin(connection, found.user_id, visitor, known, tried.now, must_change_password=found.must_change)


def second_step(database: Database, throttle: Throttle, tried: TriedCode) -> Begun | Refused:
    """A new session, where the code is of the user's app or a recovery code, and was not used.

    Wrong codes are counted for the user, wherever they come from: who sends them knows the password. The user's own
    browser is counted by itself. Raises DatabaseUnavailable.
    """
    half_digest, visitor = digest_of(tried.secret), tried.visitor
    with database.connect() as connection:
        half = read_half(connection, half_digest, tried.now)
        if half is None:
            return Refused(why="late")
        known = _known_secret(connection, visitor, half.name)
    name, place = fold(half.name), f"code, browser {known}" if known else "code"
    if wait := throttle.wait(name, place, tried.now):
        return Refused(why="wait", wait=wait, name=half.name)
    with database.begin() as connection:
        if _code_counts(connection, half.user_id, tried.code, tried.now):
            if not end_half(connection, half_digest):
                return Refused(why="late")
            throttle.note_right(name, place)
            throttle.note_right(name, f"browser {known}" if known else f"address {visitor.address}")
            return begin(
                connection, half.user_id, visitor, known, tried.now, must_change_password=half.must_change_password
            )
    throttle.note_wrong(name, place, tried.now)
    return Refused(why="wrong", wait=throttle.wait(name, place, tried.now), name=half.name)


def begin(
    connection: Connection,
    user_id: int,
    visitor: Visitor,
    known_secret: str | None,
    now: datetime,
    *,
    must_change_password: bool = False,
    id_token: str | None = None,
) -> Begun:
    """A session of a user who has shown who they are. `known_secret` is the browser's, where it is known as theirs."""
    begun = Begun(
        secret=new_secret(),
        browser_secret=known_secret or new_secret(),
        must_change_password=must_change_password,
    )
    begin_session(
        connection,
        user_id,
        digest_of(begun.secret),
        now,
        now + ABSOLUTE,
        address=visitor.address or None,
        browser=visitor.browser[:200] or None,
        browser_digest=digest_of(begun.browser_secret),
        id_token=id_token,
    )
    return begun


def _known_secret(connection: Connection, visitor: Visitor, user_name: str) -> str | None:
    """The browser's, where this user has signed in by it before."""
    secret = visitor.browser_secret
    return secret if secret and is_known_browser(connection, digest_of(secret), user_name) else None


def _code_counts(connection: Connection, user_id: int, code: str, now: datetime) -> bool:
    """Whether it does, and did not before; from now on it does not."""
    if is_recovery_code(code):
        return use_recovery_code(connection, user_id, digest_of(plain_recovery_code(code)), now)
    app = app_of(connection, user_id)
    step = fitting_step(app.key, code, now, app.last_step) if app else None
    return step is not None and use_step(connection, user_id, step)
