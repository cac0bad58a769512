"""Memory that was freed goes back to the system, now and then."""

from __future__ import annotations

import os

from tests.servers import resident_bytes
from treegarth.host.memory import RETURN_EVERY_S, MemoryReturn


def test_what_a_burst_has_left_behind_is_given_back() -> None:
    burst = [bytes([number % 251]) * 2000 for number in range(60_000)]
    kept = burst[::40]
    del burst
    before = resident_bytes(os.getpid())
    returning = MemoryReturn(0.0)
    assert not returning.tick(RETURN_EVERY_S - 1)
    assert returning.tick(RETURN_EVERY_S)
    assert resident_bytes(os.getpid()) < before - 20 * 2**20
    assert not returning.tick(RETURN_EVERY_S + 1)
    assert len(kept) == 1500
