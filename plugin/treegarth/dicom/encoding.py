"""How a data set is written as bytes: the heads of its elements and items (PS3.5 7.1, 7.5). Pure; decodes no values.

The one place that knows it. What walks over the bytes stands on this: `raw_elements` reads what is wanted of a header,
`lean_json` all of a header, `lean_content` a structured report; `wholeness` tells where the bytes end, `depth` how
deep their sequences lie in each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from mmap import mmap
from struct import Struct
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
LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
"""Those whose length has four, behind two that are not used."""
UNDEFINED = 0xFFFFFFFF
"""The length of what ends with a delimiter."""
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
DELIMITERS = 0xFFFE
"""The group of items and of what ends them: they have no VR in any encoding."""
PIXEL_DATA = 0x7FE00010

Bytes: TypeAlias = bytes | mmap


class NotPlain(TreegarthError):
    """The bytes are not in a form that is read here: pydicom is asked instead."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """One way in which elements are written. The readers raise struct.error where the bytes end before."""

    is_explicit: bool
    order: str = "<"
    tag_length: Struct = field(init=False)
    tag_vr_length: Struct = field(init=False)
    vr_length: Struct = field(init=False)  # the same without the tag
    length: Struct = field(init=False)
    item: bytes = field(init=False)  # how its tag begins an item

    def __post_init__(self) -> None:
        for name, form in (("tag_length", "HHL"), ("tag_vr_length", "HH2sH"), ("vr_length", "4x2sH"), ("length", "L")):
            object.__setattr__(self, name, Struct(self.order + form))
        object.__setattr__(self, "item", Struct(f"{self.order}HH").pack(ITEM >> 16, ITEM & 0xFFFF))

    def head(self, data: Bytes, position: int) -> tuple[int, bytes, int, int]:
        """Tag, VR, length and place of the value of the element, item or delimiter that begins here. The VR is empty
        where none is written. Raises NotPlain for what is none, and struct.error."""
        group, element, length = self.tag_length.unpack_from(data, position)
        tag: int = group << 16 | element
        if group == DELIMITERS or not self.is_explicit:
            return tag, b"", length, position + 8
        _, _, vr, short = self.tag_vr_length.unpack_from(data, position)
        if vr in LONG_VRS:
            return tag, vr, self.length.unpack_from(data, position + 8)[0], position + 12
        if vr in SHORT_VRS or (vr.isalpha() and vr.isupper()):  # what comes new has four bytes, all else had two
            return tag, vr, short, position + 8
        raise NotPlain(f"({group:04X},{element:04X}) has no value representation.")


IMPLICIT, EXPLICIT = Encoding(is_explicit=False), Encoding(is_explicit=True)
BIG_ENDIAN = Encoding(is_explicit=True, order=">")


def encoding_of(transfer_syntax_uid: bytes) -> Encoding:
    """Of the data set, deflated or not; compressed pixel data leave it explicit and little endian (PS3.5 A.4)."""
    if transfer_syntax_uid == IMPLICIT_VR_LITTLE_ENDIAN:
        return IMPLICIT
    return BIG_ENDIAN if transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN else EXPLICIT
