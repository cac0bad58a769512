"""docs/api.md has a section for every endpoint, which names each of its parameters, and none that is not there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.web.web_support import make_services
from treegarth.access.actors import OF_EVERYBODY, Permission
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.documents.language import Documents
from treegarth.documents.routes import document_routes
from treegarth.settings import Settings
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Route

ROOT = Path(__file__).resolve().parents[3]


def api_routes() -> list[Route]:
    """The endpoints of the API in the table that Orthanc is given."""
    application = make_application(make_services(ROOT / "web"))
    table = application.extensions["treegarth"].routes.values()
    return [route for route in table if route.is_api]


def sections() -> dict[str, str]:
    parts = re.split(r"^## (.+)$", (ROOT / "docs" / "api.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


OF_EVERY_LIST = {"limit", "cursor", "sort"}
"""What the paragraph about lists says of all of them; that each has its files stands there, too."""


ONES_OWN = {
    *(f"api.{name}_saved_view" for name in ("create", "edit", "remove", "switch")),
    *("api.import_saved_views", "api.saved_views_act", "api.notifications_act"),
    "api.notifications_by_study_act",
    *("api.dose_report_pdf", "api.make_dose_workbook"),  # a file of what one sees
    *("api.end_own_session", "api.end_own_sessions", "api.create_own_token", "api.revoke_own_token"),
}
"""What changes only what one sees oneself; each asks for more where it is for others, too."""


def is_list(route: Route) -> bool:
    return route.answer is not None and {"items", "next", "previous"} <= set(route.answer.model_fields)


def of_documents() -> dict[str, Documents[Any]]:
    """The paths of every kind of documents."""
    return {f"{API_PATH}/{one.path}": one for one in house(Settings()).documents()}


def described() -> list[Route]:
    """The endpoints that have a section of their own. Of documents the list of them has, and the table the rest."""
    in_the_table = {
        route.name
        for one in house(Settings()).documents()
        for route in document_routes(one)
        if route.name != f"api.{one.names}"
    }
    own = [route for route in api_routes() if not route.name.endswith(("_file", "_prepare", "_act", "_act_on_all"))]
    return [route for route in own if route.name not in in_the_table]


def test_every_endpoint_has_its_section_and_no_section_is_left_over() -> None:
    assert sorted(sections()) == sorted(f"{route.method} {route.openapi_path}" for route in described())


def test_every_list_has_its_files() -> None:
    files = {route.path for route in api_routes() if route.name.endswith("_file")}
    assert files == {f"{route.path}/export/{{format}}" for route in api_routes() if is_list(route)}
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text.split("**Lists.**")[1].split("\n\n")[0] for name in OF_EVERY_LIST)


def test_tables_name_every_kind_of_documents_and_every_request_of_their_dialect() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("### Documents")[1].split("\n**")[0]
    requests = re.findall(r"^\| `([A-Z]+)` path(?:`(\S+)`)? \|", text, re.MULTILINE)
    for path, kind in of_documents().items():
        (part,) = kind.number.model_fields
        found = {(route.method, route.path.replace(part, "number")) for route in document_routes(kind)}
        own = [] if kind.is_listed else [("GET", path)]  # a list of its feature
        assert sorted([*found, *own]) == sorted((method, path + below) for method, below in requests)
    lines = re.findall(r"^\| `(\S+)` \| (on|off) \| (on|off|as before) \|$", text, re.MULTILINE)
    assert sorted(lines) == sorted(
        (one.path, "on" if one.kind.starts_on else "off", "as before" if one.kind.stays_on else "off")
        for one in of_documents().values()
    )


def test_a_table_names_what_can_be_done_with_many_rows_and_what_each_takes() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("### Many rows at once")[1].split("\n**")[0]
    lines = re.findall(r"^\| `(\S+)` \| `(.+?)` \| `(\S+)` \| (.+) \|$", text, re.MULTILINE)
    found = {(path, action): (key, re.findall(r"`(\w+)`:", said)) for path, action, key, said in lines}
    whole = house(Settings())
    assert found == {
        (one.api_path, action.name): (one.key, list(action.given.model_fields))
        for one in whole.listings()
        for action in whole.row_actions().of(one.name)
    }


@pytest.mark.parametrize("route", described(), ids=lambda route: route.name)
def test_a_section_names_every_parameter(route: Route) -> None:
    text = sections()[f"{route.method} {route.openapi_path}"]
    asked = set(route.query.model_fields if route.query else ()) - (OF_EVERY_LIST if is_list(route) else set())
    missing = [name for name in asked if f"`{name}`" not in text]
    assert missing == []


@pytest.mark.parametrize("route", api_routes(), ids=lambda route: route.name)
def test_every_endpoint_says_what_it_is_for_and_changes_need_more_than_viewing(route: Route) -> None:
    assert route.summary.endswith(".")
    assert (
        route.method == "GET"
        or route.name.removesuffix("_on_all") in ONES_OWN
        or route.name.endswith("_prepare")  # a file of what one sees
        or re.search(r"_act(_on_all)?$", route.name)  # each action asks for its own
        or route.permission not in (*OF_EVERYBODY, Permission.SEE_STUDIES, Permission.SEE_DOSE, Permission.SEE_SYSTEM)
    )
