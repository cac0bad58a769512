"""Values of a pydicom Dataset as text and items, without pydicom's conversions. Pure.

pydicom converts (and refuses) a value when it is asked for by name. Dose reports carry values that it refuses, and the
conversion costs most of the time of reading one, so elements that are still raw bytes are read as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from treegarth.dicom.lean_content import LeanItem
from treegarth.dicom.text import decode_text, repair_text

SPECIFIC_CHARACTER_SET = 0x00080005


def character_set(dataset: Dataset | LeanItem, inherited: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Specific Character Set of a data set; an item without one has that around it (PS3.3 C.12.1.1.2)."""
    text = element_text(dataset, SPECIFIC_CHARACTER_SET)
    return inherited if text is None else tuple(text.split("\\"))


def element_text(dataset: Dataset | LeanItem, tag: int, charset: tuple[str, ...] = ()) -> str | None:
    """The text of an element, its values joined by backslashes and without padding; None when absent or empty."""
    if isinstance(dataset, LeanItem):
        raw = dataset.elements.get(tag)
        return decode_text(raw, charset).strip() or None if isinstance(raw, bytes) else None
    element = dataset.get_item(tag)
    if element is None:
        return None
    value = element.value
    if isinstance(element, RawDataElement):
        if not isinstance(value, bytes):
            return None
        text = decode_text(value, charset)
    elif value is None or isinstance(value, bytes):
        text = decode_text(value or b"", charset)
    elif isinstance(value, (MultiValue, list, tuple)):
        text = repair_text("\\".join("" if part is None else str(part) for part in value))
    else:
        text = repair_text(str(value))
    return text.replace("\0", "").strip() or None


def element_values(dataset: Dataset | LeanItem, tag: int, charset: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The values of an element of any value multiplicity; empty ones stay, so that positions keep their meaning."""
    text = element_text(dataset, tag, charset)
    return () if text is None else tuple(part.strip() for part in text.split("\\"))


def element_items(dataset: Dataset | LeanItem, tag: int) -> Sequence[Dataset | LeanItem]:
    """The items of a sequence; none when absent or empty. Raises what pydicom raises for other bytes."""
    if isinstance(dataset, LeanItem):
        lean = dataset.elements.get(tag)
        return lean if isinstance(lean, list) else ()
    element = dataset.get_item(tag)
    if element is None:
        return ()
    if isinstance(element, RawDataElement):
        element = dataset[tag]
    if element.VR != "SQ" or not element.value:
        return ()
    items: Sequence[Dataset] = element.value
    return items
