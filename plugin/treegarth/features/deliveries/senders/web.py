"""What the senders over HTTP have in common: sessions that log in, and failures in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from requests.auth import HTTPBasicAuth

from treegarth.errors import PlaceRefused
from treegarth.outgoing.connections import GuardedAdapter
from treegarth.outgoing.gate import Gate
from treegarth.phrases import P_

CONNECT_S = 10.0  # also the longest that one block of a request may take to leave
ANSWER_S = 120.0  # a server may only answer when it has stored a whole request
ECHO_S = 10.0
_REFUSALS = {
    401: P_("It answered 401: the login is not accepted."),
    403: P_("It answered 403: the user may not do this."),
    404: P_("It answered 404: there is nothing at this address."),
}


class WebNode:
    """A server below one address. Follows no redirect, and asks neither the machine's proxies nor its .netrc:
    patients' objects and logins go where the destination says and the settings allow, and nowhere else.
    """

    def __init__(
        self,
        url: str,
        gate: Gate,
        *,
        login: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        verify: bool | Path = True,
    ) -> None:
        """Raises PlaceRefused, SettingsRefused where its certificates are not there."""
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = gate.certificates(verify)
        self._session.headers.update({"Accept-Encoding": "identity", **(headers or {})})
        if login:
            self._session.auth = HTTPBasicAuth(login[0].encode(), login[1].encode())  # bytes: names beyond Latin-1
        self._session.mount("https://", GuardedAdapter(gate.places, pool_maxsize=4))
        self._session.mount("http://", GuardedAdapter(gate.places, pool_maxsize=4))

    def request(self, method: str, path: str, *, timeout_s: float = ANSWER_S, **given: Any) -> requests.Response:
        """Its answer, whatever the status but those that say that there is no server now.

        Raises requests.RequestException.
        """
        timeout = (min(CONNECT_S, timeout_s), timeout_s)
        try:
            answer = self._session.request(method, self.url + path, timeout=timeout, allow_redirects=False, **given)
        except PlaceRefused as error:
            raise NotAllowed(error.sentence) from error
        if answer.status_code in (429, 503):
            raise NotNow(refusal(answer))
        if answer.status_code in (502, 504):
            raise NoAnswerBehind(refusal(answer))
        return answer


class _NoServer(requests.RequestException):
    """There is no server now; `reason` has it in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAllowed(_NoServer):
    """The settings do not let its address be connected to. Nothing left."""


class NotNow(_NoServer):
    """The server refuses every request for now, and did nothing of this one."""


class NoAnswerBehind(_NoServer):
    """A proxy waited in vain for the server, which may have done what was asked."""


def json_of(answer: requests.Response) -> Any:
    """What an answer says in JSON. Raises requests.JSONDecodeError, also for numbers and depths that cannot be read."""
    try:
        return answer.json()
    except requests.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise requests.JSONDecodeError(type(error).__name__, "", 0) from None


def failure(error: requests.RequestException) -> str:
    """Why there was no answer, in words."""
    if isinstance(error, _NoServer):
        return error.reason
    if isinstance(error, requests.exceptions.SSLError):
        return P_("Its certificate or its TLS is not accepted.")
    if isinstance(error, requests.ConnectTimeout):
        return P_("It could not be reached in time.")
    if isinstance(error, requests.Timeout):
        return P_("It did not answer in time.")
    if isinstance(error, requests.ConnectionError):
        return P_("It could not be reached, or the connection broke.")
    return P_("The request failed: %(kind)s.", kind=type(error).__name__)


def refusal(answer: requests.Response) -> str:
    """An answer that is an error, in words. The body is not repeated: it can hold what is a patient's."""
    if answer.status_code in _REFUSALS:
        return _REFUSALS[answer.status_code]
    said = f"{answer.status_code} {answer.reason or ''}".strip()
    return P_("It answered %(status)s.", status=said)


def never_left(error: requests.RequestException) -> bool:
    """Whether surely nothing of the request arrived."""
    return isinstance(
        error, NotNow | NotAllowed | requests.ConnectTimeout | requests.exceptions.SSLError
    ) or "NewConnectionError" in str(error)
