"""Logging: into Orthanc's log inside Orthanc, onto standard error in a child. No patient identity at INFO or above."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any


class OrthancHandler(logging.Handler):
    """Writes records into Orthanc's own log, at the level at which Orthanc itself says such things."""

    def __init__(self, orthanc: Any) -> None:
        super().__init__()
        self._orthanc = orthanc

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = f"Treegarth: {self.format(record)}"
            if record.levelno >= logging.ERROR:
                self._orthanc.LogError(text)
            elif record.levelno >= logging.INFO:  # Orthanc says "Orthanc has started" as a warning, too
                self._orthanc.LogWarning(text)
            else:
                self._orthanc.LogInfo(text)
        except Exception:
            self.handleError(record)


class _OneLine(logging.Formatter):
    """A record with its traceback on one line, which the parent takes apart again."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname} {super().format(record)}".replace("\n", " ⏎ ")


def log_into_orthanc(orthanc: Any) -> None:
    """Send the records of this process to Orthanc's log."""
    _configure(OrthancHandler(orthanc))


def log_as_child() -> None:
    """Send the records of this process to standard error, for the plugin to relay."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine())
    _configure(handler)


def _configure(handler: logging.Handler) -> None:
    warnings.filterwarnings("ignore", module="pydicom")  # they show the values they complain of, patients' names too
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("treegarth").setLevel(logging.INFO)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # What pydicom finds wrong with an object is recorded as that object's issue; its own log would name values.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
