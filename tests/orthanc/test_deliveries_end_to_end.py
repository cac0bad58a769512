"""A CT study with its dose report is pushed by storescu, and ends at real peers of every kind where the rules say."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pydicom
import requests
from pydicom import Dataset

from tests.delivery_peers import dcmqrscp, s3_client, s3_server, sop_instance_uids, storescp
from tests.orthanc.conftest import ServerFactory
from tests.places import places
from tests.servers import OrthancServer, store
from treegarth.demo.examinations import Extent
from treegarth.demo.hospital_day import hospital_day

BUCKET = "images"
RULES = """\
- name: everything to the stores
  when: study stable
  on: true
  if: "Modality = CT"
  do:
    - deliver: {to: STORE, proof: status}
    - deliver: [files, bucket]
- name: dose objects to the dose PACS
  why: the dose PACS keeps dose reports and one image of each series
  when: study stable
  on: true
  if:
    all:
      - "Modality in [CT, PT, XA]"
      - not: "StudyDescription like '*outside*'"
      - any: ["dose.dlp_total_mgy_cm > 0", "origin.calling_ae_title = 'CTSCANNER1'"]
  do:
    - deliver: {to: NMDOSE, objects: dose and one image per series, proof: find}
- name: a second Orthanc gets each part of the study in another way
  when: study stable
  on: true
  if: "origin.calling_ae_title = 'CTSCANNER1'"
  do:
    - deliver: {to: by DICOM, objects: {series: "SeriesNumber = 1"}}
    - deliver: {to: by DICOMweb, objects: {series: "SeriesNumber = 2"}}
    - deliver: {to: by peer, objects: {series: "Modality = SR"}}
- name: studies from outside
  when: study stable
  on: true
  if: "origin.calling_ae_title = 'OUTSIDE'"
  do:
    - deliver: nowhere
- name: label what has a dose
  when: dose read
  on: true
  if: "dose.dlp_total_mgy_cm > 0"
  do:
    - label: dose
"""


def test_a_ct_study_with_its_dose_report_ends_where_the_rules_say(new_server: ServerFactory, tmp_path: Path) -> None:
    study = _chest_ct(tmp_path / "objects")
    uids = sorted(str(one.SOPInstanceUID) for one in study)
    receiver = new_server(
        "receiver",
        treegarth=None,
        plugins=("libOrthancDicomWeb.so",),
        settings={"DicomAet": "NODE", "DicomAlwaysAllowFind": True},
    ).start(wait=False)
    server = new_server(
        treegarth={
            "StableSeconds": 1,
            "DestinationPlaces": places(tmp_path, SecretEnvironment=["BUCKET_SECRET"]),
        },
        settings={"SaveJobs": False, "ConcurrentJobs": 8},
        environment={"BUCKET_SECRET": "s"},
    ).start()
    receiver.wait_until_ready()
    with ExitStack() as stack:
        store_port = stack.enter_context(storescp(tmp_path / "store", aet="STORE"))
        dose_port = stack.enter_context(dcmqrscp(tmp_path / "dose", aet="NMDOSE"))
        bucket_url = stack.enter_context(s3_server())
        bucket = stack.enter_context(s3_client(bucket_url))
        bucket.create_bucket(Bucket=BUCKET)
        secret = {"access_key_id": "k", "secret_access_key": {"environment": "BUCKET_SECRET"}}
        add(server, "STORE", "dicom", node("STORE", store_port))
        add(server, "NMDOSE", "dicom", node("NMDOSE", dose_port))
        add(server, "by DICOM", "dicom", node("NODE", receiver.dicom_port))
        add(server, "by DICOMweb", "dicomweb", {"url": f"{receiver.url}/dicom-web"})
        add(server, "by peer", "peer", {"url": receiver.url})
        add(server, "files", "folder", {"path": str(tmp_path / "files")})
        add(server, "nowhere", "folder", {"path": str(tmp_path / "nowhere")})
        add(server, "bucket", "s3", {"endpoint_url": bucket_url, "bucket": BUCKET, **secret})
        requests.put(f"{server.api}/rules/text", json={"text": RULES}, timeout=120).raise_for_status()

        store(server, tmp_path / "objects", calling="CTSCANNER1")

        ledger = wait_until_confirmed(server, 3 * len(study) + 3 + len(study))
        assert {(one["destination"], one["proof"]) for one in ledger} == {
            ("STORE", "status"),
            ("NMDOSE", "find"),
            ("by DICOM", "find"),
            ("by DICOMweb", "qido"),
            ("by peer", "stored"),
            ("files", "stored"),
            ("bucket", "stored"),
        }
        assert {one["attempts"] for one in ledger} == {1}
        assert sop_instance_uids(tmp_path / "store") == uids
        assert sop_instance_uids(tmp_path / "files") == uids
        assert sorted(receiver.orthanc("instances")) == sorted(server.orthanc("instances"))
        assert bucket.list_objects_v2(Bucket=BUCKET)["KeyCount"] == len(study)
        assert sop_instance_uids(tmp_path / "nowhere") == []
        assert_dose_only(tmp_path / "dose", study)
    wait_for_label(server, str(study[0].StudyInstanceUID), "dose")


def assert_dose_only(folder: Path, study: list[Dataset]) -> None:
    """The dose report, and of each series of images one."""
    by_uid = {str(one.SOPInstanceUID): one for one in study}
    kept = [by_uid[uid] for uid in sop_instance_uids(folder)]
    assert [one.SOPInstanceUID for one in kept if one.Modality == "SR"] == [
        one.SOPInstanceUID for one in study if one.Modality == "SR"
    ]
    series = {str(one.SeriesInstanceUID) for one in study}
    assert Counter(str(one.SeriesInstanceUID) for one in kept) == dict.fromkeys(series, 1)


def _chest_ct(folder: Path) -> list[Dataset]:
    """A localizer, an axial series of several images and the dose report, written as files."""
    folder.mkdir()
    built = next(hospital_day(7, date(2026, 5, 4), extent=Extent(slices=0.3, detail=0.1)))
    for number, dataset in enumerate(built.datasets):
        pydicom.dcmwrite(folder / f"{number}.dcm", dataset, enforce_file_format=True)
    assert len(built.datasets) > len({one.SeriesInstanceUID for one in built.datasets}) == 3
    return list(built.datasets)


def node(ae_title: str, port: int) -> dict[str, Any]:
    return {"ae_title": ae_title, "host": "127.0.0.1", "port": port, "timeout_s": 10}


def add(server: OrthancServer, name: str, kind: str, address: dict[str, Any]) -> None:
    made = post(server, "destinations", {"document": {"name": name, "kind": kind, "address": address}})
    assert post(server, f"destinations/{made['id']}/echo")["answers"] is True


def post(server: OrthancServer, path: str, body: object | None = None) -> Any:
    answer = requests.post(f"{server.api}/{path}", json=body, timeout=120)
    assert answer.ok, answer.text
    return answer.json()


def wait_until_confirmed(server: OrthancServer, count: int, timeout_s: float = 180) -> list[dict[str, Any]]:
    """The whole ledger, when so many objects are confirmed."""
    deadline, found = monotonic() + timeout_s, []
    while monotonic() < deadline:
        found = server.get("deliveries", limit=1000)["items"]
        if sum(one["state"] == "arrived" for one in found) == count:
            return list(found)
        sleep(0.3)
    seen = Counter((one["destination"], one["state"], one["last_error"]) for one in found)
    raise AssertionError(f"Not {count} confirmed after {timeout_s} s: {seen}")


def wait_for_label(server: OrthancServer, study: str, label: str, timeout_s: float = 180) -> None:
    deadline, labels = monotonic() + timeout_s, None
    while labels != [label]:
        assert monotonic() < deadline, f"labels {labels} after {timeout_s} s"
        labels = [one["label"] for one in server.get(f"studies/{study}/labels")["items"]]
        sleep(0.3)
