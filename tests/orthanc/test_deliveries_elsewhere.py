"""From Treegarth in a real Orthanc to a peer, a DICOMweb server, a folder and a bucket: all arrives, with proof."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import requests

from tests.delivery_peers import s3_client, s3_server
from tests.places import places
from tests.servers import OrthancServer
from tests.studies import small_studies

BUCKET = "images"
PROOFS = {"peer": "stored", "web": "qido", "folder": "stored", "bucket": "stored"}


@pytest.fixture
def bucket_url() -> Iterator[str]:
    with s3_server() as url:
        yield url


def post(server: OrthancServer, path: str, body: object | None = None) -> Any:
    answer = requests.post(f"{server.api}/{path}", json=body, timeout=120)
    assert answer.ok, answer.text
    return answer.json()


def delivered(server: OrthancServer, expected: int, timeout_s: float = 180) -> list[dict[str, Any]]:
    """Every row of the ledger, when so many are confirmed."""
    deadline, found = monotonic() + timeout_s, []
    while monotonic() < deadline:
        found = server.get("deliveries", limit=1000)["items"]
        if sum(item["state"] == "arrived" for item in found) == expected:
            return list(found)
        sleep(0.5)
    raise AssertionError(f"not confirmed: {[(i['destination'], i['state'], i['last_error']) for i in found]}")


@pytest.mark.soak
def test_a_study_arrives_at_destinations_of_every_kind(new_server: Any, bucket_url: str, tmp_path: Path) -> None:
    target = new_server("target", treegarth=None, plugins=("libOrthancDicomWeb.so",)).start()
    server = new_server(
        "server",
        treegarth={"DestinationPlaces": places(tmp_path, SecretEnvironment=["BUCKET_*"])},
        environment={"BUCKET_SECRET": "s"},
    ).start()
    with s3_client(bucket_url) as client:
        client.create_bucket(Bucket=BUCKET)
    secret = {"access_key_id": "k", "secret_access_key": {"environment": "BUCKET_SECRET"}}
    addresses: dict[str, tuple[str, dict[str, Any]]] = {
        "peer": ("peer", {"url": target.url}),
        "web": ("dicomweb", {"url": f"{target.url}/dicom-web"}),
        "folder": ("folder", {"path": str(tmp_path / "out")}),
        "bucket": ("s3", {"endpoint_url": bucket_url, "bucket": BUCKET, **secret}),
    }
    for name, (kind, address) in addresses.items():
        made = post(server, "destinations", {"document": {"name": name, "kind": kind, "address": address}})
        assert post(server, f"destinations/{made['id']}/echo")["answers"] is True
    for path in small_studies(tmp_path / "objects", studies=1, series=2, instances=5):
        requests.post(f"{server.url}/instances", data=path.read_bytes(), timeout=120).raise_for_status()
    server.wait_until_idle()
    [study] = server.get("studies")["items"]
    for name in addresses:
        post(server, "deliveries", {"study_instance_uid": study["study_instance_uid"], "destination": name})
    rows = delivered(server, 40)
    assert {(row["destination"], row["proof"]) for row in rows} == set(PROOFS.items())
    assert set(target.orthanc("instances")) == set(server.orthanc("instances"))
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 10
    with s3_client(bucket_url) as client:
        assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 10
    states = {item["name"]: item["state"] for item in server.get("destinations")["items"]}
    assert states == dict.fromkeys(addresses, "up")
    metrics = requests.get(f"{server.base_url}/metrics", timeout=120)
    assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'treegarth_delivery_objects{destination="web",state="waiting"} 0.0' in metrics.text


def test_a_destination_is_changed_and_removed_through_orthanc(new_server: Any, tmp_path: Path) -> None:
    server = new_server("server").start()
    body = {"name": "folder", "kind": "folder", "address": {"path": str(tmp_path / "out")}}
    one = f"{server.api}/destinations/{post(server, 'destinations', {'document': body})['id']}"
    edit = {"document": {**body, "max_attempts": 3}, "version": 1}
    changed = requests.put(one, json=edit, timeout=120)
    assert (changed.status_code, changed.json()["document"]["max_attempts"]) == (200, 3)
    assert requests.put(one, json={"document": {**body, "kind": "ftp"}, "version": 2}, timeout=120).status_code == 400
    assert requests.delete(one, timeout=120).json()["state"] == "removed"
    assert server.get("destinations") == {"items": []}
