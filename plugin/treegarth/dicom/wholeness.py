"""Tell whether the bytes of an object end where they may: between two elements of its data set. Pure; reads no value.

A file that was cut off reads as one that says less, or says 183 for 1835.3. The walk steps from element to element
(PS3.5 7.1), follows sequences of undefined length only (7.5.2), and stops before pixel data. It judges the end of the
bytes and nothing else: what is not DICOM at all is not called cut off.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from treegarth.dicom.raw_elements import MetaCutOff, NotPlain, find_meta

_LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_GROUP = 0x7FE0


class _NoDicom(Exception):
    """The bytes make no sense here, which is for others to say."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A sequence or an item of undefined length whose end has not come yet."""

    is_item: bool
    implicit: bool


def is_cut_off(file: bytes) -> bool:
    """Whether a DICOM file (PS3.10 7.1), or its header alone, ends inside an element, an item or a sequence."""
    if file[128:132] != b"DICM":
        explicit = file[4:6].isalpha() and file[4:6].isupper()
        return _data_set_is_cut_off(file, 0, str(ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian))
    try:
        start, syntax = find_meta(file)
    except MetaCutOff:
        return True
    except NotPlain:
        return False
    return _data_set_is_cut_off(file, start, syntax.decode("ascii", "replace"))


def _data_set_is_cut_off(data: bytes, start: int, transfer_syntax_uid: str) -> bool:
    if transfer_syntax_uid == DeflatedExplicitVRLittleEndian:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data, start = stream.decompress(data[start:]), 0
        except zlib.error:
            return False
        if not stream.eof:
            return True
    order = ">" if transfer_syntax_uid == ExplicitVRBigEndian else "<"
    try:
        return _Walk(data, order).ends_inside(start, implicit=transfer_syntax_uid == ImplicitVRLittleEndian)
    except _NoDicom:
        return False


class _Walk:
    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._tag_and_length = struct.Struct(f"{order}HHI").unpack_from
        self._tag_and_vr = struct.Struct(f"{order}HH2sH").unpack_from
        self._length = struct.Struct(f"{order}I").unpack_from

    def ends_inside(self, position: int, *, implicit: bool) -> bool:
        open_parts: list[_Open] = []
        end = len(self._data)
        while position < end:
            if end - position < 8:
                return bool(open_parts) or self._data[position:].strip(b"\0") != b""  # padding does no harm
            within = open_parts[-1].implicit if open_parts else implicit
            tag, vr, length, position = self._header(position, within)
            if not open_parts and tag >> 16 == _PIXEL_GROUP:
                return False
            if position > end:
                return True
            if tag in (_ITEM_END, _SEQUENCE_END):
                if not open_parts or open_parts[-1].is_item != (tag == _ITEM_END):
                    raise _NoDicom
                open_parts.pop()
            elif length == _UNDEFINED:
                inside = within or vr == b"UN"  # PS3.5 6.2.2: implicit below an unknown sequence
                open_parts.append(_Open(is_item=tag == _ITEM, implicit=inside))
            else:
                position += length
        return bool(open_parts) or position > end

    def _header(self, position: int, implicit: bool) -> tuple[int, bytes, int, int]:
        """Tag, value representation, length and the place of the value."""
        group, element, length = self._tag_and_length(self._data, position)
        if implicit or group == 0xFFFE:
            return group << 16 | element, b"", length, position + 8
        group, element, vr, short = self._tag_and_vr(self._data, position)
        tag = group << 16 | element
        if vr not in _LONG_VRS:
            if not (vr.isalpha() and vr.isupper()):
                raise _NoDicom
            return tag, vr, short, position + 8
        if position + 12 > len(self._data):
            return tag, vr, 0, position + 12
        return tag, vr, self._length(self._data, position + 8)[0], position + 12
