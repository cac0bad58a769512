"""Who asks, and what they may do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Permission(StrEnum):
    """What an actor may do. Each includes those before it."""

    PUBLIC = "public"  # without a login, where Orthanc itself lets the request through
    VIEW = "view"  # see patients, studies, doses
    OPERATE = "operate"  # start and repeat work: retry a task, ask for a comparison
    ADMINISTER = "administer"  # change what others see and what happens by itself


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who does something; `name` is None without a login."""

    name: str | None
    permissions: frozenset[Permission]

    def __str__(self) -> str:
        return self.name or "someone without a login"

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions


NOBODY = Actor(name=None, permissions=frozenset({Permission.PUBLIC}))
EVERY_PERMISSION = frozenset(Permission)
