"""Hostile requests that read, of the whole route table on a real database: never status 500, and pages answer as their
endpoints do."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from random import Random
from urllib.parse import quote, unquote

import pytest
from sqlalchemy import Engine

from tests.hostile_requests import (
    Answer,
    Request,
    honest_body,
    hostile_values,
    odd_headers,
    requests_of,
    strange_paths,
    wrong_methods,
)
from tests.hostile_site import KNOWN, UID, Site, assert_never_500, ordered
from tests.hostile_values import CURSORS
from tests.index_support import write_study
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Route

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("no_error_is_logged")]


@pytest.mark.parametrize("is_api", [False, True], ids=["pages", "endpoints"])
def test_no_value_of_a_path_or_a_query_ends_in_500(site: Site, is_api: bool) -> None:
    routes = ordered(site, is_api=is_api, reads=True)
    assert_never_500(site, requests_of(routes, KNOWN), at_least=1000)


def test_no_strange_path_method_or_header_ends_in_500(site: Site) -> None:
    assert_never_500(site, strange_paths())
    assert_never_500(site, wrong_methods(site.routes.values(), KNOWN))
    for path in ("studies", "api/v1/studies", "static/treegarth.css"):
        assert_never_500(site, odd_headers(f"/treegarth/{path}"))


# A page and the endpoint that answers the same question; of names that differ, the page's and the endpoint's
PAIRS: dict[tuple[str, str], dict[str, str]] = {
    ("archive.studies_page", "api.list_studies"): {},
    ("archive.study_page", "api.read_study"): {},
    ("archive.instances_page", "api.list_instances"): {},
    ("archive.instances_csv", "api.list_instances_file"): {},
    ("dose.doses_page", "api.dose_studies"): {},
    ("dose.doses_csv", "api.dose_studies_file"): {},
    ("dose.events_page", "api.dose_events"): {},
    ("dose.events_csv", "api.dose_events_file"): {},
    ("dose.equipment_page", "api.dose_equipment"): {},
    ("dose.missing_page", "api.dose_missing"): {},
    ("dose.sources_page", "api.dose_reports"): {},
    ("dose.patient_page", "api.dose_patient"): {},
    ("dose.study_page", "api.dose_study"): {},
    ("dose.content_page", "api.dose_content"): {},
    ("deliveries.deliveries_page", "api.deliveries_by_study"): {},
    ("deliveries.objects_page", "api.deliveries"): {},
    ("deliveries.destination_page", "api.destination"): {},
    ("rules.rule_page", "api.rule"): {},
    ("rules.try_page", "api.preview_rule"): {},
    ("rules.explain_page", "api.explain_rule"): {},
    ("retention.holds_page", "api.retention_holds"): {},
    ("retention.ledger_page", "api.retention_ledger"): {},
    ("retention.ledger_objects_page", "api.retention_ledger_objects"): {},
    ("retention.ledger_entry_page", "api.retention_ledger_entry"): {},
    ("retention.marked_page", "api.retention_marked_studies"): {},
    ("retention.marked_objects_page", "api.retention_marked"): {},
    ("retention.policy_page", "api.retention_policy"): {},
    ("retention.preview_page", "api.retention_preview"): {},
    ("retention.explain_page", "api.retention_reasons"): {},
    ("system.tasks_page", "api.tasks"): {},
    ("system.retry_task", "api.retry_task"): {},
    ("dose.retry_page", "api.retry_dose_report"): {},
    ("rules.switch_page", "api.switch_rule"): {"on": "is_on"},
    ("rules.remove_page", "api.remove_rule"): {},
    ("retention.release_page", "api.release_retention_hold"): {},
    ("retention.bring_back_page", "api.bring_back"): {},
    ("retention.remove_page", "api.remove_retention_policy"): {},
    ("not_patients.remove_page", "api.remove_not_patient_rule"): {},
    ("not_patients.switch_page", "api.switch_not_patient_rule"): {"on": "is_on"},
    ("not_patients.document_page", "api.not_patient_rule"): {},
    ("destinations.switch_page", "api.switch_destination"): {"on": "is_on"},
    ("destinations.remove_page", "api.remove_destination"): {},
}


def names_of(route: Route) -> dict[str, tuple[str, ...]]:
    """The parts of its path and the keys of its query, with hostile values."""
    return {**hostile_values(route.path_parameters), **hostile_values(route.query)}


def asked(route: Route, values: dict[str, str]) -> Request:
    """A good request of the route but for these values, escaped, in its path or its query."""
    needed = [name for name, field in (route.query.model_fields if route.query else {}).items() if field.is_required()]
    query = {name: KNOWN.part(name) for name in needed}
    query |= {name: value for name, value in values.items() if name not in route.path_names}
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return Request(method=route.method, path=KNOWN.path(route, **values), query=text, **honest_body(route, KNOWN))


def in_its_path(endpoint: Route, page: Route) -> dict[str, str]:
    """What the endpoint's path always says and the page's query may: without it the page is asked something else."""
    fields = page.query.model_fields if page.query else {}
    return {name: KNOWN.part(name) for name in endpoint.path_names if name in fields}


def shared_values(page: Route, endpoint: Route, renamed: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """A name of the page, that of the endpoint, and a hostile value of both."""
    others = names_of(endpoint)
    for name, values in names_of(page).items():
        other = renamed.get(name, name)
        for value in values if other in others else ():
            is_another_path = {name, other} & {*page.path_names, *endpoint.path_names} and (not value or "%2F" in value)
            if not is_another_path and (page.method == "GET" or unquote(value).strip() not in ("1", "+1")):
                yield name, other, value


def test_a_page_answers_what_its_endpoint_answers(site: Site) -> None:
    different, count = [], 0
    for names, renamed in PAIRS.items():
        page, endpoint = (site.routes[name] for name in names)
        for name, other, value in shared_values(page, endpoint, renamed):
            one = site.ask(asked(page, {**in_its_path(endpoint, page), name: value})).status
            two = site.ask(asked(endpoint, {other: value})).status
            count += 1
            if one != two and max(one, two) >= 400:
                different.append((page.name, name, value[:60], one, two))
    assert different == []
    assert count > 800


# What pages and endpoints once answered differently: the same query for both, and how many studies it finds.
SAME_QUESTIONS = {
    "modality=ct": (200, 3),
    "modality=CT,": (200, 3),
    "modality=cT%2Cxx": (200, 3),
    "modality=MR": (200, 0),
    "study_instance_uid=": (200, 3),
    f"study_instance_uid={UID}": (200, 1),
    "study_instance_uid=.": (200, 0),
    "patient_id=&patient_name=&q=": (200, 3),
    "study_date_from=2026-02-01&study_date_to=2026-01-01": (400, 0),
    "study_date_from=20260201": (400, 0),
    "study_date_from=9999-12-31": (200, 0),
    "q=" + "x" * 401: (400, 0),
    "patient=": (400, 0),
    "q=%ff": (400, 0),
    "q=a%00": (400, 0),
}


def test_the_list_of_studies_is_asked_the_same_on_its_page_and_by_programs(site: Site) -> None:
    for query, (status, count) in SAME_QUESTIONS.items():
        page, endpoint = site.get("/treegarth/studies", query), site.get(f"{API_PATH}/studies", query)
        assert (page.status, endpoint.status) == (status, status), query
        if status == 200:
            found = len(json.loads(endpoint.body)["items"])
            assert (found, page.body.count(b"data-row=")) == (count, count), query


def test_a_page_says_in_both_languages_what_is_wrong_with_its_query(site: Site) -> None:
    order = "study_date_from=2026-02-01&study_date_to=2026-01-01"
    for path in ("studies", "dose", "dose/missing"):
        for query, said in (
            (f"{order}&lang=en", "must not be before the first day"),
            (f"{order}&lang=ko", "첫날보다 빠를 수 없습니다"),
            ("study_date_from=%ff&lang=en", "The address is not UTF-8."),
            ("study_date_from=%ff&lang=ko", "주소가 UTF-8이 아닙니다."),
        ):
            answer = site.get(f"/treegarth/{path}", query)
            assert (answer.status, said in answer.body.decode()) == (400, True), (path, query)
            if query.startswith(order):  # the list is still there, with what was asked for and what is wrong of it
                page = answer.body.decode()
                assert re.search(r'<input[^>]* id="filter-study_date_to"[^>]* aria-invalid="true"', page)
                assert 'value="2026-02-01"' in page
                assert 'href="#filter-study_date_to"' in page


def test_no_page_of_an_error_repeats_a_nul_which_orthanc_could_not_send(site: Site) -> None:
    for query in ("q=a%00b", "q=a&x%00=1"):
        answer = site.get("/treegarth/studies", query)
        assert answer.status == 400
        assert b"\0" not in answer.body


def test_a_study_whose_uid_is_a_step_of_a_path_has_an_address(site: Site, engine: Engine) -> None:
    with engine.begin() as connection:
        for number, uid in enumerate((".", "..", "a/b", "a\\b", "%2E"), start=10):
            write_study(connection, number, study_instance_uid=uid, patient_name=f"Step^{number}")
    links = re.findall(rb'data-page="([^"]+)"', site.get("/treegarth/studies", "patient_name=step").body)
    assert len(links) == 5
    for link in links:
        path = unquote(link.decode())  # as Orthanc's server does before it looks for steps and separators
        assert not {".", ".."} & set(path.split("/")), path
        assert b"Step" in site.get(quote(path)).body


# ---- cursors ----


def lists(site: Site) -> list[Route]:
    """Everything that has pages."""
    return [one for one in site.routes.values() if one.query and "cursor" in one.query.model_fields]


def next_of(answer: Answer) -> str | None:
    return json.loads(answer.body).get("next") if answer.status == 200 and answer.body.startswith(b"{") else None


def test_a_cursor_is_taken_by_the_list_that_gave_it_and_refused_by_every_other(site: Site) -> None:
    asks = {one.name: KNOWN.path(one) for one in lists(site) if one.is_api and one.method == "GET"}
    given = {name: next_of(site.get(path, "limit=1")) for name, path in asks.items()}
    cursors = {name: cursor for name, cursor in given.items() if cursor}
    assert len(cursors) >= 4
    for name, cursor in cursors.items():
        assert site.get(asks[name], f"limit=1&cursor={cursor}").status == 200
        for other in asks.keys() - {name}:
            assert site.get(asks[other], f"cursor={cursor}").status == 400, (name, other)


def test_a_spoilt_cursor_is_refused_or_read_and_nothing_else(site: Site) -> None:
    chance, count = Random(7), 0
    for route in lists(site):
        path = KNOWN.path(route)
        whole = next_of(site.get(path, "limit=1")) if route.is_api else None
        for cursor in (*CURSORS, *(spoilt(whole, chance) for _ in range(40 if whole else 0))):
            count += 1
            request = Request(method=route.method, path=path, query=f"cursor={cursor}", **honest_body(route, KNOWN))
            assert site.ask(request).status in (200, 303, 400, 404), (route.name, cursor)
    assert count > 300


def spoilt(cursor: str, chance: Random) -> str:
    """Some of the values in it changed, or some of its characters."""
    name, *values = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split("\0")
    if chance.randrange(4) == 0:
        at = chance.randrange(len(cursor))
        return cursor[:at] + chance.choice("A_-=9%") + cursor[at + 1 :]
    for _ in range(chance.randrange(1, 3)):
        odd = ("-", "+", "", "+" + "9" * 19, "+-1", "+nan", "+inf", "+1e400", "+9999-12-31", "+0001-01-01", "+24:00")
        more = (
            "+2026-01-01T00:00:00+23:59",
            "+2026-01-01T00:00:00",
            "+12:00+09:00",
            "+" + "x" * 2000,
            "+\ud7ff",
            "[[[[",
        )
        values[chance.randrange(len(values))] = chance.choice(odd + more)
    if chance.randrange(6) == 0:
        values.append("+1")
    return base64.urlsafe_b64encode("\0".join([name, *values]).encode()).decode().rstrip("=")
