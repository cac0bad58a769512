"""Tell whether the bytes of an object end where they may: between two elements of its data set. Pure; reads no value.

A file that was cut off reads as one that says less, or says 183 for 1835.3. The walk steps from element to element
(PS3.5 7.1), follows sequences of undefined length only (7.5.2), and stops before pixel data. It judges the end of the
bytes and nothing else: what is not DICOM at all is not called cut off.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from struct import error

from treegarth.dicom.encoding import (
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    ITEM,
    ITEM_END,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    Encoding,
    MetaCutOff,
    NotPlain,
    encoding_of,
    find_meta,
)


@dataclass(frozen=True, slots=True)
class _Open:
    """A sequence or an item of undefined length whose end has not come yet."""

    is_item: bool
    encoding: Encoding


def is_cut_off(file: bytes) -> bool:
    """Whether a DICOM file (PS3.10 7.1), or its header alone, ends inside an element, an item or a sequence."""
    if file[128:132] != b"DICM":
        is_explicit = file[4:6].isalpha() and file[4:6].isupper()
        return _ends_inside(file, 0, EXPLICIT if is_explicit else IMPLICIT)
    try:
        start, syntax = find_meta(file)
    except MetaCutOff:
        return True
    except NotPlain:
        return False
    if syntax != DEFLATED:
        return _ends_inside(file, start, encoding_of(syntax))
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(file[start:])
    except zlib.error:
        return False
    return not stream.eof or _ends_inside(inflated, 0, EXPLICIT)


def _ends_inside(data: bytes, position: int, encoding: Encoding) -> bool:
    open_parts: list[_Open] = []
    end = len(data)
    while position < end:
        if end - position < 8:
            return bool(open_parts) or data[position:].strip(b"\0") != b""  # padding does no harm
        within = open_parts[-1].encoding if open_parts else encoding
        if not open_parts and within.tag_length.unpack_from(data, position)[0] == PIXEL_DATA >> 16:
            return False
        try:
            tag, vr, length, position = within.head(data, position)
        except error:
            return True
        except NotPlain:
            return False  # the bytes make no sense here, which is for others to say
        if tag in (ITEM_END, SEQUENCE_END):
            if not open_parts or open_parts[-1].is_item != (tag == ITEM_END):
                return False
            open_parts.pop()
        elif length == UNDEFINED:
            inside = IMPLICIT if vr == b"UN" else within  # PS3.5 6.2.2: implicit below an unknown sequence
            open_parts.append(_Open(is_item=tag == ITEM, encoding=inside))
        else:
            position += length
    return bool(open_parts) or position > end
