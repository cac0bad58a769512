"""Real servers for tests and benchmarks: an Orthanc with or without Treegarth, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sysconfig
import tempfile
from atexit import register
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from shutil import rmtree
from time import monotonic, sleep
from typing import Any

import requests

from tests.places import places
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.migration import migrate
from treegarth.host.orthanc_checks import GUARD

ROOT = Path(__file__).resolve().parents[1]
_PLUGINS = Path(os.environ.get("ORTHANC_PLUGINS", "/usr/share/orthanc/plugins"))
_PORTS = range(20_000, 32_000)
"""Below those that Linux gives to outgoing connections: a server takes its port seconds after it was chosen."""
WITHOUT_DELAY = {"TCP_NODELAY": "1"}
"""For dcmtk's senders: after each small object they else wait for an acknowledgement, 40 to 90 ms."""
# Orthanc says these at the level of errors although nothing is wrong with it: bytes that are no DICOM, a peer that
# hangs up, a request for what is not there.
_EXPECTED = re.compile(
    r"Bad file format|Cannot parse|NotDicom|cannot be stored|Unknown resource|Inexistent|DIMSE failure"
    r"|No Presentation Context|Peer aborted|Association|Error in the network protocol|DicomUserConnection"
    r"|Cannot transcode from"  # a node takes nothing of a SOP class, or of a transfer syntax
    r"|Encapsulated stream has more bits"  # GDCM, of the byte that pads an odd JPEG 2000 stream
    r"|Trying to change patient tags in a study"  # Orthanc 1.12 refuses to, unless all of the patient's are given
    r"|not sent the proper number of bytes"  # whoever asked had gone: a page that was left, a worker that was killed
    # Two Orthancs on one database write their lists of jobs at the same moment: one of them does so ten seconds later.
    r"|PostgreSQL error: ERROR: +could not serialize access|Cannot serialize the jobs engine"
)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on just now, nor gets for an outgoing connection later."""
    found: set[int] = set()
    while len(found) < count:
        port = secrets.choice(_PORTS)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.add(port)
    return list(found)


def _environment() -> dict[str, str]:
    """No settings of whoever runs the tests, and the Python packages that they run on: not always those of .venv."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TREEGARTH_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of hundreds of processes compiles five hundred modules
    return {**kept, "LANG": "C.UTF-8", "TREEGARTH_SITE_PACKAGES": sysconfig.get_path("purelib")}


@cache
def prepared_database() -> Path:
    """The folder of a migrated embedded PostgreSQL that does not run: to copy it costs a tenth of making one."""
    folder = Path(tempfile.mkdtemp(prefix="treegarth-prepared-"))
    register(rmtree, folder, ignore_errors=True)
    server = EmbeddedServer(folder / "postgresql")
    migrate(server.start())
    server.stop()
    _forget_address(server.folder)
    return server.folder


def _forget_address(postgresql: Path) -> None:
    """A copy of a database's folder is a server of its own."""
    for own in ("port", "token"):
        (postgresql / own).unlink()


def copied_server(source: Path, folder: Path, **given: Any) -> OrthancServer:
    """A server with a copy of everything that another one has, which has ended."""
    folder.mkdir(parents=True)
    for part in ("storage", "treegarth"):
        subprocess.run(["cp", "-a", str(source / part), str(folder)], check=True)
    _forget_address(folder / "treegarth" / "postgresql")
    return OrthancServer(folder, **given)


@dataclass
class OrthancServer:
    """One Orthanc. `settings` join Orthanc's configuration, `treegarth` is its section (None: without the plugin)."""

    folder: Path
    treegarth: dict[str, Any] | None = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    plugins: tuple[str, ...] = ("libOrthancPython.so",)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.http_port, self.dicom_port = free_ports(2)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "orthanc.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/treegarth"

    @property
    def api(self) -> str:
        return f"{self.base_url}/api/v1"

    @property
    def pid(self) -> int:
        assert self.process is not None, "the server was not started"
        return self.process.pid

    def configuration(self) -> dict[str, Any]:
        plugins = [name for name in self.plugins if self.treegarth is not None or "Python" not in name]
        found: dict[str, Any] = {
            "Name": "Treegarth test",
            "HttpPort": self.http_port,
            "DicomPort": self.dicom_port,
            "DicomAet": "TREEGARTH",
            "DicomCheckCalledAet": False,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "StorageDirectory": str(self.folder / "storage"),
            "IndexDirectory": str(self.folder / "storage"),
            "StableAge": 2,
            "Plugins": [str(_PLUGINS / name) for name in plugins],
        }
        if self.treegarth is not None:
            found["PythonScript"] = str(ROOT / "plugin" / "orthanc_entry.py")
            found["LuaScripts"] = [str(GUARD)]
            found["Treegarth"] = {
                "SignIn": "none",
                "DataDirectory": str(self.folder / "treegarth"),
                "ReconcileSeconds": 2,
                "WorkerNiceness": 0,  # else the servers of other tests leave its workers next to nothing
                "DestinationPlaces": places(self.folder.parent),
                **self.treegarth,
            }
        return {**found, **self.settings}

    def start(self, *, wait: bool = True) -> OrthancServer:
        """Start it, and wait until it serves: with Treegarth until its health is good."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data = self.folder / "treegarth"
        if self.treegarth is not None and "Database" not in self.treegarth and not data.exists():
            data.mkdir()
            subprocess.run(["cp", "-a", str(prepared_database()), str(data)], check=True)
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(self.configuration(), indent=1), encoding="utf-8")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["Orthanc", str(path)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**_environment(), **self.environment},
                start_new_session=True,
            )
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, timeout_s: float = 180, *, login: tuple[str, str] | None = None) -> None:
        address = f"{self.api}/health" if self.treegarth is not None else f"{self.url}/system"
        deadline, last = monotonic() + timeout_s, "nothing"
        while monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"Orthanc ended with {self.process.returncode}:\n{self.log_text()[-3000:]}")
            try:
                answer = requests.get(address, timeout=5, auth=login)
                if answer.status_code == 200:
                    return
                last = f"{answer.status_code} {answer.text[:200]}"
            except requests.RequestException as error:
                last = type(error).__name__
            sleep(0.1)
        raise AssertionError(f"Not ready after {timeout_s} s; last: {last}\n{self.log_text()[-3000:]}")

    def stop(self, *, timeout_s: float = 60) -> int:
        """SIGTERM, and its exit code. Raises AssertionError where it needs longer than a slow machine would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"Orthanc did not end within {timeout_s} s of SIGTERM.") from None

    def kill(self) -> None:
        """As a power failure would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> OrthancServer:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def error_lines(self) -> list[str]:
        """What Orthanc and Treegarth logged as errors, without Orthanc's words on bad input and peers that went."""
        lines = self.log_text().splitlines()
        wrong = [line for line in lines if line.startswith("E") or "Exception ignored" in line]
        return [line for line in wrong if not _EXPECTED.search(line)]

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of a GET below /treegarth/api/v1/."""
        answer = requests.get(f"{self.api}/{path}", params=parameters, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def orthanc(self, path: str, **parameters: Any) -> Any:
        """The JSON of a GET of Orthanc's own API."""
        answer = requests.get(f"{self.url}/{path}", params=parameters, timeout=120)
        answer.raise_for_status()
        return answer.json()

    def wait_until_idle(self, timeout_s: float = 180) -> dict[str, Any]:
        """Wait until the index holds what Orthanc holds and nothing is pending; the last status."""
        deadline, last = monotonic() + timeout_s, None
        while monotonic() < deadline:
            try:
                last = self.get("status")
                if last["idle"] and last["orthanc_instances"] == last["indexed_instances"]:
                    return dict(last)
            except requests.RequestException as error:
                last = repr(error)
            sleep(0.1)
        raise AssertionError(f"Not idle after {timeout_s} s; last status: {last}\n{self.log_text()[-3000:]}")


def script_without_filter(path: Path, *, then: str = "") -> Path:
    """Write a PythonScript that starts Treegarth as a Python plugin would that knows no filter of C-STORE."""
    entry = str(ROOT / "plugin" / "orthanc_entry.py")
    lines = ("import runpy", "import orthanc", "del orthanc.RegisterIncomingCStoreInstanceFilter")
    path.write_text("\n".join((*lines, f"runpy.run_path({entry!r})", then)), encoding="utf-8")
    return path


def store(server: OrthancServer, *paths: Path, calling: str = "STORESCU", timeout_s: float = 300) -> None:
    """C-STORE files or folders by dcmtk's storescu, over one association. Raises where it fails."""
    subprocess.run(
        ["storescu", "-aet", calling, "-aec", "TREEGARTH", "+sd", "+r", "127.0.0.1", str(server.dicom_port)]
        + [str(path) for path in paths],
        check=True,
        capture_output=True,
        timeout=timeout_s,
        env={**os.environ, **WITHOUT_DELAY},
    )


@contextmanager
def hanging_database(server: OrthancServer) -> Iterator[None]:
    """Meanwhile the embedded database of a server answers nobody and ends no connection."""
    file = server.folder / "treegarth/postgresql/cluster/data/postmaster.pid"
    postmaster = int(file.read_text(encoding="ascii").split()[0])
    subprocess.run(["pkill", "-STOP", "-P", str(postmaster)], check=False)
    os.kill(postmaster, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(postmaster, signal.SIGCONT)
        subprocess.run(["pkill", "-CONT", "-P", str(postmaster)], check=False)


def begin_to_store(
    server: OrthancServer, folder: Path, *, environment: Mapping[str, str] = WITHOUT_DELAY
) -> subprocess.Popen[bytes]:
    """The same of one folder, while the caller goes on; whether it succeeds is the caller's to say."""
    return subprocess.Popen(
        ["storescu", "-aec", "TREEGARTH", "+sd", "127.0.0.1", str(server.dicom_port), str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )


def cpu_seconds(pid: int) -> float:
    """User and system CPU time of a process so far, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
