"""When studies were last opened. One statement."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text


def note_use(
    connection: Connection,
    study_instance_uid: str,
    way: str,
    at: datetime,
    *,
    not_since: datetime,
    orthanc_study_id: str | None = None,
) -> None:
    """Note that this study, or all of this UID, were opened, unless that was noted already since a time."""
    connection.execute(
        text(
            "INSERT INTO study_use (orthanc_study_id, last_used_at, way)"
            " SELECT orthanc_study_id, :at, :way FROM study WHERE study_instance_uid = :uid"
            " AND (CAST(:key AS text) IS NULL OR orthanc_study_id = :key)"
            " ON CONFLICT (orthanc_study_id) DO UPDATE SET last_used_at = excluded.last_used_at, way = excluded.way"
            " WHERE study_use.last_used_at < :not_since"
        ),
        {"at": at, "way": way, "uid": study_instance_uid, "key": orthanc_study_id, "not_since": not_since},
    )
