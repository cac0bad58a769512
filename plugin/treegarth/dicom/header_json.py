"""A header as DICOM JSON, so that any attribute can be searched later. Pure. Made once a series."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any, TypeAlias

import pydicom
from pydicom.dataset import Dataset

from treegarth.dicom.encoding import NotPlain
from treegarth.dicom.lean_content import is_sequence, vr_of
from treegarth.dicom.lean_json import lean_header_json, values_json
from treegarth.dicom.relabelling import Relabel, as_labelled
from treegarth.dicom.text import SPECIFIC_CHARACTER_SET, TEXT_VRS
from treegarth.errors import UnreadableObject

# What a series' header leaves out: the SR tree (0040,A730) and the functional groups (5200,9229/9230) can be
# megabytes and have readers of their own; pixel data and overlays are bulk.
_LEFT_OUT = frozenset({0x0040A730, 0x52009229, 0x52009230, 0x00880200})
_LONGEST_VALUE = 1024  # bytes
_LONGEST_SEQUENCE = 65536  # bytes


def header_json(data: bytes, relabel: Relabel = as_labelled) -> dict[str, Any]:
    """The header as DICOM JSON (PS3.18 F.2) without bulk data; what has no JSON form is left out. Text is read by what
    its labels mean, and the labels themselves stay as they are.

    Raises UnreadableObject where pydicom cannot read the bytes, or where they nest deeper than can be walked.
    """
    try:
        found = lean_header_json(data, _is_left_out, relabel)
    except NotPlain:
        found = _by_pydicom(data, relabel)
    try:
        return found if _is_storable(found) else _storable(found)
    except RecursionError as error:
        raise UnreadableObject("The header's sequences are nested too deep.") from error


def _by_pydicom(data: bytes, relabel: Relabel = as_labelled) -> dict[str, Any]:
    try:
        dataset = pydicom.dcmread(BytesIO(data), stop_before_pixels=True, force=True)
        for tag in [tag for tag in dataset.keys() if _is_bulk(int(tag), dataset)]:  # noqa: SIM118 - deletes
            del dataset[tag]
        texts = _texts(dataset)
        found: dict[str, Any] = dataset.to_json_dict(bulk_data_threshold=_LONGEST_VALUE + 1, suppress_invalid_tags=True)
        _put_texts(found, texts, relabel(()), relabel)
    except Exception as error:  # pydicom raises whatever its parts raise on broken bytes
        raise UnreadableObject(f"The header has no JSON form: {type(error).__name__}.") from error
    return found


_Texts: TypeAlias = "dict[int, bytes | list[_Texts]]"


def _texts(dataset: Dataset) -> _Texts:
    """The raw values of a data set and its items, as long as pydicom has not decoded them."""
    found: _Texts = {}
    for tag in dataset.keys():  # noqa: SIM118 - elements themselves are converted by pydicom
        value = getattr(dataset.get_item(tag), "value", None)
        if is_sequence(int(tag)):
            found[int(tag)] = [_texts(item) for item in dataset[tag].value or ()]
        elif isinstance(value, bytes):
            found[int(tag)] = value
    return found


def _put_texts(found: dict[str, Any], texts: _Texts, inherited: tuple[str, ...], relabel: Relabel) -> None:
    """Read text by our own decoder, which knows more of code extensions and of wrong labels than pydicom's."""
    own = found.get(f"{SPECIFIC_CHARACTER_SET:08X}", {}).get("Value")
    sets = relabel(tuple(term or "" for term in own)) if own else inherited
    for tag, raw in texts.items():
        key = f"{tag:08X}"
        element = found.get(key, {"vr": vr_of(tag)})  # pydicom leaves out what it cannot read
        if isinstance(raw, list):
            for item, inside in zip(element.get("Value", ()), raw, strict=False):
                _put_texts(item, inside, sets, relabel)
        elif element["vr"] in TEXT_VRS and raw.strip(b" \0"):
            found[key] = {**element, "Value": values_json(element["vr"], raw, sets)}


def _is_bulk(tag: int, dataset: Dataset) -> bool:
    raw = dataset.get_item(tag)
    value = getattr(raw, "value", None)
    return _is_left_out(tag, str(getattr(raw, "VR", None)), len(value) if isinstance(value, bytes) else 0)


def _is_left_out(tag: int, vr: str, length: int) -> bool:
    """By the length in bytes of its value; 0: of a sequence that does not tell."""
    if tag in _LEFT_OUT or tag & 0xFFFF == 0 or tag >> 16 >= 0x5000:
        return True
    return length > (_LONGEST_SEQUENCE if vr == "SQ" else _LONGEST_VALUE)


def _is_storable(found: dict[str, Any]) -> bool:
    """Whether `_storable` would change nothing, in a fifth of its time; where in doubt, no."""
    text = json.dumps(found)  # in ASCII: NUL characters and halves of a character are seen as escapes
    return not any(oddity in text for oddity in (r"\u0000", r"\ud", "NaN", "Infinity"))


def _storable(value: Any) -> Any:
    """PostgreSQL's jsonb knows neither NUL characters nor NaN."""
    if isinstance(value, dict):
        return {key: _storable(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_storable(part) for part in value]
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, float) and not -1e308 < value < 1e308:
        return None
    return value
