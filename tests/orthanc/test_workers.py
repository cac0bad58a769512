"""A worker may be killed at any moment, and may run anywhere: each dose report has its effect once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psycopg

from tests.bad_objects import uid
from tests.databases import execute
from tests.dose_builder import as_file, ct_acquisition, ct_dose_report
from tests.orthanc.conftest import ServerFactory, rounds
from tests.servers import OrthancServer, store
from treegarth.database.embedded import EmbeddedServer

EVENTS = 3


def rows(server: OrthancServer, statement: str) -> list[tuple[Any, ...]]:
    address = EmbeddedServer(server.folder / "treegarth/postgresql").running_address()
    assert address is not None
    with psycopg.connect(address.conninfo()) as connection:
        return connection.execute(statement.encode()).fetchall()


def dose_reports(folder: Path, count: int) -> Path:
    """So many CT dose reports of three irradiation events each, every one of a study of its own."""
    folder.mkdir()
    for number in range(1, count + 1):
        events = [ct_acquisition(uid(number, 7, event)) for event in range(1, EVENTS + 1)]
        report = ct_dose_report(*events, sop_instance_uid=uid(number, 3), study_instance_uid=uid(number, 1))
        (folder / f"{number}.dcm").write_bytes(as_file(report))
    return folder


def wait_until_read(server: OrthancServer, count: int, timeout_s: float) -> None:
    deadline, states = monotonic() + timeout_s, None
    while monotonic() < deadline:
        states = dict(rows(server, "SELECT state, count(*) FROM dose_report GROUP BY state"))
        if states == {"read": count}:
            return
        sleep(0.2)
    raise AssertionError(f"Not all read after {timeout_s} s: {states}")


def assert_each_had_its_effect_once(server: OrthancServer, count: int) -> None:
    assert rows(server, "SELECT count(*), count(DISTINCT sop_instance_uid) FROM dose_report") == [(count, count)]
    events = rows(server, "SELECT count(*), count(DISTINCT irradiation_event_uid) FROM irradiation_event")
    assert events == [(count * EVENTS, count * EVENTS)]
    assert rows(server, "SELECT count(*) FROM dose_study WHERE irradiation_event_count = 3") == [(count,)]


def worker_of(server: OrthancServer) -> int:
    found = subprocess.run(
        ["pgrep", "-P", str(server.pid), "-f", "treegarth.roles worker"], capture_output=True, text=True, check=True
    )
    return int(found.stdout.split()[0])


def test_a_task_of_a_killed_worker_is_done_once_more(server: OrthancServer, tmp_path: Path) -> None:
    """The worker is killed between its claim of a report and its end: Orthanc stands still while it answers."""
    count = rounds(10, 300)
    worker = worker_of(server)
    os.kill(worker, signal.SIGSTOP)
    store(server, dose_reports(tmp_path / "reports", count))
    server_status_is_indexed(server, count)
    os.kill(server.pid, signal.SIGSTOP)
    try:
        os.kill(worker, signal.SIGCONT)
        deadline = monotonic() + 150
        while not rows(server, _CLAIMED_NOW) and monotonic() < deadline:
            sleep(0.01)
        os.kill(worker, signal.SIGKILL)
        while rows(server, _BACKENDS_OF_WORKERS) and monotonic() < deadline:  # a claim on its way is written or not
            sleep(0.01)
        held = [one for (one,) in rows(server, _CLAIMED_NOW)]
    finally:
        os.kill(server.pid, signal.SIGCONT)
    address = EmbeddedServer(server.folder / "treegarth/postgresql").running_address()
    assert address is not None
    execute(
        address, "UPDATE treegarth.dose_report SET next_attempt_at = now() WHERE state = 'unread'"
    )  # a minute later
    wait_until_read(server, count, timeout_s=180)
    assert_each_had_its_effect_once(server, count)
    attempts = dict(rows(server, "SELECT orthanc_instance_id, attempts FROM dose_report"))
    assert held, "no report was being read"
    assert {attempts.pop(one) for one in held} == {2}
    assert set(attempts.values()) == {1}
    assert worker_of(server) != worker


_BACKENDS_OF_WORKERS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'treegarth worker'"
_CLAIMED_NOW = "SELECT orthanc_instance_id FROM dose_report WHERE state = 'unread' AND attempts = 1"


def test_a_worker_run_by_hand_reads_the_dose(new_server: ServerFactory, tmp_path: Path) -> None:
    server = new_server(treegarth={"Workers": 0}).start()
    store(server, dose_reports(tmp_path / "reports", 3))
    server_status_is_indexed(server, 3)
    sleep(1)
    assert rows(server, "SELECT DISTINCT state, attempts FROM dose_report") == [("unread", 0)]
    configuration = tmp_path / "worker.json"
    configuration.write_text(json.dumps(server.configuration()), encoding="utf-8")
    command = [str(Path(sys.executable).with_name("treegarth")), "worker", "--config", str(configuration)]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until_read(server, 3, timeout_s=180)
    finally:
        worker.terminate()
        output, _ = worker.communicate(timeout=120)
    assert worker.returncode == 0, output.decode()
    assert_each_had_its_effect_once(server, 3)
    assert rows(server, "SELECT DISTINCT attempts FROM dose_report") == [(1,)]


def server_status_is_indexed(server: OrthancServer, count: int, timeout_s: float = 180) -> None:
    deadline = monotonic() + timeout_s
    while server.get("status")["indexed_instances"] != count:
        assert monotonic() < deadline, server.get("status")
        sleep(0.1)
