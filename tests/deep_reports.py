"""Structured reports and headers that are nested as deep as one likes, written byte by byte: pydicom's own writer gives
up at some hundred levels."""

from __future__ import annotations

import struct

from tests.bad_objects import ct_image, in_syntax, inserted_before
from tests.dose_builder import as_file, report

_CONTENT, _NAME, _IMAGES = b"\x40\x00\x30\xa7", b"\x40\x00\x43\xa0", b"\x08\x00\x40\x11"
_UNDEFINED, _ITEM = b"\xff\xff\xff\xff", b"\xfe\xff\x00\xe0"
_END = b"\xfe\xff\x0d\xe0" + bytes(4) + b"\xfe\xff\xdd\xe0" + bytes(4)


def deep_report(levels: int, *, uid: str = "1.2.3.1", study_uid: str = "1.2.3") -> bytes:
    """A file with a root and so many levels of containers below it."""
    return as_file(report(sop_instance_uid=uid, study_instance_uid=study_uid)) + _nested(levels)


def deep_header(number: int, levels: int, text: bytes = b"") -> bytes:
    """An image with so many sequences (0008,1140) within each other, and an LO value in the last."""
    inner = _element(b"\x08\x00\x04\x01", b"LO", text) if text else b""
    return inserted_before(in_syntax(ct_image(number)), 0x00100010, _begin(_IMAGES) * levels + inner + _END * levels)


def _nested(levels: int) -> bytes:
    """Content Sequences (0040,A730) of undefined length within each other."""
    container = _element(b"\x40\x00\x10\xa0", b"CS", b"CONTAINS") + _element(b"\x40\x00\x40\xa0", b"CS", b"CONTAINER ")
    code = b"".join(
        (
            _element(b"\x08\x00\x00\x01", b"SH", b"113701"),
            _element(b"\x08\x00\x02\x01", b"SH", b"DCM "),
            _element(b"\x08\x00\x04\x01", b"LO", b"Level "),
        )
    )
    return (_begin(_CONTENT) + container + _begin(_NAME) + code + _END) * levels + _END * levels


def _begin(tag: bytes) -> bytes:
    return tag + b"SQ\0\0" + _UNDEFINED + _ITEM + _UNDEFINED


def _element(tag: bytes, vr: bytes, value: bytes) -> bytes:
    return tag + vr + struct.pack("<H", len(value)) + value
