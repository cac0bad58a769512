"""Hostile requests and objects against the real Orthanc: it answers every one, never with 500, and is the same process
at the end, healthy, with no error in its log."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.bad_objects import BadObject, ct_image, in_syntax, nasty_objects
from tests.deep_reports import deep_header, deep_report
from tests.dose_builder import as_file, ct_acquisition, ct_dose_report, num
from tests.hostile_documents import HostileDocuments
from tests.hostile_requests import FORM, JSON, Request, odd_headers, requests_of, strange_paths, wrong_methods
from tests.hostile_site import ASKS_ORTHANC, DESTINATION, KNOWN, POLICY, ROOT, RULE
from tests.orthanc.conftest import ServerFactory, rounds
from tests.orthanc.test_bad_input import post, rows, send
from tests.places import places
from tests.servers import OrthancServer
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.web.paths import API_PATH, escaped
from treegarth.web.routes import Route

pytestmark = [pytest.mark.timeout(7200), pytest.mark.filterwarnings("ignore::UserWarning")]
SEED = int(os.environ.get("TREEGARTH_SEED", "20261128"))
PAGES = "/treegarth"
ODD_NUMBERS = ("3.4028235E+38", "-3.4028235E+38", "1e999", "NaN", "1.7E+308", "9" * 16, "1E-320", "-0", "")


class Caller:
    """Sends requests as they are, byte by byte, and holds the server to its answers."""

    def __init__(self, server: OrthancServer) -> None:
        self._server = server
        self._pid = server.pid
        self.statuses: Counter[int] = Counter()

    def __call__(self, request: Request) -> bytes:
        """The body of the answer. Raises AssertionError for status 500, no answer, or another process."""
        connection = HTTPConnection("127.0.0.1", self._server.http_port, timeout=120)
        try:
            target = f"{request.path}?{request.query}" if request.query else request.path
            connection.putrequest(request.method, target, skip_accept_encoding=True)
            if request.media_type:
                connection.putheader("Content-Type", request.media_type)
            if request.body or request.method in ("POST", "PUT"):
                connection.putheader("Content-Length", str(len(request.body)))
            for name, value in request.headers:
                if name != "HTTP_HOST":
                    connection.putheader(name.removeprefix("HTTP_").replace("_", "-"), value)
            connection.endheaders(request.body or None)
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
        except (OSError, HTTPException) as error:
            raise AssertionError(f"{type(error).__name__} in place of an answer to {request}") from error
        finally:
            connection.close()
            self.assert_alive(request)
        self.statuses[status] += 1
        assert status != 500, f"{request}\n{body[:500]!r}\n{self._server.log_text()[-2000:]}"
        return body

    def assert_alive(self, about: object) -> None:
        process = self._server.process
        assert process is not None
        assert process.poll() is None, f"Orthanc ended with {process.returncode} at {about}"
        assert self._server.pid == self._pid


def routes() -> list[Route]:
    """The table, of an application that is never asked."""
    table: dict[str, Route] = make_application(make_services(ROOT / "web")).extensions["treegarth"].routes  # type: ignore[attr-defined]
    return [one for one in table.values() if one.name not in ASKS_ORTHANC and "switch_retention" not in one.name]


# ---- what is sent ----


def hostile_requests(seed: int, studies: list[str], reports: list[str]) -> Iterator[Request]:
    """An endless mixture: of the route table, of documents, of addresses, of pages of odd objects."""
    chance = Random(seed)
    known = replace(KNOWN, values={**KNOWN.values, "study_instance_uid": studies[0], "orthanc_instance_id": reports[0]})
    table = routes()
    ready = [
        *requests_of(table, known),
        *strange_paths(),
        *wrong_methods(table, known),
        *odd_headers("/treegarth/studies"),
        *odd_headers("/treegarth/api/v1/studies"),
    ]
    ready = [one for one in ready if not any("\0" in value for _, value in one.headers)]  # no client sends that
    makers: tuple[Callable[[], Request], ...] = (
        lambda: chance.choice(ready),
        lambda: chance.choice(ready),
        lambda: document(chance),
        lambda: address(chance, known.path(chance.choice(table))),
        lambda: page_of(chance, studies, reports),
    )
    while True:
        yield chance.choice(makers)()


def document(chance: Random) -> Request:
    """A rule or a policy, as JSON or as a text."""
    hostile = HostileDocuments(chance.randrange(2**32))
    rule, policy = hostile.rule(), hostile.policy()
    body: Any
    path, body = chance.choice(
        (
            ("rules", {"document": rule}),
            ("rules/preview", {"document": rule}),
            ("rules/text", {"text": hostile.text(rule)}),
            ("retention/policies", {"document": policy}),
            ("retention/preview", {"document": policy}),
            ("retention/policies/text", {"text": hostile.text(policy)}),
        )
    )
    if chance.randrange(3):
        method = "PUT" if path.endswith("/text") else "POST"
        return Request(method=method, path=f"{API_PATH}/{path}", body=json.dumps(body).encode(), media_type=JSON)
    page, text = chance.choice((("rules/new", hostile.text(rule)), ("retention/policies/new", hostile.text(policy))))
    form = {"tab": "text", "text": text, "act": chance.choice(("save", "try", "show-form", "look"))}
    return Request(method="POST", path=f"{PAGES}/{page}", body=urlencode(form).encode(), media_type=FORM)


def address(chance: Random, path: str) -> Request:
    """A path and a query with some of their characters changed."""
    target = f"{path}?limit=1&q=ct&cursor=W10"
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len("/treegarth/"), len(target))
        odd = chance.choice(
            ("%00", "%ff", "%", "%2e", "..", "/", "//", "\\", "%5B" * 300, "[", "&", "=", "?", "%ED%A0%80")
        )
        target = target[:at] + odd + target[at + chance.randrange(4) :]
    path, _, query = target.partition("?")
    return Request(method="GET", path=path, query=query, about="an address")


def page_of(chance: Random, studies: list[str], reports: list[str]) -> Request:
    """A page or an endpoint that shows one of the odd objects."""
    study, report = quote(escaped(chance.choice(studies)), safe=""), chance.choice(reports)
    path, _, query = chance.choice(
        (
            f"{PAGES}/studies/{study}",
            f"{PAGES}/dose/studies/{study}",
            f"{PAGES}/dose/reports/{report}/content",
            f"{PAGES}/rules/1/explain/{study}",
            f"{PAGES}/retention/policies/1/explain?study_instance_uid={study}",
            f"{PAGES}/studies?open={study}",
            f"{PAGES}/dose?sort=-best_dlp_mgy_cm",
            f"{PAGES}/dose.csv?dlp_from_mgy_cm=0",
            f"{PAGES}/dose.xlsx",
            f"{PAGES}/dose.parquet",
            f"{PAGES}/dose/sources?issues=true",
            f"{PAGES}/dose/equipment",
            f"{API_PATH}/studies/{study}",
            f"{API_PATH}/dose/studies/{study}",
            f"{API_PATH}/dose/reports/{report}/content",
            f"{API_PATH}/rules/1/explain/{study}",
            f"{API_PATH}/dose/studies?sort=-best_dlp_mgy_cm",
            f"{API_PATH}/dose/equipment",
        )
    ).partition("?")
    return Request(method="GET", path=path, query=f"{query}&lang=ko".lstrip("&") if "/api/" not in path else query)


# ---- what is stored before ----


def odd_reports() -> list[BadObject]:
    """Reports with numbers that no dose has, and with content as deep as Orthanc itself bears by REST."""
    numbers = [
        as_file(
            ct_dose_report(
                ct_acquisition(
                    f"1.2.9.{at}.1", mean_ctdi_vol_mgy=value, dlp_mgy_cm=value, extra=[num("113824", value, "s")]
                ),
                dlp_total=value,
                sop_instance_uid=f"1.2.9.{at}.2",
                study_instance_uid=f"1.2.9.{at}",
            )
        )
        for at, value in enumerate(ODD_NUMBERS)
    ]
    deep = [deep_report(levels, uid=f"1.2.8.{levels}.2", study_uid=f"1.2.8.{levels}") for levels in (1, 10, 19, 30)]
    return [BadObject(name="", data=data) for data in (*numbers, *deep)]


def deepest_objects() -> list[BadObject]:
    """What is deeper comes over DICOM, where Orthanc's threads have larger stacks."""
    reports = [
        deep_report(levels, uid=f"1.2.8.{levels}.2", study_uid=f"1.2.8.{levels}") for levels in (63, 64, 190, 500)
    ]
    headers = [deep_header(levels, levels, b"a\0b ") for levels in (60, 150, 180, 400)]
    return [BadObject(name="", data=data) for data in (*reports, *headers)]


def fill(server: OrthancServer, folder: Path) -> tuple[list[str], list[str]]:
    """Store good and odd objects, and make one of everything; the studies' UIDs and the identifiers of the reports."""
    good = BadObject(name="", data=in_syntax(ct_image(1)))
    assert set(post(server, [good, *odd_reports(), *nasty_objects()])) <= {200, 400, 404}
    send(server, deepest_objects(), folder)
    server.wait_until_idle()
    call = Caller(server)
    for path, body in (
        ("destinations", {"document": DESTINATION}),
        ("rules", {"document": RULE}),
        ("retention/policies", {"document": POLICY}),
    ):
        call(Request(method="POST", path=f"{API_PATH}/{path}", body=json.dumps(body).encode(), media_type=JSON))
    assert call.statuses == {201: 3}
    studies = [uid for (uid,) in rows(server, "SELECT study_instance_uid FROM study WHERE study_instance_uid <> ''")]
    reports = [found for (found,) in rows(server, "SELECT orthanc_instance_id FROM dose_report ORDER BY 1")]
    assert len(studies) > 50
    assert len(reports) > 12
    return studies, reports


def test_hostile_requests_are_answered_and_never_with_500(new_server: ServerFactory, tmp_path: Path) -> None:
    server = new_server(treegarth={"DestinationPlaces": places(tmp_path)}).start()
    studies, reports = fill(server, tmp_path / "objects")
    call = Caller(server)
    show_everything(call, studies, reports)
    many = hostile_requests(SEED, studies, reports)
    for number in range(rounds(200, 10_000)):
        request = next(many)
        try:
            call(request)
        except AssertionError as error:
            raise AssertionError(f"seed {SEED}, request {number}: {error}") from error
    assert call.statuses[400] > 20
    assert_well(server, call)


def show_everything(call: Caller, studies: list[str], reports: list[str]) -> None:
    """Each odd object on each page of one object, and by the API."""
    for below in (PAGES, API_PATH):
        for report in reports:
            call(Request(method="GET", path=f"{below}/dose/reports/{report}/content"))
        for study in studies:
            for page in ("studies", "dose/studies"):
                call(Request(method="GET", path=f"{below}/{page}/{quote(escaped(study), safe='')}"))
    assert call.statuses[200] > len(studies)


def assert_well(server: OrthancServer, call: Caller) -> None:
    """The health is good, the pages open, and nothing of ours complained."""
    call.assert_alive("the end")
    assert server.get("health")["healthy"] is True
    for page in ("", "studies", "dose", "rules", "retention", "deliveries", "system"):
        assert call(Request(method="GET", path=f"{PAGES}/{page}"))
    assert [line for line in server.error_lines() if "Treegarth" in line] == []
    assert "Traceback" not in server.log_text()
    server.log.write_text("", encoding="utf-8")
