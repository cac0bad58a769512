"""Read the wanted data elements of a DICOM file straight from its bytes. Pure; decodes no values.

A CT header has some 250 elements and the index wants 30 of them. pydicom makes an object of each element, which
costs about 0.5 ms; this walk skips what nobody asked for and stops behind the last wanted tag (about 0.1 ms). It
knows the little-endian encodings, explicit and implicit (PS3.5 7.1); anything else, and anything odd, raises
NotPlain, and the caller lets pydicom read the file.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from dataclasses import dataclass
from mmap import mmap
from typing import TypeAlias

from treegarth.errors import TreegarthError

IMPLICIT_VR_LITTLE_ENDIAN = b"1.2.840.10008.1.2"
EXPLICIT_VR_BIG_ENDIAN = b"1.2.840.10008.1.2.2"  # PS3.5 A.3
DEFLATED = b"1.2.840.10008.1.2.1.99"  # PS3.5 A.5
SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
     b"ST", b"TM", b"UI", b"UL", b"US"}
)  # fmt: skip
"""Those whose length has two bytes (PS3.5 7.1.2)."""
_LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

Bytes: TypeAlias = bytes | mmap

_explicit = struct.Struct("<HH2sH").unpack_from
_implicit = struct.Struct("<HHI").unpack_from
_length = struct.Struct("<I").unpack_from


class NotPlain(TreegarthError):
    """The file is not in a form that the lean reader knows."""


class MetaCutOff(NotPlain):
    """The file ends inside its meta information."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawElements:
    """The raw values of the wanted elements, by tag; `truncated` where the bytes end inside the data set."""

    values: dict[int, bytes]
    transfer_syntax_uid: str | None
    truncated: bool


def read_raw_elements(data: bytes, wanted: Collection[int]) -> RawElements:
    """The wanted top-level elements of a DICOM file (PS3.10 7.1), or of its beginning.

    Raises NotPlain where pydicom has to read it: no preamble, big endian, deflated, nested oddities.
    """
    start, syntax = find_data_set(data)
    values, truncated = _walk(data, start, wanted, max(wanted), implicit=syntax == IMPLICIT_VR_LITTLE_ENDIAN)
    return RawElements(values=values, transfer_syntax_uid=syntax.decode("ascii", "replace"), truncated=truncated)


def find_data_set(data: bytes) -> tuple[int, bytes]:
    """Where the data set of a file begins, and its transfer syntax UID, a little-endian one. Raises NotPlain."""
    start, syntax = find_meta(data)
    if syntax in (EXPLICIT_VR_BIG_ENDIAN, DEFLATED):
        raise NotPlain("The file is big endian or deflated.")
    return start, syntax


def header_end(data: bytes, size: int | None = None) -> int | None:
    """Where the (7FE0,0010) Pixel Data element of a little-endian file begins; None where there is none to be seen.

    `data` is the file, or the beginning of one of `size` bytes.

    Bytes that look like its tag also occur inside values and in icon images, so the place counts only if the
    length behind it leads to the end of the file, or to what may stand there (PS3.10 7.2: padding, PS3.3 C.12.1.1.3:
    signatures), or a fragment item follows (PS3.5 A.4).
    """
    place = data.find(b"\xe0\x7f\x10\x00")
    while place >= 0:
        if _is_final_pixel_data(data, place, len(data) if size is None else size):
            return place
        place = data.find(b"\xe0\x7f\x10\x00", place + 1)
    return None


def _is_final_pixel_data(data: bytes, place: int, size: int) -> bool:
    explicit = data[place + 4 : place + 6] in (b"OB", b"OW")
    value = place + (12 if explicit else 8)
    if value > len(data):
        return False
    (length,) = _length(data, value - 4)
    if length == _UNDEFINED:
        return data[value : value + 4] == b"\xfe\xff\x00\xe0"
    end = value + length
    return bool(end == size or data[end : end + 4] in (b"\xfc\xff\xfc\xff", b"\xfa\xff\xfa\xff"))


def find_meta(data: Bytes) -> tuple[int, bytes]:
    """Where the data set of a file begins, and its transfer syntax UID, by its meta information (PS3.10 7.1).

    Raises NotPlain where there is none.
    """
    if data[128:132] != b"DICM":
        raise NotPlain("The file has no DICM prefix.")
    position, syntax = 132, b""
    try:
        while data[position : position + 2] == b"\x02\x00":
            _, element, vr, length = _explicit(data, position)
            position += 8
            if vr in _LONG_VRS:
                (length,) = _length(data, position)
                position += 4
            if element == 0x0010:
                syntax = data[position : position + length].rstrip(b"\0 ")
            position += length
    except struct.error as error:
        raise MetaCutOff from error
    if not syntax:
        raise NotPlain("The file does not name its transfer syntax.")
    return position, syntax


def _walk(
    data: bytes, position: int, wanted: Collection[int], last: int, *, implicit: bool
) -> tuple[dict[int, bytes], bool]:
    values: dict[int, bytes] = {}
    end, previous = len(data), 0
    while position < end:
        try:
            if implicit:
                group, element, length = _implicit(data, position)
                vr, position = b"", position + 8
            else:
                group, element, vr, length = _explicit(data, position)
                position += 8
                if vr in _LONG_VRS:
                    (length,) = _length(data, position)
                    position += 4
                elif not (vr.isalpha() and vr.isupper()):
                    raise NotPlain(f"({group:04X},{element:04X}) has no value representation.")
            tag = group << 16 | element
            if tag < previous:
                raise NotPlain(f"({group:04X},{element:04X}) is out of order.")
            if tag > last:
                return values, False
            previous = tag
            if length != _UNDEFINED:
                if tag in wanted:
                    values[tag] = data[position : position + length]
                position += length
            elif vr == b"UN":
                raise NotPlain(f"({group:04X},{element:04X}) is a sequence in disguise.")
            else:
                position = skip_items(data, position, implicit=implicit)
        except struct.error:
            return values, True
    return values, position > end


def skip_items(data: bytes, position: int, *, implicit: bool) -> int:
    """The place behind a sequence of undefined length (PS3.5 7.5.2), however deep others lie in it."""
    open_parts = 1  # this sequence, its item, a sequence of that: only what has no length is gone into
    while open_parts:
        group, element, length = _implicit(data, position)
        tag, position = group << 16 | element, position + 8
        is_in_items = open_parts % 2 == 1
        if tag == (_SEQUENCE_END if is_in_items else _ITEM_END):
            open_parts -= 1
            continue
        if is_in_items:
            if tag != _ITEM:
                raise NotPlain("A sequence holds something that is no item.")
        elif not implicit:
            vr = data[position - 4 : position - 2]
            if vr in _LONG_VRS:
                (length,) = _length(data, position)
                position += 4
            else:
                length >>= 16
            if length == _UNDEFINED and vr != b"SQ":
                raise NotPlain("An item holds a value of undefined length that is no sequence.")
        if length == _UNDEFINED:
            open_parts += 1
        else:
            position += length
    return position
