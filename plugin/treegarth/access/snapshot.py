"""Users, roles, sessions and tokens as one Orthanc knows them: what a request is judged by. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from treegarth.access.actors import EVERY_PERMISSION, OF_EVERYBODY, Actor, Permission
from treegarth.access.secrets import digest_of
from treegarth.folding import fold


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownUser:
    """A user who is not switched off."""

    id: int
    name: str
    permissions: frozenset[Permission]
    is_administrator: bool
    roles: tuple[str, ...] = ()  # by name, in the alphabet's order


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownSession:
    """A browser that has signed in."""

    id: int
    user_id: int
    last_used_at: datetime
    ends_at: datetime  # whatever is done with it


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownToken:
    """A program's. It may do what its user may, and of that only `permissions`."""

    id: int
    user_id: int
    permissions: frozenset[Permission]
    ends_at: datetime


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All of them, as of one version of the database's."""

    version: int = -1  # before the database told anything
    users: Mapping[int, KnownUser] = field(default_factory=dict)
    names: Mapping[str, KnownUser] = field(default_factory=dict)  # by their names, case folded
    sessions: Mapping[bytes, KnownSession] = field(default_factory=dict)  # by the digest of their secret
    tokens: Mapping[bytes, KnownToken] = field(default_factory=dict)

    @property
    def has_administrator(self) -> bool:
        return any(one.is_administrator for one in self.users.values())

    def by_session(self, secret: str, now: datetime, idle: timedelta, used: Mapping[int, datetime]) -> Actor | None:
        """Whose session this is; None where it is nobody's, has ended or was not used for too long. `used` is when
        sessions were used since, by their numbers."""
        digest = digest_of(secret)
        session = self.sessions.get(digest)
        if session is None or now >= session.ends_at:
            return None
        if now - max(session.last_used_at, used.get(session.id, session.last_used_at)) >= idle:
            return None
        return self._actors.get(digest)

    def by_token(self, secret: str, now: datetime) -> Actor | None:
        """Whose token this is."""
        digest = digest_of(secret)
        token = self.tokens.get(digest)
        return None if token is None or now >= token.ends_at else self._actors.get(digest)

    @cached_property
    def _actors(self) -> Mapping[bytes, Actor]:
        """Whom each secret means: made once, for every request asks."""
        found = {
            digest: _actor(self.users[one.user_id], session_id=one.id)
            for digest, one in self.sessions.items()
            if one.user_id in self.users
        }
        for digest, token in self.tokens.items():
            if (user := self.users.get(token.user_id)) is not None:
                allowed = (user.permissions & token.permissions) | OF_EVERYBODY
                found[digest] = replace(_actor(user), permissions=allowed, token_id=token.id)
        return found

    def by_orthanc_name(self, name: str) -> Actor:
        """A user whom Orthanc itself has let in. Until a first administrator is named each of them may do everything,
        as Orthanc lets them without us; then whoever has no role may sign in and nothing else."""
        user = self.names.get(fold(name))
        if user is not None:
            return _actor(user)
        is_open = self.version >= 0 and not self.has_administrator
        return Actor(name=name, permissions=EVERY_PERMISSION if is_open else OF_EVERYBODY)


def _actor(user: KnownUser, *, session_id: int | None = None) -> Actor:
    return Actor(
        name=user.name,
        permissions=user.permissions | OF_EVERYBODY,
        user_id=user.id,
        session_id=session_id,
        roles=user.roles,
    )
