"""Users, sessions and tokens, and all that a snapshot of them holds. Queries only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from treegarth.access.actors import PERMISSION_WORDS, Permission
from treegarth.access.roles import ADMINISTRATOR
from treegarth.access.snapshot import KnownSession, KnownToken, KnownUser, Snapshot
from treegarth.access.tables import (
    access_token,
    access_version,
    half_sign_in,
    user_account,
    user_role,
    user_role_document,
    user_session,
    user_totp,
)
from treegarth.errors import NotFound, RequestConflict
from treegarth.folding import fold
from treegarth.phrases import N_, P_
from treegarth.record import Record

_KNOWN = {one.value for one in PERMISSION_WORDS}


class User(Record):
    """Somebody, or a program, with what they may do by their roles."""

    id: int
    name: str
    """What is typed at the sign-in, or what Orthanc or the identity provider calls them."""
    full_name: str | None
    roles: list[str]
    """By name, in the alphabet's order."""
    is_on: bool
    """Whether they may sign in."""
    has_password: bool
    """Whether they sign in with a password of ours."""
    must_change_password: bool
    by_provider: bool
    """Whether they sign in by the identity provider."""
    has_second_step: bool
    """Whether the sign-in asks for a code of their authenticator app after the password."""
    created_at: datetime
    created_by: str | None
    """Null: by the command line, or by themselves."""
    last_signed_in_at: datetime | None


class Session(Record):
    """A browser that has signed in."""

    id: int
    user_id: int
    user: str
    began_at: datetime
    last_used_at: datetime
    """As of the last minute."""
    ends_at: datetime
    """Whatever is done with it; it ends sooner where it is not used."""
    address: str | None
    browser: str | None
    """What it calls itself."""
    ended_at: datetime | None
    ended_by: str | None


class Token(Record):
    """A program's key to what its user may do, or to a part of that."""

    id: int
    user_id: int
    user: str
    name: str
    """What it is for."""
    permissions: list[str]
    created_at: datetime
    created_by: str | None
    ends_at: datetime
    last_used_at: datetime | None
    """As of the last minute."""
    revoked_at: datetime | None
    revoked_by: str | None


@dataclass(frozen=True, kw_only=True)
class PasswordOfUser:
    """What is asked at the sign-in."""

    user_id: int
    name: str
    password_hash: str
    must_change: bool


# ---- the snapshot ----


def read_version(connection: Connection) -> int:
    return int(connection.execute(select(access_version.c.version)).scalar_one())


def read_snapshot(connection: Connection, now: datetime) -> Snapshot:
    """Everything that a request is judged by: who is on, and what has not ended. The version is read first: what
    changes meanwhile is read again."""
    version = read_version(connection)
    of_role = {row.name: frozenset(map(Permission, _KNOWN.intersection(row.permissions))) for row in _roles(connection)}
    roles: dict[int, list[str]] = {}
    for row in connection.execute(select(user_role)):
        roles.setdefault(row.user_id, []).append(row.role)
    users = {
        row.id: KnownUser(
            id=row.id,
            name=row.name,
            permissions=frozenset()
            if row.must_change_password
            else frozenset().union(*(of_role.get(one, frozenset()) for one in roles.get(row.id, ()))),
            is_administrator=ADMINISTRATOR in roles.get(row.id, ()),
            roles=tuple(sorted(roles.get(row.id, ()))),
        )
        for row in connection.execute(select(user_account).where(user_account.c.is_on))
    }
    sessions = select(user_session).where(user_session.c.ended_at.is_(None), user_session.c.ends_at > now)
    tokens = select(access_token).where(access_token.c.revoked_at.is_(None), access_token.c.ends_at > now)
    return Snapshot(
        version=version,
        users=users,
        names={fold(one.name): one for one in users.values()},
        sessions={
            bytes(row.digest): KnownSession(
                id=row.id, user_id=row.user_id, last_used_at=row.last_used_at, ends_at=row.ends_at
            )
            for row in connection.execute(sessions)
        },
        tokens={
            bytes(row.digest): KnownToken(
                id=row.id,
                user_id=row.user_id,
                permissions=frozenset(map(Permission, _KNOWN.intersection(row.permissions))),
                ends_at=row.ends_at,
            )
            for row in connection.execute(tokens)
        },
    )


def _roles(connection: Connection) -> Sequence[Any]:
    table = user_role_document.c
    held = select(table.name, table.permissions).where(table.removed_at.is_(None), table.is_on)
    return connection.execute(held).all()


def note_used(connection: Connection, sessions: Mapping[int, datetime], tokens: Mapping[int, datetime]) -> None:
    """When sessions and tokens were last used, by their numbers. Never earlier than what another Orthanc noted."""
    for table, found in ((user_session, sessions), (access_token, tokens)):
        for number, moment in sorted(found.items()):
            later = func.greatest(func.coalesce(table.c.last_used_at, moment), moment)
            connection.execute(update(table).where(table.c.id == number).values(last_used_at=later))


# ---- users ----


def select_users(*, role: str | None = None, is_on: bool | None = None, words: str | None = None) -> Select[Any]:
    """Every user with their roles, in no order; or those who have a role, may sign in or not, or have these letters in
    a name of theirs."""
    roles = (
        select(func.coalesce(func.array_agg(user_role.c.role.op("ORDER BY")(user_role.c.role)), []))
        .where(user_role.c.user_id == user_account.c.id)
        .scalar_subquery()
    )
    names = (
        "id",
        "name",
        "full_name",
        "is_on",
        "must_change_password",
        "created_at",
        "created_by",
        "last_signed_in_at",
    )
    found = select(
        *(user_account.c[name] for name in names),
        user_account.c.password_hash.is_not(None).label("has_password"),
        user_account.c.subject.is_not(None).label("by_provider"),
        exists()
        .where(user_totp.c.user_id == user_account.c.id, user_totp.c.confirmed_at.is_not(None))
        .label("has_second_step"),
        roles.label("roles"),
    )
    if role is not None:
        having = select(user_role.c.user_id).where(user_role.c.role == role)
        found = found.where(user_account.c.id.in_(having))
    if is_on is not None:
        found = found.where(user_account.c.is_on == is_on)
    if words:
        said = fold(words)
        full_name = func.folded(func.coalesce(user_account.c.full_name, ""))
        found = found.where(
            user_account.c.folded_name.contains(said, autoescape=True) | full_name.contains(said, autoescape=True)
        )
    return found


def known_roles(connection: Connection) -> list[str]:
    """The names of the roles that users can have: in the order in which they were made."""
    table = user_role_document.c
    query = select(table.name).where(table.removed_at.is_(None), table.is_on).order_by(table.id)
    return list(connection.execute(query).scalars())


def count_by_role(connection: Connection) -> dict[str, int]:
    """How many users have each role, by its name."""
    query = select(user_role.c.role, func.count().label("users")).group_by(user_role.c.role)
    return {row.role: row.users for row in connection.execute(query)}


def has_users(connection: Connection) -> bool:
    """Whether anybody has an account."""
    return connection.execute(select(user_account.c.id).limit(1)).one_or_none() is not None


def read_users(connection: Connection) -> list[User]:
    """All of them, by name."""
    return [User(**row._mapping) for row in connection.execute(select_users().order_by(user_account.c.folded_name))]


def read_user(connection: Connection, user_id: int) -> User:
    """Raises NotFound."""
    row = connection.execute(select_users().where(user_account.c.id == user_id)).one_or_none()
    if row is None:
        raise NotFound(N_("There is no user with this number."))
    return User(**row._mapping)


def find_user(connection: Connection, name: str) -> User | None:
    """By the name, however it is written."""
    row = connection.execute(select_users().where(user_account.c.folded_name == fold(name))).one_or_none()
    return None if row is None else User(**row._mapping)


def create_user(
    connection: Connection,
    name: str,
    now: datetime,
    *,
    by: str | None,
    full_name: str | None = None,
    roles: Collection[str] = (),
    password_hash: str | None = None,
    must_change_password: bool = False,
    subject: str | None = None,
) -> User:
    """Raises RequestConflict where the name is taken, or a role is not there."""
    _check_roles(connection, roles)
    values = {
        "name": name,
        "folded_name": fold(name),
        "full_name": full_name,
        "password_hash": password_hash,
        "must_change_password": must_change_password,
        "subject": subject,
        "created_at": now,
        "created_by": by,
    }
    try:
        with connection.begin_nested():
            number = connection.execute(insert(user_account).values(values).returning(user_account.c.id)).scalar_one()
    except IntegrityError:
        raise RequestConflict(P_("Another user has the name %(name)s.", name=name), field="name") from None
    _write_roles(connection, number, roles)
    return read_user(connection, number)


def set_roles(connection: Connection, user_id: int, roles: Collection[str]) -> User:
    """Raises NotFound, and RequestConflict where a role is not there or no administrator would be left."""
    before = read_user(connection, user_id)
    _check_roles(connection, roles)
    connection.execute(delete(user_role).where(user_role.c.user_id == user_id))
    _write_roles(connection, user_id, roles)
    if ADMINISTRATOR in before.roles:
        _check_administrator(connection)
    return read_user(connection, user_id)


def user_of_subject(connection: Connection, subject: str) -> User | None:
    """By what the identity provider calls them."""
    row = connection.execute(select_users().where(user_account.c.subject == subject)).one_or_none()
    return None if row is None else User(**row._mapping)


def follow_roles(connection: Connection, user_id: int, roles: Collection[str]) -> list[str]:
    """The roles that an identity provider says, in place of those from before, whoever remains an administrator; those
    that there are not are left away and returned."""
    known = {row.name for row in _roles(connection)}
    wanted = known.intersection(roles)
    if wanted != set(read_user(connection, user_id).roles):
        connection.execute(delete(user_role).where(user_role.c.user_id == user_id))
        _write_roles(connection, user_id, wanted)
    return sorted(set(roles) - known)


def id_token_of(connection: Connection, session_id: int) -> str | None:
    """Of the identity provider, where the session began there."""
    return connection.execute(select(user_session.c.id_token).where(user_session.c.id == session_id)).scalar()


def switch_user(connection: Connection, user_id: int, now: datetime, *, is_on: bool, by: str | None) -> User:
    """Who is switched off has no session any more. Raises NotFound, RequestConflict where it is the last
    administrator."""
    before = read_user(connection, user_id)
    connection.execute(update(user_account).where(user_account.c.id == user_id).values(is_on=is_on))
    if not is_on:
        if ADMINISTRATOR in before.roles:
            _check_administrator(connection)
        end_sessions_of(connection, user_id, now, by=by)
    return read_user(connection, user_id)


def rename_user(connection: Connection, user_id: int, full_name: str | None) -> User:
    """What pages call them. Raises NotFound."""
    read_user(connection, user_id)
    connection.execute(update(user_account).where(user_account.c.id == user_id).values(full_name=full_name))
    return read_user(connection, user_id)


def _write_roles(connection: Connection, user_id: int, roles: Collection[str]) -> None:
    if roles:
        connection.execute(insert(user_role), [{"user_id": user_id, "role": one} for one in sorted(set(roles))])


def _check_roles(connection: Connection, roles: Collection[str]) -> None:
    known = {row.name for row in _roles(connection)}
    for one in roles:
        if one not in known:
            raise RequestConflict(P_("There is no role “%(role)s”.", role=one), field="roles")


def _check_administrator(connection: Connection) -> None:
    """Who edits roles and users must remain; two who take it from each other at once wait for the version's row."""
    connection.execute(select(access_version.c.version).with_for_update())
    if count_administrators(connection) == 0:
        raise RequestConflict(N_("Somebody must remain an administrator who can sign in."), field="roles")


def count_administrators(connection: Connection) -> int:
    """Users who are on and have the administrator's role."""
    query = (
        select(func.count())
        .select_from(user_account.join(user_role, user_role.c.user_id == user_account.c.id))
        .where(user_account.c.is_on, user_role.c.role == ADMINISTRATOR)
    )
    return int(connection.execute(query).scalar_one())


# ---- passwords ----


def password_of(connection: Connection, name: str) -> PasswordOfUser | None:
    """Of a user who is on and has one."""
    table = user_account.c
    query = select(table.id, table.name, table.password_hash, table.must_change_password).where(
        table.folded_name == fold(name), table.is_on, table.password_hash.is_not(None)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return PasswordOfUser(
        user_id=row.id, name=row.name, password_hash=row.password_hash, must_change=row.must_change_password
    )


def set_password(
    connection: Connection, user_id: int, password_hash: str, now: datetime, *, must_change: bool, by: str | None
) -> None:
    """Every session of theirs ends, and every sign-in that waits for a code. Raises NotFound."""
    read_user(connection, user_id)
    connection.execute(delete(half_sign_in).where(half_sign_in.c.user_id == user_id))
    values = {"password_hash": password_hash, "must_change_password": must_change}
    connection.execute(update(user_account).where(user_account.c.id == user_id).values(values))
    end_sessions_of(connection, user_id, now, by=by)


# ---- sessions ----


def begin_session(
    connection: Connection,
    user_id: int,
    digest: bytes,
    now: datetime,
    ends_at: datetime,
    *,
    address: str | None,
    browser: str | None,
    browser_digest: bytes | None = None,
    id_token: str | None = None,
) -> int:
    """The number of a new session."""
    values = {
        "digest": digest,
        "user_id": user_id,
        "began_at": now,
        "last_used_at": now,
        "ends_at": ends_at,
        "address": address,
        "browser": browser,
        "browser_digest": browser_digest,
        "id_token": id_token,
    }
    number = connection.execute(insert(user_session).values(values).returning(user_session.c.id)).scalar_one()
    connection.execute(update(user_account).where(user_account.c.id == user_id).values(last_signed_in_at=now))
    return int(number)


def is_known_browser(connection: Connection, browser_digest: bytes, user_name: str) -> bool:
    """Whether this user has signed in by this browser before."""
    table = user_session
    query = (
        select(table.c.id)
        .join(user_account, user_account.c.id == table.c.user_id)
        .where(table.c.browser_digest == browser_digest, user_account.c.folded_name == fold(user_name))
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def end_session_of(connection: Connection, user_id: int, session_id: int, now: datetime, *, by: str | None) -> None:
    """Raises NotFound where it is none of this user's."""
    table = user_session.c
    query = select(table.id).where(table.id == session_id, table.user_id == user_id)
    if connection.execute(query).one_or_none() is None:
        raise NotFound(N_("There is no session with this number."))
    end_session(connection, session_id, now, by=by)


def end_session(connection: Connection, session_id: int, now: datetime, *, by: str | None) -> None:
    """Does nothing to one that has ended."""
    table = user_session
    which = (table.c.id == session_id, table.c.ended_at.is_(None))
    connection.execute(update(table).where(*which).values(ended_at=now, ended_by=by, id_token=None))


def end_sessions_of(
    connection: Connection, user_id: int, now: datetime, *, by: str | None, but: int | None = None
) -> int:
    """Every session of a user, but this one; how many there were."""
    table = user_session
    which = [table.c.user_id == user_id, table.c.ended_at.is_(None), table.c.ends_at > now]
    which += [] if but is None else [table.c.id != but]
    return connection.execute(update(table).where(*which).values(ended_at=now, ended_by=by, id_token=None)).rowcount


def select_sessions() -> Select[Any]:
    """Every session, in no order."""
    names = [name for name in Session.model_fields if name in user_session.c]
    return select(*(user_session.c[name] for name in names), user_account.c.name.label("user")).join_from(
        user_session, user_account, user_account.c.id == user_session.c.user_id
    )


def read_sessions(connection: Connection, user_id: int, now: datetime) -> list[Session]:
    """Those of a user that have not ended, the latest first."""
    query = select_sessions().where(
        user_session.c.user_id == user_id, user_session.c.ended_at.is_(None), user_session.c.ends_at > now
    )
    return [Session(**row._mapping) for row in connection.execute(query.order_by(user_session.c.id.desc()))]


# ---- tokens ----


def create_token(
    connection: Connection,
    user_id: int,
    name: str,
    digest: bytes,
    permissions: Collection[Permission],
    now: datetime,
    ends_at: datetime,
    *,
    by: str | None,
) -> Token:
    """Raises NotFound."""
    read_user(connection, user_id)
    values = {
        "digest": digest,
        "user_id": user_id,
        "name": name,
        "permissions": [one.value for one in PERMISSION_WORDS if one in permissions],
        "created_at": now,
        "created_by": by,
        "ends_at": ends_at,
    }
    number = connection.execute(insert(access_token).values(values).returning(access_token.c.id)).scalar_one()
    return read_token(connection, number)


def select_tokens() -> Select[Any]:
    """Every token, in no order."""
    names = [name for name in Token.model_fields if name in access_token.c]
    return select(*(access_token.c[name] for name in names), user_account.c.name.label("user")).join_from(
        access_token, user_account, user_account.c.id == access_token.c.user_id
    )


def read_token(connection: Connection, token_id: int) -> Token:
    """Raises NotFound."""
    row = connection.execute(select_tokens().where(access_token.c.id == token_id)).one_or_none()
    if row is None:
        raise NotFound(N_("There is no token with this number."))
    return Token(**row._mapping)


def read_tokens(connection: Connection, user_id: int) -> list[Token]:
    """Those of a user, the latest first; also those that have ended."""
    query = select_tokens().where(access_token.c.user_id == user_id).order_by(access_token.c.id.desc())
    return [Token(**row._mapping) for row in connection.execute(query)]


def revoke_token_of(connection: Connection, user_id: int, token_id: int, now: datetime, *, by: str | None) -> Token:
    """Raises NotFound where it is none of this user's."""
    if read_token(connection, token_id).user_id != user_id:
        raise NotFound(N_("There is no token with this number."))
    return revoke_token(connection, token_id, now, by=by)


def revoke_token(connection: Connection, token_id: int, now: datetime, *, by: str | None) -> Token:
    """Does nothing to one that was revoked. Raises NotFound."""
    table = access_token
    which = (table.c.id == token_id, table.c.revoked_at.is_(None))
    connection.execute(update(table).where(*which).values(revoked_at=now, revoked_by=by))
    return read_token(connection, token_id)
