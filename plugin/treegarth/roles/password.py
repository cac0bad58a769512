"""Makes and compares hashes of passwords, one at a time, for the web server in Orthanc: 46 MiB and 50 ms of a processor
each are not for the process that stores objects.

A line in is `{"hash": password}` or `{"fits": [password, hash]}`, a line out the hash, or true or false.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from treegarth.access.passwords import Argon2id

_NICENESS = 10


def main() -> None:
    """Until the input closes."""
    sys.stdin.buffer.readline()  # there is nothing to be told
    os.nice(_NICENESS)
    hasher = Argon2id()
    for line in sys.stdin.buffer:
        asked: dict[str, Any] = json.loads(line)
        found: str | bool = hasher.hashed(asked["hash"]) if "hash" in asked else hasher.fits(*asked["fits"])
        sys.stdout.buffer.write(json.dumps(found).encode() + b"\n")
        sys.stdout.buffer.flush()
