"""Child processes of the plugin: started by the real interpreter, told everything in one line, ended with Orthanc.

A child reads its instructions (which hold credentials) from standard input, where nobody else can see them, and
ends when that input closes: so it also ends when Orthanc is killed.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import IO, Any

import treegarth

_LOG_LINE = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL) (.*)", re.DOTALL)
_CALM_AFTER_S = 60.0  # a child that lived this long is started again at once
_LONGEST_PAUSE_S = 30.0

logger = logging.getLogger(__name__)


def project_root() -> Path:
    """The folder that holds plugin/, web/ and migrations/."""
    return Path(treegarth.__file__).resolve().parents[2]


def interpreter() -> str:
    """The Python to start children with: inside Orthanc `sys.executable` is Orthanc itself."""
    if given := os.environ.get("TREEGARTH_PYTHON"):
        return given
    packages = Path(os.environ.get("TREEGARTH_SITE_PACKAGES", ""))  # as orthanc_entry.py takes them
    candidates = [folder / "bin/python" for folder in packages.parents if (folder / "pyvenv.cfg").is_file()]
    candidates += [project_root() / ".venv/bin/python", Path(sys.prefix) / f"bin/python{sys.version_info[0]}"]
    candidates += [Path(sys.base_prefix) / f"bin/python{sys.version_info[0]}.{sys.version_info[1]}"]
    return str(next((path for path in candidates if path.exists()), "python3"))


def _environment() -> dict[str, str]:
    """The child's environment: it finds the same packages as we do, and writes UTF-8 whatever the locale."""
    places = [place for place in sys.path if "site-packages" in place or "dist-packages" in place]
    path = [str(project_root() / "plugin"), *places]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class Child:
    """One child process, started again with growing pauses when it ends unasked."""

    def __init__(self, role: str, instructions: Mapping[str, Any], *, name: str | None = None) -> None:
        self.role = role
        self.name = name or role
        self.restarts = -1
        self._instructions = json.dumps(dict(instructions)).encode() + b"\n"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause_s = 0.5

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def input(self) -> IO[bytes]:
        if self._process is None or self._process.stdin is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.stdin

    @property
    def output(self) -> IO[bytes]:
        if self._process is None or self._process.stdout is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process.stdout

    def start(self) -> None:
        """Start the process and hand it its instructions."""
        self._process = subprocess.Popen(
            [interpreter(), "-m", "treegarth.roles", self.role],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,  # a Ctrl-C at the terminal is Orthanc's to handle
        )
        self._started_at = monotonic()
        self.restarts += 1
        threading.Thread(target=_relay, args=(self._process.stderr, self.name), daemon=True).start()
        try:
            self.input.write(self._instructions)
            self.input.flush()
        except OSError:
            logger.warning("%s ended before it took its instructions.", self.name)

    def restart_if_dead(self) -> bool:
        """Start it again if it has ended and its pause is over; whether it was started."""
        if self.alive:
            return False
        lived = monotonic() - self._started_at
        if self._process is not None and lived < _CALM_AFTER_S and lived < self._pause_s:
            return False
        if self._process is not None:
            logger.warning("%s ended with code %s and is started again.", self.name, self._process.returncode)
            self._pause_s = 0.5 if lived > _CALM_AFTER_S else min(_LONGEST_PAUSE_S, self._pause_s * 2)
        self.start()
        return True

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None where it still runs after that time."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def close_input(self) -> None:
        """Ask it to end: it finishes what it has at hand."""
        try:
            self.input.close()
        except (OSError, RuntimeError):
            logger.debug("The input of %s was closed already.", self.name)

    def kill(self) -> None:
        if self._process is not None and self.alive:
            logger.warning("%s did not end in time and was killed; its work is a state in the database.", self.name)
            self._process.kill()
            self._process.wait(2)


def _relay(stream: IO[bytes] | None, name: str) -> None:
    """Carry a child's log into ours, line by line."""
    for line in stream or ():
        text = line.decode("utf-8", "replace").rstrip()
        if match := _LOG_LINE.match(text):
            logger.log(logging.getLevelNamesMapping()[match[1]], "%s: %s", name, match[2])
        elif text:
            logger.warning("%s: %s", name, text)
