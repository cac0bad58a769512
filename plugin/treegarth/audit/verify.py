"""Whether a chain is as it was written: no event changed, taken out, put in or moved. Pure.

What it cannot see: that the database was put back to an earlier state as a whole, heads with it. Who must exclude that
keeps what `treegarth audit verify` prints elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from treegarth.audit.chain import Anchor, Head, Link, SigningKey, event_hash, identity_digest

MOST_FAULTS = 100


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What does not fit, and where."""

    number: int
    said: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found of one chain."""

    server: str
    first: int
    last: int
    events: int
    erased: int
    """Events whose identity was taken away."""
    anchors: int
    """Whose signature was checked."""
    unsigned: int
    """Anchors and heads signed with a key that is not here."""
    hash: bytes
    faults: tuple[Fault, ...] = field(default=())

    @property
    def is_whole(self) -> bool:
        return not self.faults


def verify(head: Head, links: Iterable[Link], anchors: Mapping[int, Anchor], keys: Mapping[str, SigningKey]) -> Verdict:
    """Of a chain whose events come in their order; keys by their names."""
    faults: list[Fault] = []
    erased = events = checked = unsigned = 0

    def found(number: int, said: str) -> None:
        if len(faults) < MOST_FAULTS:
            faults.append(Fault(number=number, said=said))

    key = keys.get(head.key_name)
    if key is None:
        unsigned += 1
    elif not key.signed_head(head):
        found(head.number, "the end of the chain is not as it was signed")
    before, number = head.cut_hash, head.cut_number
    for one in links:
        events += 1
        if one.number != number + 1:
            missing = f"{number + 1} to {one.number - 1}" if one.number > number + 1 else f"{one.number} again"
            found(one.number, f"events are missing or in a wrong place: {missing}")
            before = b""  # what it is bound to is not here: the next ones can be checked from it on
        expected = event_hash(before, one.server, one.number, one.key, one.event, one.identity_digest)
        if before and expected != one.hash:
            found(one.number, "the event is not the one that was written, or the one before it is not")
        if one.salt is None:
            erased += 1
        elif identity_digest(one.event, one.salt) != one.identity_digest:
            found(one.number, "whom or what it was about is not what was written")
        if (anchor := anchors.get(one.number)) is not None:
            signer = keys.get(anchor.key_name)
            unsigned, checked = unsigned + (signer is None), checked + (signer is not None)
            if anchor.hash != one.hash or (signer is not None and not signer.signed_anchor(anchor)):
                found(one.number, "the event does not fit the anchor that was signed here")
        before, number = one.hash, one.number
    if number != head.number:
        found(number, f"the chain ends here and was written to {head.number}")
    elif before != head.hash:
        found(number, "the last event is not the one that the end of the chain names")
    for missing_anchor in sorted(one for one in anchors if one > max(number, head.number)):
        found(missing_anchor, "an anchor was signed here, and the chain ends before it")
    return Verdict(
        server=head.server,
        first=head.cut_number + 1,
        last=number,
        events=events,
        erased=erased,
        anchors=checked,
        unsigned=unsigned,
        hash=before,
        faults=tuple(faults),
    )
