"""Parse the Content Sequence of a structured report straight from its bytes. Pure.

pydicom makes an object with a life of its own of each of the hundred elements around one number; for a fluoroscopy
report that is most of the time of reading it. Here an item is a dict of byte strings and items. Whatever is not plain
little-endian DICOM (PS3.5 7.1, 7.5) raises NotPlain, and the caller reads the object with pydicom instead.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct

from pydicom.datadict import dictionary_VR

CONTENT_SEQUENCE = 0x0040A730
DEEPEST_NESTING = 200
"""Levels of sequences; a content tree as deep as sr_tree follows has fewer."""

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US"}
)  # fmt: skip
_TAG_LENGTH = Struct("<HHL")
_TAG_VR_LENGTH = Struct("<HH2sH")
_LONG = Struct("<L")


class NotPlain(Exception):
    """The bytes are not what this parser takes. Never leaves the reader: pydicom is asked instead."""


class LeanItem:
    """One item of a sequence: its elements by tag, the value as bytes, or as items for a sequence."""

    __slots__ = ("elements",)

    def __init__(self) -> None:
        self.elements: dict[int, bytes | list[LeanItem]] = {}


def parse_content(data: bytes, *, implicit: bool) -> list[LeanItem]:
    """The items of the Content Sequence (0040,A730) with which the bytes begin. Raises NotPlain."""
    root = LeanItem()
    try:
        tag, _ = _Parser(data, implicit).element(root, 0, 0)
    except (IndexError, ValueError) as error:
        raise NotPlain from error
    content = root.elements.get(tag)
    if tag != CONTENT_SEQUENCE or not isinstance(content, list):
        raise NotPlain
    return content


class _Parser:
    def __init__(self, data: bytes, implicit: bool) -> None:
        self.data = data
        self.implicit = implicit

    def element(self, into: LeanItem, place: int, depth: int) -> tuple[int, int]:
        """Read the element at `place` into an item; its tag and the place after it."""
        tag, is_sequence, length, value = self._header(place)
        if is_sequence or (length == _UNDEFINED and self.implicit):
            items, after = self._items(value, length, depth + 1)
            into.elements[tag] = items
            return tag, after
        after = value + length
        if after > len(self.data):
            raise NotPlain
        into.elements[tag] = self.data[value:after]
        return tag, after

    def _header(self, place: int) -> tuple[int, bool, int, int]:
        """Tag, whether it is a sequence, length of the value and place of the value."""
        if place + 8 > len(self.data):
            raise NotPlain
        if self.implicit:
            group, element, length = _TAG_LENGTH.unpack_from(self.data, place)
            tag = group << 16 | element
            return tag, _is_sequence(tag), length, place + 8
        group, element, vr, short = _TAG_VR_LENGTH.unpack_from(self.data, place)
        tag = group << 16 | element
        if vr in _SHORT_VRS:
            return tag, False, short, place + 8
        if vr not in _LONG_VRS or place + 12 > len(self.data):
            raise NotPlain
        (length,) = _LONG.unpack_from(self.data, place + 8)
        return tag, vr == b"SQ", length, place + 12

    def _items(self, place: int, length: int, depth: int) -> tuple[list[LeanItem], int]:
        if depth > DEEPEST_NESTING:
            raise NotPlain
        end = len(self.data) if length == _UNDEFINED else place + length
        if end > len(self.data):
            raise NotPlain
        items: list[LeanItem] = []
        while place < end:
            tag, item_length = self._delimiter(place)
            place += 8
            if tag == _SEQUENCE_END and length == _UNDEFINED:
                return items, place
            if tag != _ITEM:
                raise NotPlain
            item, place = self._item(place, item_length, depth)
            items.append(item)
        if length == _UNDEFINED or place != end:
            raise NotPlain
        return items, place

    def _item(self, place: int, length: int, depth: int) -> tuple[LeanItem, int]:
        item = LeanItem()
        end = len(self.data) if length == _UNDEFINED else place + length
        while place < end:
            if length == _UNDEFINED and self.data[place : place + 4] == b"\xfe\xff\x0d\xe0":
                return item, place + 8
            _, place = self.element(item, place, depth)
        if length == _UNDEFINED or place != end:
            raise NotPlain
        return item, place

    def _delimiter(self, place: int) -> tuple[int, int]:
        if place + 8 > len(self.data):
            raise NotPlain
        group, element, length = _TAG_LENGTH.unpack_from(self.data, place)
        return group << 16 | element, length


@lru_cache(maxsize=4096)
def _is_sequence(tag: int) -> bool:
    """Whether the dictionary (PS3.6) has the tag as a sequence: implicit VR does not say."""
    try:
        return str(dictionary_VR(tag)) == "SQ"
    except KeyError:
        return False
