"""What the server takes of the machine: memory of its processes, and the disks that it writes to. Reads /proc only."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from treegarth.web.services import Disk, DiskPlace, MemoryPart

FIRST_AFTER_S = 5.0  # the database is starting
MEASURED_EVERY_S = 60.0
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """At one moment."""

    disks: tuple[Disk, ...] = ()
    memory_bytes: Mapping[MemoryPart, int] | None = None


def disk_of(place: DiskPlace, folder: Path) -> Disk | None:
    """The file system that a folder is on; None while the folder is not there. `free` is for who is not root."""
    try:
        found, device = os.statvfs(folder), folder.stat().st_dev
    except OSError:
        return None
    total, free = found.f_frsize * found.f_blocks, found.f_frsize * found.f_bavail
    return Disk(place=place, device=device, total_bytes=total, free_bytes=free)


def memory_of(pids: Iterable[int]) -> int:
    """Of some processes together: what each has for itself, and once what they share. 0 for those that have ended."""
    own, shared = 0, 0
    for pid in pids:
        try:
            pages = (_PROC / str(pid) / "statm").read_text(encoding="ascii").split()
        except OSError:
            continue
        own += int(pages[1]) - int(pages[2])
        shared = max(shared, int(pages[2]))
    return (own + shared) * _PAGE


def postmaster_of(pid_file: Path) -> int | None:
    """The number of the embedded PostgreSQL's first process; None where there is none."""
    try:
        return int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def with_children(pid: int) -> list[int]:
    """A process and those that it began."""
    found = [pid]
    try:
        for thread in (_PROC / str(pid) / "task").iterdir():
            found += map(int, (thread / "children").read_text(encoding="ascii").split())
    except OSError:
        return found
    return found


class Sampler:
    """Measures every minute on a thread of its own, and hands on what it found: a slow disk holds nobody up."""

    def __init__(self, measure: Callable[[], Measured], keep: Callable[[], None]) -> None:
        self._measure = measure
        self._keep = keep
        self._stop = threading.Event()
        self.latest = Measured()

    def start(self) -> None:
        threading.Thread(target=self._run, name="sampler", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        pause_s = FIRST_AFTER_S
        while not self._stop.wait(pause_s):
            pause_s = MEASURED_EVERY_S
            try:
                self.latest = self._measure()
                self._keep()
            except Exception:  # the boundary of a thread: the next minute is another try
                logger.exception("The use of memory and disks was not measured.")
