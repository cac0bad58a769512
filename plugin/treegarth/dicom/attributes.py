"""The attributes of an object in lines that people read: tag, name, VR, value, sequences unfolded. Pure.

Text is decoded by the Specific Character Set in force, other values as PS3.5 6.2 has them. What cannot be read is said
in its line; nothing is left out but bulk data, of which the length is told, and what is beyond the bounds below.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from pydicom import dcmread
from pydicom.datadict import dictionary_description, dictionary_VR, private_dictionary_description
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.valuerep import VR

from treegarth.dicom.elements import element_text, meant_character_set
from treegarth.dicom.relabelling import NONE, Relabellings
from treegarth.dicom.text import SPECIFIC_CHARACTER_SET, character_set
from treegarth.errors import UnreadableObject, kind_of_error
from treegarth.phrases import P_

MOST_LINES = 4000
"""Of one object: an enhanced one has tens of thousands of attributes, functional groups of each frame."""
LONGEST_VALUE = 400  # characters
BULK = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
STRINGS = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
PRIVATE_CREATORS = 0xFF
"""The last element of a private group that reserves a block (PS3.5 7.8.1)."""
LEFT_OUT = frozenset({0x0040A730})
"""Content Sequence, which is shown as a tree."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeLine:
    """One attribute, or the head of an item of a sequence. `level` is 0 outside of sequences; an item has a number and
    no VR. `is_unread` says that `value` is the reason why there is none."""

    level: int
    tag: str = ""
    name: str = ""
    vr: str = ""
    value: str = ""
    item: int | None = None
    is_unread: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Attributes:
    """`is_cut`: there are more than are shown."""

    lines: Sequence[AttributeLine]
    is_cut: bool


def read_attributes(data: bytes, relabellings: Relabellings = NONE) -> Attributes:
    """Of the bytes of a DICOM file, which may end at its pixel data. Raises UnreadableObject.

    The label of the character set is shown as it is; text is read by what it means.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pydicom warns of is shown as it is written
        try:
            dataset = dcmread(BytesIO(data), force=True, stop_before_pixels=True)
        except Exception as error:  # the bytes are arbitrary, and so are pydicom's exceptions
            kind = kind_of_error(error)
            raise UnreadableObject(P_("The object is not readable DICOM (%(kind)s).", kind=kind)) from error
        if "SOPClassUID" not in dataset:
            raise UnreadableObject(P_("The object is not readable DICOM: it has no SOP Class UID."))
        lines: list[AttributeLine] = []
        for line in _lines(dataset, relabellings):
            if len(lines) == MOST_LINES:
                return Attributes(lines=lines, is_cut=True)
            lines.append(line)
    return Attributes(lines=lines, is_cut=False)


def _lines(dataset: Dataset, relabellings: Relabellings) -> Iterator[AttributeLine]:
    """The meta header first, then the data set, without calls within calls."""
    root = _of(dataset, 0, meant_character_set(dataset, relabellings), is_root=True)
    waiting: list[Iterator[AttributeLine | tuple[Dataset, int, tuple[str, ...]]]] = [root]
    meta = getattr(dataset, "file_meta", None)
    if meta is not None:
        waiting.append(_of(meta, 0, ()))
    while waiting:
        step = next(waiting[-1], None)
        if step is None:
            waiting.pop()
        elif isinstance(step, AttributeLine):
            yield step
        else:
            waiting.append(_of(*step))


def _of(
    dataset: Dataset, level: int, inherited: tuple[str, ...], *, is_root: bool = False
) -> Iterator[AttributeLine | tuple[Dataset, int, tuple[str, ...]]]:
    """The lines of one data set, and in their places the items below it."""
    charset = inherited if is_root else character_set(element_text(dataset, SPECIFIC_CHARACTER_SET), inherited)
    for tag in sorted(dataset.keys()):
        if int(tag) in LEFT_OUT:
            continue
        named = {"level": level, "tag": f"({tag.group:04X},{tag.element:04X})", "name": _name(dataset, tag)}
        try:
            vr, value, items = _value(dataset, tag, charset)
        except Exception as error:
            reason = P_("cannot be read (%(kind)s)", kind=type(error).__name__)
            yield AttributeLine(**named, value=reason, is_unread=True)  # type: ignore[arg-type]
            continue
        yield AttributeLine(**named, vr=vr, value=value)  # type: ignore[arg-type]
        for number, item in enumerate(items, start=1):
            yield AttributeLine(level=level + 1, item=number)
            yield item, level + 1, charset


def _value(dataset: Dataset, tag: BaseTag, charset: tuple[str, ...]) -> tuple[str, str, Sequence[Dataset]]:
    """VR, value and items of one element; what is text is decoded by us, everything else by pydicom."""
    raw = dataset.get_item(tag)
    vr = str(raw.VR or _vr_of(tag)) if raw is not None else ""
    if vr in STRINGS:
        return vr, _cut(element_text(dataset, int(tag), charset) or ""), ()
    if vr in BULK and isinstance(raw.value, bytes):
        return vr, _bytes(raw.value), ()
    element = dataset[tag]
    vr = str(element.VR)
    if vr == VR.SQ:
        return vr, "", list(element.value or ())
    if isinstance(element.value, bytes):
        return vr, _bytes(element.value), ()
    parts = element.value if element.VM > 1 else [element.value]
    return vr, _cut("\\".join("" if part is None else str(part) for part in parts)), ()


def _vr_of(tag: BaseTag) -> str:
    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return "UN"


def _name(dataset: Dataset, tag: BaseTag) -> str:
    """PS3.6; of a private attribute what its creator calls it, where that is known; else nothing."""
    try:
        if not tag.is_private:
            return str(dictionary_description(tag))
        if tag.element <= PRIVATE_CREATORS:
            return ""
        creator = element_text(dataset, tag.group << 16 | tag.element >> 8)  # PS3.5 7.8.1
        return str(private_dictionary_description(tag, creator)) if creator else ""
    except KeyError:
        return ""


def _bytes(value: bytes) -> str:
    return P_("%(count)s bytes", count=len(value)) if value else ""


def _cut(text: str) -> str:
    """Bounded, and without what a page cannot show: U+FFFD stands for it."""
    shown = "".join(
        letter if letter.isprintable() or letter in "\r\n\t" else "\ufffd" for letter in text[:LONGEST_VALUE]
    )
    return shown if len(text) <= LONGEST_VALUE else shown[:-1] + "…"
