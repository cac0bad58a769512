"""How deep the sequences of an object lie in each other, from its bytes. Pure; never recurses, decodes no values.

Orthanc's readers (dcmtk) recurse once a level, and its HTTP threads have stacks of 100 KB: Orthanc 1.10.1 dies of an
object with 46 levels when anybody lists its study by DICOMweb, and with 48 at its attributes, pictures and metadata.
Whoever lets such an object in, or asks for it, has to know the depth before.

What is read as a sequence is what dcmtk would read as one. Bytes that make no sense are skipped to the end of what is
known to hold them.
"""

from __future__ import annotations

import zlib
from enum import Enum, auto
from struct import error

from treegarth.dicom.encoding import (
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    ITEM,
    SHORT_VRS,
    UNDEFINED,
    Bytes,
    Encoding,
    NotPlain,
    encoding_of,
    find_meta,
)

DEEPEST_NESTING = 32
"""Levels that Orthanc is asked to read. Of 44 real dose reports and images none has more than 6, the templates of
PS3.16 come to about 15; the first of Orthanc 1.10.1's answers to kill it does so at 46."""

_MOST_INFLATED = 256 * 2**20  # bytes of a deflated data set that are looked at
_FEWEST_BYTES = 16  # that a level takes: the head of its sequence and that of its item (PS3.5 7.1.3, 7.5)


def nesting_beyond(data: Bytes, limit: int = DEEPEST_NESTING) -> int | None:
    """The levels of nested sequences in a DICOM file (PS3.10 7.1), or in its beginning, where they are more than
    `limit`; None where they are not. A sequence of the data set itself is level 1."""
    start, syntax = _data_set(data)
    if syntax == DEFLATED:
        data, start = _inflated(data[start : len(data)]), 0
    if syntax is None:
        encoding = EXPLICIT if data[start + 4 : start + 6].isupper() else IMPLICIT
    else:
        encoding = encoding_of(syntax)
    deepest = _Walk(data, encoding, limit).deepest_from(start)
    return deepest if deepest > limit else None


def _data_set(data: Bytes) -> tuple[int, bytes | None]:
    """Where the data set begins, and its transfer syntax; of bytes without meta information it is not known."""
    try:
        return find_meta(data)
    except NotPlain:
        return 0, None


def _inflated(deflated: bytes) -> bytes:
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(deflated, _MOST_INFLATED)
    except zlib.error:
        return b""


class _Inside(Enum):
    """What is read now: the elements of a data set or item, a sequence's items, the fragments of pixel data."""

    ELEMENTS = auto()
    ITEMS = auto()
    FRAGMENTS = auto()


class _Walk:
    """One way through the bytes. What cannot hold as many levels as matter is skipped whole."""

    def __init__(self, data: Bytes, encoding: Encoding, limit: int) -> None:
        self._data, self._encoding, self._limit = data, encoding, limit
        self._inside, self._end = _Inside.ELEMENTS, len(data)
        self._around: list[tuple[_Inside, int, Encoding]] = []  # sequences and items by turns, the outermost first
        self._deepest = 0

    def deepest_from(self, position: int) -> int:
        """The deepest level, or some number up to the limit."""
        try:
            while True:
                while position >= self._end:
                    if not self._around:
                        return self._deepest
                    self._inside, self._end, self._encoding = self._around.pop()
                position = self._item(position) if self._inside is not _Inside.ELEMENTS else self._element(position)
        except error:  # the bytes end here
            return self._deepest

    def _enter(self, inside: _Inside, position: int, length: int) -> int:
        self._around.append((self._inside, self._end, self._encoding))
        self._inside = inside
        if length != UNDEFINED:
            self._end = min(self._end, position + length)
        return position

    def _leave(self, position: int) -> int:
        self._end = position
        return position

    def _item(self, position: int) -> int:
        """The place behind the head of an item, or behind the whole of it."""
        group, element, length = self._encoding.tag_length.unpack_from(self._data, position)
        position += 8
        if group << 16 | element != ITEM:
            return self._leave(position if group == ITEM >> 16 else self._end)
        level = len(self._around) // 2 + 1
        is_skipped = self._inside is _Inside.FRAGMENTS or level + (length + 8) // _FEWEST_BYTES <= self._limit
        if length != UNDEFINED and is_skipped:
            return position + int(length)
        return self._enter(_Inside.ELEMENTS, position, length)

    def _element(self, position: int) -> int:
        """The place behind some elements that are no sequences, or at a sequence's first item."""
        find = self._find_explicit if self._encoding.is_explicit else self._find_implicit
        position, vr, length = find(position)
        if vr is None:
            return position
        level = len(self._around) // 2 + 1
        if length != UNDEFINED and level + length // _FEWEST_BYTES <= self._limit:
            return position + length
        if vr in (b"OB", b"OW"):  # encapsulated pixel data (PS3.5 A.4)
            return self._enter(_Inside.FRAGMENTS, position, length)
        self._deepest = max(self._deepest, level)
        position = self._enter(_Inside.ITEMS, position, length)
        if vr == b"UN":  # implicit, whatever is around it (PS3.5 6.2.2)
            self._encoding = IMPLICIT
        return position

    def _find_explicit(self, position: int) -> tuple[int, bytes | None, int]:
        """The next sequence: where its value begins, its VR and length. Without one: the end, and None."""
        data, end, read = self._data, self._end, self._encoding.vr_length.unpack_from
        while position < end:
            vr, length = read(data, position)
            position += 8
            if vr in SHORT_VRS:
                position += length
            elif vr.isalpha() and vr.isupper():
                (length,) = self._encoding.length.unpack_from(data, position)
                position += 4
                if vr == b"SQ" or length == UNDEFINED:
                    return position, vr, length
                position += length
            elif data[position - 8 : position - 6] == self._encoding.item[:2]:  # a delimiter
                return self._leave(position), None, 0
            else:  # dcmtk, too, takes what is no VR for one with a length of two bytes
                position += length
        return position, None, 0

    def _find_implicit(self, position: int) -> tuple[int, bytes | None, int]:
        """As above. A sequence does not say that it is one (PS3.5 A.1): its value begins with an item."""
        data, end, read, item = self._data, self._end, self._encoding.tag_length.unpack_from, self._encoding.item
        while position < end:
            group, _, length = read(data, position)
            position += 8
            if group == ITEM >> 16:
                return self._leave(position), None, 0
            if length == UNDEFINED or (length >= 8 and data[position : position + 4] == item):
                return position, b"", length
            position += length
        return position, None, 0
