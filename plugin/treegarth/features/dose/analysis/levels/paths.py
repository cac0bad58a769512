"""What stands in an address for a set of reference levels."""

from __future__ import annotations

from treegarth.web.routes import Identifier, Parameters


class LevelSetPath(Parameters):
    level_set_id: Identifier
    """The set's number."""
