"""How a dose report's values are written on its study's page."""

from __future__ import annotations

import pytest

from treegarth.features.dose.registry.shown_tables import readable_meaning, readable_moment


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("20261121114930.000000+0900", "2026-11-21 11:49:30 +09:00"),
        ("20261121114930", "2026-11-21 11:49:30"),
        ("202611211149", "2026-11-21 11:49"),
        ("2026-11-21T11:49:30", "2026-11-21T11:49:30"),
        ("20261121", "20261121"),
    ],
)
def test_a_moment_is_shown_in_iso_form_and_anything_else_as_it_is(given: str, shown: str) -> None:
    assert readable_moment(given) == shown


def test_raised_figures_of_a_meaning_are_raised() -> None:
    assert readable_meaning("Fluorodeoxyglucose F^18^") == "Fluorodeoxyglucose F¹⁸"
    assert readable_meaning("^99m^Technetium") == "⁹⁹ᵐTechnetium"
    assert readable_meaning("Abdomen ^ pelvis") == "Abdomen ^ pelvis"
