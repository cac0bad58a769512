"""What is tried with destinations, by whoever may log in: nothing is written, read or reached but what is listed."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any, cast

import pydicom
import pytest
import requests

from tests.delivery_support import ledger_of
from tests.orthanc.conftest import ServerFactory
from tests.places import gate, places
from tests.sender_support import arrived, destination_of, ids, nothing, sender_of
from tests.servers import OrthancServer, store
from tests.studies import small_studies
from treegarth.dicom.headers import orthanc_identifiers, read_header
from treegarth.features.deliveries.factory import make_retriever, make_sender
from treegarth.features.deliveries.model import DeliveryObject, Proof
from treegarth.features.deliveries.retrieval import FolderRetriever
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable
from treegarth.orthanc.client import OrthancClient


@pytest.fixture
def a_name_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> str:
    """A host's name that means 127.0.0.1 to whoever asks the network."""
    ask = socket.getaddrinfo

    def known(host: str, *given: Any, flags: int = 0, **named: Any) -> Any:
        asks = host == "pacs.test" and not flags & socket.AI_NUMERICHOST
        return ask("127.0.0.1" if asks else host, *given, flags=flags, **named)

    monkeypatch.setattr(socket, "getaddrinfo", known)
    return "pacs.test"


def test_a_link_in_the_place_of_a_file_is_neither_followed_nor_taken(
    orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    theirs, pipe = tmp_path / "theirs", tmp_path / "out" / f"{objects[1].sop_instance_uid}.dcm"
    theirs.write_text("theirs")
    pipe.parent.mkdir()
    (tmp_path / "out" / f"{objects[0].sop_instance_uid}.dcm").symlink_to(theirs)
    os.mkfifo(pipe)
    sender = sender_of("folder", orthanc, path=tmp_path / "out", layout="{SOPInstanceUID}")
    assert arrived(sender.send(objects[:2], nothing), Proof.STORED) == ids(objects[:2])
    assert sender.find(objects[:3]) == ids(objects[:2])
    assert theirs.read_text() == "theirs"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_file_that_is_no_object_keeps_its_name_and_its_content(
    orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    (tmp_path / "CT.dcm").write_bytes(b"import os")
    sender = sender_of("folder", orthanc, path=tmp_path, layout="{Modality}.pth")
    (tmp_path / "CT.pth.dcm").write_bytes(b"import os")
    assert arrived(sender.send(objects[:1], nothing), Proof.STORED) == ids(objects[:1])
    assert (tmp_path / "CT.pth.dcm").read_bytes() == (tmp_path / "CT.dcm").read_bytes() == b"import os"
    new = {f"CT.pth {objects[0].orthanc_instance_id[:8]}.dcm", ".treegarth-incoming"}
    assert {path.name for path in tmp_path.iterdir()} == {"CT.dcm", "CT.pth.dcm"} | new


def test_what_is_written_begins_as_dicom_ends_in_dcm_and_is_for_its_group_alone(
    source: OrthancServer, orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    data = orthanc.get_bytes(f"/instances/{objects[0].orthanc_instance_id}/file")
    data_set = pydicom.dcmread(BytesIO(data))
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    written = BytesIO()
    data_set.save_as(written)
    program = b"\x7fELF".ljust(128, b"A") + written.getvalue()[128:]
    stored = requests.post(f"{source.url}/instances", data=program, timeout=120).json()["ID"]
    one = replace(objects[0], orthanc_instance_id=stored, sop_instance_uid="1.2.3.4.5", size_bytes=len(program))
    before = os.umask(0)
    try:
        sender = sender_of("folder", orthanc, path=tmp_path / "out", layout="{PatientID}/{SOPInstanceUID}")
        assert arrived(sender.send([one], nothing), Proof.STORED) == {stored}
    finally:
        os.umask(before)
        requests.delete(f"{source.url}/instances/{stored}", timeout=120).raise_for_status()
    [path] = (tmp_path / "out").rglob("*.dcm")
    assert path.read_bytes() == bytes(128) + program[128:]
    modes = {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "out").rglob("*") if each.is_dir()}
    assert (stat.S_IMODE(path.stat().st_mode), modes) == (0o640, {0o750})


def test_a_file_from_before_whose_preamble_is_the_senders_is_the_object_still(
    orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    one = objects[0]
    data = orthanc.get_bytes(f"/instances/{one.orthanc_instance_id}/file")
    (tmp_path / f"{one.sop_instance_uid}.dcm").write_bytes(b"II*\0".ljust(128, b"\0") + data[128:])
    sender = sender_of("folder", orthanc, path=tmp_path, layout="{SOPInstanceUID}.dcm")
    assert sender.find([one]) == ids([one])


def test_a_folder_gives_back_what_it_has_and_nothing_that_a_link_leads_to(
    orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    sender = sender_of("folder", orthanc, path=tmp_path / "out")
    sender.send(objects[:2], nothing)
    paths = sorted((tmp_path / "out").rglob("*.dcm"))
    (tmp_path / "elsewhere").mkdir()
    paths[0].rename(tmp_path / "elsewhere" / "moved.dcm")
    paths[0].symlink_to(tmp_path / "elsewhere" / "moved.dcm")
    retriever = cast(
        FolderRetriever, make_retriever(destination_of("folder", path=tmp_path / "out"), orthanc, gate(tmp_path))
    )
    given_back = [orthanc_identifiers(read_header(content)).instance for content in retriever.files(objects)]
    assert len(given_back) == 1
    assert given_back[0] in ids(objects[:2])


@pytest.mark.parametrize("kind", ["peer", "dicomweb"])
def test_a_server_of_this_machine_that_is_not_listed_is_not_connected_to(
    kind: str,
    target: OrthancServer,
    orthanc: OrthancClient,
    objects: list[DeliveryObject],
    a_name_of_this_machine: str,
) -> None:
    url = f"http://{a_name_of_this_machine}:{target.http_port}{'/dicom-web' if kind == 'dicomweb' else ''}"
    listed = gate(LocalAddresses=[], Addresses=[a_name_of_this_machine])
    sender = make_sender(destination_of(kind, url=url), orthanc, listed)
    said = r"pacs\.test is 127\.0\.0\.1.*DestinationPlaces\.LocalAddresses"
    uses: list[Callable[[], object]] = [lambda: sender.send(objects[:2], nothing), lambda: sender.find(objects[:2])]
    for use in uses:
        with pytest.raises(DestinationUnreachable, match=said):
            use()
    assert re.match(said, sender.echo().reason or "")
    with pytest.raises(DestinationUnreachable, match=said):
        make_retriever(destination_of(kind, url=url), orthanc, listed).retrieve(objects[:1])
    assert target.orthanc("instances") == []


def test_a_node_of_this_machine_that_is_not_listed_is_not_handed_to_orthanc(
    source: OrthancServer, orthanc: OrthancClient, objects: list[DeliveryObject], a_name_of_this_machine: str
) -> None:
    node = destination_of("dicom", ae_title="X", host=a_name_of_this_machine, port=4242)
    sender, retriever = (make(node, orthanc, gate(LocalAddresses=[])) for make in (make_sender, make_retriever))
    uses: list[Callable[[], object]] = [
        lambda: sender.send(objects[:2], nothing),
        lambda: sender.find(objects[:2]),
        lambda: sender.commit([replace(objects[0], sop_class_uid="1.2")]),
        lambda: sender.echo(),
        lambda: retriever.retrieve(objects[:1]),
    ]
    for use in uses:
        with pytest.raises(DestinationUnreachable, match=r"DestinationPlaces\.LocalAddresses"):
            use()
    assert "treegarth-1" not in source.orthanc("modalities")


def test_a_node_gets_no_rights_by_being_sent_to_and_the_address_that_was_judged(
    source: OrthancServer, orthanc: OrthancClient
) -> None:
    rights = ("AllowFind", "AllowFindWorklist", "AllowGet", "AllowMove")
    own = {"AET": "PACS", "Host": "10.0.0.7", "Port": 104, "AllowMove": False}
    requests.put(f"{source.url}/modalities/pacs", json=own, timeout=120).raise_for_status()
    for title, expected in (("NEW", [False, False, False, False]), ("PACS", [True, True, True, False])):
        node = destination_of("dicom", ae_title=title, host="127.1", port=9)
        assert make_sender(node, orthanc, gate()).echo().answers is False
        told = source.orthanc("modalities", expand="")["treegarth-1"]
        assert (told["AET"], told["Host"]) == (title, "127.0.0.1")
        assert [told[right] for right in rights] == expected  # those that Orthanc's own entry gives, if there is one
    for name in ("pacs", "treegarth-1"):
        requests.delete(f"{source.url}/modalities/{name}", timeout=120).raise_for_status()


def test_a_destination_from_before_the_setting_waits_with_the_reason_and_goes_on_when_it_is_listed(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    exports, server = tmp_path / "exports", new_server(treegarth={"DestinationPlaces": {}}).start()
    exports.mkdir()
    store(server, *small_studies(tmp_path / "objects", studies=1, series=1, instances=3))
    server.wait_until_idle()
    with ledger_of(server) as ledger:
        out = {"name": "out", "kind": "folder", "address": {"path": str(exports / "dose")}}
        web = {"name": "web", "kind": "dicomweb", "address": {"url": server.url, "token": {"file": "/etc/passwd"}}}
        numbers = [ledger.add(one) for one in (out, web)]  # as a version without the setting let people
        assert ledger.request(numbers) == 6
        for number, key in zip(numbers, ("Folders", "LocalAddresses"), strict=True):
            told = wait_for_error(server, number)
            assert f"Treegarth.DestinationPlaces.{key}" in told
            assert ledger.states(number) == {("waiting", None): 3}
            assert {one.attempts for one in ledger.objects(number)} == {0}
    assert list(exports.iterdir()) == []
    asked = subprocess.run(
        [sys.executable, "-m", "treegarth.command_line", "check", "--config", str(server.folder / "orthanc.json")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert asked.returncode == 1
    for said in ("destination out: Files may not be written to", "destination web: ", "SecretFiles"):
        assert said in asked.stdout
    assert server.stop() == 0

    server.treegarth = {"DestinationPlaces": places(exports)}
    server.start()
    with ledger_of(server) as ledger:
        ledger.wait_until(numbers[0], {("confirmed", "stored"): 3}, timeout_s=180)
        assert {one.attempts for one in ledger.objects(numbers[0])} == {1}
    assert len(list((exports / "dose").rglob("*.dcm"))) == 3
    assert "SecretFiles" in server.get(f"destinations/{numbers[1]}")["refused"][0]


def wait_for_error(server: OrthancServer, number: int, timeout_s: float = 180) -> str:
    """The last error of a destination, when it has one."""
    deadline = monotonic() + timeout_s
    while not (told := server.get(f"destinations/{number}")["last_error"]):
        assert monotonic() < deadline, "no delivery was tried"
        sleep(0.2)
    return str(told)
