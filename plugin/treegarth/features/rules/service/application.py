"""Apply a rule: to one study that somebody names, or to the archive as it is.

Of the archive the studies that the rule means are noted in blocks, which who handles events takes. A block is noted
when the last one is handled, so that a stop is soon felt. What was noted and not handled at a stop is noted first when
it goes on: no study is left out, and none is handled twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.errors import RequestConflict
from treegarth.features.rules.decision import condition_of_study
from treegarth.features.rules.model import Rule, Trigger
from treegarth.features.rules.service.book import ActingRule, RuleBook
from treegarth.features.rules.store import events
from treegarth.features.rules.store.applications import APPLIES, let_go
from treegarth.features.rules.store.studies import Matching
from treegarth.index.studies import StudyKey, the_study
from treegarth.phrases import N_, NN_, P_
from treegarth.work import store
from treegarth.work.kinds import Block, Carry, Within, WorkKind
from treegarth.work.store import ClaimedWork, LongWork

BLOCK = 200
"""Studies that are noted at once."""
SOON, LATER = timedelta(seconds=0.3), timedelta(seconds=3)
"""Until it is looked whether the block is handled: while studies are, and where they wait for another attempt."""
LONGEST_S = 10.0
"""Between two looks more was no work, but a server that was off."""


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
    checked(acting)
    study = the_study(connection, study_instance_uid, orthanc_study_id)
    subjects = [(study.orthanc_study_id, "")]
    events.note_events(connection, Trigger.BY_HAND, subjects, now, rule_id=acting.stored.id, asked_by=by)
    return study


def checked(acting: ActingRule) -> Rule:
    """What it says. Raises RequestConflict where it is off or means nothing any more."""
    if acting.rule is None:
        raise RequestConflict(P_("The rule means nothing any more: mend it first."))
    if not acting.stored.is_on:
        raise RequestConflict(P_("The rule is off: switch it on first. What it means can be tried while it is off."))
    return acting.rule


def apply_to_archive(
    connection: Connection, vocabulary: Vocabulary, acting: ActingRule, *, by: str | None, now: datetime, is_asked: bool
) -> LongWork:
    """Start to apply a rule to every study that it means; one that runs goes on. Workers do it.

    Raises RequestConflict where the rule is off or means nothing any more.
    """
    rule, subject = checked(acting), str(acting.stored.id)
    running = store.running(connection, APPLYING.name, subject)
    if running is not None:
        return running
    total = Matching(connection, vocabulary, condition_of_study(rule), now).count().study_count
    name = acting.stored.name
    return store.start(
        connection, APPLYING.name, subject=subject, detail=name, by=by, now=now, total=total, is_asked=is_asked
    )


APPLYING = WorkKind(
    name=APPLIES,
    title=N_("A rule applied to the archive"),
    explained=N_("The workers let the rule look at every study that it means. It goes on after a restart."),
    unit=NN_("%(num)s study", "%(num)s studies"),
    counts={"failed": N_("failed")},
    about=("rules.rule_page", "rule_id"),
    waits_for_others=True,
    stopped=let_go,
)


def carries(book: RuleBook, announce: Callable[[], None]) -> Mapping[str, Carry]:
    """`announce` tells those who handle events."""

    def block(connection: Connection, work: ClaimedWork, now: datetime) -> Block:
        return note_block(connection, book, work, now)

    return {APPLYING.name: Within(block=block, after=announce)}


def note_block(connection: Connection, book: RuleBook, work: ClaimedWork, now: datetime) -> Block:
    """Note the next studies where the last ones are handled."""
    rule_id, place = int(work.subject), work.place or {}
    before = datetime.fromisoformat(place.get("at", now.isoformat()))
    took_s = min(max((now - before).total_seconds(), 0.0), LONGEST_S)
    handled = work.done + work.counts.get("failed", 0)
    place_now = {**place, "at": now.isoformat(), "handled": handled}
    if events.count_events(connection, applied_rule_id=rule_id)[events.WAITING]:
        waits = SOON if handled > place.get("handled", 0) or not handled else LATER
        return Block(place=place_now, took_s=took_s, waits=waits)
    acting = next((one for one in book.acting(connection) if one.stored.id == rule_id), None)
    if acting is None or acting.rule is None:
        error = P_("The rule is off, or means nothing any more.")
        return Block(place=place_now, took_s=took_s, ends="failed", error=error)
    found, place_now = _next_studies(connection, book, acting, place_now, now)
    if not found:
        return Block(place=place_now, took_s=took_s, ends="partly" if work.counts.get("failed") else "done")
    trigger = Trigger.SCHEDULE if acting.rule.trigger is Trigger.SCHEDULE else Trigger.BY_HAND
    subjects = [(study, "") for study in found]
    events.note_events(connection, trigger, subjects, now, rule_id=rule_id, asked_by=work.asked_by)
    return Block(place=place_now, took_s=took_s, waits=SOON)


def _next_studies(
    connection: Connection, book: RuleBook, acting: ActingRule, place: dict[str, Any], now: datetime
) -> tuple[Sequence[str], dict[str, Any]]:
    """Those that a stop has left first; none at the end."""
    if left := place.get("left"):
        return left, {**place, "left": []}
    rule = checked(acting)
    matching = Matching(connection, book.language.vocabulary, condition_of_study(rule), now)
    found = matching.after(place.get("walked_to", ""), limit=BLOCK)
    return found, {**place, "walked_to": found[-1]} if found else place
