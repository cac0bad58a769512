"""Serve a WSGI application from Orthanc's REST callback. Knows HTTP and Orthanc's output object, nothing else.

Orthanc hands on a path, the query as a dictionary (only of GET, the last of repeated keys), lower-case headers and
the body as bytes. A callback that raises or answers nothing would drop the connection: neither can happen here.
The application runs on threads of our own, whose stacks are large enough (see `request_threads`).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from io import BytesIO
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import requests

from treegarth.host.forgotten_references import ForgottenReferences
from treegarth.host.request_threads import NotAnsweredInTime, RequestThreads
from treegarth.orthanc.client import OrthancAddress
from treegarth.web.problems import ERRORS_ARE_PLAIN

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
# Orthanc refuses to send a status that its own list (HttpStatus) does not have, 308 and 429 among them.
_SENDABLE = frozenset(
    {*range(100, 103), *range(200, 208), *range(300, 306), 307, *range(400, 418), *range(422, 427)}
) | {*range(500, 508)}
_INSTEAD = {3: 307, 4: 400, 5: 500}  # by class
_SET_BY_ORTHANC = {"content-length", "content-type", "connection", "transfer-encoding"}
_SET_BY_CALL = {301: "location", 401: "www-authenticate", 405: "allow"}  # statuses with a call of their own

_PROBE = "probe"

logger = logging.getLogger(__name__)


Answer = tuple[str, list[tuple[str, str]], bytes]  # status, headers, body


class WsgiBridge:
    """A REST callback that answers by an application; `address` is where Orthanc itself answers."""

    def __init__(
        self,
        application: WsgiApplication,
        address: OrthancAddress,
        *,
        threads: int = 50,
        remote_address: Callable[[str], str] = lambda _path: "",
    ) -> None:
        """`remote_address`, of the request of a path, is asked on the thread on which Orthanc calls."""
        self._application = application
        self._remote_address = remote_address
        self._address = address
        self._url = urlsplit(address.url)
        self._threads = RequestThreads(threads)
        self._arguments_are_decoded = False
        self._errors_are_plain = False
        self._forgotten = ForgottenReferences()
        self.probe_path = f"/treegarth/{secrets.token_hex()}"  # nobody else knows it
        self._probed: dict[str, Any] = {}

    @property
    def given_up(self) -> int:
        """Requests that were not answered in time, since the start."""
        return self._threads.given_up

    @property
    def forgets_requests(self) -> bool:
        """Whether this Orthanc's plugin keeps parts of each request for good, as the probe found."""
        return bool(self._forgotten.kinds)

    def probe(self) -> None:
        """Ask ourselves, through Orthanc, for what differs between its versions.

        Does it undo the escapes of arguments? Does it say that every error's body is text/plain (1.12 does, beside
        the type that it is given)? Which parts of a request does it forget?
        """
        try:
            self._errors_are_plain = "text/plain" in self._ask_ourselves("GET").headers.get("Content-Type", "")
            self._arguments_are_decoded = self._probed.get("get", {}).get(_PROBE) == "+"
            self._ask_ourselves("POST", data=secrets.token_hex())  # its body joins what the first one brought
            self._forgotten.learn(self._probed)
        except requests.RequestException as error:
            logger.warning("Orthanc did not answer the probe of its ways: %s.", type(error).__name__)

    def _ask_ourselves(self, method: str, **given: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False  # no proxy
            return session.request(
                method,
                f"{self._address.url}{self.probe_path}?{_PROBE}=%2B&{secrets.token_hex()}={secrets.token_hex()}",
                headers={"Authorization": self._address.authorization or ""},
                verify=self._address.verify,
                timeout=5,
                **given,
            )

    def __call__(self, output: Any, uri: str, **request: Any) -> None:
        if uri == self.probe_path:
            self._probed.update(request)
            _send(output, *_plain("404 Not Found", "A probe", media_type="text/html"))
            return
        address = self._remote_address(uri)
        try:
            status, headers, body = self._threads.run(lambda: self._answer(uri, request, address))
        except NotAnsweredInTime:
            logger.error("A request below %s was not answered in time and was given up.", _beginning(uri))
            status, headers, body = _plain("503 Service Unavailable", "This took too long. Try again in a minute.")
            headers.append(("Retry-After", "60"))
        except Exception:
            logger.exception("A request below %s failed outside the application.", _beginning(uri))
            status, headers, body = _plain("500 Internal Server Error", "Internal error")
        _send(output, status, headers, body)
        self._forgotten.give_back(request)

    def _answer(self, uri: str, request: dict[str, Any], address: str = "") -> Answer:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str,
            headers: list[tuple[str, str]],
            exc_info: tuple[type[BaseException], BaseException, TracebackType] | None = None,
        ) -> Callable[[bytes], None]:
            started.append((status, headers))
            return written.append

        written: list[bytes] = []
        parts = self._application({**self._environ(uri, request), "REMOTE_ADDR": address}, start_response)
        try:
            written.extend(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        status, headers = started[-1]
        return status, headers, b"".join(written)

    def _environ(self, uri: str, request: dict[str, Any]) -> dict[str, Any]:
        headers, body = request.get("headers", {}), request.get("body") or b""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": uri.encode("utf-8").decode("latin-1"),
            "QUERY_STRING": self._query_string(request.get("get", {})),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": str(self._url.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.get("content-type", ""),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": self._url.scheme,
            "wsgi.input": BytesIO(body),
            "wsgi.errors": _LogStream(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            ERRORS_ARE_PLAIN: self._errors_are_plain,
        }
        for name, value in headers.items():
            if name not in ("content-type", "content-length"):
                environ["HTTP_" + name.upper().replace("-", "_")] = value
        return environ

    def _query_string(self, arguments: dict[str, str]) -> str:
        """The query as it was sent. Orthanc 1.10.1 hands its arguments on with their escapes, later ones may not."""
        if self._arguments_are_decoded:
            return urlencode(arguments)
        return "&".join(f"{quote(name, safe='%+')}={quote(value, safe='%+')}" for name, value in arguments.items())


def _beginning(uri: str) -> str:
    """Enough of an address for the log: what follows can identify a patient."""
    return "/".join(uri.split("?")[0].split("/")[:3])


def _plain(status: str, said: str, media_type: str = "text/plain") -> Answer:
    return status, [("Content-Type", media_type)], f"{said}\n".encode()


class _LogStream:
    """WSGI's error stream, into the log."""

    def write(self, text: str) -> int:
        if text.strip():
            logger.error("%s", text.rstrip())
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def _send(output: Any, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
    code = int(status.split(" ", 1)[0])
    code = code if code in _SENDABLE else _INSTEAD[code // 100]
    media_type = next((value for name, value in headers if name.lower() == "content-type"), "text/plain")
    for name, value in headers:
        if name.lower() not in _SET_BY_ORTHANC and name.lower() != _SET_BY_CALL.get(code):
            output.SetHttpHeader(name, value)
    if code == 200:
        output.AnswerBuffer(body, media_type)
        return
    if code in _SET_BY_CALL:
        _send_by_its_own_call(output, code, {name.lower(): value for name, value in headers})
        return
    if body:
        output.SetHttpHeader("Content-Type", media_type)
    if not body or code in (204, 304):
        output.SendHttpStatusCode(code)
        return
    try:
        output.SendHttpStatus(code, body)
    except TypeError:  # plugin 4.1 and older: the text and its length in bytes
        output.SendHttpStatus(code, body.decode("utf-8"), len(body))


def _send_by_its_own_call(output: Any, code: int, headers: dict[str, str]) -> None:
    """Orthanc refuses these statuses elsewhere, and its calls for them take no body."""
    if code == 301:
        output.Redirect(headers.get("location", "/"))
    elif code == 401:
        output.SendUnauthorized("Orthanc")
    else:
        output.SendMethodNotAllowed(headers.get("allow", "GET"))
