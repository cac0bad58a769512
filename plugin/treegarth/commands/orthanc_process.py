"""One Orthanc as a child process: started, watched until it serves, stopped. Knows nothing of how it is configured."""

from __future__ import annotations

import base64
import os
import shutil
import ssl
import subprocess
import sys
import sysconfig
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from treegarth.errors import TreegarthError

POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """How to ask whether Treegarth serves."""

    url: str
    authorization: str | None = field(default=None, repr=False)

    def answer(self) -> str:
        """`serves`, or what was heard instead."""
        request = urllib.request.Request(self.url)
        if self.authorization:
            request.add_header("Authorization", self.authorization)
        unverified = ssl._create_unverified_context()  # to this machine itself, with whatever certificate it has
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=unverified)
        )
        try:
            with opener.open(request, timeout=5):
                return "serves"
        except urllib.error.HTTPError as error:
            with error:
                return f"HTTP {error.code}: {error.read(300).decode(errors='replace')}"
        except OSError as error:
            return str(getattr(error, "reason", error))


def health_check(configuration: Mapping[str, Any], http_port: int) -> HealthCheck:
    """As Orthanc's configuration makes it answer, with a login where it asks for one."""
    scheme = "https" if configuration.get("SslEnabled") else "http"
    users = configuration.get("RegisteredUsers") or {}
    authorization = None
    if configuration.get("AuthenticationEnabled") and users:
        name, password = next(iter(users.items()))
        authorization = "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
    return HealthCheck(url=f"{scheme}://127.0.0.1:{http_port}/treegarth/api/v1/health", authorization=authorization)


class OrthancProcess:
    """A running Orthanc. Its log goes to a file; lines that report errors are shown as well."""

    def __init__(self, program: Path, configuration: Path, log: Path, shown: TextIO) -> None:
        self.log = log
        if log.exists():
            log.replace(log.with_suffix(".previous.log"))
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._child = subprocess.Popen(
                [*ended_with_us(), str(program), str(configuration)],
                cwd=log.parent,
                env=environment_for_orthanc(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,  # a terminal's Ctrl-C is for us; Orthanc then hears of it once, from us
            )
        finally:
            os.close(descriptor)
        self._tail = threading.Thread(target=self._show_errors, args=(shown,), daemon=True)
        self._tail.start()

    def wait_until_healthy(self, check: HealthCheck, *, timeout_s: float) -> None:
        """Raises TreegarthError with the log's last lines where it ends or does not get there in time."""
        deadline = time.monotonic() + timeout_s
        heard = "nothing"
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise TreegarthError(f"Orthanc ended with exit code {self._child.returncode}.\n{self.last_lines()}")
            heard = check.answer()
            if heard == "serves":
                return
            time.sleep(POLL_S)
        raise TreegarthError(
            f"Treegarth did not serve within {timeout_s:g} s; {check.url} says: {heard}\n{self.last_lines()}"
        )

    def wait(self) -> int:
        """Its exit code, when it ends by itself."""
        return self._child.wait()

    def stop(self, output: TextIO, *, timeout_s: float) -> str | None:
        """End it as a service manager would. What went wrong with that, or None.

        One that still serves a sender is killed: what it acknowledged is stored, and the next start repairs the index.
        """
        if self._child.poll() is None:
            self._child.terminate()
        try:
            code = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            print(
                f"Orthanc was still busy {timeout_s:g} s after SIGTERM and was killed; what it acknowledged is stored.",
                file=output,
                flush=True,
            )
            return None
        return f"Orthanc ended with exit code {code}. See {self.log}." if code else None

    def last_lines(self, count: int = 25) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"The last lines of {self.log}:", *lines[-count:]])

    def _show_errors(self, shown: TextIO) -> None:
        with self.log.open(encoding="utf-8", errors="replace") as file:
            unfinished = ""
            while self._child.poll() is None:
                unfinished += (piece := file.readline())
                if unfinished.endswith("\n"):
                    if unfinished.startswith("E"):  # as Orthanc marks them: E1121 03:04:05.678 ...
                        print(unfinished, end="", file=shown, flush=True)
                    unfinished = ""
                if not piece:
                    time.sleep(0.3)


def environment_for_orthanc(environment: Mapping[str, str]) -> dict[str, str]:
    """Without a UTF-8 locale the Python inside Orthanc reads and writes ASCII. It uses our environment's packages."""
    kept = {name: value for name, value in environment.items() if not name.startswith("LC_") and name != "PYTHONHOME"}
    if sys.prefix != sys.base_prefix:
        kept.setdefault("TREEGARTH_SITE_PACKAGES", sysconfig.get_path("purelib"))
    return {**kept, "LANG": "C.UTF-8", "PYTHONUTF8": "1"}


def ended_with_us() -> list[str]:
    """What to put before a command so that it is told to end when we are killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
