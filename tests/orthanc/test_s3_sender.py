"""The sender to S3, from a real Orthanc to moto's server over HTTP."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import boto3
import pydicom
import pytest
import requests

from tests.delivery_peers import s3_server
from tests.places import gate
from tests.servers import OrthancServer
from tests.studies import small_studies
from treegarth.dicom.headers import orthanc_identifiers, read_header
from treegarth.features.deliveries.addresses import Kind, S3Address
from treegarth.features.deliveries.destinations import Destination
from treegarth.features.deliveries.factory import make_retriever, make_sender
from treegarth.features.deliveries.model import DeliveryObject, Proof
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable, Sender
from treegarth.orthanc.client import OrthancAddress, OrthancClient

BUCKET = "images"


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancClient]:
    folder = tmp_path_factory.mktemp("s3")
    with OrthancServer(folder / "source", treegarth=None).start() as server:
        for path in small_studies(folder / "objects", studies=1, series=1, instances=4):
            requests.post(f"{server.url}/instances", data=path.read_bytes(), timeout=120).raise_for_status()
        client = OrthancClient(OrthancAddress(url=server.url))
        yield client
        client.close()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """moto's server with an empty bucket."""
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(endpoint: str) -> Iterator[Any]:
    """The bucket, seen by another client; empty for each test."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    client.delete_bucket(Bucket=BUCKET)
    client.close()


@pytest.fixture
def objects(orthanc: OrthancClient) -> list[DeliveryObject]:
    found = []
    for instance in orthanc.get("/instances", parameters={"expand": ""}):
        header = read_header(orthanc.get_bytes(f"/instances/{instance['ID']}/file"))
        names = orthanc_identifiers(header)
        found.append(
            DeliveryObject(
                destination_id=1,
                orthanc_instance_id=names.instance,
                orthanc_series_id=names.series,
                orthanc_study_id=names.study,
                study_instance_uid=header.study_instance_uid,
                series_instance_uid=header.series_instance_uid,
                sop_instance_uid=header.sop_instance_uid,
                sop_class_uid=header.sop_class_uid,
                size_bytes=instance["FileSize"],
                proof_wanted="best",
            )
        )
    return found


def sender_of(endpoint: str, orthanc: OrthancClient, **address: Any) -> Sender:
    secret = {"access_key_id": "k", "secret_access_key": {"environment": "SECRET"}}
    settings = S3Address.model_validate({"endpoint_url": endpoint, "bucket": BUCKET, **secret, **address})
    destination = Destination(id=1, name="bucket", kind=Kind.S3, address=settings)
    return make_sender(destination, orthanc, gate(environment={"SECRET": "s"}))


def nothing(orthanc_job_id: str) -> None:
    """Orthanc has no part in this."""


def names(bucket: Any) -> list[str]:
    return [item["Key"] for item in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def test_objects_are_put_with_their_checksum_and_found_again(
    endpoint: str, bucket: Any, orthanc: OrthancClient, objects: list[DeliveryObject]
) -> None:
    sender = sender_of(endpoint, orthanc, prefix="pacs/")
    echo = sender.echo()
    assert (echo.answers, echo.can_find) == (True, True)
    assert sender.find(objects) == set()
    outcomes = sender.send(objects, nothing)
    assert [(one.arrived, one.proof) for one in outcomes] == [(True, Proof.STORED)] * 4
    one = objects[0]
    key = f"pacs/{one.study_instance_uid}/{one.series_instance_uid}/{one.sop_instance_uid}.dcm"
    found = bucket.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
    data = orthanc.get_bytes(f"/instances/{one.orthanc_instance_id}/file")
    assert found["Body"].read() == data
    assert found["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert sender.find(objects) == {one.orthanc_instance_id for one in objects}
    sender.send(objects, nothing)
    assert len(names(bucket)) == 4


def test_a_large_object_goes_in_parts(
    endpoint: str, bucket: Any, orthanc: OrthancClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treegarth.features.deliveries.senders.s3.PART_BYTES", 5 << 20)
    data_set = small_object(orthanc, pixel_bytes=12 << 20)
    stored = orthanc.post("/instances", data_set)["ID"]
    header = read_header(data_set)
    one = DeliveryObject(
        destination_id=1,
        orthanc_instance_id=stored,
        orthanc_series_id="",
        orthanc_study_id="",
        study_instance_uid=header.study_instance_uid,
        series_instance_uid=header.series_instance_uid,
        sop_instance_uid=header.sop_instance_uid,
        sop_class_uid=None,
        size_bytes=len(data_set),
        proof_wanted="best",
    )
    sender = sender_of(endpoint, orthanc)
    [outcome] = sender.send([one], nothing)
    assert (outcome.arrived, outcome.proof) == (True, Proof.STORED)
    [name] = names(bucket)
    assert bucket.get_object(Bucket=BUCKET, Key=name)["Body"].read() == data_set
    orthanc.delete(f"/instances/{stored}")
    assert sender.send([one], nothing)[0].gone


def test_objects_of_the_same_uids_do_not_overwrite_each_other(
    endpoint: str, bucket: Any, orthanc: OrthancClient, objects: list[DeliveryObject]
) -> None:
    first, second = objects[:2]
    same = replace(second, sop_instance_uid=first.sop_instance_uid, series_instance_uid=first.series_instance_uid)
    sender = sender_of(endpoint, orthanc)
    sender.send([first, same], nothing)
    assert len(names(bucket)) == 2
    assert sender.find([first, same]) == {first.orthanc_instance_id, same.orthanc_instance_id}


def test_a_uid_and_a_prefix_lead_to_no_other_bucket(
    endpoint: str, bucket: Any, orthanc: OrthancClient, objects: list[DeliveryObject]
) -> None:
    one = replace(objects[0], study_instance_uid="../../other", series_instance_uid="..")
    sender = sender_of(endpoint, orthanc, prefix="a/../../other/")
    [outcome] = sender.send([one], nothing)
    assert outcome.arrived, outcome.reason
    assert names(bucket) == [f"a/__/__/other/..%2F..%2Fother/__/{one.sop_instance_uid}.dcm"]
    assert sender.find([one]) == {one.orthanc_instance_id}


def test_what_is_wrong_is_said(
    endpoint: str, bucket: Any, orthanc: OrthancClient, objects: list[DeliveryObject]
) -> None:
    missing = sender_of(endpoint, orthanc, bucket="nowhere")
    assert missing.echo().reason == "There is no such bucket."
    with pytest.raises(DestinationUnreachable, match="no such bucket"):
        missing.send(objects, nothing)
    silent = sender_of("http://127.0.0.1:9", orthanc)
    assert silent.echo().reason == "It could not be reached, or the connection broke."
    with pytest.raises(DestinationUnreachable):
        silent.send(objects, nothing)
    with pytest.raises(DestinationUnreachable):
        silent.find(objects)


def test_a_server_of_this_machine_that_is_not_listed_is_not_connected_to(
    endpoint: str, bucket: Any, orthanc: OrthancClient, objects: list[DeliveryObject], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = socket.getaddrinfo

    def known(host: str, *given: Any, flags: int = 0, **named: Any) -> Any:
        asks = host == "pacs.test" and not flags & socket.AI_NUMERICHOST
        return ask("127.0.0.1" if asks else host, *given, flags=flags, **named)

    monkeypatch.setattr(socket, "getaddrinfo", known)
    address = {"endpoint_url": endpoint.replace("127.0.0.1", "pacs.test"), "bucket": BUCKET, "access_key_id": "k"}
    given = S3Address.model_validate({**address, "secret_access_key": {"environment": "SECRET"}})
    destination = Destination(id=1, name="bucket", kind=Kind.S3, address=given)
    listed = gate(environment={"SECRET": "s"}, LocalAddresses=[])
    sender = make_sender(destination, orthanc, listed)
    said = r"pacs\.test is 127\.0\.0\.1.*DestinationPlaces\.LocalAddresses"
    for use in (lambda: sender.send(objects, nothing), lambda: sender.find(objects)):
        with pytest.raises(DestinationUnreachable, match=said):
            use()
    assert re.match(said, sender.echo().reason or "")
    with pytest.raises(DestinationUnreachable):
        make_retriever(destination, orthanc, listed).retrieve(objects)
    assert names(bucket) == []


def test_what_the_proxy_variables_say_is_not_asked(
    endpoint: str, bucket: Any, orthanc: OrthancClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert sender_of(endpoint, orthanc).echo().answers


def test_what_is_put_there_begins_as_dicom_whatever_the_object_began_with(
    endpoint: str, bucket: Any, orthanc: OrthancClient, objects: list[DeliveryObject]
) -> None:
    whole = small_object(orthanc, pixel_bytes=1000)
    sender = sender_of(endpoint, orthanc)
    for given, added in ((b"\x7fELF".ljust(128, b"A") + whole[128:], 0), (whole[132:], 132)):
        stored = orthanc.post("/instances", given)["ID"]
        one = replace(
            objects[0],
            orthanc_instance_id=stored,
            sop_instance_uid=read_header(whole).sop_instance_uid,
            size_bytes=len(given),
        )
        [outcome] = sender.send([one], nothing)
        assert outcome.arrived, outcome.reason
        [name] = names(bucket)
        assert bucket.get_object(Bucket=BUCKET, Key=name)["Body"].read() == bytes(128) + whole[128:]
        assert bucket.head_object(Bucket=BUCKET, Key=name)["Metadata"]["added-bytes"] == str(added)
        assert sender.find([one]) == {stored}
        orthanc.delete(f"/instances/{stored}")


def small_object(orthanc: OrthancClient, *, pixel_bytes: int) -> bytes:
    """One of Orthanc's objects as another one, with so many bytes of pixels."""
    [first, *_] = orthanc.get("/instances")
    data_set = pydicom.dcmread(BytesIO(orthanc.get_bytes(f"/instances/{first}/file")))
    data_set.SOPInstanceUID = data_set.file_meta.MediaStorageSOPInstanceUID = f"{data_set.SOPInstanceUID}.9"
    data_set.Rows = data_set.Columns = int((pixel_bytes / 2) ** 0.5)
    data_set.BitsAllocated = 16
    data_set.PixelData = bytes(data_set.Rows * data_set.Columns * 2)
    written = BytesIO()
    data_set.save_as(written)
    return written.getvalue()
