"""The server's process as the machine shows it: find it, signal it, wait for its end. Never touches a stranger.

The process id in PostgreSQL's own pid file may be stale and belong by now to anybody. So a process counts as ours only
when its account and a token on its command line agree, and it is held by a descriptor that cannot come to mean another.
"""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ServerProcess:
    """A postmaster held by a pid descriptor; `close` it when done."""

    process_id: int
    port: int
    descriptor: int

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it has ended meanwhile: what the signal was for
            signal.pidfd_send_signal(self.descriptor, number)

    def children(self) -> list[int]:
        """Descriptors that hold the server's own children; the caller closes them."""
        held = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, ValueError, IndexError):
                parent = int((folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                if parent == self.process_id:
                    held.append(os.pidfd_open(int(folder.name)))
        return held

    def kill_with_children(self) -> None:
        """By force. The server's children end when they see it gone, but not those that stand still."""
        children = self.children()
        self.send(signal.SIGKILL)
        for descriptor in children:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            os.close(descriptor)

    def has_ended(self, *, within_s: float = 0.0) -> bool:
        """Whether it has ended, after waiting up to so long."""
        poll = select.poll()
        poll.register(self.descriptor, select.POLLIN)
        return bool(poll.poll(max(0, round(within_s * 1000))))

    def close(self) -> None:
        os.close(self.descriptor)


def find_process(pid_file: Path, *, user_id: int, token: str) -> ServerProcess | None:
    """The living postmaster that this pid file names, if it runs as this account with this token; else None."""
    try:
        lines = pid_file.read_text(encoding="utf-8", errors="replace").splitlines()
        process_id, port = int(lines[0]), int(lines[3])
    except (OSError, ValueError, IndexError):
        return None
    if process_id <= 1:
        return None
    try:
        descriptor = os.pidfd_open(process_id)
    except OSError:
        return None
    process = ServerProcess(process_id=process_id, port=port, descriptor=descriptor)
    if _is_ours(process_id, user_id=user_id, token=token) and not process.has_ended():
        return process
    process.close()
    return None


def _is_ours(process_id: int, *, user_id: int, token: str) -> bool:
    folder = Path("/proc", str(process_id))
    try:
        owner = folder.stat().st_uid
        arguments = (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return owner == user_id and f"cluster_name={token}".encode() in arguments
