"""Which series of a study a reader wants to see first. Queries only."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, or_, select

from treegarth.index.tables import instance, series, study

LOCALIZER = "LOCALIZER"
"""Image Type (0008,0008) value 3 of CT (PS3.3 C.8.2.1.1.1) and of enhanced objects (C.8.16.1)."""
LOCALIZER_WORDS = r"\m(3.?plane|loc(alizer|\M)|scout|survey|topogram|스카우트)"
"""Of MR, whose Image Type has no such value (C.8.3.1.1.1): what devices call it."""
CAPTURES = "1.2.840.10008.5.1.4.1.1.7%"
"""Secondary Capture, single and multi-frame (PS3.6 A): a page of a dose report, a picture of a workstation."""


def first_series_of(connection: Connection, study_instance_uid: str) -> str | None:
    """The Series Instance UID of the first series, by number, that has images and is neither a localizer nor captured;
    else of the first one that has images. None where no object of the study has any."""
    an_image = and_(instance.c.orthanc_series_id == series.c.orthanc_series_id, instance.c.rows.is_not(None))
    is_localizer = func.coalesce(instance.c.image_type.contains([LOCALIZER]), False)
    is_captured = func.coalesce(instance.c.sop_class_uid.like(CAPTURES), False)
    shows_more = select(1).where(an_image, ~is_localizer, ~is_captured).exists()
    by_its_words = and_(series.c.modality == "MR", series.c.series_description.regexp_match(LOCALIZER_WORDS, "i"))
    comes_later = or_(~shows_more, func.coalesce(by_its_words, False))
    query = (
        select(series.c.series_instance_uid)
        .join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
        .where(study.c.study_instance_uid == study_instance_uid, select(1).where(an_image).exists())
        .order_by(
            comes_later,
            series.c.series_number.nulls_last(),
            series.c.series_date,
            series.c.series_time,
            series.c.series_instance_uid,
        )
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()
