"""What stands in an address for a level of alerts, and for an alert."""

from __future__ import annotations

from treegarth.web.routes import Identifier, LongIdentifier, Parameters


class DoseAlertLevelPath(Parameters):
    dose_alert_level_id: Identifier
    """The level's number."""


class DoseAlertPath(Parameters):
    dose_alert_id: LongIdentifier
    """The alert's number."""
