"""Send to a DICOMweb server by STOW-RS, and look for what it has by QIDO-RS (PS3.18 10.5 and 10.6).

A request carries as many objects as fit into a bound, from a nameless file where they are large: its length is known
before it leaves, and an object that has gone meanwhile is left out. The server answers for each object by itself.
"""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

import requests

from treegarth.errors import NotFound, SettingsRefused
from treegarth.features.deliveries.addresses import DicomwebAddress
from treegarth.features.deliveries.model import DeliveryObject, Outcome, Proof
from treegarth.features.deliveries.senders.object_bytes import copy_object, room_for
from treegarth.features.deliveries.senders.outcomes import gone, outcome, send_in_groups
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable, EchoResult, PlainSender
from treegarth.features.deliveries.senders.remote_paths import as_part
from treegarth.features.deliveries.senders.stow_answers import (
    ALREADY_THERE,
    StowAnswer,
    read_stow_answer,
    reason_in_words,
)
from treegarth.features.deliveries.senders.web import ECHO_S, WebNode, failure, json_of, refusal
from treegarth.limits import storable
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.gate import Gate
from treegarth.phrases import P_

REQUEST_BYTES = 32 << 20
REQUEST_OBJECTS = 200
PAGE = 500
_SOP_INSTANCE_UID = "00080018"
_STORED = frozenset({200, 202, 409})  # the statuses whose body tells of each object


class DicomwebSender(PlainSender):
    """Carries objects to one DICOMweb server."""

    def __init__(self, address: DicomwebAddress, orthanc: OrthancClient, gate: Gate) -> None:
        """Raises PlaceRefused, SettingsRefused where a secret is not at its place."""
        login = (address.user, gate.secret(address.password)) if address.user and address.password else None
        headers = dict(address.headers)
        if address.token:
            headers["Authorization"] = f"Bearer {_token(gate.secret(address.token))}"
        self._node = WebNode(address.url, gate, login=login, headers=headers, verify=address.verify)
        self._orthanc = orthanc

    def send(self, objects: Sequence[DeliveryObject], recorded: Callable[[str], None]) -> list[Outcome]:
        """By requests of bounded size. After a failure of the connection the rest is not tried."""
        return send_in_groups(list(requests_of(objects)), self._send)

    def find(self, objects: Sequence[DeliveryObject]) -> set[str] | None:
        """Those that the server lists; None where it cannot be asked. Raises DestinationUnreachable."""
        by_series: dict[tuple[str, str], list[DeliveryObject]] = defaultdict(list)
        for one in objects:
            by_series[one.study_instance_uid, one.series_instance_uid].append(one)
        found: set[str] = set()
        try:
            for (study, series), wanted in by_series.items():
                listed = self._listed(study, series, {one.sop_instance_uid for one in wanted})
                found |= {one.orthanc_instance_id for one in wanted if one.sop_instance_uid in listed}
        except _CannotBeAsked:
            return None
        except requests.RequestException as error:
            raise DestinationUnreachable(failure(error)) from error
        return found

    def echo(self) -> EchoResult:
        """Whether QIDO-RS answers; a server that only stores is known by its refusal of the search."""
        try:
            answer = self._query("/studies", {"limit": "1"}, timeout_s=ECHO_S)
        except requests.RequestException as error:
            return EchoResult(answers=False, reason=failure(error))
        if answer.status_code in (200, 204):
            said = storable(f"DICOMweb {answer.headers.get('Server', '')}".strip())
            return EchoResult(answers=True, said=said, can_find=True, can_commit=False)
        if answer.status_code in (405, 501):
            reason = P_("It may take objects, but cannot be asked for them. %(why)s", why=refusal(answer))
            return EchoResult(answers=True, reason=reason, can_find=False, can_commit=False)
        return EchoResult(answers=False, reason=refusal(answer))

    def _send(self, group: Sequence[DeliveryObject]) -> list[Outcome]:
        boundary = f"treegarth-{secrets.token_hex(12)}"
        with self._body(group, boundary) as (body, size, missing):
            there = [one for one in group if one not in missing]
            outcomes = [gone(one) for one in missing]
            if there:
                outcomes.extend(self._post(there, body, size, boundary))
        return outcomes

    def _post(self, group: Sequence[DeliveryObject], body: IO[bytes], size: int, boundary: str) -> list[Outcome]:
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": "application/dicom+json",
            "Content-Length": str(size),
        }
        answer = self._node.request("POST", "/studies", data=body, headers=headers)
        if answer.status_code == 413 and len(group) > 1:  # too large a request for this server: half by half
            middle = len(group) // 2
            return self._send(group[:middle]) + self._send(group[middle:])
        said = read_stow_answer(answer.content, answer.headers.get("Content-Type", ""))
        if answer.status_code == 409 and (said is None or said.is_empty):
            # It stored nothing (PS3.18 10.5.3.1) and does not say why: servers answer so that have the objects already.
            return [outcome(one, None, reason=refusal(answer), answered=True) for one in group]
        if answer.status_code not in _STORED:
            return [outcome(one, False, reason=refusal(answer)) for one in group]
        return [self._judged(one, said or StowAnswer(), answer.status_code) for one in group]

    def _judged(self, one: DeliveryObject, said: StowAnswer, status: int) -> Outcome:
        """What the answer means for one object. Unknown, and to be asked for, where it does not say."""
        code = said.failed.get(one.sop_instance_uid)
        if code is not None:
            has_it = code in ALREADY_THERE
            return outcome(one, None if has_it else False, reason=reason_in_words(code), has_it=has_it)
        if one.sop_instance_uid in said.stored or (status == 200 and said.is_empty):
            return outcome(one, True, proof=Proof.STATUS)
        untold = P_("It answered %(status)s and did not tell of this object.", status=status)
        return outcome(one, None, reason=untold, answered=True)

    @contextmanager
    def _body(
        self, group: Sequence[DeliveryObject], boundary: str
    ) -> Iterator[tuple[IO[bytes], int, Sequence[DeliveryObject]]]:
        """The multipart body with its length, and the objects that are no longer in Orthanc."""
        missing = []
        with room_for(sum(one.size_bytes for one in group)) as file:
            for one in group:
                start = file.tell()
                file.write(f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode())
                try:
                    copy_object(self._orthanc, one.orthanc_instance_id, file)
                    file.write(b"\r\n")
                except NotFound:
                    file.seek(start)
                    file.truncate()
                    missing.append(one)
            file.write(f"--{boundary}--\r\n".encode())
            size = file.tell()
            file.seek(0)
            yield file, size, missing

    def _listed(self, study: str, series: str, wanted: set[str]) -> set[str]:
        """Those of the SOP instance UIDs that the server lists in a series, page by page until nothing new comes."""
        seen: set[str] = set()
        while not wanted <= seen:
            parameters = {"limit": str(PAGE), "offset": str(len(seen)), "includefield": _SOP_INSTANCE_UID}
            answer = self._query(f"{series_path(study, series)}/instances", parameters)
            page = self._uids(answer)
            if not page - seen:
                break
            seen |= page
        return wanted & seen

    def _uids(self, answer: requests.Response) -> set[str]:
        if answer.status_code == 204:
            return set()
        if answer.status_code == 404 and self._query("/studies", {"limit": "1"}).status_code in (200, 204):
            return set()  # there is a QIDO-RS, so it is the series that is not there
        if answer.status_code != 200:
            raise _CannotBeAsked(refusal(answer))
        found = json_of(answer) if answer.content else []
        if not isinstance(found, list):
            raise _CannotBeAsked("the answer is no list")
        values = [(item.get(_SOP_INSTANCE_UID) or {}).get("Value") for item in found]
        return {str(value[0]) for value in values if value}

    def _query(self, path: str, parameters: Mapping[str, str], *, timeout_s: float = 60.0) -> requests.Response:
        headers = {"Accept": "application/dicom+json"}
        return self._node.request("GET", path, params=dict(parameters), headers=headers, timeout_s=timeout_s)


class _CannotBeAsked(Exception):
    """The server does not tell what it has."""


def _token(secret: str) -> str:
    """Raises SettingsRefused where it could not stand in a header, without repeating it."""
    if not re.fullmatch(r"[!-~]+", secret):
        raise SettingsRefused(P_("What is at the token's place is no bearer token: it must be one word in ASCII."))
    return secret


def series_path(study_instance_uid: str, series_instance_uid: str) -> str:
    """Where a series is (PS3.18 10.6.1)."""
    return f"/studies/{as_part(study_instance_uid)}/series/{as_part(series_instance_uid)}"


def requests_of(objects: Sequence[DeliveryObject]) -> Iterator[list[DeliveryObject]]:
    """The objects in their order, in groups that one request carries; no SOP instance UID twice in one.

    Objects of one UID in two studies are two objects here, and the answer names UIDs only.
    """
    group: list[DeliveryObject] = []
    uids: set[str] = set()
    size = 0
    for one in objects:
        if group and (
            size + one.size_bytes > REQUEST_BYTES or len(group) >= REQUEST_OBJECTS or one.sop_instance_uid in uids
        ):
            yield group
            group, uids, size = [], set(), 0
        group.append(one)
        uids.add(one.sop_instance_uid)
        size += one.size_bytes
    if group:
        yield group
