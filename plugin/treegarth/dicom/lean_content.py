"""Parse the Content Sequence of a structured report straight from its bytes. Pure.

pydicom makes an object with a life of its own of each of the hundred elements around one number; for a fluoroscopy
report that is most of the time of reading it. Here an item is a dict of byte strings and items. Whatever is not plain
little-endian DICOM (PS3.5 7.1, 7.5) raises NotPlain: pydicom reads it, and `elements.item_of` makes such items of that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import error
from typing import TypeAlias

from pydicom.datadict import dictionary_VR

from treegarth.dicom.encoding import EXPLICIT, IMPLICIT, ITEM, SEQUENCE_END, UNDEFINED, NotPlain
from treegarth.dicom.text import decode_text

CONTENT_SEQUENCE = 0x0040A730
DEEPEST_NESTING = 200
"""Levels of sequences; a content tree as deep as sr_tree follows has fewer."""


class LeanItem:
    """One item of a sequence: its elements by tag, the value as bytes, or as items for a sequence.

    A value that pydicom has to read is a call that gives it, so that what pydicom raises is raised at its place.
    """

    __slots__ = ("elements",)

    def __init__(self) -> None:
        self.elements: dict[int, bytes | Sequence[LeanItem] | Unread] = {}

    def text(self, tag: int, charset: tuple[str, ...] = ()) -> str | None:
        """The text of an element, its values joined by backslashes and without padding; None when absent or empty."""
        value = self.elements.get(tag)
        if isinstance(value, bytes):
            return decode_text(value, charset, vr_of(tag)).strip() or None
        text = value() if callable(value) else None
        return text if isinstance(text, str) else None

    def values(self, tag: int) -> tuple[str, ...]:
        """The values of an element of any value multiplicity; empty ones stay, so that positions keep their meaning."""
        text = self.text(tag)
        return () if text is None else tuple(part.strip() for part in text.split("\\"))

    def items(self, tag: int) -> Sequence[LeanItem]:
        """The items of a sequence; none when absent or empty."""
        value = self.elements.get(tag)
        items = value() if callable(value) else value
        return () if items is None or isinstance(items, (bytes, str)) else items


Unread: TypeAlias = Callable[[], str | Sequence[LeanItem] | None]


def parse_content(data: bytes, *, implicit: bool) -> list[LeanItem]:
    """The items of the Content Sequence (0040,A730) with which the bytes begin. Raises NotPlain."""
    root = LeanItem()
    try:
        tag, _ = _Parser(data, implicit).element(root, 0, 0)
    except (error, IndexError, ValueError) as reason:
        raise NotPlain("The content is not plain.") from reason
    content = root.elements.get(tag)
    if tag != CONTENT_SEQUENCE or not isinstance(content, list):
        raise NotPlain("The content is not plain.")
    return content


class _Parser:
    def __init__(self, data: bytes, implicit: bool) -> None:
        self.data, self.encoding = data, IMPLICIT if implicit else EXPLICIT

    def element(self, into: LeanItem, place: int, depth: int) -> tuple[int, int]:
        """Read the element at `place` into an item; its tag and the place after it."""
        tag, vr, length, value = self.encoding.head(self.data, place)
        is_unnamed_sequence = length == UNDEFINED and not self.encoding.is_explicit
        if is_unnamed_sequence or (vr == b"SQ" if vr else is_sequence(tag)):
            items, after = self._items(value, length, depth + 1)
            into.elements[tag] = items
            return tag, after
        if vr == b"UN" and is_sequence(tag):  # pydicom looks into it (PS3.5 6.2.2), and nothing of it may be lost
            raise NotPlain("The content is not plain.")
        after = value + length
        if after > len(self.data):
            raise NotPlain("The content is not plain.")
        into.elements[tag] = self.data[value:after]
        return tag, after

    def _items(self, place: int, length: int, depth: int) -> tuple[list[LeanItem], int]:
        if depth > DEEPEST_NESTING:
            raise NotPlain("The content is not plain.")
        end = len(self.data) if length == UNDEFINED else place + length
        if end > len(self.data):
            raise NotPlain("The content is not plain.")
        items: list[LeanItem] = []
        while place < end:
            tag, _, item_length, place = self.encoding.head(self.data, place)
            if tag == SEQUENCE_END and length == UNDEFINED:
                return items, place
            if tag != ITEM:
                raise NotPlain("The content is not plain.")
            item, place = self._item(place, item_length, depth)
            items.append(item)
        if length == UNDEFINED or place != end:
            raise NotPlain("The content is not plain.")
        return items, place

    def _item(self, place: int, length: int, depth: int) -> tuple[LeanItem, int]:
        item = LeanItem()
        end = len(self.data) if length == UNDEFINED else place + length
        while place < end:
            if length == UNDEFINED and self.data[place : place + 4] == b"\xfe\xff\x0d\xe0":
                return item, place + 8
            _, place = self.element(item, place, depth)
        if length == UNDEFINED or place != end:
            raise NotPlain("The content is not plain.")
        return item, place


def is_sequence(tag: int) -> bool:
    """Whether the dictionary (PS3.6) has the tag as a sequence: implicit VR does not say."""
    return vr_of(tag) == "SQ"


@lru_cache(maxsize=4096)
def vr_of(tag: int) -> str:
    """The value representation in the dictionary (PS3.6); UN of a tag that it does not have."""
    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return "UN"
