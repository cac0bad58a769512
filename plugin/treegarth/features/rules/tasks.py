"""Background work of rules: handle events, apply rules, start those of a schedule, tell Orthanc of labels.

The work stands in the database; a task is only a hint.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

from procrastinate import Blueprint

from treegarth.database.engine import transaction
from treegarth.errors import RequestConflict
from treegarth.features.rules.orthanc_labels import tell_orthanc
from treegarth.features.rules.service.application import apply_to_archive
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.service.event_handler import handle_waiting
from treegarth.features.rules.store.rules import due_by_schedule, schedule_next
from treegarth.tasks.app import TaskContext

HANDLE = "rules.handle"
BATCH = 20
"""Events that one worker claims at once; each is handled in a second at most, and the claim lasts a minute."""

logger = logging.getLogger(__name__)


def blueprint(context: TaskContext, book: RuleBook, zone: ZoneInfo, acted: Callable[[], None]) -> Blueprint:
    """The tasks of this feature, working with this context and these rules, in the site's zone; `acted` is called
    when rules looked at something, and what they did about it is committed."""
    tasks = Blueprint()

    @tasks.periodic(cron="* * * * * */5", periodic_id="sweep")
    @tasks.task(name="rules.sweep", queueing_lock="rules.sweep")
    def sweep(timestamp: int) -> None:
        """Start what is due, handle what no hint was given for, go on with what was interrupted."""
        start_scheduled(context, book, zone)
        _handle_all(context, book, acted)
        tell_orthanc(context.engine, context.orthanc, context.clock)

    @tasks.task(name=HANDLE, queueing_lock=HANDLE)
    def handle() -> None:
        """Handle what happened just now."""
        _handle_all(context, book, acted)
        tell_orthanc(context.engine, context.orthanc, context.clock)

    return tasks


def start_scheduled(context: TaskContext, book: RuleBook, zone: ZoneInfo) -> None:
    """Apply the rules whose time has come to the archive, and note when they act next."""
    now = context.clock()
    with transaction(context.engine) as connection:
        for stored in due_by_schedule(connection, now):
            acting = book.read(stored)
            schedule = None if acting.rule is None else acting.rule.schedule
            if schedule is None:
                schedule_next(connection, stored.id, now + timedelta(hours=1))
                continue
            schedule_next(connection, stored.id, schedule.next_after(now, zone))
            try:
                apply_to_archive(connection, book.language.vocabulary, acting, by=None, now=now, is_asked=False)
            except RequestConflict as error:
                logger.warning("Rule %d was due and did not act: %s", stored.id, error)


def _handle_all(context: TaskContext, book: RuleBook, acted: Callable[[], None]) -> None:
    """Until nothing is due. Several workers share the work."""
    while True:
        if handle_waiting(context.engine, book, context.clock, limit=BATCH) == 0:
            return
        acted()
