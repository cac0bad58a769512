"""Long work in a real Orthanc whose worker, or which itself, is killed in the middle: it goes on, each effect once."""

from __future__ import annotations

import os
import signal
from io import BytesIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from zipfile import ZipFile

import requests

from tests.orthanc.conftest import ServerFactory, rounds
from tests.orthanc.test_ingest import assert_index_is_archive
from tests.orthanc.test_workers import dose_reports, worker_of
from tests.servers import OrthancServer, store

RULE = {"name": "all", "on": True, "when": "by hand", "if": "Modality = SR", "do": [{"label": "seen"}]}


def post(server: OrthancServer, path: str, body: Any = None) -> Any:
    answer = requests.post(f"{server.api}/{path}", json=body, timeout=120)
    assert answer.ok, answer.text
    return answer.json()


def at_its_end(server: OrthancServer, number: int, timeout_s: float = 180) -> dict[str, Any]:
    deadline = monotonic() + timeout_s
    while (work := server.get(f"work/{number}"))["is_running"]:
        assert monotonic() < deadline, work
        sleep(0.3)
    return dict(work)


def test_every_kind_goes_on_when_its_worker_is_killed(new_server: ServerFactory, tmp_path: Path) -> None:
    server = new_server(treegarth={"SignIn": "none", "StableSeconds": 1}).start()
    count = rounds(40, 400)
    store(server, dose_reports(tmp_path / "reports", count))
    server.wait_until_idle()
    read = server.get("dose/studies", limit=1000)["items"]
    rule = post(server, "rules", {"document": RULE})["id"]
    studies = [one["orthanc_study_id"] for one in server.get("studies", limit=1000)["items"]]
    started = {
        "reread": post(server, "dose/reread"),
        "redeciding": post(server, "dose/redeciding"),
        "rule": post(server, f"rules/{rule}/apply"),
        "file": post(server, "studies/export/csv", {}),
        "label": post(server, "studies/act-on-all", {"action": "label", "way": "set", "label": "kept", "query": {}}),
    }
    post(server, "studies/act", {"action": "download", "chosen": studies})
    started["zip"] = server.get("work", kind="archive.download")["items"][0]
    deadline = monotonic() + 150
    while not any(one["done"] for one in server.get("work")["items"]) and monotonic() < deadline:
        sleep(0.05)
    os.kill(worker_of(server), signal.SIGKILL)
    done = {name: at_its_end(server, work["id"]) for name, work in started.items()}
    assert {name: one["state"] for name, one in done.items()} == dict.fromkeys(started, "done")
    assert {name: one["done"] for name, one in done.items() if name != "reread"} == {
        name: len(studies) for name in started if name != "reread"
    }
    server.wait_until_idle()
    again = server.get("dose/studies", limit=1000)["items"]
    assert [without_moments(one) for one in again] == [without_moments(one) for one in read]
    assert len(server.get("rule-outcomes", limit=1000)["items"]) == len(studies)
    labels = requests.get(f"{server.api}/studies/{read[0]['study_instance_uid']}/labels", timeout=120).json()["items"]
    assert [one["label"] for one in labels] == ["kept", "seen"]
    made = requests.get(f"{server.api}/work/{done['file']['id']}/file", timeout=120)
    assert len(made.text.splitlines()) == 1 + len(studies)
    zipped = requests.get(f"{server.api}/work/{done['zip']['id']}/file", timeout=120)
    assert len(ZipFile(BytesIO(zipped.content)).namelist()) == count
    assert server.get("tasks", state="failed")["items"] == []


def without_moments(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.endswith("_at")}


def test_a_comparison_that_orthanc_did_not_survive_comes_to_its_end(new_server: ServerFactory, tmp_path: Path) -> None:
    server = new_server().start()
    store(server, dose_reports(tmp_path / "reports", rounds(40, 400)))
    server.wait_until_idle()
    number = post(server, "reconcile")["id"]
    server.kill()
    server.start()
    assert at_its_end(server, number)["state"] == "done"
    assert_index_is_archive(server)
