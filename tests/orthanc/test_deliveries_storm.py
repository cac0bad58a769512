"""Orthanc, a worker, PostgreSQL are killed at random moments: every object arrives, nothing confirmed goes again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

import pytest
import requests

from tests.delivery_scp import DeliveryScp, Manners
from tests.delivery_support import Ledger, dicom_settings, ledger_of
from tests.orthanc.conftest import ServerFactory, rounds
from tests.servers import OrthancServer, store
from tests.studies import small_studies

DESTINATIONS = 3
KILLS = 3  # in a round


@pytest.mark.soak
def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(new_server: ServerFactory, tmp_path: Path) -> None:
    studies, many = rounds(30, 500), rounds(1, 20)
    chance = random.Random(20261120)
    server = new_server(settings={"SaveJobs": False, "ConcurrentJobs": 8}).start()
    for number in range(many):
        folder = tmp_path / f"objects{number}"
        small_studies(folder, studies=studies, series=1, instances=2, seed=number)
        store(server, folder)
        server.wait_until_idle(300)
        _storm(server, tmp_path / f"round{number}", chance, studies * 2, chance.randrange(2**31))
        for one in server.orthanc("studies"):
            requests.delete(f"{server.url}/studies/{one}", timeout=120).raise_for_status()
        server.wait_until_idle(300)
    assert server.stop() == 0  # here, for while PostgreSQL was dead the log has errors


def _storm(server: OrthancServer, folder: Path, chance: random.Random, count: int, seed: int) -> None:
    with ExitStack() as stack:
        nodes = [DeliveryScp(folder / f"node{one}", Manners(delay_s=0.01), seed) for one in range(DESTINATIONS)]
        for node in nodes:
            stack.enter_context(node.start())
        with ledger_of(server) as ledger:
            names = [f"{folder.name} node {one}" for one in range(DESTINATIONS)]
            ids = [ledger.add(dicom_settings(name, node.port)) for name, node in zip(names, nodes, strict=True)]
            ledger.request(ids)
        for victim in chance.sample(["orthanc", "worker", "postgres"], KILLS):
            sleep(chance.uniform(0.5, 4))
            _kill(server, victim)
        with ledger_of(server) as ledger:
            for number, node in zip(ids, nodes, strict=True):
                ledger.wait_until(number, {("confirmed", "find"): count}, timeout_s=240)
                _assert_nothing_was_repeated(ledger, number, node)


def _assert_nothing_was_repeated(ledger: Ledger, destination_id: int, node: DeliveryScp) -> None:
    rows = {one.sop_instance_uid: one for one in ledger.objects(destination_id)}
    assert node.kept() == set(rows)
    stores = node.stores()
    late = [one for one in stores if one["at"] > rows[one["sop_instance_uid"]].confirmed_at.timestamp()]
    assert late == [], "sent again after the ledger had it confirmed"
    repeated = [uid for uid, times in node.received().items() if times > 1]
    assert repeated == [], "sent again although the node could have been asked"


def _kill(server: OrthancServer, victim: str) -> None:
    if victim == "orthanc":
        server.kill()
        server.start()
        return
    deadline, pid = monotonic() + 150, None
    while pid is None and monotonic() < deadline:
        pid = _worker(server) if victim == "worker" else _postmaster(server)
        sleep(0.2)
    assert pid is not None, f"no {victim} was running"
    os.kill(pid, signal.SIGKILL)
    server.wait_until_ready()


def _worker(server: OrthancServer) -> int | None:
    command = ["pgrep", "-P", str(server.pid), "-f", "treegarth.roles worker"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return int(found[0]) if found else None


def _postmaster(server: OrthancServer) -> int | None:
    """The first line of the server's own lock file."""
    files = list((server.folder / "treegarth/postgresql").rglob("postmaster.pid"))
    return int(files[0].read_text(encoding="ascii").split()[0]) if files else None
