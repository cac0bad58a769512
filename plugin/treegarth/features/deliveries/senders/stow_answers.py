"""What a DICOMweb server says of each object of a STOW-RS request (PS3.18 10.5.3, table 10.5.3-1). Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from treegarth.phrases import P_

FAILED_SOP_SEQUENCE = "00081198"
REFERENCED_SOP_SEQUENCE = "00081199"
OTHER_FAILURES_SEQUENCE = "0008119A"
REFERENCED_SOP_INSTANCE_UID = "00081155"
FAILURE_REASON = "00081197"
WARNING_REASON = "00081196"
ALREADY_THERE = frozenset({0x0111, 45070})  # Duplicate SOP Instance; what Azure's DICOM service says
# PS3.18 table I.2-2 and, for the codes that servers take over from C-STORE, PS3.7 annex C.
_REASONS = {
    0x0110: P_("processing failure"),
    0x0112: P_("no such object instance"),
    0x0117: P_("invalid object instance"),
    0x0122: P_("SOP class not supported"),
    0x0124: P_("not authorised"),
    0xC122: P_("transfer syntax not supported"),
}
_RANGES = (  # first, last
    (0xA700, 0xA7FF, P_("out of resources")),
    (0xA900, 0xA9FF, P_("the data set does not match its SOP class")),
    (0xC000, 0xCFFF, P_("the object cannot be understood")),
)


@dataclass(frozen=True, kw_only=True)
class StowAnswer:
    """What became of which SOP instance."""

    stored: frozenset[str] = frozenset()
    failed: Mapping[str, int] = field(default_factory=dict)  # SOP instance UID → failure reason
    other_failures: int = 0  # of parts that the server could not even name

    @property
    def is_empty(self) -> bool:
        return not (self.stored or self.failed or self.other_failures)


def read_stow_answer(body: bytes, content_type: str) -> StowAnswer | None:
    """The answer's body in DICOM JSON or the native XML (PS3.18 F, PS3.19 A); None where it is neither."""
    try:
        if "json" in content_type or body[:1] in (b"{", b"["):
            given = json.loads(body)
            return _answer(_of_json(given[0] if isinstance(given, list) and given else given))
        if "xml" in content_type or body[:1] == b"<":
            return _answer(_of_xml(body))
    except (ValueError, TypeError, AttributeError, RecursionError, ElementTree.ParseError):
        return None
    return None


def reason_in_words(code: int) -> str:
    """A failure reason as a person reads it: words where the standard has them, always the number."""
    number = f"{code:04X}"
    if code in ALREADY_THERE:
        return P_("It has the object already (%(code)s).", code=number)
    words = _REASONS.get(code) or next((said for first, last, said in _RANGES if first <= code <= last), None)
    if words is None:
        return P_("It refused the object (%(code)s).", code=number)
    return P_("It refused the object: %(meaning)s (%(code)s).", meaning=words, code=number)


_Items = dict[str, list[dict[str, Any]]]  # sequence's tag → items: tag → first value


def _answer(items: _Items) -> StowAnswer:
    failed = items.get(FAILED_SOP_SEQUENCE, [])
    return StowAnswer(
        stored=frozenset(_uids(items.get(REFERENCED_SOP_SEQUENCE, []))),
        failed={str(one[REFERENCED_SOP_INSTANCE_UID]): _code(one) for one in failed if _uid(one)},
        other_failures=len(items.get(OTHER_FAILURES_SEQUENCE, [])) + sum(not _uid(one) for one in failed),
    )


def _code(item: Mapping[str, Any]) -> int:
    return int(item.get(FAILURE_REASON) or 0)


def _uid(item: Mapping[str, Any]) -> str | None:
    return item.get(REFERENCED_SOP_INSTANCE_UID)


def _uids(items: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    return (str(found) for one in items if (found := _uid(one)))


def _of_json(data_set: Mapping[str, Any]) -> _Items:
    return {
        tag.upper(): [
            {inner.upper(): (element.get("Value") or [None])[0] for inner, element in item.items()}
            for item in sequence.get("Value") or ()
        ]
        for tag, sequence in data_set.items()
        if sequence.get("vr", "SQ") == "SQ"
    }


def _of_xml(body: bytes) -> _Items:
    if re.search(rb"<!(DOCTYPE|ENTITY)", body):
        raise ValueError("a document type declaration")
    items: _Items = {}
    for sequence in _attributes(ElementTree.fromstring(body)):
        found = [child for child in sequence if _name(child) == "Item"]
        items[sequence.get("tag", "").upper()] = [
            {
                one.get("tag", "").upper(): next((value.text for value in one if _name(value) == "Value"), None)
                for one in _attributes(item)
            }
            for item in found
        ]
    return items


def _attributes(element: ElementTree.Element) -> list[ElementTree.Element]:
    return [child for child in element if _name(child) == "DicomAttribute"]


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
