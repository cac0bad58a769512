"""Note when a study is opened through us: a page, the link to OHIF. Cheap: one row a study, written once an hour."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from treegarth.errors import TreegarthError
from treegarth.features.retention.store.uses import note_use
from treegarth.web.parts import AnyCall
from treegarth.web.services import Services

AGAIN_AFTER = timedelta(hours=1)

logger = logging.getLogger(__name__)


def study_opened(services: Services, study_instance_uid: str, way: str) -> None:
    """A person opened the study. A failure is no reason not to show it."""
    now: datetime = services.clock()
    try:
        with services.database.begin() as connection:
            note_use(connection, study_instance_uid, way, now, not_since=now - AGAIN_AFTER)
    except TreegarthError as error:
        logger.info("That a study was opened could not be noted: %s", error)


def study_shown(call: AnyCall, study_instance_uid: str) -> None:
    """A section of the study's page that shows nothing, and notes that somebody looks at the study."""
    study_opened(call.site.services, study_instance_uid, "dashboard")
