"""Retention: what must be kept, what may be pruned and on which proof, and what became of everything that left.

This is the feature's front door: other parts import from here, never from deeper inside.
"""

from treegarth.features.retention.departures import Departures
from treegarth.features.retention.model import HoldKind

__all__ = ["Departures", "HoldKind"]
