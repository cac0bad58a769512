"""Every form of every page is sent as it stands there, filled in, and is answered with a page that says something.

The forms are found on the pages that the route table has. One that is new is in `FORMS` with what is typed into it, or
the test fails; so it does for an address that takes forms where no page has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from time import monotonic, sleep
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page
from werkzeug.routing import MapAdapter

from tests.browser.conftest import windows
from tests.browser.every_page import POLICY, pages, prepared, push_two_studies
from tests.delivery_support import ledger_of
from tests.documents import encapsulated_pdf
from tests.places import places
from tests.servers import ROOT, OrthancServer, store
from tests.studies import small_studies
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application

FURTHER = (
    "studies?modality=CT",
    "dose/sources?state=failed",
    "system/tasks?state=failed",
    "dose/not-patients?patient_id=QA*",
    "retention/ledger?state=deleted",
    "rules/{rule_id}/try",
    "rules/{second_rule_id}/try",
    "studies/{marked_study}",
    "work/1000",
)
"""Addresses beside those of the route table: what is asked for makes a form appear."""


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What is typed into a form; what it has and is not named here is left as it is, or filled by its name."""

    typed: Mapping[str, str] = field(default_factory=dict)
    button: str = ""  # the value of the button, where it is not the first that can be pressed


DESTINATION = "- {name: Taken in, kind: dicom, address: {ae_title: TAKEN, host: 127.0.0.1, port: 104}}"
TYPED = {"reason": "a test", "name": "A name", "why": "a test", "count": "0", "label": "a label"}
"""By the names of inputs that many forms have."""
FORMS: Mapping[str, Filling] = {
    # What is marked comes first, for holds and deliveries take marks back; what removes comes last.
    "retention.rescue_page": Filling(),
    "retention.marked_objects_act": Filling(),
    "retention.marked_act": Filling(),
    "views.save_page": Filling(typed={"name": "CT"}),
    "views.views_act": Filling(),
    "works.resume": Filling(),
    "archive.compare": Filling(),
    "system.retry_task": Filling(),
    "system.tasks_act": Filling(),
    "dose.missing_act": Filling(),
    "dose.retry_page": Filling(),
    "dose.sources_act": Filling(),
    "dose.retry_all_page": Filling(),
    "dose.reread_page": Filling(),
    "dose.redecide_page": Filling(),
    "dose.add_not_patient_page": Filling(),
    "not_patients.create_page": Filling(
        typed={"text": "name: of a text\nmeaning: phantom\npatient_id: TEXT*\n"}, button="save"
    ),
    "not_patients.change_page": Filling(button="save"),
    "not_patients.take_in_page": Filling(
        typed={"text": "- {name: taken in, meaning: phantom, patient_id: TAKEN*}"}, button="look"
    ),
    "not_patients.switch_page": Filling(),
    "not_patients.remove_page": Filling(),
    "dose.mark_study_page": Filling(),
    "dose.decide_page": Filling(),
    "dose.undo_page": Filling(),
    "dose.add_limit_page": Filling(typed={"greatest": "9000"}),
    "dose_limits.create_page": Filling(
        typed={"text": "name: of a text\nquantity: dose_rp_gy\ngreatest: 9000\n"}, button="save"
    ),
    "dose_limits.change_page": Filling(button="save"),
    "dose_limits.take_in_page": Filling(
        typed={"text": "- {name: taken in, quantity: total_fluoro_time_s, greatest: 9000}"}, button="look"
    ),
    "dose_limits.switch_page": Filling(),
    "dose_limits.remove_page": Filling(),
    "dose.doses_act": Filling(),
    "deliveries.create_destination_page": Filling(
        typed={"name": "Node", "address.ae_title": "NODE", "address.host": "127.0.0.1"}, button="save"
    ),
    "deliveries.change_destination_page": Filling(button="save"),
    "deliveries.echo_page": Filling(),
    "destinations.switch_page": Filling(),
    "destinations.take_in_page": Filling(typed={"text": DESTINATION}, button="look"),
    "deliveries.again_page": Filling(),
    "deliveries.send_study_page": Filling(),
    "deliveries.deliveries_act": Filling(),
    "rules.create_page": Filling(typed={"name": "Another", "c.0.field": "Modality", "c.0.value": "CT"}, button="try"),
    "rules.change_page": Filling(button="save"),
    "rules.take_in_page": Filling(typed={"text": "- {name: of a text, when: by hand, do: [label: x]}"}, button="look"),
    "rules.move_page": Filling(),
    "rules.switch_page": Filling(),
    "rules.apply_page": Filling(),
    "rules.retry_event_page": Filling(),
    "rules.events_act": Filling(),
    "rules.tell_again_page": Filling(),
    "rules.seen_page": Filling(),
    "rules.notifications_act": Filling(),
    "rules.messages_act": Filling(),
    "rules.remove_page": Filling(),
    "retention.create_page": Filling(
        typed={"name": "of a form", "why": "a test", "demands.0.at": "Kept folder"}, button="save"
    ),
    "retention.change_page": Filling(typed={"only_copy": "true"}, button="save"),
    "retention.switch_page": Filling(typed={"only_copy_may_go": "true"}),
    "retention.take_in_page": Filling(typed={"text": POLICY}, button="look"),
    "retention.hold_page": Filling(),
    "retention.release_page": Filling(),
    "retention.holds_act": Filling(),
    "retention.bring_back_page": Filling(),
    "retention.ledger_act": Filling(),
    "retention.remove_page": Filling(),
    "archive.studies_act": Filling(),
    "destinations.remove_page": Filling(),
}
ELSEWHERE: Mapping[str, str] = {
    "works.stop": "long work on so small an archive is over before a page is looked at",
}
"""Addresses that take a form which none of these pages has, or only by chance: why."""
FILES_OF_MANY = "_prepare"
"""What the addresses of forms end in that only a list of more rows has than are counted."""


@cache
def addresses() -> MapAdapter:
    return make_application(make_services(ROOT / "web")).url_map.bind("")


def route_of(action: str) -> str:
    return str(addresses().match(urlsplit(action).path, method="POST")[0])


def posted_routes() -> set[str]:
    """The names of the routes that take a form of a page."""
    site = make_application(make_services(ROOT / "web")).extensions["treegarth"]
    return {route.name for route in site.routes.values() if route.method == "POST" and not route.is_api}


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A server of which every page has something to show, and every state a form is made for."""

    server: OrthancServer
    known: dict[str, Any]

    @property
    def paths(self) -> list[str]:
        return [*pages(self.known), *(path.format(**self.known) for path in FURTHER)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("forms")
    treegarth = {"StableSeconds": 1, "DestinationPlaces": places(tmp_path_factory.getbasetemp())}
    with OrthancServer(folder / "server", treegarth=treegarth) as server:
        server.start()
        _, gone = (encapsulated_pdf(folder / name) for name in ("report.dcm", "gone.dcm"))
        without_dose = small_studies(folder / "plain", studies=4, series=1, instances=2, seed=5)
        store(server, folder / "report.dcm", folder / "gone.dcm", *without_dose)
        push_two_studies(server)
        known = prepared(server, folder, gone)
        yield Filled(server=server, known=known | states(server, known))
        assert server.stop() == 0
        assert server.error_lines() == []


def states(server: OrthancServer, known: Mapping[str, Any]) -> dict[str, Any]:
    """Bring about what forms are there for: marks, holds, notices, work that failed."""

    def ask(method: str, path: str, **body: Any) -> Any:
        answer = requests.request(method, f"{server.api}/{path}", json=body, timeout=30)
        assert answer.status_code < 300, answer.text
        return answer.json()

    study = known["study_instance_uid"]
    others = [one for one in server.get("studies")["items"] if one["study_instance_uid"] != study]
    held = next(one for one in others if "CT" not in one["modalities"] and not one["modalities"].count("SR"))
    marked = next(one for one in others if one["modalities"] == ["CT"])["study_instance_uid"]
    ask("POST", "retention/holds", study_instance_uid=held["study_instance_uid"], kind="teaching", reason="a test")
    ask("POST", "views", document={"list": "archive.studies", "name": "A view", "query": {"modality": "CT"}})
    rule = {"name": "tell", "on": True, "when": "by hand", "do": [{"notify": "dashboard"}]}
    second = ask("POST", "rules", document=rule)["id"]
    ask("POST", f"rules/{second}/apply", study_instance_uid=study)
    marking = {"name": "mark", "why": "a test", "keep": "nothing", "proof": "none", "minimum age": "0 minutes"}
    policy = ask("POST", "retention/policies", document=marking)["id"]
    preview = requests.get(f"{server.api}/retention/preview", params={"policy_id": policy}, timeout=30).json()
    count = preview["today"]["instance_count"]
    ask("PUT", f"retention/policies/{policy}/state", is_on=True, typed_count=count, only_copy_may_go=True)
    wait_for(server, "retention/marked")
    wait_for(server, "notifications")
    ask("POST", "dose/not-patients", document={"name": "phantoms", "patient_id": "PHANTOM*", "meaning": "phantom"})
    ask("POST", f"dose/studies/{study}/acts", act="void", reason="a test")
    with ledger_of(server) as ledger, ledger.engine.begin() as connection:
        for statement in FAILED:
            connection.exec_driver_sql(statement)
    return {"second_rule_id": second, "marked_study": marked}


FAILED = (
    """INSERT INTO rule_event (trigger, orthanc_study_id, orthanc_series_id, state, attempts, last_error)
       SELECT 'study stable', orthanc_study_id, '', 'failed', 6, '"a test"' FROM study LIMIT 1""",
    """INSERT INTO notification (channel, target, title, content, state, created_at, attempts, last_error)
       VALUES ('webhook', 'gone', 'a test', '{}', 'given up', now(), 6, '"a test"')""",
    """INSERT INTO long_work (id, kind, subject, is_asked, asked_at, state, finished_at)
       VALUES (1000, 'archive.comparison', 'a test', true, now(), 'stopped', now())""",
    "UPDATE dose_report SET state = 'failed', last_error = '\"a test\"'",
    "UPDATE delivery_object SET state = 'given up', attempts = 20, last_error = '\"disk full\"'",
    """INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, attempts)
       SELECT 'default', 'treegarth:tasks.forget_old', 0, '{"timestamp": 0}', 'failed', 3 FROM generate_series(1, 2)""",
)


def wait_for(server: OrthancServer, path: str) -> None:
    deadline = monotonic() + 60
    while not server.get(path)["items"]:
        assert monotonic() < deadline, f"nothing in {path}"
        sleep(0.3)


def forms_of(page: Page) -> Iterator[tuple[str, Locator]]:
    """The forms of the page that are sent by POST, each with its route."""
    forms = page.locator("form[method=post]")
    for number in range(forms.count()):
        form = forms.nth(number)
        yield route_of(form.get_attribute("action") or ""), form


def buttons_of(form: Locator, filling: Filling) -> list[str]:
    """What can be pressed: one button of a form with one purpose, each action of a list."""
    if filling.button:
        return [f"button[value='{filling.button}']:not([tabindex])"]
    own = form.get_attribute("id")
    if own != "chosen":
        return ["button:not([disabled], [tabindex])"]
    acts = form.locator("button[name=action]")
    return [f"button[value='{acts.nth(number).get_attribute('value')}']" for number in range(acts.count())]


@pytest.mark.timeout(900)
def test_every_form_is_answered_with_words(browser: Browser, filled: Filled) -> None:
    with windows(browser, filled.server) as make:
        visit = make(javascript=False)
        found: dict[tuple[str, str], str] = {}
        for path in filled.paths:
            for route, form in forms_of(visit.go(path)):
                if route in ELSEWHERE:
                    continue
                for button in buttons_of(form, FORMS.get(route, Filling())):
                    found.setdefault((route, button), path)
        assert {route for route, _ in found} == FORMS.keys(), "a form that is not in FORMS, or one that no page has"
        order = list(FORMS)
        for (route, button), path in sorted(found.items(), key=lambda one: order.index(one[0][0])):
            page = visit.go(path)
            form = next((form for name, form in forms_of(page) if name == route and form.locator(button).count()), None)
            assert form is not None, f"{route} is gone from {path}: who sent what it needs before it?"
            fill_in(page, form, FORMS[route])
            send(page, form.locator(button).first, f"{route} {button} on {path}")


def fill_in(page: Page, form: Locator, filling: Filling) -> None:
    """As a person would: what is named, then what is empty and has to be said."""
    for box in page.locator("form details").all() + page.locator("details").all():
        box.evaluate("box => { box.open = true; }")
    boxes = page.locator("input[name=chosen]")
    if form.get_attribute("id") == "chosen" and boxes.count():
        boxes.first.check()
    for name, value in {**TYPED, **filling.typed}.items():
        inputs = form.locator(f"[name='{name}']:not([type=hidden])")
        if not inputs.count() or (name not in filling.typed and inputs.first.input_value()):
            continue
        kind = inputs.first.evaluate("one => one.type")
        if kind == "checkbox":
            inputs.first.check()
        elif kind.startswith("select"):
            inputs.first.select_option(value)
        else:
            inputs.first.fill(number_asked_for(page) if name == "count" else value)
    for select in form.locator("select").all():
        if not select.input_value():
            select.select_option(index=select.locator("option").count() - 1)


def number_asked_for(page: Page) -> str:
    """The number of objects that a large deletion wants typed."""
    words = page.locator("main, body").first.inner_text()
    return next((word for word in words.partition("may go today: ")[2].split()), "0").strip(".")


def send(page: Page, button: Locator, what: str) -> None:
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        button.click()
    page.wait_for_load_state()
    answer = sent.value
    assert answer.status in (200, 303), f"{what}: {answer.status}"
    if answer.status == 200:
        assert answer.text().strip(), f"{what}: an empty answer"
    words = page.locator("main").inner_text() if page.locator("main").count() else page.locator("body").inner_text()
    assert page.locator("h1").inner_text(), what
    assert len(words) > 40, f"{what}: {words!r}"
    assert page.locator("#problems").count() == 0, f"{what}: {page.locator('#problems').inner_text()}"


def test_every_address_that_takes_a_form_has_one() -> None:
    here = {name for name in posted_routes() if not name.endswith(FILES_OF_MANY)}
    assert here == FORMS.keys() | ELSEWHERE.keys()
