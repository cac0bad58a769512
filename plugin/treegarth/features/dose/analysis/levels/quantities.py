"""The quantities that a reference level can be of, in the unit in which they are shown. A table only."""

from __future__ import annotations

from collections.abc import Mapping

from treegarth.features.dose.analysis.figures import OF_LEVEL
from treegarth.features.dose.analysis.wanted import BY_PHANTOM
from treegarth.features.dose.quantities import ShownQuantity

LEVEL_QUANTITIES: Mapping[str, ShownQuantity] = OF_LEVEL["exam"]
"""By the name that a document writes: best known doses, and what is derived of them."""

OF_A_PHANTOM = BY_PHANTOM["exam"]
"""A level of these says of which phantom: 16 cm and 32 cm are never compared with each other."""
