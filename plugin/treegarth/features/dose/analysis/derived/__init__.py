"""What follows from doses, sizes and times by a formula: effective dose, activity at the scan, activity per weight.

Pure. Each formula names its source, each coefficient its publication; where an input is missing there is no number, but
the reason. `data/` has the tables.
"""

from __future__ import annotations

from treegarth.features.dose.analysis.derived.coefficients import Coefficient, Coefficients, shipped
from treegarth.features.dose.analysis.derived.derive import Patient, derive
from treegarth.features.dose.analysis.derived.model import Found, Line, Missing, Reason

__all__ = ["Coefficient", "Coefficients", "Found", "Line", "Missing", "Patient", "Reason", "derive", "shipped"]
