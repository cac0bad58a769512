"""Pages of roles: the list, one with who has it and its history, and the form that says what it allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from flask import Response

from treegarth.access.actors import PERMISSION_WORDS, Permission
from treegarth.access.roles import ADMINISTRATOR
from treegarth.access.store import count_by_role, read_users
from treegarth.documents.differences import Newer, newer_than, shown_versions, version_of
from treegarth.documents.pages import problems_of
from treegarth.documents.store import EditedMeanwhile, Stored
from treegarth.errors import DocumentRefused, RequestConflict
from treegarth.features.accounts.roles import ROLE_DOCUMENTS, ROLES, RoleDocument, RolePath
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.forms import Typed, begun, document_of, form_of, sent_values, typed_of
from treegarth.web.parts import in_words
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.web.told import leave

BASE = "/treegarth/access/roles"
ONE = f"{BASE}/{{role_id}}"


def routes() -> list[Route]:
    pages: list[tuple[str, str, Any, str, Literal["GET", "POST"]]] = [
        ("roles", BASE, roles_page, "What each role allows.", "GET"),
        ("new_role", f"{BASE}/new", new_page, "A form for a new role.", "GET"),
        ("create_role", f"{BASE}/new", create_page, "Save a new role.", "POST"),
        ("role", ONE, role_page, "One role: what it allows, who has it, its history.", "GET"),
        ("edit_role", f"{ONE}/edit", edit_page, "A role to edit.", "GET"),
        ("change_role", f"{ONE}/edit", change_page, "Save a role.", "POST"),
    ]
    return [
        route(
            name=f"accounts.{name}_page",
            path=path,
            method=method,
            permission=Permission.ADMINISTER,
            handler=handler,
            summary=summary,
        )
        for name, path, handler, summary, method in pages
    ]


def roles_page(call: Call[None, None, None]) -> Response:
    with call.connect() as connection:
        return render_page(
            call,
            "accounts/roles.html",
            roles=ROLES.all(connection),
            counts=count_by_role(connection),
            permission_words=PERMISSION_WORDS,
        )


def role_page(call: Call[None, None, RolePath]) -> Response:
    with call.connect() as connection:
        stored = ROLES.read(connection, call.path.role_id, removed=True)
        return render_page(
            call,
            "accounts/role.html",
            role=stored,
            users=[] if stored.removed_at else [one for one in read_users(connection) if stored.name in one.roles],
            versions=shown_versions(ROLES.history(connection, stored.id)),
            permission_words=PERMISSION_WORDS,
            stays=stored.name == ADMINISTRATOR,
        )


def new_page(call: Call[None, None, None]) -> Response:
    return _form(call, begun(RoleDocument), None)


def edit_page(call: Call[None, None, RolePath]) -> Response:
    stored = _read(call, call.path.role_id)
    return _form(call, typed_of(stored.document, RoleDocument), stored)


def create_page(call: Call[None, None, None]) -> Response:
    return _posted(call, None)


def change_page(call: Call[None, None, RolePath]) -> Response:
    return _posted(call, _read(call, call.path.role_id))


def _read(call: AnyCall, number: int) -> Stored:
    with call.connect() as connection:
        stored: Stored = ROLES.read(connection, number)
        return stored


def _posted(call: AnyCall, stored: Stored | None) -> Response:
    typed, act = sent_values(call.http.form), call.http.form.get("act", "")
    over = act.removeprefix("save over ") if act.startswith("save over ") else None
    since = version_of(call.http.form.get("version", "") if over is None else over)
    document = document_of(typed, RoleDocument)
    try:
        with call.begin() as connection:
            if stored is None:
                saved = ROLE_DOCUMENTS.create(call, connection, document)
            else:
                saved = ROLE_DOCUMENTS.edit(call, connection, stored.id, document, since=since)
    except EditedMeanwhile as error:
        return _form(call, typed, stored, newer=newer_than(error))
    except (DocumentRefused, RequestConflict) as error:
        return _form(call, typed, stored, _placed(call, error))
    call.services.refresh_known()
    return leave(call, call.site.url("accounts.role_page", role_id=saved.id))


def _placed(call: AnyCall, error: DocumentRefused | RequestConflict) -> dict[str, list[str]]:
    """What is wrong, by the input that it is about."""
    found: dict[str, list[str]] = {}
    for one in problems_of(error):
        place = one.place.removeprefix("document").lstrip(".").partition(".")[0]
        found.setdefault(place, []).append(" ".join(in_words(call, part) for part in (one.wrong, one.right) if part))
    return found


def _form(
    call: AnyCall,
    typed: Typed,
    stored: Stored | None,
    problems: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    newer: Newer | None = None,
) -> Response:
    """What is kept is the version that the form began from, also where it is shown again."""
    url = call.site.url
    number = None if stored is None else {"role_id": stored.id}
    return render_page(
        call,
        "accounts/role_form.html",
        name=stored.name if stored else None,
        version=call.http.form.get("version", stored.version if stored else ""),
        newer=newer,
        form=form_of(typed, RoleDocument, problems),
        stays=stored is not None and stored.name == ADMINISTRATOR,
        address=url("accounts.create_role_page") if number is None else url("accounts.change_role_page", **number),
        leave=url("accounts.roles_page") if number is None else url("accounts.role_page", **number),
    )
