"""The list of users, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select

from treegarth.access.store import User, known_roles, select_users
from treegarth.features.accounts.managing import has_passwords
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.routes import Navigation, Parameters, Text

FIRST_ADMINISTRATOR = "treegarth users add NAME --role administrator"
"""What makes the first one, who makes the others by the pages."""


class UsersAsked(Parameters):
    """Which users."""

    name: Text | None = None
    """With these letters in the name or the full name."""
    role: Text | None = None
    """Who have this role."""
    is_on: bool | None = None
    """Who may sign in, or may not."""


def find(asker: Asker, connection: Connection, asked: UsersAsked) -> Select[Any]:
    return select_users(role=asked.role, is_on=asked.is_on, words=asked.name)


def role_choices(call: AnyCall, connection: Connection) -> Mapping[str, str]:
    return {name: name for name in known_roles(connection)}


def extras(call: AnyCall, connection: Connection, asked: UsersAsked, users: Sequence[User]) -> Mapping[str, Any]:
    sign_in = call.services.settings.sign_in
    return {
        "sign_in": sign_in,
        "has_passwords": has_passwords(call.services.settings),
        "first_command": FIRST_ADMINISTRATOR,
    }


USERS = Listing(
    name="accounts.users",
    title=N_("Users"),
    counts=NN_("%(num)s user", "%(num)s users"),
    path="access/users",
    api_name="access_users",
    api_path="access/users",
    tag="access",
    summary="Who may sign in, and with which roles.",
    record=User,
    asked=UsersAsked,
    query=find,
    unique="id",
    order="name",
    columns=(
        Column(name="name", label=N_("User")),
        Column(name="full_name", label=N_("Full name"), narrow="c-2"),
        Column(name="roles", label=N_("Roles"), sorts_by=()),
        Column(name="is_on", label=N_("State")),
        Column(name="last_signed_in_at", label=N_("Last signed in")),
        Column(name="created_at", label=N_("Made"), narrow="c-1"),
    ),
    filters=(
        Filter(name="name", label=N_("Name"), width="wide"),
        Filter(name="role", label=N_("Role"), find_choices=role_choices),
        Filter(name="is_on", label=N_("State"), choices={"true": N_("may sign in"), "false": N_("switched off")}),
    ),
    empty=Empty(
        title=N_("Nobody has an account yet"),
        text=N_(
            "Here stands who may sign in, and with which roles. The first administrator is made by a command on the "
            "server; that one makes the others here."
        ),
        filtered=N_("No user fits these filters"),
    ),
    template="accounts/users.html",
    extras=extras,
    navigation=Navigation(label=N_("Access"), icon="lock", order=38, key="u"),
)
