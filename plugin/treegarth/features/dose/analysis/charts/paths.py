"""What stands in an address for a chart that somebody keeps."""

from __future__ import annotations

from treegarth.web.routes import Identifier, Parameters


class DoseChartPath(Parameters):
    dose_chart_id: Identifier
    """The chart's number."""
