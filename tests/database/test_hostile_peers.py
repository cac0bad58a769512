"""A destination's server may answer anything to the test of its connection: that is told, never an error of ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.hostile_requests import FORM, Request
from tests.hostile_site import Site, make_site
from treegarth.web.paths import API_PATH

BODIES = (
    *(b"", b"[", b"nothing", b"[]", b"null", b"1", b'"x"', b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b"9" * 100_000),
    *(
        b'{"DicomAet": 1, "Name": "\\u0000\\ud800", "Version": []}',
        b'{"DicomAet": {}, "Name": "' + b"x" * 100_000 + b'"}',
    ),
    b'{"DicomAet": "A", "Name": "Other", "Version": "1.12"}',
)


@contextmanager
def server_that_answers(body: bytes) -> Iterator[str]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """No word."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", ["peer", "dicomweb"])
def test_whatever_a_server_answers_is_told(engine: Engine, kind: str) -> None:
    site: Site = make_site(engine)
    for number, body in enumerate(BODIES):
        with server_that_answers(body) as url:
            settings = {"name": f"{kind} {number}", "kind": kind, "address": {"url": url}}
            made = json.loads(site.send("POST", "destinations", {"document": settings}).body)["id"]
            answer = site.ask(Request(method="POST", path=f"{API_PATH}/destinations/{made}/echo"))
            assert answer.status == 200, (body[:50], answer.body)
            page = f"/treegarth/deliveries/destinations/{made}"
            left = site.ask(Request(method="POST", path=f"{page}/echo", media_type=FORM))
            assert left.status == 303, body[:50]
            path, _, query = left.headers["Location"].partition("?")
            assert site.get(path, query).status == 200, (body[:50], query[:200])
