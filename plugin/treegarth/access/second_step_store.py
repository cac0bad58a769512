"""Authenticator apps of users, their recovery codes, and sign-ins that wait for a code. Queries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from treegarth.access.store import read_user
from treegarth.access.tables import half_sign_in, recovery_code, user_account, user_totp
from treegarth.errors import RequestConflict
from treegarth.phrases import N_

SET_UP_WITHIN = timedelta(minutes=15)
"""How long a key that no code has confirmed is shown and waits for one."""


@dataclass(frozen=True, kw_only=True)
class SecondStep:
    """What a user has of it."""

    is_on: bool
    since: datetime | None
    codes_left: int
    """Recovery codes that were not used."""


@dataclass(frozen=True, kw_only=True)
class AppOfUser:
    """The key that the user's app shares with us, and the time step of the last code that counted."""

    key: str
    last_step: int


@dataclass(frozen=True, kw_only=True)
class HalfSignIn:
    """Somebody whose password was right."""

    user_id: int
    name: str
    must_change_password: bool


# ---- what a user has ----


def read_second_step(connection: Connection, user_id: int) -> SecondStep:
    since = connection.execute(select(user_totp.c.confirmed_at).where(user_totp.c.user_id == user_id)).scalar()
    left = select(func.count()).where(recovery_code.c.user_id == user_id, recovery_code.c.used_at.is_(None))
    return SecondStep(
        is_on=since is not None, since=since, codes_left=int(connection.execute(left).scalar_one()) if since else 0
    )


def has_second_step(connection: Connection, user_id: int) -> bool:
    """Whether the password alone is not enough."""
    found = select(exists().where(user_totp.c.user_id == user_id, user_totp.c.confirmed_at.is_not(None)))
    return bool(connection.execute(found).scalar_one())


def app_of(connection: Connection, user_id: int) -> AppOfUser | None:
    """The one that is asked at the sign-in."""
    table = user_totp.c
    query = select(table.key, table.last_step).where(table.user_id == user_id, table.confirmed_at.is_not(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else AppOfUser(key=row.key, last_step=row.last_step)


def unconfirmed_key(connection: Connection, user_id: int, now: datetime) -> str | None:
    """The key that waits for its first code."""
    table = user_totp.c
    query = select(table.key).where(
        table.user_id == user_id, table.confirmed_at.is_(None), table.created_at > now - SET_UP_WITHIN
    )
    return connection.execute(query).scalar()


# ---- setting it up, taking it away ----


def begin_app(connection: Connection, user_id: int, key: str, now: datetime) -> None:
    """A key that counts when a code confirms it, in place of one that none confirmed. Raises NotFound, and
    RequestConflict where an app is set up."""
    read_user(connection, user_id)
    values = {"key": key, "created_at": now, "last_step": 0}
    made = (
        insert_or(user_totp)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(
            index_elements=[user_totp.c.user_id], set_=values, where=user_totp.c.confirmed_at.is_(None)
        )
        .returning(user_totp.c.user_id)
    )
    if connection.execute(made).one_or_none() is None:
        raise RequestConflict(N_("An authenticator app is set up already."))


def confirm_app(
    connection: Connection, user_id: int, step: int, now: datetime, recovery_digests: Sequence[bytes]
) -> bool:
    """That a code of this step fitted the key; from now on the sign-in asks. False where there is none that waits."""
    table = user_totp
    which = (table.c.user_id == user_id, table.c.confirmed_at.is_(None), table.c.created_at > now - SET_UP_WITHIN)
    done = connection.execute(update(table).where(*which).values(confirmed_at=now, last_step=step)).rowcount == 1
    if done:
        replace_recovery_codes(connection, user_id, recovery_digests)
    return done


def replace_recovery_codes(connection: Connection, user_id: int, digests: Sequence[bytes]) -> None:
    """Those from before count no more."""
    connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    connection.execute(insert(recovery_code), [{"user_id": user_id, "digest": one} for one in digests])


def take_off_second_step(connection: Connection, user_id: int) -> bool:
    """The password is enough again; whether it was not. Sign-ins that wait for a code end. Raises NotFound."""
    read_user(connection, user_id)
    connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    connection.execute(delete(half_sign_in).where(half_sign_in.c.user_id == user_id))
    return connection.execute(delete(user_totp).where(user_totp.c.user_id == user_id)).rowcount == 1


# ---- using it ----


def use_step(connection: Connection, user_id: int, step: int) -> bool:
    """Whether the code of this step counts: it does once, and none of an earlier one does after it."""
    which = (user_totp.c.user_id == user_id, user_totp.c.confirmed_at.is_not(None), user_totp.c.last_step < step)
    return connection.execute(update(user_totp).where(*which).values(last_step=step)).rowcount == 1


def use_recovery_code(connection: Connection, user_id: int, digest: bytes, now: datetime) -> bool:
    """Whether it is one of the user's that was not used."""
    table = recovery_code
    which = (table.c.user_id == user_id, table.c.digest == digest, table.c.used_at.is_(None))
    return connection.execute(update(table).where(*which).values(used_at=now)).rowcount == 1


def begin_half(connection: Connection, user_id: int, digest: bytes, now: datetime, ends_at: datetime) -> None:
    """That the password was right and a code is waited for. Those that have ended are removed."""
    connection.execute(delete(half_sign_in).where(half_sign_in.c.ends_at <= now))
    connection.execute(insert(half_sign_in).values(user_id=user_id, digest=digest, ends_at=ends_at))


def read_half(connection: Connection, digest: bytes, now: datetime) -> HalfSignIn | None:
    """Whose it is; None where it has ended, or the user is switched off."""
    table = user_account.c
    query = (
        select(table.id, table.name, table.must_change_password)
        .join_from(half_sign_in, user_account, table.id == half_sign_in.c.user_id)
        .where(half_sign_in.c.digest == digest, half_sign_in.c.ends_at > now, table.is_on)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return HalfSignIn(user_id=row.id, name=row.name, must_change_password=row.must_change_password)


def end_half(connection: Connection, digest: bytes) -> bool:
    """Whether it was there: it is used once."""
    return connection.execute(delete(half_sign_in).where(half_sign_in.c.digest == digest)).rowcount == 1
