"""`treegarth users` and `treegarth tokens`: who may sign in, from a shell of the server.

So the first administrator is made, and one who lost the password gets in again. Orthancs that run know within a second.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TextIO

from sqlalchemy import Connection, Engine

from treegarth.access.actors import PERMISSION_WORDS, Permission
from treegarth.access.passwords import Argon2id
from treegarth.access.second_step_store import take_off_second_step
from treegarth.access.secrets import digest_of, new_token
from treegarth.access.store import (
    User,
    create_token,
    end_sessions_of,
    find_user,
    read_tokens,
    read_users,
    revoke_token,
    set_roles,
    switch_user,
)
from treegarth.commands.configuration import Configuration
from treegarth.commands.exit_codes import ExitCode
from treegarth.commands.worker import database_of
from treegarth.database.engine import connect, create_engine, transaction
from treegarth.documents.store import Author
from treegarth.errors import InvalidRequest, NotFound, RequestConflict
from treegarth.features.accounts.managing import (
    Password,
    Wanted,
    add_user,
    check_name,
    give_password,
    has_passwords,
    make_password,
)
from treegarth.features.accounts.own_tokens import LONGEST
from treegarth.settings import Settings, SignIn

PERMISSIONS = tuple(one.value for one in PERMISSION_WORDS)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Whose users they are, and where what is done is said."""

    engine: Engine
    settings: Settings
    output: TextIO
    author: Author

    def say(self, line: str) -> None:
        print(line, file=self.output)

    def password(self, given: str, name: str) -> Password | None:
        """None where passwords are not ours. Raises InvalidRequest."""
        return make_password(Argon2id(), given, name) if has_passwords(self.settings) else None


def run(
    configuration: Configuration,
    environment: Mapping[str, str],
    output: TextIO,
    act: Callable[[Site], None],
) -> int:
    """Raises SettingsRefused, DatabaseUnavailable, and what the act does."""
    settings = configuration.settings(environment)
    author = Author(name=f"{getpass.getuser()} (command line)", now=datetime.now(UTC))
    with engine_of(configuration, environment) as engine:
        act(Site(engine=engine, settings=settings, output=output, author=author))
    return ExitCode.DONE


@contextmanager
def engine_of(configuration: Configuration, environment: Mapping[str, str]) -> Iterator[Engine]:
    """The database of a server with this configuration. Raises SettingsRefused."""
    address = database_of(configuration.settings(environment), configuration, environment)
    engine = create_engine(address, pool_size=1, application_name="treegarth users")
    try:
        yield engine
    finally:
        engine.dispose()


def password_of_stdin() -> str:
    """The first line of standard input: no password stands in a list of processes. Raises InvalidRequest where it is
    empty."""
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidRequest("Standard input has no password.")
    return line


# ---- users ----


def list_users(site: Site) -> None:
    with connect(site.engine) as connection:
        users = read_users(connection)
    if not users:
        site.say("Nobody has an account yet. The first administrator: treegarth users add NAME --role administrator")
    width = max((len(one.name) for one in users), default=0)
    for one in users:
        state = "off" if not one.is_on else "new" if one.must_change_password else "on"
        last = one.last_signed_in_at.astimezone().isoformat(" ", "minutes") if one.last_signed_in_at else "never"
        site.say(f"{one.name:{width}}  {state:3}  {last:22}  {', '.join(one.roles) or 'no role'}")


def add(site: Site, name: str, roles: Sequence[str], full_name: str | None, given: str) -> None:
    """Without a password one is made up, said once, and changed at the first sign-in."""
    name = check_name(name)
    password = site.password(given, name)
    with transaction(site.engine) as connection:
        made = add_user(connection, Wanted(name=name, full_name=full_name, roles=roles), password, site.author)
    site.say(f"Made {made.name} ({', '.join(made.roles) or 'no role'}).")
    _tell(site, password)


def change_roles(site: Site, name: str, roles: Sequence[str]) -> None:
    with transaction(site.engine) as connection:
        changed = set_roles(connection, _user(connection, name).id, roles)
    site.say(f"{changed.name}: {', '.join(changed.roles) or 'no role'}.")


def set_password(site: Site, name: str, given: str) -> None:
    """Raises RequestConflict where passwords are not ours."""
    with connect(site.engine) as connection:
        user = _user(connection, name)
    password = site.password(given, user.name)
    if password is None:
        raise RequestConflict(
            f"SignIn is {site.settings.sign_in}: passwords are kept where users sign in, and not here."
        )
    with transaction(site.engine) as connection:
        give_password(connection, user.id, password, site.author)
    site.say(f"{user.name} has a new password, and every session of theirs is ended.")
    _tell(site, password)


def switch(site: Site, name: str, *, is_on: bool) -> None:
    with transaction(site.engine) as connection:
        user = _user(connection, name)
        switch_user(connection, user.id, site.author.now, is_on=is_on, by=site.author.name)
    site.say(f"{user.name} is {'on' if is_on else 'off'}.")


def take_second_step_off(site: Site, name: str) -> None:
    with transaction(site.engine) as connection:
        user = _user(connection, name)
        was_on = take_off_second_step(connection, user.id)
    site.say(f"{user.name} signs in by the password alone." if was_on else f"{user.name} had no second step.")


def end_sessions(site: Site, name: str) -> None:
    with transaction(site.engine) as connection:
        user = _user(connection, name)
        count = end_sessions_of(connection, user.id, site.author.now, by=site.author.name)
    site.say(f"{user.name}: {count} sessions ended.")


def _user(connection: Connection, name: str) -> User:
    """Raises NotFound."""
    found = find_user(connection, name)
    if found is None:
        raise NotFound(f"There is no user {name}.")
    return found


def _tell(site: Site, password: Password | None) -> None:
    if password is not None and password.made_up:
        site.say(f"Password, to be changed at the first sign-in: {password.made_up}")


# ---- tokens ----


def list_tokens(site: Site, name: str | None) -> None:
    with connect(site.engine) as connection:
        users = read_users(connection) if name is None else [_user(connection, name)]
        tokens = [one for user in users for one in read_tokens(connection, user.id)]
    for one in tokens:
        state = "revoked" if one.revoked_at else "ended" if one.ends_at <= site.author.now else "acts"
        ends = one.ends_at.astimezone().isoformat(" ", "minutes")
        site.say(f"{one.id:5}  {state:7}  until {ends}  {one.user}: {one.name} ({', '.join(one.permissions)})")


def add_token(site: Site, name: str, purpose: str, may: Sequence[str], days: int) -> None:
    """It may do what its user may, and of that only this. Raises RequestConflict where no token acts."""
    if site.settings.sign_in in (SignIn.NONE, SignIn.ORTHANC):
        raise RequestConflict(f"SignIn is {site.settings.sign_in}: tokens act where it is treegarth.")
    if unknown := [one for one in may if one not in PERMISSIONS]:
        raise InvalidRequest(f"{unknown[0]} is none of: {', '.join(PERMISSIONS)}.")
    if not 0 < days <= LONGEST.days:
        raise InvalidRequest(f"A token lasts 1 to {LONGEST.days} days.")
    secret = new_token()
    with transaction(site.engine) as connection:
        made = create_token(
            connection,
            _user(connection, name).id,
            purpose,
            digest_of(secret),
            [Permission(one) for one in may],
            site.author.now,
            site.author.now + timedelta(days=days),
            by=site.author.name,
        )
    site.say(f"Made token {made.id} of {made.user}, until {made.ends_at.astimezone().isoformat(' ', 'minutes')}.")
    site.say(f"Secret, said only now: {secret}")


def revoke(site: Site, number: int) -> None:
    with transaction(site.engine) as connection:
        token = revoke_token(connection, number, site.author.now, by=site.author.name)
    site.say(f"Token {token.id} of {token.user} is revoked.")
