"""What the plugin's frame says of a stored instance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from treegarth.features.archive.ingest.sources import instance_of_frame, reception_date
from treegarth.host.feed import stored_frame

AT = datetime(2026, 11, 20, 12, 0, 7, 250_000, tzinfo=UTC)


def about(**given: Any) -> dict[str, Any]:
    return {"id": "i", "size": 5, "origin": 2, "at": AT.timestamp(), "RemoteAET": "CT1", **given}


def test_a_frame_tells_since_when_orthanc_has_the_object_and_when_it_was_reported() -> None:
    found = instance_of_frame(stored_frame(about(ReceptionDate="20261120T120006"), b"header"))
    assert found.received_at == datetime(2026, 11, 20, 12, 0, 6, tzinfo=UTC)
    assert found.reported_at == AT
    assert (found.data, found.origin.remote_ae_title, found.origin.kind) == (b"header", "CT1", 2)


def test_of_a_frame_without_that_time_orthanc_has_to_be_asked() -> None:
    found = instance_of_frame(stored_frame(about(), b"header"))
    assert (found.received_at, found.reported_at) == (AT, None)


UPLOADER = {"name": "Ada", "user": 5, "session": 7, "token": None, "address": "10.0.0.7"}


def test_a_frame_tells_who_uploaded_the_object() -> None:
    found = instance_of_frame(stored_frame(about(ReceptionDate="20261120T120006", uploader=UPLOADER), b"header"))
    origin = found.origin
    assert (origin.http_user, origin.uploader_id, origin.session_id, origin.remote_ip) == ("Ada", 5, 7, "10.0.0.7")


def test_who_uploads_what_orthanc_has_already_is_not_its_uploader() -> None:
    found = instance_of_frame(stored_frame(about(ReceptionDate="20261119T120006", uploader=UPLOADER), b"header"))
    assert (found.origin.http_user, found.origin.uploader_id) == (None, None)


def test_orthancs_time_stamp_is_utc_and_anything_else_is_none() -> None:
    assert reception_date("20261121T022935") == datetime(2026, 11, 21, 2, 29, 35, tzinfo=UTC)
    for other in ("", "yesterday", None, 5):
        assert reception_date(other) is None
