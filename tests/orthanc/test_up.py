"""`treegarth up` with a real Orthanc and PostgreSQL: it serves, and leaves nothing running however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import free_ports
from treegarth.database.embedded import EmbeddedServer


class Up:
    """A running `treegarth up` and what it printed so far."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.http_port, self.dicom_port = free_ports(2)
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def command(self) -> list[str]:
        ports = ["--http-port", str(self.http_port), "--dicom-port", str(self.dicom_port)]
        return [sys.executable, "-m", "treegarth.command_line", "up", "--data", str(self.data), *ports]

    @property
    def database(self) -> EmbeddedServer:
        return EmbeddedServer(self.data / "treegarth" / "postgresql")

    def wait_until_ready(self) -> None:
        wait_for(lambda: any(line.startswith("ready ") for line in self.lines) or self.process.poll() is not None, 90)
        assert self.process.poll() is None, "\n".join(self.lines)

    def orthanc(self) -> int:
        """Orthanc's process id."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return int(children.split()[0])

    def end(self) -> tuple[int, str]:
        """The exit code and all that was printed."""
        code = self.process.wait(120)
        self._reader.join(10)
        return code, "\n".join(self.lines)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path / "data")
    up.wait_until_ready()
    yield up
    if up.process.poll() is None:
        up.process.terminate()
        up.end()
    up.database.stop()


def wait_for(condition: object, timeout_s: float) -> None:
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def is_alive(process_id: int) -> bool:
    """A zombie is not: who takes over the orphans of a container may never ask for their exit codes."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_and_leaves_nothing_running(up: Up, number: signal.Signals) -> None:
    assert f"ready http://127.0.0.1:{up.http_port}/treegarth/" in up.lines
    with urllib.request.urlopen(f"http://127.0.0.1:{up.http_port}/treegarth/api/v1/health", timeout=120) as answer:
        assert answer.status == 200
    assert json.loads((up.data / "orthanc.json").read_text(encoding="utf-8"))["DicomAet"] == "TREEGARTH"
    orthanc = up.orthanc()
    assert os.getsid(orthanc) == orthanc  # a terminal's Ctrl-C reaches `up` alone
    began = time.monotonic()
    up.process.send_signal(number)
    code, printed = up.end()
    assert (code, time.monotonic() - began < 20) == (0, True), printed
    assert not is_alive(orthanc)
    assert not up.database.is_running()
    log = (up.data / "orthanc.log").read_text(encoding="utf-8")
    assert [line for line in log.splitlines() if line.startswith("E")] == []


@pytest.mark.soak
def test_a_second_one_on_the_same_folder_or_ports_is_refused(up: Up, tmp_path: Path) -> None:
    second = subprocess.run(up.command(), capture_output=True, text=True, timeout=120, check=False)
    assert second.returncode == 4
    assert "already runs on the folder" in second.stderr
    elsewhere = [part if part != str(up.data) else str(tmp_path / "other") for part in up.command()]
    second = subprocess.run(elsewhere, capture_output=True, text=True, timeout=120, check=False)
    assert second.returncode == 4
    assert f"HTTP port {up.http_port} cannot be used" in second.stderr


def test_when_orthanc_dies_it_says_so_and_stops_the_database(up: Up) -> None:
    os.kill(up.orthanc(), signal.SIGKILL)
    code, printed = up.end()
    assert code == 1
    assert "Orthanc ended by itself with exit code -9" in printed
    assert not up.database.is_running()


def test_when_it_is_killed_itself_orthanc_ends_and_the_next_one_starts(up: Up) -> None:
    orthanc = up.orthanc()
    up.process.kill()
    up.end()
    wait_for(lambda: not is_alive(orthanc), 15)
    again = Up(up.data)
    again.wait_until_ready()
    again.process.terminate()
    assert again.end()[0] == 0
