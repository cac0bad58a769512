"""Page, endpoint and file of every list of the house answer the same rows in the same order, and refuse the same."""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from markupsafe import escape
from pydantic.fields import FieldInfo
from sqlalchemy import Engine, text

from tests.databases import made_database
from tests.full_lists import fill_lists
from tests.lists import address, lists_of
from tests.places import HERE
from tests.unit.web.web_support import make_services
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.database.engine import DatabaseAddress, create_engine
from treegarth.limits import LONGEST_CURSOR
from treegarth.web import listing as web_listing
from treegarth.web.listing import ROWS_ON_A_PAGE, Listing
from treegarth.web.paths import API_PATH, BASE_PATH
from treegarth.web.validation import InvalidFields, validated

ROOT = Path(__file__).resolve().parents[2]
LISTS = lists_of(house(HERE))
ROWS = 70
IS_SOAK = os.environ.get("TREEGARTH_SOAK") == "1"
TWINS = "1.2.7"
"""The Study Instance UID of two patients' studies."""
Query = Mapping[str, str | list[str]]
JsonRow = Mapping[str, Any]

ANY_KIND = (
    *(
        "",
        " ",
        "x",
        "X" * 5_000,
        "a\0b",
        "\ud7ff",
        "%",
        "*",
        "=1+1",
        "-1",
        "0",
        "1.5",
        "9" * 40,
        "nan",
        "1e400",
        "true",
    ),
    *("١٢", "２", "²", "0001-01-01", "9999-12-31", "2026-02-30", "20261120", "2026-11-٢٠", "2026-11-20T00:00:00Z"),
)
"""Of every parameter, whatever its type takes: for most of them unfit."""
FIT: Mapping[type, tuple[str, ...]] = {
    bool: ("true", "false", "TRUE", "1"),
    int: ("1", "+1", " 2 ", "2147483647", "2147483648"),
    float: ("0.5", "100", "1e15"),
    date: ("2026-11-20", "2020-01-01"),
    str: (TWINS, "1.2.9", "CT", "ct,PT", "P1", "room1", "family*", "Exam"),
}


def chosen_from(annotation: Any) -> Iterator[str]:
    """The choices of a type that has some."""
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (str(one.value) for one in annotation)
    else:
        for inner in get_args(annotation):
            yield from chosen_from(inner)


def fits(annotation: Any) -> Iterator[str]:
    """What the type takes: every choice, or some values of its kind."""
    if get_origin(annotation) is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        yield from chosen_from(annotation)
    elif isinstance(annotation, type) and annotation is not type(None):
        yield from next(values for kind, values in FIT.items() if issubclass(annotation, kind))
    for inner in () if get_origin(annotation) is Literal else get_args(annotation):
        yield from fits(inner)


def values_of(name: str, field: FieldInfo, rows: Sequence[JsonRow]) -> list[str | list[str]]:
    """What is asked of a parameter; also what stands in rows under its name, and several values at once."""
    there = [str(row[name]) for row in rows[:3] if row.get(name) is not None]
    fit = [*fits(field.annotation), *there]
    return [*dict.fromkeys((*fit, *ANY_KIND)), fit[:2], [fit[0], "x"], ["x", fit[0]], ["", fit[0]]]


@cache
def asked_before() -> dict[tuple[str, str], tuple[int, int]]:
    """By list and parameter: how many take the same before it in the house, and how many of these in its list."""
    house, found = Counter[object](), {}
    for listing in LISTS:
        own = Counter[object]()
        for name in listing.asked.model_fields:
            kind = tuple(is_taken(listing, name, value) for value in ANY_KIND)
            found[listing.name, name] = house[kind], own[kind]
            house[kind] += 1
            own[kind] += 1
    return found


def is_taken(listing: Listing[Any, Any], name: str, value: str | list[str]) -> bool:
    """Whether the parameter's type takes a value, whatever the query makes of it."""
    try:
        validated(listing.list_query, {name: value[-1] if isinstance(value, list) else value})
    except InvalidFields as error:
        return all(fault.field != name for fault in error.faults)
    return True


def values_asked(listing: Listing[Any, Any], name: str, values: Sequence[str | list[str]]) -> Sequence[str | list[str]]:
    """Of parameters that take the same, the first of the house is asked everything. Behind what a type takes is each
    list's own query: all are asked every choice, the first of a list half of what else is taken, or ten, the others
    three or four. What a type refuses is refused before any list is looked at: one of it each, always another."""
    before, of_list = asked_before()[listing.name, name]
    if not before or IS_SOAK:
        return values
    taken = [value for value in values if is_taken(listing, name, value)]
    refused = [value for value in values if value not in taken]
    choices = [*chosen_from(listing.asked.model_fields[name].annotation)]
    free = [value for value in taken if value not in choices]
    step = max(len(free) // 3 if of_list else min(len(free) // 10, 2), 1)
    some = [value for value in taken if value in choices]
    return [*some, *free[before % step :: step], *refused[before % max(len(refused), 1) :][:1]]


def questions(listing: Listing[Any, Any], rows: Sequence[JsonRow]) -> Iterator[Query]:
    """Of each parameter, of some together, and of the order."""
    names = listing.asked.model_fields
    for name, field in names.items():
        yield from ({name: value} for value in values_asked(listing, name, values_of(name, field, rows)))
    if {"study_instance_uid", "orthanc_study_id"} <= names.keys():
        for row in (*rows[:2], {"orthanc_study_id": "nobody"}):
            key = str(row["orthanc_study_id"])
            yield from ({"study_instance_uid": uid, "orthanc_study_id": key} for uid in (TWINS, "1.2.9", "1.9"))
    days = {name: "2026-11-20" if name.endswith("_from") else "2026-11-01" for name in names if "_date_" in name}
    yield from ([days] if days else [])
    yield from ({"sort": sort} for sort in ("", "x", "--id", f"{listing.order} ", [listing.order, "x"]))
    yield from ({name: "1"} for name in ("nothing", "Sort", ""))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one of them says to a question; rows of an answer of status 200, and the places before and after them."""

    status: int
    rows: Sequence[JsonRow] = ()
    next: str | None = None
    previous: str | None = None
    problem: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The house with rows in every list."""

    client: FlaskClient
    shown: list[dict[str, Any]]  # what templates of lists were given

    def endpoint(self, listing: Listing[Any, Any], query: Query, **more: str) -> Answer:
        given = self.client.get(
            f"{API_PATH}/{address(listing.api_path)}", query_string={"limit": "50", **query, **more}
        )
        body = given.get_json()
        if given.status_code != 200:
            return Answer(status=given.status_code, problem=body)
        return Answer(status=200, rows=body["items"], next=body["next"], previous=body["previous"])

    def page(self, listing: Listing[Any, Any], query: Query, **more: str) -> tuple[Answer, str]:
        self.shown.clear()
        given = self.client.get(f"{BASE_PATH}/{address(listing.path)}", query_string={**query, **more, "lang": "en"})
        if given.status_code != 200:
            return Answer(status=given.status_code), given.text
        [values] = self.shown
        answer = Answer(
            status=200,
            rows=[self._as_endpoint(listing, one) for one in values["items"]],
            next=_cursor_of(values["next_url"]),
            previous=_cursor_of(values["previous_url"]),
        )
        return answer, given.text

    def _as_endpoint(self, listing: Listing[Any, Any], row: Any) -> JsonRow:
        [kind] = get_args(listing.answer.model_fields["items"].annotation)
        item = row if isinstance(row, kind) else kind.model_validate(row)
        found: JsonRow = json.loads(item.model_dump_json())
        return found

    def file(self, listing: Listing[Any, Any], query: Query) -> tuple[int, list[JsonRow]]:
        """The rows of the file, which page and endpoint give alike."""
        of_page = self.client.get(f"{BASE_PATH}/{address(listing.path)}.csv", query_string=query)
        of_api = self.client.get(f"{API_PATH}/{address(listing.api_path)}/export/csv", query_string=query)
        assert of_page.status_code == of_api.status_code, (listing.name, query)
        if of_api.status_code != 200:
            return of_api.status_code, []
        assert of_page.text == f"\ufeff{of_api.text}"
        return 200, list(csv.DictReader(io.StringIO(of_api.text)))


def _cursor_of(url: str | None) -> str | None:
    return parse_qs(urlsplit(url).query)["cursor"][0] if url else None


def keys(listing: Listing[Any, Any], rows: Sequence[JsonRow]) -> list[tuple[str, ...]]:
    """By which rows of a file are known."""
    unique = (listing.unique,) if isinstance(listing.unique, str) else listing.unique
    return [tuple(str(row[name]) for name in unique) for row in rows]


@pytest.fixture(scope="module")
def filled(server_address: DatabaseAddress, migrated_template: str) -> Iterator[Engine]:
    for database in made_database(server_address, migrated_template):
        engine = create_engine(database, application_name="test")
        with engine.begin() as connection:
            fill_lists(connection, ROWS)
            twin = text("UPDATE study SET study_instance_uid = :uid WHERE study_instance_uid = '1.2.8'")
            connection.execute(twin, {"uid": TWINS})
        yield engine
        engine.dispose()


@pytest.fixture
def asked(filled: Engine, monkeypatch: pytest.MonkeyPatch) -> Asked:
    shown: list[dict[str, Any]] = []
    render_page = web_listing.render_page

    def remembered(call: Any, template: str, **values: Any) -> Any:
        shown.append(values)
        return render_page(call, template, **values)

    monkeypatch.setattr(web_listing, "render_page", remembered)
    services = make_services(ROOT / "web", settings=HERE, engine=lambda: filled)
    return Asked(client=make_application(services).test_client(), shown=shown)


pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("no_error_is_logged")]
of_every_list = pytest.mark.parametrize("listing", LISTS, ids=lambda one: one.name)


@of_every_list
def test_every_order_is_the_same_on_every_page_and_in_the_file(listing: Listing[Any, Any], asked: Asked) -> None:
    for sort in listing.sorts:
        query = {"sort": sort}
        every = asked.endpoint(listing, query, limit="1000")
        assert len(every.rows) > 20, "a list without rows: add some to tests/full_lists.py"
        assert len(set(keys(listing, every.rows))) == len(every.rows)
        _, of_file = asked.file(listing, query)
        assert keys(listing, of_file) == keys(listing, every.rows), sort
        place = asked.endpoint(listing, query, limit="10").next
        assert place is not None
        for cursor in (None, place):
            more = {} if cursor is None else {"cursor": cursor}
            page, _ = asked.page(listing, query, **more)
            assert page == asked.endpoint(listing, query, **more), sort
            skipped = 0 if cursor is None else 10
            assert page.rows == every.rows[skipped : skipped + ROWS_ON_A_PAGE], sort
        back, _ = asked.page(listing, query, cursor=page.previous or "")
        assert back.rows == every.rows[:10], sort


@of_every_list
def test_whatever_is_asked_finds_the_same_or_is_refused_alike(listing: Listing[Any, Any], asked: Asked) -> None:
    rows = asked.endpoint(listing, {}).rows
    statuses = set()
    for query in questions(listing, rows):
        endpoint, (page, html) = asked.endpoint(listing, query), asked.page(listing, query)
        status, of_file = asked.file(listing, query)
        assert (page.status, status) == (endpoint.status, endpoint.status), (query, endpoint.problem)
        assert (page.rows, page.next) == (endpoint.rows, endpoint.next), query
        assert keys(listing, of_file[:ROWS_ON_A_PAGE]) == keys(listing, endpoint.rows), query
        assert not_said(endpoint.problem, html) == [], query
        statuses.add(endpoint.status)
    assert {200, 400} <= statuses <= {200, 400, 404, 409}


@of_every_list
def test_a_cursor_of_another_order_and_one_of_nothing_are_refused(listing: Listing[Any, Any], asked: Asked) -> None:
    others = [sort for sort in listing.sorts if sort != listing.order]
    cursors = [asked.endpoint(listing, {"sort": sort}, limit="5").next for sort in others]
    assert None not in cursors
    garbage = ("AAAA", "x", "=", "\0", "١٢", "A" * (LONGEST_CURSOR + 1))
    for cursor in (*map(str, cursors), *garbage):
        endpoint, (page, html) = asked.endpoint(listing, {"cursor": cursor}), asked.page(listing, {"cursor": cursor})
        assert (page.status, endpoint.status) == (400, 400), cursor
        assert not_said(endpoint.problem, html) == [], cursor


def not_said(problem: Mapping[str, Any] | None, html: str) -> list[str]:
    """What the endpoint says of its fields, or of the whole, and the page does not, at a filter or above the list."""
    if problem is None or problem["choices"]:
        return []
    said = [_without_names(one["detail"]) for one in problem["errors"]]
    return [one for one in said or [str(escape(problem["detail"]))] if one not in html]


def _without_names(detail: str) -> str:
    """A page knows more names than its endpoint, and other ones."""
    return str(escape(detail.partition(" Known: ")[0]))
