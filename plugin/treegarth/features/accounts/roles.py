"""Roles as documents: each is a name and what it permits. That of the administrator stays and keeps administering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from sqlalchemy import Connection

from treegarth.access.actors import PERMISSION_WORDS, Permission
from treegarth.access.roles import ADMINISTRATOR
from treegarth.access.tables import user_role_document
from treegarth.documents.language import Documents, Pages, parse_by
from treegarth.documents.store import Author, Change, Kind, Stored
from treegarth.errors import RequestConflict
from treegarth.features.accounts.tables import user_role_document_version
from treegarth.phrases import N_
from treegarth.web.forms import Shown
from treegarth.web.routes import AnyText, Identifier, Parameters

Permitted = Literal[
    "see studies", "see dose", "upload", "download", "export", "annotate", "send", "decide dose", "run rules", "prune",
    "erase", "see system", "operate", "see audit", "administer",
]  # fmt: skip


class RoleDocument(Parameters):
    """A role."""

    name: Annotated[AnyText, Field(min_length=1, max_length=64), Shown(N_("Name"))]
    """What it is called; users have it by this name."""
    permissions: Annotated[
        list[Permitted],
        Shown(N_("May"), choices={one.value: words for one, words in PERMISSION_WORDS.items()}),
    ]
    """What who has it may do."""

    @field_validator("permissions")
    @classmethod
    def _in_order(cls, value: list[Permitted]) -> list[Permitted]:
        order = [str(one) for one in PERMISSION_WORDS]
        return sorted(set(value), key=order.index)


class RolePath(Parameters):
    role_id: Identifier
    """The role's number."""


def _columns(before: Stored | None, document: Mapping[str, Any], is_on: bool, author: Author) -> Mapping[str, Any]:
    """Raises RequestConflict where nobody could administer any more."""
    if before is not None and before.name == ADMINISTRATOR:
        keeps = Permission.ADMINISTER in document["permissions"] and document["name"] == ADMINISTRATOR and is_on
        if not keeps:
            raise RequestConflict(N_("The administrator's role stays, under its name, and keeps administering."))
    return {"permissions": list(document["permissions"])}


def _follow(connection: Connection, before: Stored, change: Change, author: Author) -> None:
    """Raises RequestConflict where the administrator's role is removed."""
    if change is Change.REMOVED and before.name == ADMINISTRATOR:
        raise RequestConflict(N_("The administrator's role stays, under its name, and keeps administering."))


ROLES = Kind(
    record=Stored,
    table=user_role_document,
    versions=user_role_document_version,
    missing=N_("There is no role with this number."),
    taken=N_("Another role has the name %(name)s."),
    keys=("name", "permissions"),
    starts_on=True,
    columns=_columns,
    follow=_follow,
)
ROLE_DOCUMENTS = Documents(
    kind=ROLES,
    name="role",
    example={"name": "student", "permissions": ["see studies", "see dose"]},
    names="roles",
    one="role",
    many="roles",
    path="access/roles",
    tag="access",
    number=RolePath,
    parse=parse_by(RoleDocument),
    model=RoleDocument,
    pages=Pages(
        title=N_("Roles"),
        place="access/roles",
        prefix="roles",
        frame="accounts/roles_frame.html",
        list_page="accounts.roles_page",
        one_page="accounts.role_page",
    ),
)
