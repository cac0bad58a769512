"""What stands in an address for what is said of a device's character set."""

from __future__ import annotations

from treegarth.web.routes import Identifier, Parameters


class CharacterSetPath(Parameters):
    character_set_id: Identifier
    """The number of the document."""
