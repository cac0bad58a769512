"""Handle what happened: read the facts of a study once, decide every rule in memory, let the actions write.

Any number of processes may do this at once, and be killed at any point: an event is claimed by lease, and handled in
one transaction with all that follows from it. A rule that fails is tried again alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from treegarth.conditions.action import NotYet, Occasion
from treegarth.conditions.decision import matched
from treegarth.conditions.facts import read_facts
from treegarth.conditions.model import Facts, Level
from treegarth.conditions.vocabulary import Vocabulary
from treegarth.database.engine import transaction
from treegarth.errors import DatabaseUnavailable, TreegarthError
from treegarth.features.rules.decision import Match, condition_of_study, match_rule
from treegarth.features.rules.model import Rule, Trigger
from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.store import events, outcomes
from treegarth.features.rules.store.applications import APPLIES
from treegarth.features.rules.store.rules import StoredRule
from treegarth.index.studies import StudyKey
from treegarth.phrases import P_
from treegarth.tasks.backoff import Backoff
from treegarth.work.store import advance

LEASE = timedelta(seconds=30)
BACKOFF = Backoff(first=timedelta(seconds=10), longest=timedelta(minutes=5), most_attempts=6)
"""Of a rule that could not act on a study."""

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
    now = clock()
    try:
        with transaction(engine) as connection:
            if events.hold_event(connection, event):
                failures = handle_event(connection, book.language.vocabulary, event, rules, now)
                _settle(connection, event, failures, now)
    except DatabaseUnavailable:
        raise
    except Exception as error:
        failure = _failure(event, event.rule_id, error)
        with transaction(engine) as connection:
            events.record_failure(connection, event, failure.reason, failure.next_attempt_at(event, now))


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A rule could not act on a study. `is_early`: something else must happen first."""

    rule_id: int
    reason: str
    is_early: bool

    def next_attempt_at(self, event: events.RuleEvent, now: datetime) -> datetime | None:
        """None where a person is to decide."""
        if self.is_early:
            return now + BACKOFF.pause(event.attempts)
        return BACKOFF.next_attempt(event.attempts, now)


def handle_event(
    connection: Connection,
    vocabulary: Vocabulary,
    event: events.RuleEvent,
    rules: Sequence[ActingRule],
    now: datetime,
) -> list[Failure]:
    """Let the rules that look at this event decide in their order, on the study as it was before the first of them
    acted, and carry out what they say; what failed. What a rule that failed did is taken back, and no other rule
    suffers from it. A study that is gone is nobody's business any more."""
    asked = [(one.stored, one.rule) for one in rules if one.rule is not None and _looks_at(one, event)]
    if not asked:
        return []
    study = read_study(connection, vocabulary, [rule for _, rule in asked], event.orthanc_study_id, now)
    if study is None:
        return []
    uid = str(study.values[UID])
    key = StudyKey(orthanc_study_id=event.orthanc_study_id, study_instance_uid=uid)
    before = outcomes.latest_versions_that_matched(connection, key)
    failures = []
    for stored, rule in asked:
        try:
            match = match_rule(rule, study, event.orthanc_series_id, now)
            if match is not None:
                occasion = occasion_of(rule, stored, match, str(event.trigger), uid, before, event.asked_by, now)
                with connection.begin_nested():
                    _act(connection, rule, occasion)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            failures.append(_failure(event, stored.id, error))
        except Exception as error:
            failures.append(_failure(event, stored.id, error))
    return failures


def _settle(connection: Connection, event: events.RuleEvent, failures: Sequence[Failure], now: datetime) -> None:
    """The event is done, but for the rules that failed: each of them looks again by itself."""
    is_applying = str(event.trigger) in events.APPLYING
    for failure in failures:
        again = failure.next_attempt_at(event, now)
        if event.rule_id:
            events.record_failure(connection, event, failure.reason, again)
        else:
            events.leave_to_rule(connection, event, failure.rule_id, failure.reason, again)
        if again is None and is_applying:
            advance(connection, APPLIES, str(event.rule_id), counted="failed", error=failure.reason)
    if not (failures and event.rule_id):
        events.finish_event(connection, event)
    if is_applying and not failures:
        advance(connection, APPLIES, str(event.rule_id), done=1)


def _failure(event: events.RuleEvent, rule_id: int, error: Exception) -> Failure:
    if isinstance(error, TreegarthError):
        return Failure(rule_id=rule_id, reason=error.sentence, is_early=isinstance(error, NotYet))
    logger.error("Rule %d could not handle event %d (%s).", rule_id, event.id, event.trigger, exc_info=error)
    reason = P_("%(kind)s while rules looked at it; see the log.", kind=type(error).__name__)
    return Failure(rule_id=rule_id, reason=reason, is_early=False)


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
        matched=matched(condition_of_study(rule), match.study, now),
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
