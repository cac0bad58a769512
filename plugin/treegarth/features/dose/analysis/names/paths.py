"""What stands in an address for standard names."""

from __future__ import annotations

from treegarth.web.routes import Identifier, Parameters


class StandardNamePath(Parameters):
    standard_name_id: Identifier
    """The standard name's number."""


class NameImportPath(Parameters):
    name_import_id: Identifier
    """The import's number."""
