"""Note when a study is opened through us: a page, the link to OHIF. Cheap: one row a study, written once an hour."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from treegarth.errors import TreegarthError
from treegarth.features.retention.store.uses import note_use
from treegarth.index.studies import StudyKey
from treegarth.web.call import AnyCall
from treegarth.web.services import Services

AGAIN_AFTER = timedelta(hours=1)

logger = logging.getLogger(__name__)


def study_opened(services: Services, study_instance_uid: str, way: str, *, orthanc_study_id: str | None = None) -> None:
    """A person opened the study; the viewer, which knows the UID alone, opens all that have it. A failure is no reason
    not to show it."""
    now: datetime = services.clock()
    try:
        with services.database.begin() as connection:
            since = now - AGAIN_AFTER
            note_use(connection, study_instance_uid, way, now, not_since=since, orthanc_study_id=orthanc_study_id)
    except TreegarthError as error:
        logger.info("That a study was opened could not be noted: %s", error)


def study_shown(call: AnyCall, study: StudyKey) -> None:
    """A section of the study's page that shows nothing, and notes that somebody looks at the study."""
    services, uid = call.services, study.study_instance_uid
    study_opened(services, uid, "dashboard", orthanc_study_id=study.orthanc_study_id)
