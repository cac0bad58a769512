"""Values of a pydicom Dataset as text and items, without pydicom's conversions. Pure.

pydicom converts (and refuses) a value when it is asked for by name. Dose reports carry values that it refuses, and the
conversion costs most of the time of reading one, so elements that are still raw bytes are read as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

from treegarth.dicom.headers import TAGS
from treegarth.dicom.lean_content import LeanItem, is_sequence, vr_of
from treegarth.dicom.relabelling import DEVICE, Relabellings
from treegarth.dicom.text import SPECIFIC_CHARACTER_SET, character_set, decode_text, repair_text


def element_text(dataset: Dataset, tag: int, charset: tuple[str, ...] = ()) -> str | None:
    """The text of an element, its values joined by backslashes and without padding; None when absent or empty."""
    element = dataset.get_item(tag)
    if element is None or element.value is None:
        return None
    value = element.value
    if isinstance(value, bytes):
        text = decode_text(value, charset, vr_of(tag))
    elif isinstance(value, (MultiValue, list, tuple)):
        text = repair_text("\\".join("" if part is None else str(part) for part in value))
    else:
        text = repair_text(str(value))
    return text.replace("\0", "").strip() or None


def element_items(dataset: Dataset, tag: int) -> Sequence[Dataset]:
    """The items of a sequence; none when absent or empty. Raises what pydicom raises for other bytes."""
    if tag not in dataset or dataset[tag].VR != "SQ":
        return ()
    items: Sequence[Dataset] = dataset[tag].value or ()
    return items


def meant_character_set(dataset: Dataset, relabellings: Relabellings) -> tuple[str, ...]:
    """The character sets that the label of a data set means, by what a site says of its device."""
    label = character_set(element_text(dataset, SPECIFIC_CHARACTER_SET))
    device = {name: element_text(dataset, TAGS[name], label) for name in DEVICE if name in TAGS}
    return relabellings.of(device)(label)


def relabel_dataset(dataset: Dataset, relabellings: Relabellings) -> None:
    """Have the data set name the character sets that its label means."""
    meant = meant_character_set(dataset, relabellings)
    if meant != character_set(element_text(dataset, SPECIFIC_CHARACTER_SET)):
        raw = "\\".join(meant).encode()
        tag = BaseTag(SPECIFIC_CHARACTER_SET)
        dataset[tag] = RawDataElement(tag, "CS", len(raw), raw, 0, False, True)


def item_of(dataset: Dataset) -> LeanItem:
    """A data set, or an item of pydicom's, as an item of the lean parser."""
    item = LeanItem()
    for tag, element in dataset.items():
        is_read = isinstance(element.value, bytes) and not is_sequence(tag)
        item.elements[int(tag)] = element.value if is_read else partial(_read, dataset, tag)
    return item


def _read(dataset: Dataset, tag: int) -> str | Sequence[LeanItem] | None:
    if is_sequence(tag):
        return [item_of(below) for below in element_items(dataset, tag)]
    return element_text(dataset, tag)
