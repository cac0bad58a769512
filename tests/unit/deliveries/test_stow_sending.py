"""STOW-RS and QIDO-RS against servers that answer in every way that real ones do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.places import gate
from treegarth.errors import SettingsRefused
from treegarth.features.deliveries.addresses import DicomwebAddress
from treegarth.features.deliveries.model import DeliveryObject, Proof
from treegarth.features.deliveries.senders.dicomweb import DicomwebSender
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable
from treegarth.orthanc.client import OrthancAddress, OrthancClient

BYTES = b"DICM" * 300


class Node:
    """One HTTP server that plays both parts: the Orthanc that holds the files, and the DICOMweb server."""

    def __init__(self) -> None:
        self.failing: dict[str, int] = {}  # SOP instance UID → failure reason
        self.most = 1000  # objects in a request
        self.status: int | None = None  # answered to every STOW request
        self.silent = False  # nothing in the answer tells of objects
        self.breaks = False  # the connection breaks when a request has been read
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.asked: list[str] = []  # as it came over the line
        self.stored: list[str] = []
        self.page_limit = 3  # whatever limit is asked for
        self.qido_status = 200
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stow(self, body: bytes) -> tuple[int, object]:
        uids = _uids(body)
        if self.status is not None:
            return self.status, {}
        if len(uids) > self.most:
            return 413, {}
        failed = [uid for uid in uids if uid in self.failing]
        stored = [uid for uid in uids if uid not in self.failing]
        self.stored += stored
        if self.silent:
            return (200 if not failed else 202), {}
        answer = {
            "00081199": {"vr": "SQ", "Value": [_item(uid) for uid in stored]},
            "00081198": {"vr": "SQ", "Value": [_item(uid, self.failing[uid]) for uid in failed]},
        }
        return (200 if not failed else 202 if stored else 409), answer

    def qido(self, query: dict[str, list[str]]) -> tuple[int, object]:
        first = int(query.get("offset", ["0"])[0])
        found = self.stored[first : first + self.page_limit]
        return self.qido_status, [{"00080018": {"vr": "UI", "Value": [uid]}} for uid in found]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                node.asked.append(self.path)
                place = urlsplit(self.path)
                parts = place.path.split("/")
                if parts[1] == "instances":
                    self._answer(404 if parts[2] == "gone" else 200, f"UID={parts[2]};".encode() + BYTES)
                    return
                status, answer = node.qido(parse_qs(place.query))
                self._answer(status, json.dumps(answer).encode())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                node.requests.append((dict(self.headers), body))
                if node.breaks:
                    self.close_connection = True
                    return
                status, answer = node.stow(body)
                self._answer(status, json.dumps(answer).encode())

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/dicom+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Not into the test's output."""

        return Handler


def _uids(body: bytes) -> list[str]:
    return [part.split(b";")[0].decode() for part in body.split(b"UID=")[1:]]


def _item(uid: str, reason: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [uid]}}
    return found if reason is None else {**found, "00081197": {"vr": "US", "Value": [reason]}}


@pytest.fixture
def node() -> Iterator[Node]:
    made = Node()
    yield made
    made.server.shutdown()
    made.server.server_close()


def sender_of(node: Node, **address: Any) -> DicomwebSender:
    orthanc = OrthancClient(OrthancAddress(url=node.url))
    given = DicomwebAddress.model_validate({"url": f"{node.url}/web", **address})
    return DicomwebSender(given, orthanc, gate(environment={"TOKEN": "t0ken"}))


def objects(*uids: str) -> list[DeliveryObject]:
    """Objects whose identifier in Orthanc is their UID."""
    places = dict.fromkeys(("orthanc_series_id", "orthanc_study_id", "study_instance_uid", "series_instance_uid"), "1")
    return [
        DeliveryObject(
            destination_id=1,
            orthanc_instance_id=uid,
            sop_instance_uid=uid,
            sop_class_uid=None,
            size_bytes=len(BYTES),
            proof_wanted="best",
            **places,
        )
        for uid in uids
    ]


def nothing(orthanc_job_id: str) -> None:
    """Orthanc's jobs have no part in this."""


def sent(node: Node, *uids: str) -> dict[str, tuple[bool | None, str | None]]:
    outcomes = sender_of(node).send(objects(*uids), nothing)
    assert [one.orthanc_instance_id for one in outcomes if one.begun] == [uid for uid in uids if uid != "gone"]
    return {one.orthanc_instance_id: (one.arrived, one.reason) for one in outcomes}


def test_a_request_is_one_that_the_standard_describes(node: Node) -> None:
    sender = sender_of(node, token={"environment": "TOKEN"}, headers={"X-Site": "seoul"})
    assert [one.proof for one in sender.send(objects("1", "2"), nothing)] == [Proof.STATUS, Proof.STATUS]
    [(headers, body)] = node.requests
    boundary = headers["Content-Type"].rpartition("boundary=")[2]
    assert headers["Content-Type"].startswith('multipart/related; type="application/dicom"; ')
    assert (headers["Authorization"], headers["X-Site"]) == ("Bearer t0ken", "seoul")
    first, *parts, last = body.split(f"--{boundary}".encode())
    assert (first, last) == (b"", b"--\r\n")
    assert parts == [
        f"\r\nContent-Type: application/dicom\r\n\r\nUID={uid};".encode() + BYTES + b"\r\n" for uid in ("1", "2")
    ]


@pytest.mark.parametrize("secret", ["t0ken\r\nX-Admin: yes", "two words", "비밀", ""])
def test_a_token_that_could_be_more_than_one_is_refused_and_not_repeated(node: Node, secret: str) -> None:
    given = DicomwebAddress.model_validate({"url": node.url, "token": {"environment": "TOKEN"}})
    with pytest.raises(SettingsRefused, match="no bearer token") as refused:
        DicomwebSender(given, OrthancClient(OrthancAddress(url=node.url)), gate(environment={"TOKEN": secret}))
    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize("uid", ["1/../../admin", "..", "1?delete=all", "1#x", "1 2", "1%2F2"])
def test_a_uid_that_is_none_stays_one_part_of_the_path(node: Node, uid: str) -> None:
    sender_of(node).find([replace(objects("1")[0], study_instance_uid=uid)])
    path = node.asked[-1].partition("?")[0]
    assert path.startswith("/web/studies/")
    assert path.endswith("/series/1/instances")
    assert path.count("/") == 6


def test_each_object_has_its_own_answer(node: Node) -> None:
    node.failing = {"2": 0x0122, "3": 0x0111}
    assert sent(node, "1", "2", "3", "gone") == {
        "1": (True, None),
        "2": (False, "It refused the object: SOP class not supported (0122)."),
        "3": (None, "It has the object already (0111)."),  # to be asked for
        "gone": (False, "It is not in Orthanc any more."),
    }


def test_a_bare_409_leaves_open_what_is_there_and_is_no_silence(node: Node) -> None:
    node.status = 409
    told = sender_of(node).send(objects("1", "2"), nothing)
    assert {(one.arrived, one.answered, one.reason) for one in told} == {(None, True, "It answered 409 Conflict.")}


def test_an_answer_that_tells_of_no_object_is_believed_only_when_all_went_well(node: Node) -> None:
    node.silent = True
    assert sent(node, "1", "2") == {"1": (True, None), "2": (True, None)}
    node.failing = {"2": 0x0110}
    assert {arrived for arrived, _ in sent(node, "1", "2").values()} == {None}


def test_too_large_a_request_is_halved_until_it_fits(node: Node) -> None:
    node.most = 2
    assert {arrived for arrived, _ in sent(node, "1", "2", "3", "4", "5").values()} == {True}
    assert sorted(node.stored) == ["1", "2", "3", "4", "5"]
    node.most = 0
    assert sent(node, "1") == {"1": (False, f"It answered 413 {HTTPStatus(413).phrase}.")}


def test_a_server_that_refuses_for_now_is_unreachable_and_a_wrong_address_is_said(node: Node) -> None:
    node.status = 503
    with pytest.raises(DestinationUnreachable, match="It answered 503"):
        sender_of(node).send(objects("1"), nothing)
    node.status = 404
    assert sent(node, "1") == {"1": (False, "It answered 404: there is nothing at this address.")}


def test_what_was_on_its_way_when_the_connection_broke_may_have_arrived(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treegarth.features.deliveries.senders.dicomweb.REQUEST_OBJECTS", 2)
    node.breaks = True
    outcomes = sender_of(node).send(objects("1", "2", "3"), nothing)
    assert [(one.arrived, one.begun) for one in outcomes] == [(None, True), (None, True), (False, False)]
    node.breaks, node.status = False, 504
    assert [one.arrived for one in sender_of(node).send(objects("1"), nothing)] == [None]


def test_a_search_goes_on_until_all_are_found_or_nothing_new_comes(node: Node) -> None:
    node.stored = [str(number) for number in range(8)]  # the server gives three at once, however many are asked for
    assert sender_of(node).find(objects("7", "2", "9")) == {"7", "2"}


@pytest.mark.parametrize(("status", "found"), [(204, set()), (400, None), (501, None)])
def test_a_server_that_cannot_be_asked_is_not_one_that_has_nothing(
    node: Node, status: int, found: set[str] | None
) -> None:
    node.qido_status = status
    assert sender_of(node).find(objects("1")) == found
    assert sender_of(node).echo().answers is (status in (204, 501))
