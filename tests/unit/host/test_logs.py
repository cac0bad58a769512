"""What reaches the log: a defect with its traceback, an outage of the database in a line."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import OperationalError

from treegarth.host.logs import log_into_orthanc


class Orthanc:
    """Keeps what is written into its log."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def LogError(self, text: str) -> None:  # noqa: N802
        self.errors.append(text)

    def LogWarning(self, text: str) -> None:  # noqa: N802
        self.warnings.append(text)


@pytest.fixture
def orthanc() -> Iterator[Orthanc]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    made = Orthanc()
    log_into_orthanc(made)
    yield made
    root.handlers[:], root.level = handlers, level


def note(error: Exception, cause: Exception | None = None) -> None:
    try:
        raise error from cause
    except type(error):
        logging.getLogger("procrastinate.worker").exception("Side task %s failed with 100 %%:\n  it", "listener")


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (psycopg.OperationalError("server closed\nthe connection"), None),
        (ConnectorException("\n  Database error.\n"), psycopg.OperationalError("server closed the connection")),
        (
            OperationalError("SELECT 1", {}, psycopg.OperationalError()),
            psycopg.OperationalError("server closed the connection"),
        ),
    ],
)
def test_an_outage_of_the_database_is_a_line(orthanc: Orthanc, error: Exception, cause: Exception | None) -> None:
    note(error, cause)
    assert orthanc.errors == []
    assert orthanc.warnings == [
        "Treegarth: Side task listener failed with 100 %: it (OperationalError: server closed the connection)"
    ]


def test_a_defect_comes_with_its_traceback(orthanc: Orthanc) -> None:
    note(ValueError("odd"))
    assert orthanc.warnings == []
    assert "Traceback" in orthanc.errors[0]
    assert "ValueError: odd" in orthanc.errors[0]
