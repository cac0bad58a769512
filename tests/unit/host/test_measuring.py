"""Memory and disks are read from the machine; what is not there is left out, and one failure is not the last."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

import pytest

from treegarth.host import measuring
from treegarth.host.measuring import Measured, Sampler, disk_of, memory_of, postmaster_of, with_children

NO_PROCESS = 2**22 + 1


def test_memory_is_of_the_processes_that_live() -> None:
    own = memory_of([os.getpid()])
    assert 2**20 < own < 2**40
    assert memory_of([NO_PROCESS]) == 0
    assert memory_of([]) == 0


def test_a_process_is_found_with_those_that_it_began() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in with_children(os.getpid())
        child.communicate(b"\n")
    assert with_children(NO_PROCESS) == [NO_PROCESS]


def test_a_disk_is_of_a_folder_that_is_there(tmp_path: Path) -> None:
    disk = disk_of("storage", tmp_path)
    assert disk is not None
    assert 0 <= disk.free_bytes <= disk.total_bytes
    assert disk_of("storage", tmp_path / "nowhere") is None


def test_the_postmaster_is_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text("4711\n/data\n")
    assert postmaster_of(tmp_path / "postmaster.pid") == 4711
    assert postmaster_of(tmp_path / "nowhere") is None


def test_a_minute_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "FIRST_AFTER_S", 0.01)
    monkeypatch.setattr(measuring, "MEASURED_EVERY_S", 0.01)
    kept = threading.Event()
    tries = count()

    def measure() -> Measured:
        if next(tries) == 0:
            raise OSError
        return Measured(memory_bytes={"orthanc": 1})

    sampler = Sampler(measure, kept.set)
    sampler.start()
    assert kept.wait(10)
    sampler.stop()
    assert sampler.latest.memory_bytes == {"orthanc": 1}
