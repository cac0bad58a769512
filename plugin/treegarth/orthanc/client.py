"""Orthanc's REST API over HTTP: the only way in which Treegarth calls Orthanc.

The plugin SDK's own REST calls hold the interpreter lock and can deadlock the server for good, so even code that
runs inside Orthanc comes in by the front door. Safe methods (GET) are tried again on a connection error; others never.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from treegarth.errors import NotFound, OrthancRefused, OrthancUnavailable
from treegarth.phrases import P_


@dataclass(frozen=True, kw_only=True)
class OrthancAddress:
    """Where an Orthanc answers, and the Authorization header that it accepts (a credential: never logged)."""

    url: str
    authorization: str | None = field(default=None, repr=False)
    verify: bool | str = True


class OrthancClient:
    """A pool of connections to one Orthanc; safe to share between threads."""

    def __init__(
        self, address: OrthancAddress, *, timeout_s: float = 30.0, connections: int = 16, pause_s: float = 0.2
    ) -> None:
        """`pause_s` is the wait before a GET is tried for the third time, and doubles then (tests need none)."""
        self.address = address
        self._plugins: frozenset[str] | None = None
        self._timeout = (min(5.0, timeout_s), timeout_s)
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the machine must never see this traffic
        self._session.verify = address.verify
        # Compressing a CT image that a worker reads would cost Orthanc 20 ms of CPU, three times what storing it does.
        self._session.headers["Accept-Encoding"] = "identity"
        if address.authorization:
            self._session.headers["Authorization"] = address.authorization
        safe = frozenset({"GET"})
        retries = Retry(total=3, connect=3, read=2, backoff_factor=pause_s, allowed_methods=safe, status=0)
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=connections, max_retries=retries)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def get(self, path: str, *, parameters: Mapping[str, Any] | None = None, timeout_s: float | None = None) -> Any:
        """The JSON answer of a GET. Raises NotFound, OrthancRefused or OrthancUnavailable."""
        return self._request("GET", path, params=parameters, timeout_s=timeout_s).json()

    def get_bytes(self, path: str, *, timeout_s: float | None = None) -> bytes:
        """The body of a GET as it is."""
        return self._request("GET", path, timeout_s=timeout_s).content

    def post(self, path: str, body: Any, *, timeout_s: float | None = None) -> Any:
        """The JSON answer of a POST of bytes or of anything JSON."""
        if isinstance(body, bytes):
            return self._request("POST", path, data=body, timeout_s=timeout_s).json()
        return self._request("POST", path, json=body, timeout_s=timeout_s).json()

    def put(self, path: str, body: Any, *, timeout_s: float | None = None) -> None:
        """A PUT of anything JSON."""
        self._request("PUT", path, json=body, timeout_s=timeout_s)

    def delete(self, path: str, *, timeout_s: float | None = None) -> None:
        self._request("DELETE", path, timeout_s=timeout_s)

    def exists(self, path: str) -> bool:
        """Whether Orthanc has the resource."""
        try:
            self._request("GET", path)
        except NotFound:
            return False
        return True

    def has_plugin(self, name: str) -> bool | None:
        """Whether Orthanc runs a plugin of this name, asked once: they stay as long as it runs. None: no answer."""
        if self._plugins is None:
            try:
                self._plugins = frozenset(self.get("/plugins", timeout_s=2))
            except (OrthancUnavailable, OrthancRefused):
                return None
        return name in self._plugins

    @contextmanager
    def stream(self, path: str, *, chunk_bytes: int = 65536) -> Iterator[Iterator[bytes]]:
        """The body of a GET piece by piece; leaving early closes the connection and reads no more."""
        with self._request("GET", path, stream=True) as answer:
            yield answer.iter_content(chunk_bytes)

    def close(self) -> None:
        self._session.close()

    def _request(self, method: str, path: str, *, timeout_s: float | None = None, **given: Any) -> requests.Response:
        if not {".", ".."}.isdisjoint(path.partition("?")[0].split("/")):
            # On the way it would become another path: to take off a study's label “..” would delete the study.
            raise NotFound(P_("Orthanc has no %(path)s.", path=path))
        timeout = self._timeout if timeout_s is None else (min(5.0, timeout_s), timeout_s)
        try:
            answer = self._session.request(method, self.address.url + path, timeout=timeout, **given)
        except requests.RequestException as error:
            asked = {"url": self.address.url, "method": method, "path": path, "kind": type(error).__name__}
            raise OrthancUnavailable(
                P_("Orthanc at %(url)s did not answer %(method)s %(path)s: %(kind)s.", **asked)
            ) from error
        if answer.status_code == 404:
            raise NotFound(P_("Orthanc has no %(path)s.", path=path))
        if answer.status_code >= 400:
            raise _refused(method, path, answer)
        return answer


def _refused(method: str, path: str, answer: requests.Response) -> OrthancRefused:
    try:
        said = answer.json()
    except ValueError:
        said = None
    said = said if isinstance(said, dict) else {}
    code = said.get("OrthancStatus")
    asked = {"method": method, "path": path, "status": answer.status_code}
    return OrthancRefused(
        P_("Orthanc answered %(method)s %(path)s with %(status)s.", **asked),
        status=answer.status_code,
        code=code if isinstance(code, int) else None,
        details=str(said.get("Details") or said.get("Message") or ""),
    )
