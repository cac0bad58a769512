"""Views, their modifiers and materials in plain words are those of the standard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from treegarth.features.dose.registry.shown_views import MATERIALS, MODIFIERS, VIEWS, filters_cell, view_cells


def codes_of(*context_groups: int) -> set[str]:
    """SNOMED codes of the context groups (PS3.16) by pydicom's dictionary."""
    return {
        code
        for named in concepts["SCT"].values()
        for code, (_, groups) in named.items()
        if set(groups) & set(context_groups)
    }


@pytest.mark.parametrize(
    ("table", "groups", "without"),
    [(VIEWS, (4014,), {"127457009"}), (MODIFIERS, (4015,), set()), (MATERIALS, (10006, 10016), set())],
)
def test_each_code_of_the_standard_has_words(
    table: Mapping[tuple[str, str], str], groups: tuple[int, ...], without: set[str]
) -> None:
    """A specimen is no view of the breast."""
    assert {sct for sct, _ in table} == codes_of(*groups) - without
    assert all(mapping["SCT"].get(sct, "") == srt for sct, srt in table)


@pytest.mark.parametrize(
    ("event", "view", "anode_and_filter"),
    [
        (
            {"image_view_code": {"code": "R-10226", "scheme": "SRT", "meaning": "MLO"}},
            "medio-lateral oblique (MLO)",
            [],
        ),
        ({"view_position": "cc"}, "cranio-caudal (CC)", []),
        ({"view_position": "PA"}, "PA", []),
        ({"image_view_code": {"code": "1", "scheme": "99X", "meaning": "Own view"}}, "Own view", []),
        (
            {"view_position": "ML", "anode_target_material": "RHODIUM", "x_ray_filter_material": "Unobtainium"},
            "medio-lateral (ML)",
            ["Rhodium", "Unobtainium"],
        ),
    ],
)
def test_a_view_is_told_by_its_code_else_by_the_headers_word(
    event: dict[str, Any], view: str, anode_and_filter: list[str]
) -> None:
    cells = view_cells(event)
    assert cells["view"].texts == [view]
    assert (cells["anode_and_filter"].texts if "anode_and_filter" in cells else []) == anode_and_filter


def test_a_filter_is_told_with_its_thickness_and_form() -> None:
    copper = {"code": "C-12700", "scheme": "SRT", "meaning": "Copper or Copper compound"}
    thick = {"x_ray_filter_thickness_minimum_mm": 0.1, "x_ray_filter_thickness_maximum_mm": 0.3}
    wedge = {"x_ray_filter_type": "Wedge filter", "x_ray_filter_material_code": copper, **thick}
    found = filters_cell({"x_ray_filters": [wedge, {"x_ray_filter_type": "Strip filter"}]})
    assert found is not None
    assert found.texts == ["Copper 0.1–0.3 mm Wedge filter", "Strip filter"]
    assert filters_cell({}) is None
