"""What stands in an address for a long work."""

from __future__ import annotations

from treegarth.web.routes import Identifier, Parameters


class WorkPath(Parameters):
    work_id: Identifier
    """The work's number."""
