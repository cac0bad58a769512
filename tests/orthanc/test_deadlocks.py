"""What is known to stop an Orthanc with a Python plugin for good does not stop this one; and it always ends in time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import pytest
import requests

from tests.bad_objects import ct_image, in_syntax
from tests.orthanc.conftest import ServerFactory, rounds
from tests.orthanc.test_ingest import assert_index_is_archive
from tests.servers import OrthancServer, begin_to_store, store
from tests.studies import small_studies
from treegarth.database.embedded import EmbeddedServer
from treegarth.host.supervisor import STOP_WITHIN_S

ENDS_WITHIN_S = 30


def descendants(pid: int) -> set[int]:
    """The processes that this one started, and those that they started."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def still_there(processes: Iterable[int], within_s: float) -> set[int]:
    """Those of the processes that have not ended after that time; zombies have."""
    deadline, left = monotonic() + within_s, set(processes)
    while left and monotonic() < deadline:
        left = {pid for pid in left if runs(pid)}
        sleep(0.1)
    return left


def runs(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0] != "Z"
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def postmaster_of(server: OrthancServer) -> int:
    path = server.folder / "treegarth/postgresql/cluster/data/postmaster.pid"
    return int(path.read_text(encoding="ascii").split()[0])


def upload(server: OrthancServer, numbers: Iterable[int]) -> None:
    for number in numbers:
        requests.post(f"{server.url}/instances", data=in_syntax(ct_image(number)), timeout=120).raise_for_status()


@pytest.mark.soak
def test_stores_and_anonymisations_run_beside_each_other(server: OrthancServer, tmp_path: Path) -> None:
    """Each anonymisation is a synchronous job that stores into the same Orthanc, while others store into it."""
    upload(server, range(1, 4))
    studies = server.orthanc("studies")
    folders = [tmp_path / f"{number}" for number in range(3)]
    for number, folder in enumerate(folders):
        small_studies(folder, studies=2, series=1, instances=rounds(15, 150), seed=number + 1)

    def anonymise(study: str) -> None:
        for _ in range(rounds(4, 40)):
            address = f"{server.url}/studies/{study}/anonymize"
            requests.post(address, json={"Synchronous": True}, timeout=120).raise_for_status()

    with ThreadPoolExecutor(9) as pool:
        work = [pool.submit(store, server, folder, timeout_s=120) for folder in folders]
        work += [pool.submit(anonymise, study) for study in studies]
        work += [pool.submit(upload, server, range(100 * place, 100 * place + 20)) for place in (1, 2, 3)]
        for one in work:
            one.result(timeout=150)
    assert_index_is_archive(server)
    assert server.get("status")["indexed_instances"] == 3 + 3 * rounds(4, 40) + 60 + 6 * rounds(15, 150)


def test_the_same_object_from_everywhere_at_once_is_one_object(server: OrthancServer) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: upload(server, range(1, 6)), range(rounds(8, 80))))
    assert_index_is_archive(server)
    assert server.get("status")["indexed_instances"] == 5


def seconds_from_our_stop_to_the_end(server: OrthancServer) -> float:
    """By the times of Orthanc's log: from the end of our parts to its last line."""
    found = re.findall(r"^[WE]\d{4} (\d\d):(\d\d):([\d.]+) (.*)$", server.log_text(), re.MULTILINE)
    times = [(int(hour) * 3600 + int(minute) * 60 + float(second), text) for hour, minute, second, text in found]
    stopped = next(time for time, text in times if "Stopped within" in text)
    return (times[-1][0] - stopped) % 86400


@pytest.mark.soak
def test_it_ends_in_time_in_the_middle_of_an_ingest(server: OrthancServer, tmp_path: Path) -> None:
    small_studies(tmp_path / "ct", studies=2, series=2, instances=50)
    children = descendants(server.pid)
    senders = [begin_to_store(server, tmp_path / "ct") for _ in range(3)]
    sleep(0.7)
    # Before it tells its plugins that it stops, Orthanc 1.10.1 waits for a lock that every store takes, and at its end
    # for the last sender to hang up (also without any plugin). The first we cannot shorten, the second we do.
    assert server.stop(timeout_s=120) == 0
    (ours,) = re.findall(r"Treegarth: Stopped within ([0-9.]+) s", server.log_text())
    assert float(ours) < STOP_WITHIN_S + 1
    assert seconds_from_our_stop_to_the_end(server) < 10
    for sender in senders:
        sender.wait(120)
    assert still_there(children, within_s=30) == set()
    server.start()
    assert_index_is_archive(server)


def test_it_ends_in_time_while_the_database_is_silent(server: OrthancServer, tmp_path: Path) -> None:
    postmaster = postmaster_of(server)
    everything = descendants(server.pid) | descendants(postmaster) | {postmaster}
    for pid in (*descendants(postmaster), postmaster):
        os.kill(pid, signal.SIGSTOP)
    upload(server, range(1, 20))
    sleep(1.5)
    assert server.stop(timeout_s=ENDS_WITHIN_S) == 0
    assert still_there(everything, within_s=30) == set()
    server.start()
    assert_index_is_archive(server)


def test_after_a_kill_the_children_end_and_the_database_is_taken_over(server: OrthancServer) -> None:
    upload(server, range(1, 6))
    server.wait_until_idle()
    postmaster = postmaster_of(server)
    children = descendants(server.pid) - descendants(postmaster) - {postmaster}
    assert len(children) >= 2  # an indexer and a worker
    server.kill()
    assert still_there(children, within_s=30) == set()
    assert runs(postmaster)
    server.start()
    assert postmaster_of(server) == postmaster
    assert_index_is_archive(server)


@pytest.mark.parametrize("times", [rounds(1, 10)])
@pytest.mark.soak
def test_it_can_be_ended_at_any_moment_of_its_start(new_server: ServerFactory, times: int) -> None:
    for number in range(times):
        server = new_server(f"server{number}")
        (server.folder / "treegarth").mkdir(parents=True)  # a first start, which makes the database
        server.start(wait=False)
        deadline = monotonic() + 150
        while "Orthanc has started" not in server.log_text() and monotonic() < deadline:
            sleep(0.05)
        sleep(0.3 * number)
        ended = server.stop(timeout_s=ENDS_WITHIN_S)
        if ended == -signal.SIGTERM:  # Orthanc listens to signals a moment after it says so: until then as by kill -9
            ended = server.start().stop(timeout_s=ENDS_WITHIN_S)
        assert ended == 0
        assert not EmbeddedServer(server.folder / "treegarth/postgresql").is_running()
