"""Sends studies as modalities do: C-STORE by dcmtk's `storescu`, another process for each study's association.

Nothing of the day stays on disk: each study's files last as long as their association.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from treegarth.demo.attributes import write
from treegarth.demo.expected import BuiltStudy, ExpectedStudy
from treegarth.errors import PushFailed

_POLL_S = 0.02


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Where to send."""

    ae_title: str
    dicom_port: int
    host: str = "127.0.0.1"


def push(
    studies: Iterable[BuiltStudy], archive: Archive, *, at_once: int = 3, association_timeout_s: float = 120.0
) -> list[ExpectedStudy]:
    """Sends every study, up to `at_once` associations at a time, each under its device's AE title.

    Returns what the archive should now know. Raises PushFailed when storescu is missing, an association does not end
    in time, or the archive refuses an object.
    """
    program = shutil.which("storescu")
    if program is None:
        raise PushFailed("storescu is missing: install Debian's package dcmtk.")
    sent = []
    with (
        tempfile.TemporaryDirectory(prefix="treegarth-demo-") as folder,
        _Associations(program, archive, association_timeout_s) as associations,
    ):
        for number, built in enumerate(studies):
            associations.wait_for_fewer_than(at_once)
            associations.start(built, Path(folder) / str(number))
            sent.append(built.expected)
        associations.wait_for_fewer_than(1)
    return sent


@dataclass(frozen=True, kw_only=True)
class _Association:
    """One storescu that is sending one study's folder."""

    process: subprocess.Popen[bytes]
    folder: Path
    calling_ae_title: str
    deadline: float


class _Associations:
    """The processes that are sending. Leaving the context ends whatever still runs, for whatever reason."""

    def __init__(self, program: str, archive: Archive, timeout_s: float) -> None:
        self._program = program
        self._archive = archive
        self._timeout_s = timeout_s
        self._running: list[_Association] = []

    def __enter__(self) -> _Associations:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for association in self._running:
            association.process.kill()
            association.process.wait()

    def start(self, built: BuiltStudy, folder: Path) -> None:
        """Writes the study's files and starts its association."""
        objects = folder / "objects"
        objects.mkdir(parents=True)
        for number, dataset in enumerate(built.datasets):
            write(dataset, objects / f"{number:05d}.dcm")
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                self._command(built.calling_ae_title, objects),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._running.append(
            _Association(
                process=process,
                folder=folder,
                calling_ae_title=built.calling_ae_title,
                deadline=time.monotonic() + self._timeout_s,
            )
        )

    def wait_for_fewer_than(self, count: int) -> None:
        """Waits until fewer than `count` associations are left. Raises PushFailed when one failed or hangs."""
        while True:
            for association in [one for one in self._running if one.process.poll() is not None]:
                self._running.remove(association)
                self._conclude(association)
            for association in self._running:
                if time.monotonic() > association.deadline:
                    raise PushFailed(
                        f"{association.calling_ae_title} was still sending to {self._name} after "
                        f"{self._timeout_s:.0f} s: {_last_line(association)}"
                    )
            if len(self._running) < count:
                return
            time.sleep(_POLL_S)

    @property
    def _name(self) -> str:
        return f"{self._archive.ae_title} at {self._archive.host}:{self._archive.dicom_port}"

    def _conclude(self, association: _Association) -> None:
        if association.process.returncode != 0:
            raise PushFailed(
                f"{association.calling_ae_title} could not send to {self._name}: {_last_line(association)}"
            )
        shutil.rmtree(association.folder)

    def _command(self, calling_ae_title: str, objects: Path) -> list[str]:
        """Only the presentation contexts that the objects need, and a limit on every wait of the protocol."""
        archive = self._archive
        timeouts = ["--timeout", "10", "--acse-timeout", "10", "--dimse-timeout", "60"]
        titles = ["--aetitle", calling_ae_title, "--call", archive.ae_title]
        files = ["--scan-directories", str(objects)]
        return [self._program, "--required", *timeouts, *titles, archive.host, str(archive.dicom_port), *files]


def _last_line(association: _Association) -> str:
    """What storescu said last, or its exit code."""
    said = (association.folder / "log").read_text("utf-8", "replace").split("\n")
    lines = [line.strip() for line in said if line.strip()]
    return lines[-1] if lines else f"exit code {association.process.poll()}"
