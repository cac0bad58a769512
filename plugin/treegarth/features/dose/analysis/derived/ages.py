"""The age groups for which coefficients are published, and which of them a patient is of. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from treegarth.phrases import P_

AgeGroup: TypeAlias = Literal["0", "1", "5", "10", "15", "adult"]
AGE_GROUPS: tuple[AgeGroup, ...] = get_args(AgeGroup)
"""Reference ages in years."""

_BEGINS: tuple[tuple[float, AgeGroup], ...] = (
    (18.0, "adult"),
    (14.0, "15"),
    (10.0, "10"),
    (4.0, "5"),
    (1 / 12, "1"),
    (0.0, "0"),
)
"""From which age on a group reaches, in years: European Commission, Radiation Protection 185 (2018), the equivalence of
age groups: under 1 month, 1 month to under 4 years, to under 10, to under 14, to under 18 years."""


def named(group: AgeGroup) -> str:
    """As sentences call it."""
    return P_("adult") if group == "adult" else group


def age_group(years: float) -> AgeGroup:
    """The group of a patient of this age."""
    return next((group for begins, group in _BEGINS if years >= begins), "0")
