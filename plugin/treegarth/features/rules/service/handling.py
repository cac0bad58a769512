"""Handle what happened: read the facts of a study once, decide every rule in memory, let the actions write.

Any number of processes may do this at once, and be killed at any point: an event is claimed by lease, and handled in
one transaction with all that follows from it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from treegarth.conditions.action import Occasion
from treegarth.conditions.facts import read_facts
from treegarth.conditions.model import Facts, Level
from treegarth.conditions.vocabulary import Vocabulary
from treegarth.database.engine import transaction
from treegarth.errors import DatabaseUnavailable, TreegarthError
from treegarth.features.rules.deciding import Match, match_rule
from treegarth.features.rules.model import Rule, Trigger
from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.store import applications, events, outcomes
from treegarth.features.rules.store.rules import StoredRule

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 6
FIRST_DELAY = timedelta(seconds=10)
"""Doubles with every attempt: 10, 20, 40, 80, 160 seconds; a person decides after that."""

UID = "StudyInstanceUID"

logger = logging.getLogger(__name__)


def handle_waiting(engine: Engine, book: RuleBook, clock: Callable[[], datetime], *, limit: int = 20) -> int:
    """Handle up to `limit` events that are due; how many there were. Raises DatabaseUnavailable."""
    with transaction(engine) as connection:
        claimed = events.claim_events(connection, clock(), LEASE, limit=limit)
        rules = book.acting(connection) if claimed else []
    for event in claimed:
        _handle(engine, book, event, rules, clock)
    return len(claimed)


def _handle(
    engine: Engine,
    book: RuleBook,
    event: events.RuleEvent,
    rules: Sequence[ActingRule],
    clock: Callable[[], datetime],
) -> None:
    try:
        with transaction(engine) as connection:
            if events.hold_event(connection, event):
                handle_event(connection, book.language.vocabulary, event, rules, clock())
                events.finish_event(connection, event)
    except DatabaseUnavailable:
        raise
    except TreegarthError as error:
        _record_failure(engine, event, str(error), clock())
    except Exception as error:
        logger.exception("Event %d of rules (%s) could not be handled.", event.id, event.trigger)
        _record_failure(engine, event, f"{type(error).__name__} while rules looked at it; see the log.", clock())


def handle_event(
    connection: Connection,
    vocabulary: Vocabulary,
    event: events.RuleEvent,
    rules: Sequence[ActingRule],
    now: datetime,
) -> None:
    """Let the rules that look at this event decide in their order, on the study as it was before the first of them
    acted, and carry out what they say. A study that is gone is nobody's business any more."""
    asked = [(one.stored, one.rule) for one in rules if one.rule is not None and _looks_at(one, event)]
    study = (
        read_study(connection, vocabulary, [rule for _, rule in asked], event.orthanc_study_id, now) if asked else None
    )
    if study is not None:
        uid = str(study.values[UID])
        before = outcomes.latest_versions_that_matched(connection, uid)
        for stored, rule in asked:
            match = match_rule(rule, study, event.orthanc_series_id, now)
            if match is not None:
                occasion = occasion_of(rule, stored, match, str(event.trigger), uid, before, event.asked_by, now)
                _act(connection, rule, occasion)
    if event.rule_id:
        applications.count_applied(connection, event.rule_id)


def read_study(
    connection: Connection, vocabulary: Vocabulary, rules: Sequence[Rule], orthanc_study_id: str, now: datetime
) -> Facts | None:
    """What these rules and their actions need to know of a study; None where it is not in the index."""
    deepest = Level.SERIES if any(rule.asks_series_alone for rule in rules) else Level.STUDY
    conditions = [condition for rule in rules for condition in rule.conditions()]
    found = read_facts(connection, vocabulary, conditions, [orthanc_study_id], now, also=[UID], deepest=deepest)
    return found.get(orthanc_study_id)


def occasion_of(
    rule: Rule,
    stored: StoredRule | None,
    match: Match,
    trigger: str,
    study_instance_uid: str,
    matched_before: Mapping[int, int],
    asked_by: str | None,
    now: datetime,
) -> Occasion:
    """What the rule's actions are given. `stored` is None for a rule that is only written, and never carried out."""
    rule_id = 0 if stored is None else stored.id
    return Occasion(
        rule_id=rule_id,
        rule_version=0 if stored is None else stored.version,
        rule_name=rule.name,
        why=rule.why,
        trigger=trigger,
        study=match.study,
        study_instance_uid=study_instance_uid,
        orthanc_series_ids=match.orthanc_series_ids,
        is_first=stored is None or matched_before.get(rule_id, 0) < stored.edited_version,
        asked_by=asked_by,
        now=now,
    )


def _looks_at(one: ActingRule, event: events.RuleEvent) -> bool:
    if event.rule_id:
        return one.stored.id == event.rule_id
    return one.stored.trigger is event.trigger and event.trigger in (
        Trigger.STUDY_STABLE,
        Trigger.SERIES_STABLE,
        Trigger.DOSE_READ,
    )


def _act(connection: Connection, rule: Rule, occasion: Occasion) -> None:
    done = [
        outcomes.Done(action=step.action.name, done=step.action.carry_out(connection, step.spec, occasion))
        for step in rule.steps
    ]
    outcomes.write_outcome(
        connection,
        rule_id=occasion.rule_id,
        version=occasion.rule_version,
        trigger=occasion.trigger,
        orthanc_study_id=occasion.orthanc_study_id,
        study_instance_uid=occasion.study_instance_uid,
        asked_by=occasion.asked_by,
        actions=done,
        now=occasion.now,
    )


def _record_failure(engine: Engine, event: events.RuleEvent, reason: str, now: datetime) -> None:
    again = event.attempts < MOST_ATTEMPTS
    next_attempt_at = now + FIRST_DELAY * 2 ** (event.attempts - 1) if again else None
    with transaction(engine) as connection:
        events.record_failure(connection, event, reason, next_attempt_at)
        if not again and event.rule_id:
            applications.count_failed(connection, event.rule_id, reason)
