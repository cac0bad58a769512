"""Radiation dose: readers of every source, the registry of what was read, and what the rest of the house asks of it.

This is the feature's front door: other parts import from here and from `reading_json`, never from deeper inside.
"""

from treegarth.features.dose.model import DoseReading, Issue, json_object, report_json, to_json
from treegarth.features.dose.reading import read_dose, read_dose_bytes, read_dose_stream
from treegarth.features.dose.reading_json import read_command

__all__ = [
    "DoseReading",
    "Issue",
    "json_object",
    "read_command",
    "read_dose",
    "read_dose_bytes",
    "read_dose_stream",
    "report_json",
    "to_json",
]
