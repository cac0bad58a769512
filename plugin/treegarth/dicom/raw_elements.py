"""Read the wanted data elements of a DICOM file straight from its bytes. Pure; decodes no values.

A CT header has some 250 elements and the index wants 30 of them. pydicom makes an object of each element, which
costs about 0.5 ms; this walk skips what nobody asked for and stops behind the last wanted tag (about 0.1 ms). It
knows the little-endian encodings, explicit and implicit (PS3.5 7.1); anything else, and anything odd, raises
NotPlain, and the caller lets pydicom read the file.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from struct import error

from treegarth.dicom.encoding import (
    DEFLATED,
    EXPLICIT,
    EXPLICIT_VR_BIG_ENDIAN,
    IMPLICIT,
    ITEM,
    ITEM_END,
    LONG_VRS,
    SEQUENCE_END,
    UNDEFINED,
    Encoding,
    NotPlain,
    encoding_of,
    find_meta,
)


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
    values, truncated = _walk(data, start, wanted, encoding_of(syntax))
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
    encoding = EXPLICIT if data[place + 4 : place + 6] in (b"OB", b"OW") else IMPLICIT
    try:
        _, _, length, value = encoding.head(data, place)
    except error:
        return False
    if length == UNDEFINED:
        return data[value : value + 4] == encoding.item
    end = value + length
    return bool(end == size or data[end : end + 4] in (b"\xfc\xff\xfc\xff", b"\xfa\xff\xfa\xff"))


def _walk(data: bytes, position: int, wanted: Collection[int], encoding: Encoding) -> tuple[dict[int, bytes], bool]:
    """As Encoding.head, written out: it is passed for each element of each object that is stored."""
    values: dict[int, bytes] = {}
    end, previous, last = len(data), 0, max(wanted)
    is_explicit, long = encoding.is_explicit, encoding.length.unpack_from
    explicit, implicit = encoding.tag_vr_length.unpack_from, encoding.tag_length.unpack_from
    while position < end:
        try:
            if is_explicit:
                group, element, vr, length = explicit(data, position)
                position += 8
                if vr in LONG_VRS:
                    (length,) = long(data, position)
                    position += 4
                elif not (vr.isalpha() and vr.isupper()):
                    raise NotPlain(f"({group:04X},{element:04X}) has no value representation.")
            else:
                group, element, length = implicit(data, position)
                vr, position = b"", position + 8
            tag = group << 16 | element
            if tag < previous:
                raise NotPlain(f"{tag:08X} is out of order.")
            if tag > last:
                return values, False
            previous = tag
            if length != UNDEFINED:
                if tag in wanted:
                    values[tag] = data[position : position + length]
                position += length
            elif vr == b"UN":
                raise NotPlain(f"{tag:08X} is a sequence in disguise.")
            else:
                position = skip_items(data, position, encoding)
        except error:
            return values, True
    return values, position > end


def skip_items(data: bytes, position: int, encoding: Encoding) -> int:
    """The place behind a sequence of undefined length (PS3.5 7.5.2), however deep others lie in it."""
    open_parts = 1  # this sequence, its item, a sequence of that: only what has no length is gone into
    while open_parts:
        tag, vr, length, position = encoding.head(data, position)
        is_in_items = open_parts % 2 == 1
        if tag == (SEQUENCE_END if is_in_items else ITEM_END):
            open_parts -= 1
            continue
        if is_in_items and tag != ITEM:
            raise NotPlain("A sequence holds something that is no item.")
        if length != UNDEFINED:
            position += length
        elif is_in_items or vr in (b"SQ", b""):
            open_parts += 1
        else:
            raise NotPlain("An item holds a value of undefined length that is no sequence.")
    return position
