"""A lean, frozen copy of the content tree of a structured report (PS3.3 C.17.3). Pure; knows nothing of dose.

The walk takes what real reports hold: items without a concept name, NUM without a measured value, CODE without a code,
a wrong value type. What cannot be read at all becomes a fault with its place; the rest of the tree is kept. A faster
source of trees can take the place of `tree_of` without any reader noticing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydicom.dataset import Dataset

from treegarth.dicom.elements import item_of
from treegarth.dicom.lean_content import CONTENT_SEQUENCE, LeanItem
from treegarth.dicom.text import SPECIFIC_CHARACTER_SET, character_set
from treegarth.phrases import P_

DEEPEST_NESTING = 64
"""Levels of content items that are followed; templates of the standard stay below 12."""


@dataclass(frozen=True, slots=True)
class Code:
    """A coded entry (PS3.3 8.8): value, coding scheme designator, meaning; what is absent is ''."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The object that an IMAGE, COMPOSITE or WAVEFORM item points at."""

    sop_class_uid: str
    sop_instance_uid: str


Value: TypeAlias = Code | Reference | str | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ContentItem:
    """One content item with its children.

    `value` by value type: CODE → Code; NUM → the numbers as written, one or more; IMAGE, COMPOSITE, WAVEFORM →
    Reference; CONTAINER → the template identifier as str; everything else → str. None when there is none.
    `unit` and `qualifier` belong to NUM (PS3.3 C.18.1).
    """

    relationship: str
    value_type: str
    concept: Code | None
    value: Value
    unit: Code | None
    qualifier: Code | None
    children: tuple[ContentItem, ...]


@dataclass(frozen=True, slots=True)
class TreeFault:
    """A part of the tree that could not be read: its place as item numbers ('1.4.2', PS3.3 C.17.3.2.5) and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class ContentTree:
    """The root item and the faults that were met on the way."""

    root: ContentItem
    faults: tuple[TreeFault, ...]


def tree_of(dataset: Dataset, content: Sequence[LeanItem] | None = None) -> ContentTree:
    """The content tree of a data set. A data set that is no SR gives a root without anything in it.

    `content` is its Content Sequence where that was parsed apart (`lean_content`).
    """
    root = item_of(dataset)
    if content is not None:
        root.elements[CONTENT_SEQUENCE] = content
    walk = _Walk()
    return ContentTree(walk.item(root, (), "1", 1), tuple(walk.faults))


class _Walk:
    def __init__(self) -> None:
        self.faults: list[TreeFault] = []
        self._codes: dict[tuple[str, str, str], Code] = {}

    def item(self, item: LeanItem, inherited: tuple[str, ...], place: str, depth: int) -> ContentItem:
        charset = character_set(item.text(SPECIFIC_CHARACTER_SET), inherited)
        value_type = (item.text(0x0040A040) or "").upper()
        value, unit, qualifier = self._guarded_value(item, value_type, charset, place)
        return ContentItem(
            relationship=item.text(0x0040A010) or "",
            value_type=value_type,
            concept=self._guarded_code(item, 0x0040A043, charset, place),
            value=value,
            unit=unit,
            qualifier=qualifier,
            children=self._children(item, charset, place, depth),
        )

    def _children(self, item: LeanItem, charset: tuple[str, ...], place: str, depth: int) -> tuple[ContentItem, ...]:
        try:
            items = item.items(CONTENT_SEQUENCE)
        except Exception as error:  # the bytes are arbitrary, and so are pydicom's exceptions
            self._fault(place, P_("the content below cannot be read (%(kind)s)", kind=type(error).__name__))
            return ()
        if items and depth >= DEEPEST_NESTING:
            self._fault(place, P_("the content is nested deeper than %(count)s levels", count=DEEPEST_NESTING))
            return ()
        found = []
        for number, below in enumerate(items, start=1):
            there = f"{place}.{number}"
            try:
                found.append(self.item(below, charset, there, depth + 1))
            except Exception as error:
                self._fault(there, P_("the content item cannot be read (%(kind)s)", kind=type(error).__name__))
        return tuple(found)

    def _guarded_value(
        self, item: LeanItem, value_type: str, charset: tuple[str, ...], place: str
    ) -> tuple[Value, Code | None, Code | None]:
        try:
            return self._value(item, value_type, charset)
        except Exception as error:
            self._fault(place, P_("the value cannot be read (%(kind)s)", kind=type(error).__name__))
            return None, None, None

    def _value(
        self, item: LeanItem, value_type: str, charset: tuple[str, ...]
    ) -> tuple[Value, Code | None, Code | None]:
        if value_type == "NUM":
            return self._number(item, charset)
        if value_type == "CODE":
            return self._code(item, 0x0040A168, charset), None, None
        if value_type in ("IMAGE", "COMPOSITE", "WAVEFORM"):
            return _reference(item), None, None
        tag = _TAG_OF_VALUE.get(value_type)
        if tag is not None:
            return item.text(tag, charset), None, None
        if value_type == "CONTAINER":
            templates = item.items(0x0040A504)
            return (templates[0].text(0x0040DB00) if templates else None), None, None
        return None, None, None

    def _number(
        self, item: LeanItem, charset: tuple[str, ...]
    ) -> tuple[tuple[str, ...] | None, Code | None, Code | None]:
        qualifier = self._code(item, 0x0040A301, charset)
        measured = item.items(0x0040A300)
        if not measured:
            return None, None, qualifier
        numbers = measured[0].values(0x0040A30A)
        return numbers or None, self._code(measured[0], 0x004008EA, charset), qualifier

    def _guarded_code(self, item: LeanItem, tag: int, charset: tuple[str, ...], place: str) -> Code | None:
        try:
            return self._code(item, tag, charset)
        except Exception as error:
            self._fault(place, P_("the code cannot be read (%(kind)s)", kind=type(error).__name__))
            return None

    def _code(self, item: LeanItem, tag: int, charset: tuple[str, ...]) -> Code | None:
        items = item.items(tag)
        if not items:
            return None
        found = code_of(items[0], charset)
        if found is None:
            return None
        return self._codes.setdefault((found.value, found.scheme, found.meaning), found)

    def _fault(self, place: str, reason: str) -> None:
        self.faults.append(TreeFault(place, reason))


_TAG_OF_VALUE = {
    "TEXT": 0x0040A160,
    "UIDREF": 0x0040A124,
    "DATETIME": 0x0040A120,
    "DATE": 0x0040A121,
    "TIME": 0x0040A122,
    "PNAME": 0x0040A123,
}


def code_of(item: LeanItem, charset: tuple[str, ...] = ()) -> Code | None:
    """The coded entry of an item of a code sequence; None when it has no code value of any of the three kinds."""
    value = item.text(0x00080100) or item.text(0x00080119) or item.text(0x00080120)
    if value is None:
        return None
    return Code(value, item.text(0x00080102) or "", item.text(0x00080104, charset) or "")


def _reference(item: LeanItem) -> Reference | None:
    items = item.items(0x00081199)
    if not items:
        return None
    return Reference(items[0].text(0x00081150) or "", items[0].text(0x00081155) or "")
