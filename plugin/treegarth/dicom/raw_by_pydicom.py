"""The raw values of a header as pydicom finds them: for every encoding that the lean reader leaves alone. Pure."""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from treegarth.errors import UnreadableObject, kind_of_error
from treegarth.phrases import P_


def values_by_pydicom(
    data: bytes, wanted: frozenset[int], numbers: Collection[int]
) -> tuple[dict[int, bytes], str | None, bool]:
    """The raw values of these tags, those of `numbers` (of two bytes) as in a little-endian file; the transfer syntax;
    whether nothing of a deflated file could be read. Raises UnreadableObject."""
    try:
        dataset = pydicom.dcmread(BytesIO(data), stop_before_pixels=True, force=True, specific_tags=list(wanted))
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        values = {}
        for tag in wanted & dataset.keys():
            raw = dataset.get_item(tag)
            value = getattr(raw, "value", None)
            if isinstance(value, bytes):
                values[int(tag)] = _to_little_endian(value, dataset) if tag in numbers else value
            elif value is not None:  # pydicom decodes the character set element while it reads
                values[int(tag)] = "\\".join([value] if isinstance(value, str) else map(str, value)).encode()
    except Exception as error:  # pydicom raises whatever its parts raise on broken bytes
        raise UnreadableObject(P_("No DICOM data set can be read: %(kind)s.", kind=kind_of_error(error))) from error
    return values, str(syntax) if syntax else None, syntax == DeflatedExplicitVRLittleEndian and not values


def _to_little_endian(value: bytes, dataset: Dataset) -> bytes:
    return value[::-1] if dataset.original_encoding[1] is False else value
