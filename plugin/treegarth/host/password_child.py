"""Ask the child process that knows Argon2id; one question at a time, whoever asks."""

from __future__ import annotations

import json
from threading import Lock
from typing import Any

from treegarth.errors import MachineNotReady
from treegarth.host.children import Child
from treegarth.phrases import N_


class PasswordChild:
    """`Passwords` for the server in Orthanc. The child starts with the first question and again where it has ended."""

    def __init__(self) -> None:
        self._child = Child("password", {})
        self._lock = Lock()

    def hashed(self, password: str) -> str:
        return str(self._ask({"hash": password}))

    def fits(self, password: str, password_hash: str) -> bool:
        return self._ask({"fits": [password, password_hash]}) is True

    def stop(self) -> None:
        with self._lock:
            self._child.close_input()
            if self._child.wait(1.0) is None:
                self._child.kill()

    def _ask(self, asked: dict[str, Any]) -> Any:
        """Raises MachineNotReady where the child ends twice without an answer."""
        with self._lock:
            for _ in range(2):
                if not self._child.alive:
                    self._child.start()
                try:
                    self._child.input.write(json.dumps(asked).encode() + b"\n")
                    self._child.input.flush()
                    answer = self._child.output.readline()
                except OSError:
                    answer = b""
                if answer:
                    return json.loads(answer)
                self._child.wait(1.0)
        raise MachineNotReady(N_("Passwords cannot be compared at the moment. Try again."))
