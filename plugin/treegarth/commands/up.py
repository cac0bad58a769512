"""`treegarth up`: Orthanc with Treegarth in the foreground, on a folder of its own. Starts, waits, stops cleanly."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from treegarth.commands.configuration import (
    PROJECT,
    SHIPPED,
    Configuration,
    read_configuration,
    refused_settings,
    write_configuration,
)
from treegarth.commands.exit_codes import ExitCode
from treegarth.commands.orthanc_process import OrthancProcess, health_check
from treegarth.commands.plugins import (
    DICOMWEB_PLUGIN,
    PACKAGES,
    PYTHON_PLUGIN,
    find_orthanc,
    find_plugin,
    needed_plugin,
    python_mismatch,
)
from treegarth.database.embedded import EmbeddedServer
from treegarth.errors import MachineNotReady, TreegarthError
from treegarth.host.orthanc_checks import GUARD

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 8.5  # with the database, both end within ten seconds
DATABASE_STOP_TIMEOUT_S = 1.5
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, kw_only=True)
class UpOptions:
    """What the command line asks of `up`."""

    data: Path
    http_port: int
    dicom_port: int
    source: Path | None = None  # a configuration other than the shipped one
    workers: int | None = None
    section: Mapping[str, Any] = field(default_factory=dict)  # keys of "Treegarth" where the source has none
    instead: Mapping[str, Any] = field(default_factory=dict)  # and those that stand in place of the shipped ones


@dataclass(frozen=True, kw_only=True)
class Served:
    """What is up, for whoever works with it while it is."""

    url: str  # http://127.0.0.1:8042
    dicom_port: int
    ae_title: str
    authorization: str | None = field(default=None, repr=False)


class StopRequested(BaseException):
    """A signal asked for the end. Not an Exception: nobody on the way may take it for an error of theirs."""


def up(options: UpOptions, output: TextIO, then: Callable[[Served], int | None] | None = None) -> int:
    """Serve until a signal; the exit code. `then` is called once it serves: a number ends it, None goes on serving.

    Raises SettingsRefused, MachineNotReady or TreegarthError where it cannot serve.
    """
    with stopped_by_signals(), only_one(options.data):
        configuration = compose(options)
        settings = refused_settings(configuration, os.environ)
        program = find_orthanc()
        check_ports(options, bool(configuration.values.get("DicomServerEnabled", True)))
        write_configuration(options.data / "orthanc.json", configuration.values)
        database = None if settings.database else EmbeddedServer(configuration.embedded_folder(settings))
        return serve(options, configuration, program, database, output, then)


def serve(
    options: UpOptions,
    configuration: Configuration,
    program: Path,
    database: EmbeddedServer | None,
    output: TextIO,
    then: Callable[[Served], int | None] | None,
) -> int:
    data = options.data
    orthanc: OrthancProcess | None = None
    code: int | None = ExitCode.DONE
    try:
        orthanc = OrthancProcess(program, data / "orthanc.json", data / "orthanc.log", output)
        check = health_check(configuration.values, options.http_port)
        orthanc.wait_until_healthy(check, timeout_s=START_TIMEOUT_S)
        url = check.url.removesuffix("/treegarth/api/v1/health")
        print(f"ready {url}/treegarth/", file=output, flush=True)
        ae_title = str(configuration.values.get("DicomAet", "ORTHANC"))
        served = Served(url=url, dicom_port=options.dicom_port, ae_title=ae_title, authorization=check.authorization)
        code = then(served) if then else None
        if code is None:
            ended = orthanc.wait()
            raise TreegarthError(f"Orthanc ended by itself with exit code {ended}.\n{orthanc.last_lines()}")
    except StopRequested:
        code = ExitCode.DONE
    finally:
        ignore_signals()
        problem = orthanc.stop(output, timeout_s=STOP_TIMEOUT_S) if orthanc else None
        if database is not None:
            database.stop(timeout_s=DATABASE_STOP_TIMEOUT_S)
    if problem:
        print(problem, file=output, flush=True)
        return ExitCode.FAILED
    return code


def compose(options: UpOptions) -> Configuration:
    """The configuration to run with: the source's, with folders, ports and plugins of this machine and folder.

    Raises SettingsRefused or MachineNotReady.
    """
    source = read_configuration(options.source or SHIPPED, os.environ)
    section: Any = source.values.get("Treegarth", {})
    if isinstance(section, dict):  # anything else is refused when the settings are read
        section = {"DataDirectory": str(options.data / "treegarth"), **options.section, **section}
        if options.source is None:
            section |= options.instead
        if options.workers is not None:
            section["Workers"] = options.workers
    values = {
        **source.values,
        "StorageDirectory": str(options.data / "storage"),
        "IndexDirectory": str(options.data / "index"),
        "HttpPort": options.http_port,
        "DicomPort": options.dicom_port,
        "Plugins": plugins_of(source.values.get("Plugins", [])),
        "PythonScript": str(PROJECT / "plugin" / "orthanc_entry.py"),
        "LuaScripts": scripts_of(source),
        "Treegarth": section,
    }
    return Configuration(source=options.data / "orthanc.json", values=values)


def scripts_of(source: Configuration) -> list[str]:
    """The source's own, then the guard, which asks a filter among them as well."""
    given = [source.folder / str(script) for script in source.values.get("LuaScripts", [])]
    return [*(str(script) for script in given if script.name != GUARD.name), str(GUARD)]


def plugins_of(configured: list[str]) -> list[str]:
    """What the source names and this machine has, with the two that Treegarth needs.

    Raises MachineNotReady where one is missing, or embeds another Python than ours.
    """
    places = [place for place in configured if Path(place).exists() or not is_known(place)]
    for name in (PYTHON_PLUGIN, DICOMWEB_PLUGIN):
        if find_plugin(name, map(Path, places)) is None:
            places.append(str(needed_plugin(name)))
    python_plugin = find_plugin(PYTHON_PLUGIN, map(Path, places))
    if python_plugin and (mismatch := python_mismatch(python_plugin)):
        raise MachineNotReady(mismatch)
    return places


def is_known(place: str) -> bool:
    return Path(place).name.split(".so")[0] in PACKAGES


def check_ports(options: UpOptions, dicom_enabled: bool) -> None:
    """Raises MachineNotReady, naming the port and how to choose another."""
    wanted = [(options.http_port, "HTTP", "--http-port", "HTTP_PORT")]
    if dicom_enabled:
        wanted.append((options.dicom_port, "DICOM", "--dicom-port", "DICOM_PORT"))
    for port, name, option, variable in wanted:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError as error:
                raise MachineNotReady(
                    f"The {name} port {port} cannot be used: {error.strerror}. "
                    f"Choose another by {option} N (make run {variable}=N)."
                ) from error


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Nobody else runs on this folder while we do. Raises MachineNotReady."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MachineNotReady(f"The folder {data} cannot be used: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise MachineNotReady(
            f"Treegarth already runs on the folder {data}. Stop that one, or choose another folder by --data."
        ) from None
    finally:
        os.close(descriptor)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Inside, the first signal raises StopRequested where the program stands; later ones do nothing."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}

    def stop(number: int, frame: FrameType | None) -> None:
        ignore_signals()
        raise StopRequested

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """While stopping: a second Ctrl-C must not leave half of it running."""
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: None)
