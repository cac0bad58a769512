"""What the audit trail says of requests to us: every route of the table is classified, and each request is an event."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.unit.web.web_support import NOW, make_services
from treegarth.access.actors import Permission
from treegarth.access.roles import BUILT_IN
from treegarth.access.secrets import digest_of
from treegarth.access.snapshot import KnownSession, KnownUser, Snapshot
from treegarth.audit.model import Event, EventOutcome, NotAudited, Way, What
from treegarth.bootstrap import make_application
from treegarth.settings import Settings, SignIn
from treegarth.web.access import SESSION_COOKIE
from treegarth.web.audited import audited_as
from treegarth.web.routes import Route

ROOT = Path(__file__).resolve().parents[3]
UNSEEN = {
    "accounts.sign_in_page", "accounts.code_page", "accounts.provider_start",
    "api.health", "api.openapi", "web.static", "web.vendor",  # nothing of anybody
    "accounts.account_page", "accounts.password_page", "accounts.second_step_page",  # one's own, as what follows
    "api.me", "api.own_sessions", "api.own_tokens",
    "api.reference_page", "system.help_page", "views.views_page",
    "api.saved_views", "api.saved_views_text", "api.saved_view", "api.saved_view_versions", "works.works_page",
    "api.works", "works.work_page", "api.work",  # one's own
    "rules.bell_page", "system.metrics",  # asked all the time by a page or a program
}  # fmt: skip
"""Routes that leave no event. One more is a decision: say why in its `audit`."""
CALLED = {
    "archive.studies_page": What.SEARCH,
    "api.list_studies": What.SEARCH,
    "audit.events_page": What.SEARCH,
    "archive.study_page": What.VIEW,
    "dose.patient_page": What.VIEW,
    "system.system_page": What.VIEW,
    "archive.studies_csv": What.EXPORT,
    "api.dose_studies_file": What.EXPORT,
    "archive.studies_prepare": What.EXPORT,
    "dose.report_pdf": What.EXPORT,
    "works.file": What.EXPORT,
    "archive.studies_act": What.CHANGE,  # unless its handler says: by the action that is asked for
    "web.ohif_start": What.IMAGES,
    "deliveries.send_study_page": What.SEND,
    "deliveries.create_destination_page": What.CHANGE,
    "api.switch_destination": What.CHANGE,
    "api.edit_rule": What.CHANGE,
    "api.try_retention_policy": What.VIEW,
    "api.set_label": What.CHANGE,
    "dose.decide_page": What.VOID,
    "api.dose_decide": What.VOID,
    "api.dose_undo_decision": What.VOID,
    "api.edit_role": What.RIGHTS,
    "accounts.create_role_page": What.RIGHTS,
    "accounts.set_roles_page": What.RIGHTS,
    "api.access_users_prepare": What.EXPORT,
    "accounts.change_password": What.RIGHTS,
    "accounts.sign_in": What.SIGN_IN,
    "accounts.sign_out": What.SIGN_OUT,
}


@dataclass
class Recorded:
    """Every event, in the order in which they were put."""

    events: list[Event] = field(default_factory=list)

    def put(self, event: Event) -> None:
        self.events.append(event)


@dataclass
class Site:
    """The application, by whose browsers it is asked, and what it recorded. There is no database."""

    client: FlaskClient
    recorded: Recorded

    def ask(self, path: str, who: str | None = "physicist", method: str = "GET", **given: object) -> TestResponse:
        headers = {"Cookie": f"{SESSION_COOKIE}={who}"} if who else {}
        address = {"REMOTE_ADDR": "10.0.0.9"}
        return self.client.open(path, method=method, headers=headers, environ_overrides=address, **given)

    @property
    def routes(self) -> list[Route]:
        return list(self.client.application.extensions["treegarth"].routes.values())


@pytest.fixture(scope="module")
def whole() -> Site:
    recorded = Recorded()
    services = replace(make_services(ROOT / "web", settings=Settings(sign_in=SignIn.TREEGARTH)), audit=recorded)
    users = {
        number: KnownUser(id=number, name=role, permissions=frozenset(may), is_administrator=number == 0, roles=(role,))
        for number, (role, may) in enumerate(BUILT_IN.items())
    }
    ends = NOW + timedelta(hours=1)
    sessions = {
        digest_of(one.name): KnownSession(id=one.id + 100, user_id=one.id, last_used_at=NOW, ends_at=ends)
        for one in users.values()
    }
    assert services.known is not None
    names = {one.name: one for one in users.values()}
    services.known.learn(Snapshot(version=1, users=users, names=names, sessions=sessions))
    return Site(client=make_application(services).test_client(use_cookies=False), recorded=recorded)


@pytest.fixture
def site(whole: Site) -> Site:
    whole.recorded.events.clear()
    return whole


def test_every_route_is_classified_and_only_these_leave_no_event(site: Site) -> None:
    unseen = {one.name for one in site.routes if isinstance(audited_as(one), NotAudited)}

    assert unseen == UNSEEN


def test_whatever_changes_or_takes_something_is_an_event(site: Site) -> None:
    for one in site.routes:
        if one.method != "GET":
            assert audited_as(one) not in (What.SEARCH, What.IMAGES), one.name
        elif Permission.EXPORT in one.further:
            assert audited_as(one) is What.EXPORT, one.name


def test_routes_are_called_what_people_call_them(site: Site) -> None:
    by_name = {one.name: one for one in site.routes}

    assert {name: audited_as(by_name[name]) for name in CALLED} == CALLED


def test_a_list_tells_its_query(site: Site) -> None:
    site.ask("/treegarth/studies?q=김&lang=ko&sort=-study_date")

    (event,) = site.recorded.events
    assert (event.what, event.outcome, event.way) == (
        What.SEARCH,
        EventOutcome.FAILED,
        Way.PAGE,
    )  # the database is away
    assert (event.path, event.query) == ("/treegarth/studies", "q=김&sort=-study_date")
    assert (event.actor, event.roles, event.address) == ("physicist", ("physicist",), "10.0.0.9")
    assert event.session_id is not None
    assert event.at == NOW
    assert event.may_join


def test_a_study_is_told_by_its_uid_and_orthancs_identifier(site: Site) -> None:
    site.ask("/treegarth/studies/1.2.3?orthanc_study_id=0a1b")
    site.ask("/treegarth/api/v1/dose/patient?patient_id=P1")

    study, patient = site.recorded.events
    assert (study.studies, study.resources, study.status) == (("1.2.3",), ("studies/0a1b",), 503)
    assert (patient.patients, patient.way) == (("P1",), Way.API)


def test_who_may_not_is_told_as_refused(site: Site) -> None:
    site.ask("/treegarth/dose", who="nurse")
    site.ask("/treegarth/api/v1/dose/studies", who="nurse")

    assert [(one.actor, one.outcome) for one in site.recorded.events] == [("nurse", EventOutcome.REFUSED)] * 2


def test_nobody_who_is_led_to_the_sign_in_is_told_as_refused(site: Site) -> None:
    answer = site.ask("/treegarth/studies", who=None)

    assert answer.status_code == 303
    assert [(one.actor, one.outcome) for one in site.recorded.events] == [(None, EventOutcome.REFUSED)]


def test_a_wrong_address_and_files_of_pages_are_no_events(site: Site) -> None:
    for path in ("/treegarth/nowhere", "/treegarth/static/treegarth.css", "/treegarth/api/v1/health"):
        site.ask(path)

    assert site.recorded.events == []


def test_images_are_told_with_their_studies_and_files_of_the_viewer_are_not(site: Site) -> None:
    site.ask("/treegarth/ohif/app.bundle.js")
    site.ask("/treegarth/ohif/viewer")
    assert site.recorded.events == []

    site.ask("/treegarth/ohif/viewer?StudyInstanceUIDs=1.2.3,1.2.4")

    (event,) = site.recorded.events
    assert (event.what, event.studies) == (What.IMAGES, ("1.2.3", "1.2.4"))


def test_what_is_done_with_rows_is_told_by_its_name_and_its_rows(site: Site) -> None:
    chosen = ["-".join(["0123abcd"] * 5)]
    site.ask("/treegarth/api/v1/studies/act", method="POST", json={"action": "download", "chosen": chosen})

    (event,) = site.recorded.events
    assert (event.what, event.detail, event.resources) == (What.DOWNLOAD, "download", (f"studies/{chosen[0]}",))


def test_a_sign_in_is_told_by_the_users_name_and_a_name_that_nobody_has_is_not(site: Site) -> None:
    for name in (" Physicist ", "my password by mistake"):
        site.ask("/treegarth/sign-in", who=None, method="POST", data={"name": name, "password": "x"})

    assert [(one.what, one.actor, one.status) for one in site.recorded.events] == [
        (What.SIGN_IN, "physicist", 503),
        (What.SIGN_IN, None, 503),
    ]
    assert "mistake" not in repr(site.recorded.events)


def test_bytes_that_postgresql_refuses_are_told_without_them(site: Site) -> None:
    site.ask("/treegarth/studies?q=a%00b" + "c" * 3000)

    (event,) = site.recorded.events
    assert "\0" not in event.query
    assert len(event.query) == 2000
