"""What stands in an address for what statistics and derived doses keep."""

from __future__ import annotations

from treegarth.web.routes import Identifier, Parameters


class DoseCoefficientPath(Parameters):
    dose_coefficient_id: Identifier
    """The coefficient's number."""
