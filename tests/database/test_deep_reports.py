"""Reports whose content is nested deep are shown down to the limit, which is then named; never cut in silence, never by
an error of the server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.database.test_dose_pages import write_report
from tests.deep_reports import deep_report
from tests.html_tables import tables_of
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.dicom.sr_tree import DEEPEST_NESTING

ROOT = Path(__file__).resolve().parents[2]
LEVELS = (1, 10, DEEPEST_NESTING - 1, DEEPEST_NESTING, 150, 250, 1000, 20_000)


class Files(BaseHTTPRequestHandler):
    """Orthanc's `/instances/{id}/file`, where the identifier says how deep the report is."""

    def do_GET(self) -> None:
        content = deep_report(int(self.path.split("/")[2].removeprefix("instance-")))
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """No word."""


@pytest.fixture
def client(engine: Engine) -> Iterator[FlaskClient]:
    for levels in LEVELS:
        write_report(engine, levels)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    services = make_services(
        ROOT / "web", engine=lambda: engine, orthanc_url=f"http://127.0.0.1:{server.server_address[1]}"
    )
    yield make_application(services).test_client()  # type: ignore[attr-defined]
    services.orthanc.close()
    server.shutdown()
    server.server_close()


def depth_of(node: dict[str, Any]) -> int:
    return 1 + max((depth_of(child) for child in node["children"]), default=0)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_report_is_shown_down_to_the_limit_which_is_named(client: FlaskClient, language: str) -> None:
    limit = {"en": "the content is nested deeper than 64 levels", "ko": "내용이 64단계보다 깊게 중첩되어 있습니다"}[
        language
    ]
    too_deep = {"en": "its sequences are nested too deep", "ko": "시퀀스가 너무 깊게 중첩되어 있습니다"}[language]
    for levels in LEVELS:
        address = f"dose/reports/instance-{levels}/content"
        page = client.get(f"/treegarth/{address}?lang={language}")
        assert page.status_code == 200, levels
        answer = client.get(f"/treegarth/api/v1/{address}")
        if levels > 200:
            assert too_deep in page.text
            assert (answer.status_code, "nested too deep" in answer.text) == (422, True)
            continue
        content = answer.get_json()
        assert depth_of(content["root"]) == min(levels + 1, DEEPEST_NESTING)
        assert page.text.count("Level") == min(levels, DEEPEST_NESTING - 1)
        assert bool(content["faults"]) == (limit in page.text) == (levels >= DEEPEST_NESTING)


def test_the_tree_is_searched_unfolded_and_shown_with_codes_by_its_address(client: FlaskClient) -> None:
    address = "/treegarth/dose/reports/instance-10/content"
    page = client.get(address).text
    tables_of(page)  # every element is closed
    assert (page.count("<details open>"), page.count("<details>")) == (2, 8)
    assert client.get(f"{address}?unfolded=all").text.count("<details open>") == 10
    assert client.get(f"{address}?unfolded=none").text.count("<details open>") == 0
    found = client.get(f"{address}?q=LEVEL").text
    assert "10 content items match" in found
    assert found.count("<mark>Level</mark>") == 10
    assert found.count("<details open>") == 10  # all above the last of them
    assert 'id="match-1"' in found
    assert 'name="q" type="search" autocomplete="off" spellcheck="false" value=""' in found  # the search of studies
    assert "0 content items match" in client.get(f"{address}?q=nothing").text
    codes = client.get(f"{address}?codes=true").text
    assert codes.count("<code>113701, DCM</code>") == 11
    assert codes.count("CONTAINER") >= 10
    assert "<code>113701" not in page
    assert "<script>" not in client.get(f"{address}?q=%3Cscript%3E").text
    assert client.get(f"{address}?unfolded=some").status_code == 400
