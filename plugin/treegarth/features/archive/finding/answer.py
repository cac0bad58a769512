"""Answers of C-FIND as DICOM: small datasets in Explicit VR Little Endian with a header of a file, which is how Orthanc
takes them. Pure."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import date, time
from typing import Any

from pydicom.charset import encode_string
from pydicom.datadict import dictionary_VR
from pydicom.valuerep import PersonName

from treegarth.features.archive.finding.question import CHARACTER_SET, KEYS, QUERY_LEVEL, FindLevel, Question

UTF_8, KOREAN = "ISO_IR 192", "\\ISO 2022 IR 149"
_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})  # PS3.5 7.1.2
_TEXTS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})  # PS3.5 6.1.2.2: what the character set is of
_UNKNOWN_CLASS, _EXPLICIT = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.1.2.1"


def answer_of(question: Question, values: Mapping[int, Any], *, character_set: str) -> bytes:
    """One answer. What is asked for and not known is empty."""
    elements: dict[int, tuple[str, bytes]] = {
        CHARACTER_SET: ("CS", character_set.encode("ascii")),
        QUERY_LEVEL: ("CS", FindLevel(question.level).name.encode("ascii")),
    }
    for tag in question.returned:
        vr = KEYS[tag].vr if tag in KEYS else _vr(tag)
        if vr is not None and vr != "SQ":
            elements[tag] = (vr, _value(vr, values.get(tag), character_set))
    body = b"".join(_element(tag, vr, value) for tag, (vr, value) in sorted(elements.items()))
    meta = b"".join(
        _element(tag, "UI", uid.encode("ascii"))
        for tag, uid in ((0x00020002, _UNKNOWN_CLASS), (0x00020003, "2.25.1"), (0x00020010, _EXPLICIT))
    )
    return b"\0" * 128 + b"DICM" + _element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + body


def _vr(tag: int) -> str | None:
    """None of what the standard does not know: nobody could say what an empty one is."""
    try:
        return str(dictionary_VR(tag))[:2]
    except KeyError:
        return None


def _element(tag: int, vr: str, value: bytes) -> bytes:
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    length = struct.pack("<HI", 0, len(value)) if vr in _LONG else struct.pack("<H", len(value))
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode("ascii") + length + value


def _value(vr: str, value: Any, character_set: str) -> bytes:
    if value is None:
        return b""
    if vr == "US":
        return struct.pack("<H", value) if 0 <= value < 1 << 16 else b""
    if isinstance(value, date):
        return value.strftime("%Y%m%d").rjust(8, "0").encode("ascii")
    if isinstance(value, time):
        text = value.strftime("%H%M%S") + (f".{value.microsecond:06d}" if value.microsecond else "")
        return text.encode("ascii")
    text = "\\".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    if vr not in _TEXTS:
        return text.encode("ascii", "replace")
    if character_set == UTF_8:
        return text.encode("utf-8")
    encodings = ["iso8859", "euc_kr"]
    text = text.encode("euc_kr", "replace").decode("euc_kr")
    return PersonName(text).encode(encodings) if vr == "PN" else bytes(encode_string(text, encodings))
