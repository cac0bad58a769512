"""Requests are answered on threads with large stacks, which keep nothing from one request to the next."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from time import monotonic, sleep

import pytest

from treegarth.host.request_threads import NotAnsweredInTime, RequestThreads

who: ContextVar[str] = ContextVar("who", default="nobody")


def on_a_small_stack(do: object) -> None:
    """As Orthanc's own threads have: 100 KB."""
    before = threading.stack_size(100 * 1024)
    try:
        thread = threading.Thread(target=do)  # type: ignore[arg-type]
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()


def test_what_overflows_a_stack_of_orthanc_is_done_by_whoever_waits_on_one() -> None:
    found: list[object] = []
    threads = RequestThreads(2)
    on_a_small_stack(lambda: found.append(threads.run(lambda: json.loads("[" * 900 + "]" * 900))))
    assert len(found) == 1


def test_an_error_is_raised_where_the_answer_is_waited_for() -> None:
    def fail() -> None:
        raise LookupError("not there")

    threads = RequestThreads(1)
    with pytest.raises(LookupError, match="not there"):
        threads.run(fail)
    assert threads.run(lambda: 1) == 1


def test_nothing_that_a_request_sets_is_there_for_the_next() -> None:
    threads = RequestThreads(1)

    def take(name: str) -> str:
        found = who.get()
        who.set(name)
        return found

    assert [threads.run(lambda name=name: take(name)) for name in ("kim", "lee", "park")] == ["nobody"] * 3


def test_threads_are_started_as_they_are_needed_and_used_again() -> None:
    threads = RequestThreads(8)
    names = {threads.run(lambda: threading.current_thread().name) for _ in range(1)}
    for _ in range(20):
        sleep(0.001)  # the one that answered comes back to rest
        names.add(threads.run(lambda: threading.current_thread().name))
    assert len(names) <= 2

    met = threading.Barrier(8, timeout=10)
    with ThreadPoolExecutor(8) as callers:
        assert sorted(callers.map(lambda number: threads.run(met.wait), range(8))) == list(range(8))


def test_more_requests_than_threads_wait_for_their_turn() -> None:
    threads = RequestThreads(2)
    with ThreadPoolExecutor(20) as callers:
        done = list(callers.map(lambda number: threads.run(lambda: (sleep(0.005), number)[1]), range(200)))
    assert done == list(range(200))
    assert threads.given_up == 0


def test_who_waits_too_long_gets_his_thread_back_and_is_counted() -> None:
    threads = RequestThreads(1, answer_within_s=0.05)
    go_on, began = threading.Event(), monotonic()
    with pytest.raises(NotAnsweredInTime):
        threads.run(go_on.wait)
    assert monotonic() - began < 5

    ran: list[int] = []
    with pytest.raises(NotAnsweredInTime):  # no thread is free: it never begins
        threads.run(lambda: ran.append(1))
    assert threads.given_up == 2
    go_on.set()
    deadline = monotonic() + 5
    while monotonic() < deadline:
        try:
            assert threads.run(lambda: 7) == 7
            break
        except NotAnsweredInTime:
            continue
    assert ran == []
