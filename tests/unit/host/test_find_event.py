"""What the audit trail says of a C-FIND."""

from __future__ import annotations

from tests.audit_events import NOON
from treegarth.audit.model import EventOutcome, Way, What
from treegarth.host.dicom_find import find_event


def test_a_node_is_told_with_what_it_looked_for() -> None:
    asked = [
        (0x00080052, "STUDY"),
        (0x00100010, ""),
        (0x00100020, "P1"),
        (0x0020000D, "1.2.3\\1.2.4"),
        (0x00091001, "x"),
    ]

    event = find_event("CT1", asked, EventOutcome.DONE, NOON)

    assert (event.what, event.way, event.actor, event.place) == (What.SEARCH, Way.DICOM, "CT1", "C-FIND")
    assert event.query == "QueryRetrieveLevel=STUDY&PatientID=P1&StudyInstanceUID=1.2.3\\1.2.4&00091001=x"
    assert (event.studies, event.patients) == (("1.2.3", "1.2.4"), ("P1",))


def test_wildcards_name_no_patient() -> None:
    event = find_event("CT1", [(0x00100020, "P*"), (0x0020000D, "*")], EventOutcome.FAILED, NOON)

    assert (event.studies, event.patients) == ((), ())
