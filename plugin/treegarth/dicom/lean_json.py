"""DICOM JSON of a header straight from its bytes, in a tenth of pydicom's time. Pure.

pydicom makes three objects of each of some 300 elements; that is most of what the index costs the store path whenever a
series begins. This walk knows the little-endian encodings (PS3.5 7.1) and the value representations of headers
(PS3.18 F.2.2, F.2.3). Anything else, and anything odd, raises NotPlain, and the caller lets pydicom read the header.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from struct import error, iter_unpack
from typing import Any

from pydicom.datadict import dictionary_VR, private_dictionary_VR

from treegarth.dicom.character_sets import terms_of
from treegarth.dicom.encoding import (
    DELIMITERS,
    ITEM,
    ITEM_END,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    Encoding,
    NotPlain,
    encoding_of,
)
from treegarth.dicom.raw_elements import find_data_set, skip_items
from treegarth.dicom.relabelling import Relabel, as_labelled
from treegarth.dicom.text import SPECIFIC_CHARACTER_SET, TEXT_VRS, decode_text

_WORDS = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "SH", "TM", "UC", "UI"})  # of one or more values
_TEXTS = frozenset({"LT", "ST", "UR", "UT"})  # of one value, backslashes and all
_BYTES = frozenset({"OB", "OW", "UN"})
_NUMBERS_AND_NAMES = frozenset({"AT", "DS", "IS", "PN"})
_BINARY = {"FD": "<d", "FL": "<f", "SL": "<l", "SS": "<h", "UL": "<L", "US": "<H"}
_USUAL = _WORDS | _TEXTS | _BYTES | _NUMBERS_AND_NAMES | _BINARY.keys()
_PERSON_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")  # PS3.5 6.2.1.2
_PIXEL_REPRESENTATION = 0x00280103
_DEEPEST = 20

IsLeftOut = Callable[[int, str, int], bool]
"""Whether an element at the top stays out, by its tag, value representation and length in bytes."""


def lean_header_json(data: bytes, is_left_out: IsLeftOut, relabel: Relabel = as_labelled) -> dict[str, Any]:
    """The data set of a file, or of its beginning, up to Pixel Data, its text by what labels mean. Raises NotPlain."""
    start, syntax = find_data_set(data)
    try:
        return _Walk(data, encoding_of(syntax), is_left_out, relabel).data_set(start)
    except (error, ValueError, IndexError, RecursionError) as reason:
        raise NotPlain(f"The header is not plain: {type(reason).__name__}.") from reason


class _Walk:
    def __init__(self, data: bytes, encoding: Encoding, is_left_out: IsLeftOut, relabel: Relabel) -> None:
        self.data, self.encoding, self.is_left_out, self.relabel = data, encoding, is_left_out, relabel

    def data_set(self, place: int) -> dict[str, Any]:
        found, state, end, previous = dict[str, Any](), _State(self.relabel(())), len(self.data), 0
        while place < end:
            tag, vr, length, value = self._element(place, state)
            if tag >= PIXEL_DATA:
                return found
            if tag <= previous:
                raise NotPlain(f"{tag:08X} is out of order.")
            previous = tag
            if not self.is_left_out(tag, vr, 0 if length == UNDEFINED else length):
                found[f"{tag:08X}"], place = self._value(tag, vr, length, value, state, 0)
            elif length != UNDEFINED:
                place = value + length
            else:
                place = skip_items(self.data, value, self.encoding)
        if place != end:
            raise NotPlain("The header ends inside an element.")
        return found

    def _element(self, place: int, state: _State) -> tuple[int, str, int, int]:
        """Tag, value representation, length, and where the value begins."""
        tag, vr, length, place = self.encoding.head(self.data, place)
        if not vr:
            return tag, state.representation(tag), length, place
        if vr != b"UN":
            return tag, vr.decode("ascii"), length, place
        if (found := state.representation(tag)) == "SQ":
            raise NotPlain(f"{tag:08X} is a sequence in disguise.")  # of implicit VR (PS3.5 6.2.2)
        return tag, found, length, place

    def _value(
        self, tag: int, vr: str, length: int, place: int, state: _State, depth: int
    ) -> tuple[dict[str, Any], int]:
        """The element, and the place behind it."""
        if vr == "SQ":
            items, place = self._items(place, length, state, depth + 1)
            return {"vr": "SQ", "Value": items}, place
        if length == UNDEFINED or place + length > len(self.data):
            raise NotPlain(f"{tag:08X} has no end.")
        raw = self.data[place : place + length]
        if tag == SPECIFIC_CHARACTER_SET:
            state.character_set = self.relabel(terms_of(raw.decode("ascii").strip(" \0")))
        elif tag == _PIXEL_REPRESENTATION:
            state.is_signed = raw[:1] == b"\1"
        elif tag >> 16 & 1 and tag & 0xFF00 == 0:  # a private creator (PS3.5 7.8.1)
            state.creators[tag >> 16, tag & 0xFF] = decode_text(raw, ())
        return _element_json(vr, raw, state.character_set), place + length

    def _items(self, place: int, length: int, state: _State, depth: int) -> tuple[list[dict[str, Any]], int]:
        if depth > _DEEPEST:
            raise NotPlain("Sequences are nested too deeply.")
        items = list[dict[str, Any]]()
        end = None if length == UNDEFINED else place + length
        while place != end:
            tag, _, item_length, place = self.encoding.head(self.data, place)
            if tag == SEQUENCE_END and end is None:
                return items, place
            if tag != ITEM:
                raise NotPlain("A sequence holds something that is no item.")
            item, place = self._item(place, item_length, state, depth)
            items.append(item)
        return items, place

    def _item(self, place: int, length: int, around: _State, depth: int) -> tuple[dict[str, Any], int]:
        item, state = dict[str, Any](), _State(around.character_set, around.is_signed)
        end = None if length == UNDEFINED else place + length
        while place != end:
            tag, vr, value_length, value = self._element(place, state)
            if tag == ITEM_END and end is None:
                return item, value
            if vr in _BYTES and value_length > 1024:
                raise NotPlain(f"{tag:08X} in an item is bulk.")
            item[f"{tag:08X}"], place = self._value(tag, vr, value_length, value, state, depth)
        return item, place


class _State:
    """What a data set says of the elements behind, and of the items in it."""

    __slots__ = ("character_set", "creators", "is_signed")

    def __init__(self, character_set: tuple[str, ...] = (), is_signed: bool | None = None) -> None:
        self.character_set, self.is_signed = character_set, is_signed
        self.creators: dict[tuple[int, int], str] = {}

    def representation(self, tag: int) -> str:
        """The value representation of an element that does not tell its own."""
        creator = self.creators.get((tag >> 16, tag >> 8 & 0xFF), "") if tag >> 16 & 1 else ""
        return _representation(tag, self.is_signed, creator)


@lru_cache(maxsize=4096)
def _representation(tag: int, is_signed: bool | None, creator: str) -> str:
    """What the dictionaries (PS3.6, and pydicom's of private elements) say of a tag where the file does not."""
    if tag >> 16 == DELIMITERS:
        return ""
    if tag & 0xFFFF == 0:
        return "UL"  # group length (PS3.5 7.2)
    try:
        if tag >> 16 & 1:
            return "LO" if tag & 0xFF00 == 0 else str(private_dictionary_VR(tag, creator))
        found = str(dictionary_VR(tag))
    except KeyError:
        return "UN"
    if found == "US or SS" and is_signed is not None:
        return "SS" if is_signed else "US"
    return found


def _element_json(vr: str, raw: bytes, character_set: tuple[str, ...]) -> dict[str, Any]:
    if vr not in _USUAL:  # also where implicit items lie in an explicit file, and what is read here is no VR
        raise NotPlain(f"{vr!r} is not usual in a header.")
    if not raw.strip(b" \0") and ((vr not in _BINARY and vr not in _BYTES) or not raw):
        return {"vr": vr}
    if vr in _BYTES:
        return {"vr": vr, "InlineBinary": b64encode(raw).decode("ascii")}
    return {"vr": vr, "Value": values_json(vr, raw, character_set)}


def values_json(vr: str, raw: bytes, character_set: tuple[str, ...]) -> list[Any]:
    """The values of an element in little-endian bytes, as DICOM JSON has them."""
    if vr in _BINARY:
        return [value for (value,) in iter_unpack(_BINARY[vr], raw)]
    if vr == "AT":
        return [f"{group:04X}{element:04X}" for group, element in iter_unpack("<HH", raw)]
    text = decode_text(raw, character_set if vr in TEXT_VRS else (), vr)
    if vr in _TEXTS:
        return [text]
    parts = text.split("\\")
    if vr in _WORDS:
        return [part.strip(" ") if vr in ("AE", "CS") else part.rstrip(" ") for part in parts]
    if vr == "DS":
        return [float(part) if part.strip() else None for part in parts]
    if vr == "IS":
        return [int(part) if part.strip() else None for part in parts]
    return [_person_name(part) for part in parts]


def _person_name(text: str) -> dict[str, str]:
    groups = zip(_PERSON_NAME_GROUPS, (group.rstrip(" ") for group in text.split("=")), strict=False)
    return {name: group for name, group in groups if group}
