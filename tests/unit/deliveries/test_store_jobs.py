"""How a store job of Orthanc ended, by answers as Orthanc 1.10.1 gave them."""

from __future__ import annotations

from typing import Any

import pytest

from treegarth.features.deliveries.senders.store_jobs import JobEnding, ending_of, takes_no_such_class
from treegarth.phrases import Phrase

REFUSED = 'C-STORE SCU to AET "NODE" has failed with DIMSE status 0xA700'
ABORTED = 'DicomAssociation - C-STORE to AET "NODE": Peer aborted Association (or never connected)'
SILENT = 'DicomAssociation - C-STORE to AET "NODE": DIMSE No data available (timeout in non-blocking mode)'
REJECTED = 'DicomAssociation - connecting to AET "NODE": DUL Association Rejected'
ABORTED_AT_ONCE = 'DicomAssociation - connecting to AET "NODE": Peer aborted Association (or never connected)'
NOBODY = 'DicomAssociation - connecting to AET "NODE": TCP Initialization Error: Connection refused'
DUPLICATE = 'C-STORE SCU to AET "NODE" has failed with DIMSE status 0x0111'
NO_CONTEXT = "Cannot transcode from 1.2.840.10008.1.2.1 to one of [ ]"
NO_SYNTAX = "Cannot transcode from 1.2.840.10008.1.2.4.90 to one of [ 1.2.840.10008.1.2 1.2.840.10008.1.2.1 ]"


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
        (DUPLICATE, 50, 60, JobEnding.DUPLICATE, 30),
        (NO_CONTEXT, 50, 60, JobEnding.NO_CONTEXT, 30),
        (NO_SYNTAX, 50, 60, JobEnding.REFUSED, 30),
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
        (DUPLICATE, "It has the object already (0111)."),
        (
            NO_SYNTAX,
            "The node takes such objects only as Implicit VR Little Endian, Explicit VR Little Endian. Orthanc cannot "
            "make that of JPEG 2000 Image Compression (Lossless Only): without its plugin GDCM it decodes no "
            "JPEG 2000.",
        ),
        (ABORTED, "The node aborted the association in the middle of an object (A-ABORT)."),
        (SILENT, "The node fell silent in the middle of an object."),
        (
            REJECTED,
            "The node rejected the association: it may not know our AE title, or have another one itself.",
        ),
        (ABORTED_AT_ONCE, "The node aborted the association before it was open (A-ABORT)."),
        (NOBODY, f"No association could be opened. Orthanc says: {NOBODY}"),
        ("", "The connection broke. Orthanc says: Error in the network protocol"),
    ],
)
def test_why_a_job_failed_can_be_said_in_the_readers_language(details: str, said: str) -> None:
    reason = ending_of(failure(details, 0), 60).reason
    assert isinstance(reason, Phrase)
    assert reason == said


def test_a_job_that_was_canceled_and_a_class_that_is_not_taken_are_said_in_words() -> None:
    canceled = ending_of(failure("", 30, code=37), 60)
    assert (canceled.ending, canceled.reason) == (JobEnding.CANCELED, "The job of Orthanc that sent it was canceled.")
    said = takes_no_such_class("1.2.840.10008.5.1.4.1.1.88.67")
    assert said == "The node takes no such objects: X-Ray Radiation Dose SR Storage."


def test_the_percents_name_each_of_up_to_a_hundred_objects() -> None:
    for count in range(1, 101):
        for position in range(count):
            percents = int(100 * position / count + 0.5)
            assert ending_of(failure(REFUSED, percents), count).position == position


def test_a_canceled_job_is_told_apart() -> None:
    assert ending_of(failure("", 5, code=37), 60).ending is JobEnding.CANCELED
