"""The file in which events wait."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit_events import viewed
from treegarth.audit.journal import Journal


def test_events_wait_in_their_order_and_go_as_the_database_takes_them(tmp_path: Path) -> None:
    file = tmp_path / "new" / "waiting.jsonl"
    journal = Journal(file)
    journal.append([("a", viewed(1)), ("b", viewed(2))])
    journal.append([("c", viewed(3))])

    assert Journal(file).waiting == journal.waiting == 3
    events, end = journal.first()
    assert [key for key, _ in events] == ["a", "b", "c"]
    assert events[1][1] == viewed(2)
    journal.forget(3, end)
    assert not file.exists()
    assert Journal(file).waiting == 0


def test_a_line_that_a_crash_cut_off_spoils_no_other(tmp_path: Path) -> None:
    file = tmp_path / "waiting.jsonl"
    Journal(file).append([("a", viewed(1)), ("b", viewed(2))])
    file.write_bytes(file.read_bytes()[:-40])

    journal = Journal(file)
    journal.append([("c", viewed(3))])

    assert [key for key, _ in journal.first()[0]] == ["a", "c"]
    assert journal.waiting == 2


def test_only_this_user_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "waiting.jsonl"
    Journal(file).append([("a", viewed(1))])

    assert file.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_raises(tmp_path: Path) -> None:
    (tmp_path / "no folder").write_text("", encoding="utf-8")

    with pytest.raises(OSError, match="no folder"):
        Journal(tmp_path / "no folder" / "waiting.jsonl").append([("a", viewed(1))])
