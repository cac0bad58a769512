"""What of fluoroscopy by physician can be asked for in an address. Who may see patients may see it."""

from __future__ import annotations

from dataclasses import replace

from treegarth.features.dose.analysis.asked import DaysAsked, days_of
from treegarth.features.dose.analysis.store.physicians import FluoroscopyModality
from treegarth.features.dose.analysis.wanted import Wanted
from treegarth.web.routes import Identifier, Text


class PhysiciansAsked(DaysAsked):
    """Which exams of fluoroscopy."""

    modality: FluoroscopyModality | None = None
    """Angiography (`XA`) or radiofluoroscopy (`RF`) alone; without it both."""
    standard_name: Identifier | None = None
    """The number of a standard name: only exams that have it, so that like is beside like."""
    device: Text | None = None
    """The key of one device."""


def wanted_of(asked: PhysiciansAsked) -> Wanted:
    """The exams; which quantity is left open."""
    return replace(days_of(asked), standard_name_id=asked.standard_name, device_key=asked.device)
