"""Which plane of a device an event or a total is of, in the words of its report. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from treegarth.dicom import codes

SINGLE_PLANE = codes.SINGLE_PLANE.meaning
ALL_PLANES = codes.ALL_PLANES.meaning
_OF_SOURCES = {"A": codes.PLANE_A.meaning, "B": codes.PLANE_B.meaning}
_ALL = frozenset({"all", "both", ALL_PLANES.lower()})
_SEVERAL = re.compile(r"\s+and\s+|[,;+&/]")


def plane_of(values: Mapping[str, Any]) -> str | None:
    """The plane that values of a reading name: by Acquisition Plane (PS3.16 CID 10003) or, as Enhanced reports do, by
    the X-ray source (TID 10041 row 2). None where none is told, as of the only one of a device."""
    plane, source = (_text(values.get(name)) for name in ("acquisition_plane", "x_ray_source_identification"))
    if plane is None and source is not None:
        plane = _OF_SOURCES.get(source.upper(), source)
    return None if plane == SINGLE_PLANE else plane


def is_of_several(plane: str | None) -> bool:
    """Whether several planes or sources are meant at once: "All Planes", "Both", "A and B"."""
    return plane is not None and (plane.lower() in _ALL or bool(_SEVERAL.search(plane)))


def sources_named(source: object) -> frozenset[str] | None:
    """The X-ray sources that a text names, "A and B" being both; None for any, or where none is named."""
    text = _text(source)
    if text is None or text.lower() in _ALL:
        return None
    return frozenset(name.strip().upper() for name in _SEVERAL.split(text) if name.strip())


def _text(value: object) -> str | None:
    """Of several values the first that is told."""
    if isinstance(value, list | tuple):
        value = next((one for one in value if one is not None), None)
    return (value.strip() or None) if isinstance(value, str) else None
