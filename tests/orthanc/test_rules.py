"""A study that is stored becomes stable by the index, once, and the rules act on it, whoever is killed meanwhile."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import requests

from tests.bad_objects import uid
from tests.dose_builder import as_file, ct_acquisition, ct_dose_report
from tests.orthanc.conftest import ServerFactory
from tests.orthanc.test_workers import dose_reports, worker_of
from tests.servers import OrthancServer, store

RULE = {
    "name": "label reports",
    "when": "study stable",
    "if": "Modality = SR",
    "do": [{"label": "report"}, "notify"],
    "on": True,
}


def ask(server: OrthancServer, method: str, path: str, body: Any = None) -> Any:
    answer = requests.request(method, f"{server.api}/{path}", json=body, timeout=120)
    answer.raise_for_status()
    return answer.json()


def wait_for(what: Callable[[], Any], expected: Any, timeout_s: float = 180) -> None:
    deadline = monotonic() + timeout_s
    while (found := what()) != expected:
        assert monotonic() < deadline, f"After {timeout_s} s: {found}, not {expected}"
        sleep(0.3)


def labels(server: OrthancServer, study: str) -> list[str]:
    return [one["label"] for one in ask(server, "GET", f"studies/{study}/labels")["items"]]


def matched(server: OrthancServer) -> int:
    return len(ask(server, "GET", "rule-outcomes?limit=1000")["items"])


def test_a_study_that_came_to_rest_is_labelled_and_again_when_more_of_it_comes(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = new_server(treegarth={"SignIn": "none", "StableSeconds": 1}).start()
    ask(server, "POST", "rules", {"document": RULE})
    store(server, dose_reports(tmp_path / "reports", 2))
    wait_for(lambda: matched(server), 2)
    assert [labels(server, uid(number, 1)) for number in (1, 2)] == [["report"], ["report"]]
    late = ct_dose_report(ct_acquisition(uid(9, 7, 1)), sop_instance_uid=uid(9, 3), study_instance_uid=uid(1, 1))
    (tmp_path / "late.dcm").write_bytes(as_file(late))
    store(server, tmp_path / "late.dcm")
    wait_for(lambda: matched(server), 3)
    newest = ask(server, "GET", "rule-outcomes?limit=1")["items"][0]
    assert [one["done"] for one in newest["actions"]] == ["every label was as it should be", "told before"]
    assert ask(server, "GET", "rule-events?state=failed")["items"] == []
    has_labels = requests.get(f"{server.url}/tools/labels", timeout=120).status_code == 200
    for study in requests.get(f"{server.url}/studies", timeout=120).json() if has_labels else ():
        path = f"{server.url}/studies/{study}/labels"
        wait_for(lambda path=path: requests.get(path, timeout=120).json(), ["report"])  # type: ignore[misc]


def test_a_rule_goes_on_through_the_archive_when_its_worker_is_killed(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = new_server(treegarth={"SignIn": "none", "StableSeconds": 1}).start()
    count = 60
    store(server, dose_reports(tmp_path / "reports", count))
    wait_for(lambda: ask(server, "GET", "status")["idle"], True)
    rule = ask(server, "POST", "rules", {"document": RULE | {"when": "by hand", "do": [{"label": "old"}]}})
    started = ask(server, "POST", f"rules/{rule['id']}/apply")
    assert started["total"] == count
    path = f"work/{started['id']}"
    wait_for(lambda: ask(server, "GET", path)["done"] > 0, True)
    os.kill(worker_of(server), signal.SIGKILL)
    wait_for(lambda: ask(server, "GET", path)["is_running"], False, timeout_s=180)
    done = ask(server, "GET", path)
    assert (done["state"], done["done"], done["counts"]) == ("done", count, {})
    assert matched(server) == count
