"""What the system page says of the memory that Orthanc's plugin keeps of requests."""

from __future__ import annotations

import pytest

from treegarth.host.self_check import memory_of_requests


@pytest.mark.parametrize(
    ("count", "forgets", "state", "said"),
    [
        (10_000_000, False, "ok", "keeps nothing"),
        (0, True, "ok", "keeps nothing"),
        (100_000, True, "ok", "100 MB of 100000 requests; from 512 MB on"),
        (600_000, True, "warning", "599 MB of 600000 requests, and frees it when Orthanc ends: restart"),
    ],
)
def test_a_restart_is_asked_for_where_much_was_kept(count: int, forgets: bool, state: str, said: str) -> None:
    found = memory_of_requests(count, forgets=forgets)
    assert found.state == state
    assert said in found.sentence
