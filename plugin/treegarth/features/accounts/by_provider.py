"""A session for whom an identity provider has told us of: its user, made at the first sign-in, and their roles."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Connection

from treegarth.access.provider import Identity, SignInRefused
from treegarth.access.store import User, create_user, follow_roles, rename_user, user_of_subject
from treegarth.errors import RequestConflict
from treegarth.features.accounts.signing_in import Begun, Visitor, begin
from treegarth.reach import host_of
from treegarth.settings import Oidc
from treegarth.web.services import Database

logger = logging.getLogger(__name__)


def sign_in_by_provider(database: Database, oidc: Oidc, identity: Identity, visitor: Visitor, now: datetime) -> Begun:
    """Raises DatabaseUnavailable, and SignInRefused where the user is switched off or has nobody's name left."""
    with database.begin() as connection:
        user = user_of_subject(connection, identity.subject) or _made(connection, oidc, identity, now)
        if not user.is_on:
            raise SignInRefused(f"user {user.id} is switched off")
        if identity.full_name != user.full_name:
            rename_user(connection, user.id, identity.full_name)
        if oidc.roles:
            unknown = follow_roles(connection, user.id, _roles(oidc, identity))
            if unknown:
                logger.warning("Oidc.Roles names roles that there are not: %s", ", ".join(unknown))
        return begin(connection, user.id, visitor, None, now, id_token=identity.id_token)


def _roles(oidc: Oidc, identity: Identity) -> set[str]:
    """Keycloak writes a group with the slash of its path before it."""
    groups = {one.removeprefix("/") for one in identity.groups}
    return {role for group, roles in oidc.roles.items() if group.removeprefix("/") in groups for role in roles}


def _made(connection: Connection, oidc: Oidc, identity: Identity, now: datetime) -> User:
    """A new user, under the name that the provider says. A user who has it already is somebody else, whatever the
    provider says, for names can be given twice: the new one has the provider's host behind it."""
    for one in (identity.name, f"{identity.name}@{host_of(oidc.issuer)}"):
        try:
            return create_user(
                connection, one, now, by=None, roles=(), full_name=identity.full_name, subject=identity.subject
            )
        except RequestConflict:
            if (user := user_of_subject(connection, identity.subject)) is not None:  # two windows at once
                return user
    raise SignInRefused("other users have the name that the provider says, with and without its host")
