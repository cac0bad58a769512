"""A chain tells what was done to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.audit_events import KEY, NOON, viewed
from treegarth.audit.chain import BEGINNING, Anchor, Head, Link, SigningKey, link
from treegarth.audit.model import from_json, to_json
from treegarth.audit.verify import Verdict, verify


def chain_of(count: int) -> list[Link]:
    before, found = BEGINNING, list[Link]()
    for number in range(1, count + 1):
        found.append(link(before, "a", number, f"k{number}", viewed(number), bytes([number]) * 16))
        before = found[-1].hash
    return found


def head_of(links: Sequence[Link]) -> Head:
    return KEY.head("a", links[-1].number, links[-1].hash, 0, BEGINNING)


def judged(links: Sequence[Link], head: Head, *anchors: Anchor) -> Verdict:
    return verify(head, links, {one.number: one for one in anchors}, {KEY.name: KEY})


def test_a_chain_as_it_was_written_is_whole() -> None:
    links = chain_of(5)

    verdict = judged(links, head_of(links), KEY.anchor("a", 3, links[2].hash, NOON))

    assert verdict.is_whole
    assert (verdict.first, verdict.last, verdict.events, verdict.anchors, verdict.unsigned) == (1, 5, 5, 1, 0)


def changed(links: list[Link]) -> list[Link]:
    links[2] = replace(links[2], event=replace(links[2].event, actor="ben"))
    return links


def of_another_patient(links: list[Link]) -> list[Link]:
    links[2] = replace(links[2], event=replace(links[2].event, patients=("P9",)))
    return links


def without_one(links: list[Link]) -> list[Link]:
    return links[:2] + links[3:]


def without_one_and_no_gap(links: list[Link]) -> list[Link]:
    return links[:2] + [replace(one, number=one.number - 1) for one in links[3:]]


def swapped(links: list[Link]) -> list[Link]:
    links[1], links[2] = replace(links[2], number=2), replace(links[1], number=3)
    return links


def with_one_more(links: list[Link]) -> list[Link]:
    more = link(links[1].hash, "a", 3, "more", viewed(99), bytes(16))
    return [*links[:2], more, *(replace(one, number=one.number + 1) for one in links[2:])]


def without_the_last(links: list[Link]) -> list[Link]:
    return links[:-1]


def written_anew(links: list[Link]) -> list[Link]:
    """By somebody who can reckon every hash."""
    before, found = BEGINNING, list[Link]()
    for one in links:
        event = replace(one.event, actor="nobody")
        found.append(link(before, "a", one.number, one.key, event, one.salt or b""))
        before = found[-1].hash
    return found


@pytest.mark.parametrize(
    "done",
    [
        changed,
        of_another_patient,
        without_one,
        without_one_and_no_gap,
        swapped,
        with_one_more,
        without_the_last,
        written_anew,
    ],
)
def test_what_was_done_to_a_chain_is_found(done: Callable[[list[Link]], list[Link]]) -> None:
    links = chain_of(5)

    assert not judged(done(list(links)), head_of(links)).is_whole


def test_a_chain_that_is_written_anew_with_its_end_is_found_by_its_signature() -> None:
    made = written_anew(chain_of(5))
    forged = replace(head_of(chain_of(5)), hash=made[-1].hash)

    assert [one.number for one in judged(made, forged).faults] == [5]


def test_a_chain_that_ends_before_an_anchor_is_found() -> None:
    links = chain_of(5)
    anchor = KEY.anchor("a", 5, links[4].hash, NOON)

    assert judged(links, head_of(links), anchor).is_whole
    assert not judged(links[:4], head_of(links[:4]), anchor).is_whole


def test_an_anchor_that_another_key_signed_is_found() -> None:
    links = chain_of(3)
    forged = replace(SigningKey(secret=b"x" * 32).anchor("a", 2, links[1].hash, NOON), key_name=KEY.name)

    assert not judged(links, head_of(links), forged).is_whole


def test_signatures_of_a_key_that_is_not_here_are_counted_and_are_no_fault() -> None:
    links = chain_of(3)
    other = SigningKey(secret=b"x" * 32)

    verdict = verify(other.head("a", 3, links[2].hash, 0, BEGINNING), links, {}, {KEY.name: KEY})

    assert verdict.is_whole
    assert verdict.unsigned == 1


def test_a_chain_whose_beginning_was_cut_is_whole_from_there() -> None:
    links = chain_of(5)
    head = KEY.head("a", 5, links[4].hash, 2, links[1].hash)

    verdict = judged(links[2:], head)

    assert verdict.is_whole
    assert (verdict.first, verdict.events) == (3, 3)


def test_a_beginning_that_nobody_signed_off_is_missing() -> None:
    links = chain_of(5)

    assert not judged(links[2:], head_of(links)).is_whole
    assert not judged(links[2:], replace(head_of(links), cut_number=2, cut_hash=links[1].hash)).is_whole


def test_an_identity_can_go_and_the_chain_fits() -> None:
    links = chain_of(3)
    bare = replace(links[1].event, path="", query="", detail="", studies=(), patients=())
    links[1] = replace(links[1], event=bare, salt=None)

    verdict = judged(links, head_of(links))

    assert verdict.is_whole
    assert verdict.erased == 1


def test_an_event_survives_its_file() -> None:
    event = viewed(3, until=NOON, count=4, query="text=김^철수", resources=("studies/1",))

    assert from_json(to_json(event)) == event
