"""Logging: into Orthanc's log inside Orthanc, onto standard error in a child. No patient identity at INFO or above."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import psycopg
from procrastinate.exceptions import ConnectorException


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


class _OutagesBriefly(logging.Filter):
    """What PostgreSQL's absence breaks is told in a line: a traceback of each loop of each process says no more."""

    def filter(self, record: logging.LogRecord) -> bool:
        chain = list(_chain_of(record.exc_info[1] if record.exc_info else None))
        if any(isinstance(one, ConnectorException | psycopg.OperationalError) for one in chain):
            said = f"{record.getMessage()} ({type(chain[-1]).__name__}: {chain[-1]})"
            record.msg, record.args = " ".join(said.split()), ()
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


def _chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it comes from, to the first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


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
    handler.addFilter(_OutagesBriefly())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("treegarth").setLevel(logging.INFO)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # What pydicom finds wrong with an object is recorded as that object's issue; its own log would name values.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
