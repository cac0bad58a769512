"""The bridge hands requests to a WSGI application as WSGI has them, and always answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

from flask import Flask, Response, request

from treegarth.host.bridge import WsgiBridge
from treegarth.orthanc.client import OrthancAddress


class RecordedOutput:
    """What the bridge calls of Orthanc's output object, by the names and arguments of plugin 4.0."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b""

    def SetHttpHeader(self, name: str, value: str) -> None:  # noqa: N802 - Orthanc's name
        self.headers[name] = value

    def AnswerBuffer(self, body: bytes, media_type: str) -> None:  # noqa: N802
        self.body, self.headers["Content-Type"] = body, media_type

    def SendHttpStatusCode(self, code: int) -> None:  # noqa: N802
        self.status = code

    def SendHttpStatus(self, code: int, text: str, size: int) -> None:  # noqa: N802
        if not isinstance(text, str):
            raise TypeError("a text")
        assert code not in (200, 301, 401, 405), "Orthanc has calls of their own for these"
        self.status, self.body = code, text.encode()
        assert size == len(self.body)

    def SendMethodNotAllowed(self, allowed: str) -> None:  # noqa: N802
        self.status, self.headers["Allow"] = 405, allowed

    def SendUnauthorized(self, realm: str) -> None:  # noqa: N802
        self.status, self.headers["WWW-Authenticate"] = 401, f'Basic realm="{realm}"'

    def Redirect(self, location: str) -> None:  # noqa: N802
        self.status, self.headers["Location"] = 301, location


def application() -> Flask:
    app = Flask(__name__)

    @app.get("/treegarth/echo/<path:name>")
    def echo(name: str) -> dict[str, object]:
        return {"name": name, "query": request.args.to_dict(), "user": request.headers.get("X-User")}

    @app.post("/treegarth/echo")
    def take() -> Response:
        return Response(request.get_data() + b"!", 201, {"X-Kept": "yes"}, content_type="text/x-test")

    @app.get("/treegarth/odd")
    def odd() -> Response:
        return Response("zu viele", 429)

    @app.get("/treegarth/private")
    def private() -> Response:
        return Response("who?", 401, {"WWW-Authenticate": 'Basic realm="Orthanc"'})

    @app.get("/treegarth/moved")
    def moved() -> Response:
        return Response("there", 301, {"Location": "/treegarth/there"})

    @app.get("/treegarth/empty")
    def empty() -> Response:
        return Response(status=304)

    return app


def bridge() -> WsgiBridge:
    return WsgiBridge(application(), OrthancAddress(url="http://127.0.0.1:8042"))


def call(method: str, uri: str, target: WsgiBridge | None = None, **given: object) -> RecordedOutput:
    output = RecordedOutput()
    (target or bridge())(output, uri, method=method, headers=given.pop("headers", {}), **given)
    return output


def test_a_get_carries_path_query_and_headers() -> None:
    output = call("GET", "/treegarth/echo/김 민수/a", get={"q": "ä&b"}, headers={"x-user": "kim"})
    assert output.status == 200
    assert b'"\\uae40 \\ubbfc\\uc218/a"' in output.body
    assert b'"q":"\\u00e4&b"' in output.body
    assert b'"user":"kim"' in output.body


def test_a_post_carries_its_body_and_the_answer_its_status() -> None:
    output = call("POST", "/treegarth/echo", body="본문".encode())
    assert (output.status, output.body.decode()) == (201, "본문!")
    assert output.headers["X-Kept"] == "yes"
    assert output.headers["Content-Type"].startswith("text/x-test")


def test_a_status_that_orthanc_does_not_know_becomes_one_of_its_class() -> None:
    assert call("GET", "/treegarth/odd", get={}).status == 400


def test_statuses_that_have_a_call_of_their_own_in_orthanc_are_sent_by_it() -> None:
    refused = call("POST", "/treegarth/odd")
    assert (refused.status, set(refused.headers["Allow"].split(", "))) == (405, {"GET", "HEAD", "OPTIONS"})
    assert call("GET", "/treegarth/private", get={}).headers["WWW-Authenticate"] == 'Basic realm="Orthanc"'
    assert call("GET", "/treegarth/moved", get={}).headers["Location"] == "/treegarth/there"


def test_an_empty_answer_is_sent_as_a_status() -> None:
    assert call("GET", "/treegarth/empty", get={}).status == 304


def test_an_application_that_raises_is_answered_for() -> None:
    def broken(environ: object, start_response: object) -> Iterator[bytes]:
        raise RuntimeError("no")

    output = call("GET", "/treegarth/x", WsgiBridge(broken, OrthancAddress(url="http://127.0.0.1:8042")), get={})
    assert (output.status, output.body) == (500, b"Internal error\n")


def test_arguments_arrive_the_same_whether_orthanc_undoes_their_escapes_or_not() -> None:
    escaped = call("GET", "/treegarth/echo/x", probed("%2B"), get={"q": "%EC%9C%A4+%2B9%25"})
    plain = call("GET", "/treegarth/echo/x", probed("+"), get={"q": "윤 +9%"})
    assert json.loads(escaped.body)["query"] == json.loads(plain.body)["query"] == {"q": "윤 +9%"}


def test_nobody_else_can_tell_us_how_orthanc_hands_arguments_on() -> None:
    target = probed("%2B")
    call("GET", "/treegarth/echo/x", target, get={"probe": "+"})
    call("GET", "/treegarth/probe", target, get={"probe": "+"})
    escaped = call("GET", "/treegarth/echo/x", target, get={"q": "%EC%9C%A4+%2B9%25"})
    assert json.loads(escaped.body)["query"] == {"q": "윤 +9%"}


def probed(plus: str) -> WsgiBridge:
    """A bridge that has asked an Orthanc for its ways, which hands an escaped plus on as this."""
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        target = WsgiBridge(application(), OrthancAddress(url=f"http://127.0.0.1:{server.server_port}"))

        class Orthanc(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                output = call("GET", self.path.split("?")[0], target, get={"probe": plus})
                self.send_response(output.status)
                self.end_headers()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(call("POST", self.path.split("?")[0], target, body=body).status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        server.RequestHandlerClass = Orthanc
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        target.probe()
        server.shutdown()
        thread.join()
    return target
