"""Real dose objects and the reference reading of them, where a folder with them lies beside the project."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from treegarth.dicom.text import repair_text


def folder() -> Path | None:
    """The folder with `dcm/` and `reference.json`: TREEGARTH_CONFORMANCE, or ../shared/conformance of the checkout."""
    named = os.environ.get("TREEGARTH_CONFORMANCE")
    found = Path(named) if named else Path(__file__).parents[1] / "../shared/conformance"
    return found.resolve() if (found / "reference.json").is_file() else None


def references() -> list[dict[str, Any]]:
    """Every entry of the reference; empty without the folder, and a test parametrised by it is then absent."""
    found = folder()
    return json.loads((found / "reference.json").read_text("utf-8")) if found else []


def path_of(reference: dict[str, Any]) -> Path:
    found = folder()
    assert found is not None
    return found / "dcm" / reference["file"]


def structured_reports() -> list[Path]:
    """The files that are structured reports."""
    return [path_of(reference) for reference in references() if "image_modality" not in reference]


def differences(expected: Any, read: Any, path: str = "") -> list[str]:
    """Where what was read differs from the reference: numbers by 1e-6 relative, text after its repair.

    None and a missing name say nothing, and more may be read than the reference has.
    """
    if expected is None:
        return []
    if isinstance(expected, dict):
        below = read if isinstance(read, dict) else {}
        return [
            line for name, value in expected.items() for line in differences(value, below.get(name), f"{path}/{name}")
        ]
    if isinstance(expected, list):
        if not isinstance(read, list | tuple) or len(read) != len(expected):
            return [f"{path}: {expected!r} != {read!r}"]
        pairs = enumerate(zip(expected, read, strict=True))
        return [line for number, (a, b) in pairs for line in differences(a, b, f"{path}/{number}")]
    if isinstance(expected, float | int) and not isinstance(expected, bool):
        same = isinstance(read, float | int) and math.isclose(expected, read, rel_tol=1e-6)
        return [] if same else [f"{path}: {expected!r} != {read!r}"]
    if isinstance(expected, str):
        return [] if repair_text(expected) == read else [f"{path}: {expected!r} != {read!r}"]
    return [] if expected == read else [f"{path}: {expected!r} != {read!r}"]
