"""How a store job of Orthanc ended, by answers as Orthanc 1.10.1 gave them."""

from __future__ import annotations

from typing import Any

import pytest

from treegarth.features.deliveries.senders.store_jobs import JobEnding, ending_of
from treegarth.phrases import Phrase

REFUSED = 'C-STORE SCU to AET "NODE" has failed with DIMSE status 0xA700'
ABORTED = 'DicomAssociation - C-STORE to AET "NODE": Peer aborted Association (or never connected)'
SILENT = 'DicomAssociation - C-STORE to AET "NODE": DIMSE No data available (timeout in non-blocking mode)'
REJECTED = 'DicomAssociation - connecting to AET "NODE": DUL Association Rejected'


def failure(details: str, progress: int, code: int = 9) -> dict[str, Any]:
    return {
        "State": "Failure",
        "Progress": progress,
        "ErrorCode": code,
        "ErrorDescription": "Error in the network protocol",
        "ErrorDetails": details,
    }


def test_a_job_that_succeeded_sent_every_object() -> None:
    end = ending_of({"State": "Success", "Progress": 100}, 60)
    assert (end.ending, end.position) == (JobEnding.DONE, 60)


@pytest.mark.parametrize(
    ("details", "progress", "count", "ending", "position"),
    [
        (REFUSED, 67, 60, JobEnding.REFUSED, 40),
        (ABORTED, 10, 60, JobEnding.BROKEN, 6),
        (SILENT, 7, 60, JobEnding.BROKEN, 4),
        (REJECTED, 0, 60, JobEnding.UNREACHABLE, 0),
        ("", 5, 60, JobEnding.BROKEN, 3),
    ],
)
def test_a_job_that_failed_tells_at_which_object_and_why(
    details: str, progress: int, count: int, ending: JobEnding, position: int
) -> None:
    end = ending_of(failure(details, progress), count)
    assert (end.ending, end.position) == (ending, position)


@pytest.mark.parametrize(
    ("details", "said"),
    [
        (REFUSED, "It refused the object: out of resources (A700)."),
        (ABORTED, f"The connection broke. Orthanc says: {ABORTED}"),
        (REJECTED, f"No association could be opened. Orthanc says: {REJECTED}"),
        ("", "The connection broke. Orthanc says: Error in the network protocol"),
    ],
)
def test_why_a_job_failed_can_be_said_in_the_readers_language(details: str, said: str) -> None:
    reason = ending_of(failure(details, 0), 60).reason
    assert isinstance(reason, Phrase)
    assert reason == said


def test_the_percents_name_each_of_up_to_a_hundred_objects() -> None:
    for count in range(1, 101):
        for position in range(count):
            percents = int(100 * position / count + 0.5)
            assert ending_of(failure(REFUSED, percents), count).position == position


def test_a_canceled_job_is_told_apart() -> None:
    assert ending_of(failure("", 5, code=37), 60).ending is JobEnding.CANCELED
