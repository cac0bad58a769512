"""The senders that are not DICOM, from a real Orthanc: to a second one, by DICOMweb, and into a folder."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
import requests

from tests.bad_objects import uid
from tests.deep_objects import KILLS_ORTHANC, deep_object
from tests.places import gate
from tests.sender_support import arrived, destination_of, ids, nothing, sender_of
from tests.servers import OrthancServer, store
from treegarth.errors import ObjectsKeptBack
from treegarth.features.deliveries.factory import make_retriever, make_sender
from treegarth.features.deliveries.model import DeliveryObject, Proof
from treegarth.features.deliveries.senders.dicomweb import requests_of
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable
from treegarth.orthanc.client import OrthancClient

NOWHERE = "http://127.0.0.1:9"


def vanished(one: DeliveryObject) -> DeliveryObject:
    """An object that is no longer in Orthanc."""
    return replace(one, orthanc_instance_id="0" * 8, sop_instance_uid="1.2.3.4")


def test_a_peer_gets_each_object_and_says_that_it_has_it(
    target: OrthancServer, orthanc: OrthancClient, objects: list[DeliveryObject]
) -> None:
    sender = sender_of("peer", orthanc, url=target.url)
    assert sender.echo().answers
    assert sender.find(objects) == set()
    first = objects[:15]
    assert arrived(sender.send(first, nothing), Proof.STORED) == ids(first)
    assert sender.find(objects) == ids(first)
    assert arrived(sender.send(objects, nothing), Proof.STORED) == ids(objects)  # again is no harm
    assert set(target.orthanc("instances")) == ids(objects)


def test_a_peer_that_has_other_bytes_does_not_have_the_object(
    target: OrthancServer, orthanc: OrthancClient, objects: list[DeliveryObject]
) -> None:
    one = objects[0]
    data = orthanc.get_bytes(f"/instances/{one.orthanc_instance_id}/file")
    data_set = pydicom.dcmread(BytesIO(data))
    data_set.ImageComments = "changed on the way"
    changed = BytesIO()
    data_set.save_as(changed)
    requests.post(f"{target.url}/instances", data=changed.getvalue(), timeout=120).raise_for_status()
    sender = sender_of("peer", orthanc, url=target.url)
    assert sender.find([one]) == set()


def deep_delivery(source: OrthancServer, folder: Path, number: int) -> DeliveryObject:
    """An object that kills an Orthanc to which it is uploaded; by C-STORE a bare one takes it."""
    folder.mkdir()
    (folder / "deep.dcm").write_bytes(deep_object(number, KILLS_ORTHANC))
    store(source, folder)
    (deep,) = requests.post(f"{source.url}/tools/lookup", data=uid(number, 3), timeout=120).json()
    instance = source.orthanc(f"instances/{deep['ID']}")
    series = source.orthanc(f"series/{instance['ParentSeries']}")
    return DeliveryObject(
        destination_id=1,
        orthanc_instance_id=instance["ID"],
        orthanc_series_id=series["ID"],
        orthanc_study_id=series["ParentStudy"],
        study_instance_uid=uid(number, 1),
        series_instance_uid=uid(number, 2),
        sop_instance_uid=uid(number, 3),
        sop_class_uid=None,
        size_bytes=instance["FileSize"],
        proof_wanted="best",
    )


def test_an_object_that_would_end_a_peer_is_not_uploaded_to_it(
    source: OrthancServer,
    target: OrthancServer,
    orthanc: OrthancClient,
    objects: list[DeliveryObject],
    tmp_path: Path,
) -> None:
    deep = deep_delivery(source, tmp_path / "deep", 1)
    outcomes = sender_of("peer", orthanc, url=target.url).send([deep, objects[0]], nothing)
    assert [(one.arrived, one.begun) for one in outcomes] == [(False, False), (True, True)]
    assert outcomes[0].reason == "Its sequences are nested 60 deep: an Orthanc to which it is uploaded ends."
    assert target.orthanc("instances") == [objects[0].orthanc_instance_id]
    orthanc.delete(f"/instances/{deep.orthanc_instance_id}")


def test_an_object_that_would_end_orthanc_is_not_brought_back(
    source: OrthancServer, orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    deep, good = deep_delivery(source, tmp_path / "deep", 2), objects[0]
    there, allowed = destination_of("folder", path=str(tmp_path / "out")), gate(tmp_path)
    assert all(one.arrived for one in make_sender(there, orthanc, allowed).send([deep, good], nothing))
    for one in (deep, good):
        orthanc.delete(f"/instances/{one.orthanc_instance_id}")
    with pytest.raises(ObjectsKeptBack, match="1 of its objects are nested so deep"):
        make_retriever(there, orthanc, allowed).retrieve([deep, good])
    assert orthanc.exists(f"/instances/{good.orthanc_instance_id}")
    assert not orthanc.exists(f"/instances/{deep.orthanc_instance_id}")


@pytest.mark.parametrize("kind", ["peer", "dicomweb"])
def test_an_object_that_left_orthanc_is_gone_and_the_others_go(
    kind: str, target: OrthancServer, orthanc: OrthancClient, objects: list[DeliveryObject]
) -> None:
    url = target.url if kind == "peer" else f"{target.url}/dicom-web"
    outcomes = sender_of(kind, orthanc, url=url).send([objects[0], vanished(objects[1]), objects[2]], nothing)
    assert [one.orthanc_instance_id for one in outcomes if one.gone] == ["0" * 8]
    assert {one.orthanc_instance_id for one in outcomes if one.arrived} == ids([objects[0], objects[2]])


@pytest.mark.parametrize("kind", ["peer", "dicomweb"])
def test_a_server_that_is_not_there_is_unreachable(
    kind: str, orthanc: OrthancClient, objects: list[DeliveryObject]
) -> None:
    sender = sender_of(kind, orthanc, url=NOWHERE)
    with pytest.raises(DestinationUnreachable):
        sender.send(objects[:2], nothing)
    with pytest.raises(DestinationUnreachable):
        sender.find(objects[:2])
    assert sender.echo().reason == "It could not be reached, or the connection broke."


def test_dicomweb_gets_each_object_and_lists_it(
    target: OrthancServer, orthanc: OrthancClient, objects: list[DeliveryObject], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treegarth.features.deliveries.senders.dicomweb.REQUEST_OBJECTS", 7)
    monkeypatch.setattr("treegarth.features.deliveries.senders.dicomweb.PAGE", 4)
    sender = sender_of("dicomweb", orthanc, url=f"{target.url}/dicom-web")
    echo = sender.echo()
    assert (echo.answers, echo.can_find) == (True, True)
    assert sender.find(objects) == set()
    assert arrived(sender.send(objects[:25], nothing), Proof.STATUS) == ids(objects[:25])
    assert sender.find(objects) == ids(objects[:25])
    sender.send(objects, nothing)
    assert sender.find(objects) == ids(objects)
    assert set(target.orthanc("instances")) == ids(objects)


def test_requests_are_bounded_and_name_no_object_twice(
    objects: list[DeliveryObject], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treegarth.features.deliveries.senders.dicomweb.REQUEST_BYTES", objects[0].size_bytes * 3)
    twice = replace(objects[1], orthanc_instance_id="another study's")
    large = replace(objects[2], size_bytes=1 << 40)
    groups = [
        [one.sop_instance_uid for one in group] for group in requests_of([*objects[:2], twice, large, *objects[3:6]])
    ]
    assert [len(group) for group in groups] == [2, 1, 1, 3]


def test_a_login_is_given_from_its_place_and_a_wrong_one_is_said(
    orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    guarded = OrthancServer(
        tmp_path / "guarded",
        treegarth=None,
        settings={
            "AuthenticationEnabled": True,
            "RegisteredUsers": {"sender": "s3cret"},
            "IngestTranscoding": "1.2.840.10008.1.2.1.99",
        },
    )
    with guarded.start(wait=False):
        guarded.wait_until_ready(login=("sender", "s3cret"))
        login = {"url": guarded.url, "user": "sender", "password": {"environment": "PASSWORD"}}
        assert sender_of("peer", orthanc, {"PASSWORD": "s3cret"}, **login).echo().answers
        wrong = sender_of("peer", orthanc, {"PASSWORD": "guess"}, **login)
        assert wrong.echo().reason == "It answered 401: the login is not accepted."
        [outcome] = wrong.send(objects[:1], nothing)
        assert (outcome.arrived, outcome.reason) == (False, "It answered 401: the login is not accepted.")
        right = sender_of("peer", orthanc, {"PASSWORD": "s3cret"}, **login)  # which transcodes what it takes
        assert arrived(right.send(objects[:1], nothing), Proof.STORED) == ids(objects[:1])
        assert right.find(objects[:10]) == ids(objects[:1])


def test_a_folder_gets_readable_files_with_the_objects_bytes(
    orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    sender = sender_of("folder", orthanc, path=tmp_path / "out")
    assert sender.echo().answers
    assert sender.find(objects[:3]) == set()
    assert arrived(sender.send(objects, nothing), Proof.STORED) == ids(objects)
    files = sorted((tmp_path / "out").rglob("*.dcm"))
    assert len(files) == 40
    for one in objects[:3]:
        [path] = (tmp_path / "out").rglob(f"{one.sop_instance_uid}.dcm")
        assert path.read_bytes() == orthanc.get_bytes(f"/instances/{one.orthanc_instance_id}/file")
        assert len(path.relative_to(tmp_path / "out").parts) == 4
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in files}
    sender.send(objects, nothing)  # again: the same files, none beside them
    assert {path: hashlib.sha256(path.read_bytes()).digest() for path in (tmp_path / "out").rglob("*.dcm")} == before
    assert list((tmp_path / "out").rglob("*.part")) == []
    assert sender.find(objects[:3]) == ids(objects[:3])
    files[0].write_bytes(b"changed")
    assert len(sender.find(objects) or ()) == 39


def test_objects_with_one_name_do_not_overwrite_each_other(
    orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    sender = sender_of("folder", orthanc, path=tmp_path, layout="{Modality}.dcm")
    assert arrived(sender.send(objects[:5], nothing), Proof.STORED) == ids(objects[:5])
    assert len(list(tmp_path.glob("*.dcm"))) == 5
    sender.send(objects[:5], nothing)
    assert len(list(tmp_path.glob("*.dcm"))) == 5
    assert sender.find(objects[:6]) == ids(objects[:5])


def test_a_link_in_the_folder_leads_nothing_out(
    orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "CT").symlink_to(tmp_path / "elsewhere")
    sender = sender_of("folder", orthanc, path=tmp_path / "out", layout="{Modality}/{SOPInstanceUID}.dcm")
    [outcome] = sender.send(objects[:1], nothing)
    assert outcome.arrived is False
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_unreachable(
    orthanc: OrthancClient, objects: list[DeliveryObject], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    sender = sender_of("folder", orthanc, path=tmp_path / "file" / "out")
    with pytest.raises(DestinationUnreachable):
        sender.send(objects[:1], nothing)
    assert sender.echo().answers is False
