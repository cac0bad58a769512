"""Two patients with one Study Instance UID in a real Orthanc: one is held and delivered, the other is left alone, and
each has a page of its own."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import requests
from pydicom import dcmread

from tests.orthanc.conftest import ServerFactory
from tests.places import places
from tests.servers import OrthancServer, store
from tests.studies import small_studies

UID = "1.2.826.0.1.3680043.8.498.77"
TO_A_PERSON = {"Accept": "text/html"}


def of_patient(files: list[Path], name: str) -> None:
    for path in files:
        dataset = dcmread(path)
        dataset.StudyInstanceUID, dataset.PatientID, dataset.PatientName = UID, f"{name.upper()}-ID", f"{name}^X"
        dataset.save_as(path)


def ask(server: OrthancServer, method: str, path: str, status: int, body: object = None, **query: str) -> Any:
    answer = requests.request(method, f"{server.api}/{path}", json=body, params=query, timeout=120)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_one_of_two_patients_with_one_study_uid_is_held_delivered_and_shown(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    settings = {"SignIn": "none", "DestinationPlaces": places(tmp_path)}
    server = new_server(treegarth=settings).start()
    for seed, name in enumerate(("Anna", "Berta")):
        of_patient(small_studies(tmp_path / name, studies=1, series=1, instances=3, seed=seed), name)
        store(server, tmp_path / name)
    deadline = monotonic() + 150
    while len(found := server.get("studies", study_instance_uid=UID)["items"]) < 2:
        assert monotonic() < deadline
        sleep(0.3)
    ids = {one["patient_id"]: one["orthanc_study_id"] for one in found}
    assert set(ids) == {"ANNA-ID", "BERTA-ID"}

    hold = {"study_instance_uid": UID, "kind": "legal", "reason": "a court"}
    refused = ask(server, "POST", "retention/holds", 409, hold)
    assert {one["patient_id"]: one["orthanc_study_id"] for one in refused["choices"]} == ids
    ask(server, "POST", "retention/holds", 201, {**hold, "orthanc_study_id": ids["BERTA-ID"]})
    assert [one["orthanc_study_id"] for one in server.get("retention/holds")["items"]] == [ids["BERTA-ID"]]

    folder = tmp_path / "kept"
    folder.mkdir()
    os.chmod(folder, 0o777)  # the worker may be another user
    made = {"name": "kept", "kind": "folder", "address": {"path": str(folder)}}
    ask(server, "POST", "destinations", 201, {"document": made})
    wish = {"study_instance_uid": UID, "destination": "kept"}
    ask(server, "POST", "deliveries", 409, wish)
    assert ask(server, "POST", "deliveries", 202, {**wish, "orthanc_study_id": ids["ANNA-ID"]})["new"] == 3
    deadline = monotonic() + 150
    while {one["state"] for one in server.get("deliveries")["items"]} != {"arrived"}:
        assert monotonic() < deadline, server.get("deliveries")
        sleep(0.3)
    delivered = [dcmread(path).PatientID for path in folder.rglob("*") if path.is_file()]
    assert delivered == ["ANNA-ID"] * 3

    label = f"studies/{ids['BERTA-ID']}/labels/seen"
    ask(server, "PUT", f"studies/{UID}/labels/seen", 409)
    ask(server, "PUT", label, 200)
    assert ask(server, "GET", f"studies/{UID}/labels", 200, orthanc_study_id=ids["ANNA-ID"])["items"] == []
    assert ask(server, "DELETE", label, 200)["items"] == []

    page = f"{server.url}/treegarth/studies/{UID}"
    for lang, words in (("en", "Whose study?"), ("ko", "누구의 검사입니까?")):
        asked = requests.get(page, params={"lang": lang}, headers=TO_A_PERSON, timeout=120)
        assert asked.headers["Content-Type"].startswith("text/html")  # to be clicked, whatever the status
        assert asked.status_code in (200, 409)
        for word in (words, "ANNA-ID", "BERTA-ID", *(f"orthanc_study_id={one}" for one in ids.values())):
            assert word in asked.text
    for own, other in (("ANNA-ID", "BERTA-ID"), ("BERTA-ID", "ANNA-ID")):
        shown = requests.get(page, params={"orthanc_study_id": ids[own]}, timeout=120)
        assert shown.status_code == 200
        assert own in shown.text
        assert other not in shown.text
        assert ids[other] not in shown.text
        assert ("a court" in shown.text) is (own == "BERTA-ID")
        assert "/ohif/" not in shown.text
