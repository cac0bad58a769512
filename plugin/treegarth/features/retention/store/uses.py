"""When studies were last opened. One statement."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, literal, select
from sqlalchemy.dialects.postgresql import insert

from treegarth.features.retention.tables import study_use
from treegarth.index.tables import study


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
    opened = select(study.c.orthanc_study_id, literal(at), literal(way)).where(
        study.c.study_instance_uid == study_instance_uid
    )
    if orthanc_study_id is not None:
        opened = opened.where(study.c.orthanc_study_id == orthanc_study_id)
    statement = insert(study_use).from_select(["orthanc_study_id", "last_used_at", "way"], opened)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["orthanc_study_id"],
            set_={name: statement.excluded[name] for name in ("last_used_at", "way")},
            where=study_use.c.last_used_at < not_since,
        )
    )
