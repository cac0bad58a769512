"""The audit trail on a real Orthanc: who signed in, saw, stored, was refused; and that it is as it was written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import requests

from tests.servers import OrthancServer, store
from tests.sign_in_support import add_token, add_user, of_user, signed_in, until
from tests.studies import small_studies

PLUGINS = ("libOrthancPython.so", "libOrthancDicomWeb.so")
Row = dict[str, Any]


def events(server: OrthancServer, token: str) -> list[Row]:
    """All of them, the oldest first."""
    address = f"{server.api}/audit/events"
    answer = requests.get(address, params={"sort": "at", "limit": 1000}, headers=of_user(token), timeout=60)
    assert answer.status_code == 200, answer.text
    rows: list[Row] = answer.json()["items"]
    return rows


def wait_for(server: OrthancServer, token: str, fits: Callable[[Row], bool], within_s: float = 60) -> list[Row]:
    """Those that fit, once there are some."""
    end = monotonic() + within_s
    while not (found := [one for one in events(server, token) if fits(one)]):
        assert monotonic() < end, [(one["what"], one["actor"], one["path"]) for one in events(server, token)]
        sleep(0.5)
    return found


def run_audit(server: OrthancServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "treegarth.command_line", "audit", *arguments]
    command += ["--config", str(server.folder / "orthanc.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_what_people_and_devices_do_is_written_and_verifies(tmp_path: Path) -> None:
    server = OrthancServer(tmp_path / "server", treegarth={"SignIn": "treegarth"}, plugins=PLUGINS)
    first, second = small_studies(tmp_path / "studies", studies=2, series=1, instances=1)
    with server.start():
        number = add_user(server, "Ada", "administrator")
        token = add_token(server, number)
        nurse = of_user(add_token(server, add_user(server, "Nora", "nurse")))
        until(200, "GET", f"{server.url}/system", 10, headers=of_user(token))
        made = requests.post(f"{server.url}/instances", data=first.read_bytes(), headers=of_user(token), timeout=60)
        made.raise_for_status()
        study = made.json()["ParentStudy"]
        store(server, second, calling="CT1")
        by_http = wait_for(server, token, lambda one: one["what"] == "store" and one["way"] == "orthanc")
        by_dicom = wait_for(server, token, lambda one: one["what"] == "store" and one["way"] == "dicom")
        browser = signed_in(server, "ada")
        wrong = requests.post(f"{server.base_url}/sign-in", data={"name": "nora", "password": "not hers"}, timeout=60)
        assert wrong.status_code == 403
        requests.get(f"{server.url}/studies/{study}", headers=nurse, timeout=60).raise_for_status()
        for _ in range(3):
            assert requests.delete(f"{server.url}/studies/{study}", headers=nurse, timeout=60).status_code == 403
        assert browser.get(f"{server.base_url}/studies?q=doe", timeout=60).status_code == 200
        assert browser.post(f"{server.base_url}/sign-out", timeout=60).status_code == 200

        assert [(one["actor"], one["count"], len(one["studies"])) for one in by_http] == [("Ada", 1, 1)]
        assert [(one["actor"], one["count"], len(one["studies"])) for one in by_dicom] == [("CT1", 1, 1)]
        wait_for(server, token, lambda one: one["what"] == "sign out")
        rows = events(server, token)
        told = [(one["what"], one["outcome"], one["actor"]) for one in rows]
        for expected in (
            ("sign in", "done", "Ada"),
            ("sign in", "refused", "Nora"),
            ("sign out", "done", "Ada"),
            ("search", "done", "Ada"),
            ("view", "passed", "Nora"),
            ("delete", "refused", "Nora"),
        ):
            assert expected in told
        assert told.count(("delete", "refused", "Nora")) == 1  # the others are told when their minute is over
        (seen,) = (one for one in rows if one["what"] == "view" and one["actor"] == "Nora")
        assert seen["studies"] == by_http[0]["studies"]
        assert seen["patients"]
        assert seen["roles"] == ["nurse"]
        assert all(one["actor"] for one in rows), rows  # what the server asks of itself is nobody's event

        assert requests.delete(f"{server.url}/studies/{study}", headers=of_user(token), timeout=60).status_code == 200
        (gone,) = wait_for(server, token, lambda one: one["what"] == "delete" and one["outcome"] == "passed")
        assert gone["studies"] == by_http[0]["studies"]

        checked = run_audit(server, "verify")
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert ": whole;" in checked.stdout
        assert "Nora" in run_audit(server, "tail", "--count", "100").stdout
        assert '"actor":"Nora"' in run_audit(server, "export", "--format", "jsonl").stdout
        count = len(events(server, token))
        assert server.stop() == 0
    assert server.error_lines() == []
    assert "Nora" not in server.log_text()

    with server.start():
        until(200, "GET", f"{server.url}/system", 60, headers=of_user(token))
        again = wait_for(server, token, lambda one: one["count"] == 2 and one["what"] == "delete")
        assert [one["outcome"] for one in again] == ["refused"]  # told at the end
        assert len(events(server, token)) > count
        assert run_audit(server, "verify").returncode == 0
        assert server.stop() == 0


@pytest.mark.parametrize("sign_in", ["none"])
def test_without_a_sign_in_what_is_asked_of_us_is_written(tmp_path: Path, sign_in: str) -> None:
    server = OrthancServer(tmp_path / "server", treegarth={"SignIn": sign_in})
    with server.start():
        server.get("studies", q="x")
        end = monotonic() + 30
        while not (rows := server.get("audit/events", what="search", actor=None)["items"]):
            assert monotonic() < end
            sleep(0.5)
        assert server.stop() == 0
    assert (rows[0]["actor"], rows[0]["outcome"]) == (None, "done")
