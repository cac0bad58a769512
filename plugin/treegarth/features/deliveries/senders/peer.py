"""Send to another Orthanc by its REST API, and ask it for what it has. It names an instance as this one does.

That a size or a checksum differs although the transfer syntax is the same means that what it has is not the object; a
peer that transcodes what it takes has others and another syntax. One that has the object keeps what it has, as a rule.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import requests

from treegarth.errors import NotFound
from treegarth.features.deliveries.addresses import PeerAddress
from treegarth.features.deliveries.model import DeliveryObject, Outcome, Proof
from treegarth.features.deliveries.senders.object_bytes import FetchedObject, fetched
from treegarth.features.deliveries.senders.outcomes import gone, outcome, send_in_groups
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable, EchoResult, PlainSender
from treegarth.features.deliveries.senders.web import ECHO_S, WebNode, failure, json_of, refusal
from treegarth.limits import storable
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.gate import Gate
from treegarth.phrases import P_

_NO_ORTHANC = P_("What answers is no Orthanc.")
_OTHER_NAME = P_("It stored the object under another identifier: it changes what it takes.")
_KEPT_ANOTHER = P_("It has another object under this UID, and kept that.")
_ONE_BY_ONE = 8  # so many instances of a series are asked for singly; for more the whole series is


class PeerSender(PlainSender):
    """Carries objects to one peer."""

    def __init__(self, address: PeerAddress, orthanc: OrthancClient, gate: Gate) -> None:
        """Raises PlaceRefused, SettingsRefused where a secret is not at its place."""
        login = (address.user, gate.secret(address.password)) if address.user and address.password else None
        self._node = WebNode(address.url, gate, login=login, verify=address.verify)
        self._orthanc = orthanc

    def send(self, objects: Sequence[DeliveryObject], recorded: Callable[[str], None]) -> list[Outcome]:
        """One after the other. After a failure of the connection the rest is not tried."""
        return send_in_groups([[one] for one in objects], lambda group: [self._send(group[0])])

    def find(self, objects: Sequence[DeliveryObject]) -> set[str] | None:
        """Those that the peer has in full; None where it refuses to tell. Raises DestinationUnreachable."""
        by_series: dict[str, list[DeliveryObject]] = defaultdict(list)
        for one in objects:
            by_series[one.orthanc_series_id].append(one)
        try:
            return {
                one.orthanc_instance_id
                for series, wanted in by_series.items()
                for one, size in self._sizes(series, wanted)
                if (size == one.size_bytes and self._is_equal(one)) or self._was_transcoded(one)
            }
        except _Refused:
            return None
        except requests.RequestException as error:
            raise DestinationUnreachable(failure(error)) from error

    def echo(self) -> EchoResult:
        """Whether it is an Orthanc that lets this user in."""
        try:
            answer = self._node.request("GET", "/system", timeout_s=ECHO_S)
            system = json_of(answer) if answer.status_code == 200 else None
        except requests.JSONDecodeError:
            return EchoResult(answers=False, reason=_NO_ORTHANC)
        except requests.RequestException as error:
            return EchoResult(answers=False, reason=failure(error))
        if answer.status_code != 200:
            return EchoResult(answers=False, reason=refusal(answer))
        if not isinstance(system, dict) or "DicomAet" not in system:
            return EchoResult(answers=False, reason=_NO_ORTHANC)
        said = storable(f"Orthanc {system.get('Version', '')} ({system.get('Name', '')})")
        return EchoResult(answers=True, said=said, can_find=True, can_commit=False)

    def _send(self, one: DeliveryObject) -> Outcome:
        try:
            with fetched(self._orthanc, one.orthanc_instance_id, expected_bytes=one.size_bytes) as given:
                if (depth := given.nesting_beyond()) is not None:
                    return outcome(one, False, reason=_too_deep(depth), begun=False)
                return self._post(one, given)
        except NotFound:
            return gone(one)

    def _post(self, one: DeliveryObject, given: FetchedObject) -> Outcome:
        headers = {"Content-Type": "application/dicom", "Content-Length": str(given.size_bytes)}
        answer = self._node.request("POST", "/instances", data=given.file, headers=headers)
        if answer.status_code != 200:
            return outcome(one, False, reason=refusal(answer))
        if _json(answer).get("ID") != one.orthanc_instance_id:
            return outcome(one, False, reason=_OTHER_NAME)
        found = self._node.request("GET", f"/instances/{one.orthanc_instance_id}")
        size = _json(found).get("FileSize") if found.status_code == 200 else None
        if size == given.size_bytes and not self._is_equal(one):
            return outcome(one, False, reason=_KEPT_ANOTHER)
        if size == given.size_bytes or (size is not None and self._was_transcoded(one)):
            return outcome(one, True, proof=Proof.STORED)
        there = P_("It has %(size)s of %(whole)s bytes.", size=size or 0, whole=given.size_bytes)
        return outcome(one, False, reason=there)

    def _sizes(self, series: str, wanted: Sequence[DeliveryObject]) -> Iterator[tuple[DeliveryObject, int]]:
        """The size of each of these that the peer has."""
        if len(wanted) <= _ONE_BY_ONE:
            for one in wanted:
                if (found := self._get(f"/instances/{one.orthanc_instance_id}")) is not None:
                    yield one, int(found["FileSize"])
            return
        there = {item["ID"]: int(item["FileSize"]) for item in self._get(f"/series/{series}/instances") or ()}
        yield from ((one, there[one.orthanc_instance_id]) for one in wanted if one.orthanc_instance_id in there)

    def _is_equal(self, one: DeliveryObject) -> bool:
        """By both Orthancs' checksums; where one keeps none, the sizes are all that tells."""
        path = f"/instances/{one.orthanc_instance_id}/attachments/dicom/md5"
        there = self._node.request("GET", path)
        try:
            here = self._orthanc.get_bytes(path)
        except NotFound:
            return True
        return there.status_code != 200 or there.content.strip() == here.strip()

    def _was_transcoded(self, one: DeliveryObject) -> bool:
        path = f"/instances/{one.orthanc_instance_id}/metadata/TransferSyntax"
        there = self._node.request("GET", path)
        try:
            here = self._orthanc.get_bytes(path)
        except NotFound:
            return False
        return there.status_code == 200 and there.content.strip() != here.strip()

    def _get(self, path: str) -> Any:
        """Its JSON; None where it has no such resource."""
        answer = self._node.request("GET", path)
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise _Refused(refusal(answer))
        return json_of(answer)


class _Refused(Exception):
    """The peer answered a question with an error."""


def _too_deep(depth: int) -> str:
    return P_("Its sequences are nested %(depth)s deep: an Orthanc to which it is uploaded ends.", depth=depth)


def _json(answer: requests.Response) -> dict[str, Any]:
    found = json_of(answer)
    return found if isinstance(found, dict) else {}
