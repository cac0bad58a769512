"""Apply a rule by hand: to one study, or to the archive as it is, in blocks that can be stopped and resumed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.database.engine import connect, transaction
from treegarth.errors import NotFound, RequestConflict
from treegarth.features.rules.decision import condition_of_study
from treegarth.features.rules.model import Rule, Trigger
from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.store import applications, events
from treegarth.features.rules.store.rules import stop_applying
from treegarth.features.rules.store.studies import Matching
from treegarth.index.studies import StudyKey, the_study
from treegarth.phrases import P_

BLOCK = 200
"""Studies that are noted at once, and no more before these are handled: so that a stop is soon felt."""


def apply_by_hand(
    connection: Connection,
    acting: ActingRule,
    study_instance_uid: str,
    orthanc_study_id: str | None,
    *,
    by: str | None,
    now: datetime,
) -> StudyKey:
    """Have a rule look at one study. Raises RequestConflict where the rule is off, NotFound for the study,
    AmbiguousStudy where several have the UID and none is named."""
    _check_acts(acting)
    study = the_study(connection, study_instance_uid, orthanc_study_id)
    subjects = [(study.orthanc_study_id, "")]
    events.note_events(connection, Trigger.BY_HAND, subjects, now, rule_id=acting.stored.id, asked_by=by)
    return study


def apply_to_archive(
    connection: Connection, vocabulary: Vocabulary, acting: ActingRule, *, by: str | None, now: datetime
) -> applications.Application:
    """Start to apply a rule to every study that it means; one that runs goes on. Workers do it.

    Raises RequestConflict where the rule is off or means nothing any more.
    """
    rule = _check_acts(acting)
    running = applications.latest_application(connection, acting.stored.id)
    if running is None or not running.is_running:
        sums = Matching(connection, vocabulary, condition_of_study(rule), now).count()
        stored = acting.stored
        applications.start_application(
            connection, rule_id=stored.id, version=stored.version, total=sums.study_count, by=by, now=now
        )
    found = applications.latest_application(connection, acting.stored.id)
    if found is None:
        raise NotFound(P_("The application is gone."))
    return found


def walk_on(engine: Engine, book: RuleBook, clock: Callable[[], datetime]) -> None:
    """Bring every application a block further: note the next studies where the last ones are handled."""
    with connect(engine) as connection:
        running = applications.running_applications(connection)
    for application in running:
        with transaction(engine) as connection:
            _walk(connection, book, application, clock())


def _walk(connection: Connection, book: RuleBook, application: applications.Application, now: datetime) -> None:
    waiting = events.count_events(connection, applied_rule_id=application.rule_id)[events.WAITING]
    if waiting:
        return
    if application.is_walked:
        applications.finish_application(connection, application.id, now)
        return
    place = applications.walked_to(connection, application.id)
    if place is None:
        return
    acting = next((one for one in book.acting(connection) if one.stored.id == application.rule_id), None)
    if acting is None or acting.rule is None:
        stop_applying(connection, application.rule_id, by=None, now=now)
        return
    matching = Matching(connection, book.language.vocabulary, condition_of_study(acting.rule), now)
    found = matching.after(place, limit=BLOCK)
    trigger = Trigger.SCHEDULE if acting.rule.trigger is Trigger.SCHEDULE else Trigger.BY_HAND
    subjects = [(study, "") for study in found]
    asked_by = application.started_by
    events.note_events(connection, trigger, subjects, now, rule_id=application.rule_id, asked_by=asked_by)
    applications.record_walk(connection, application.id, found, is_end=len(found) < BLOCK)


def _check_acts(acting: ActingRule) -> Rule:
    if acting.rule is None:
        raise RequestConflict(P_("The rule means nothing any more: mend it first."))
    if not acting.stored.is_on:
        raise RequestConflict(P_("The rule is off: switch it on first. What it means can be tried while it is off."))
    return acting.rule
