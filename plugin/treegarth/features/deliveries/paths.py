"""What stands in an address for destinations and deliveries."""

from __future__ import annotations

from treegarth.web.routes import Identifier, Parameters, Text


class DestinationPath(Parameters):
    destination_id: Identifier
    """The destination's number."""


class ObjectPath(DestinationPath):
    orthanc_instance_id: Text
    """The object's identifier in Orthanc."""
