"""The system itself: its health, its tasks, and what a person can do about them."""

from treegarth.features.system.health import host_checks

__all__ = ["host_checks"]
