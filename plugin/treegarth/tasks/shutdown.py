"""Tasks that wait for other machines hear here that their worker is told to end. Knows no task."""

from __future__ import annotations

import threading

from treegarth.errors import TreegarthError

_ending = threading.Event()


class WorkerEnding(TreegarthError):
    """The worker is told to end. What is at hand stays as it is recorded, and another goes on with it."""


def announce_end() -> None:
    """From now on every pause ends at once."""
    _ending.set()


def is_ending() -> bool:
    """Whether the worker is told to end."""
    return _ending.is_set()


def pause(seconds: float) -> None:
    """Wait so long. Raises WorkerEnding as soon as the worker is told to end."""
    if _ending.wait(seconds):
        raise WorkerEnding
