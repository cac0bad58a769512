"""Try a rule before it acts: which studies it means, and why it means one or not. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from treegarth.conditions.decision import Explanation, explain
from treegarth.conditions.model import Condition
from treegarth.errors import NotFound
from treegarth.features.rules.decision import condition_of_study, match_rule
from treegarth.features.rules.model import Rule
from treegarth.features.rules.service.event_handler import occasion_of, read_study
from treegarth.features.rules.store.outcomes import latest_versions_that_matched
from treegarth.features.rules.store.rules import StoredRule
from treegarth.features.rules.store.studies import Matching, StudyPage, StudySums
from treegarth.features.rules.text import Language
from treegarth.index.studies import StudyKey, the_study
from treegarth.phrases import P_
from treegarth.record import Record


class ForeseenAction(Record):
    """What an action of the rule would do."""

    action: str
    sentence: str
    """In English."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a rule would touch: a page of studies, the newest first, the exact sums, and what it does to each."""

    page: StudyPage
    sums: StudySums
    actions: tuple[ForeseenAction, ...]


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Why a rule means a study or not, clause by clause, and what it would do to this very study."""

    study: StudyKey
    holds: bool
    explanation: Explanation
    actions: tuple[ForeseenAction, ...]  # none where it does not hold


def preview_rule(
    connection: Connection, language: Language, rule: Rule, now: datetime, *, limit: int, cursor: str | None = None
) -> Preview:
    """Which studies of the archive a rule means now, on or off. Raises InvalidRequest for a bad cursor."""
    actions = tuple(ForeseenAction(action=step.action.name, sentence=step.describe()) for step in rule.steps)
    page, sums = preview_condition(connection, language, condition_of_study(rule), now, limit=limit, cursor=cursor)
    return Preview(page=page, sums=sums, actions=actions)


def preview_condition(
    connection: Connection,
    language: Language,
    condition: Condition,
    now: datetime,
    *,
    limit: int,
    cursor: str | None = None,
) -> tuple[StudyPage, StudySums]:
    """Which studies of the archive a condition means now."""
    matching = Matching(connection, language.vocabulary, condition, now)
    return matching.page(limit=limit, cursor=cursor), matching.count()


def explain_rule(
    connection: Connection,
    language: Language,
    rule: Rule,
    study_instance_uid: str,
    now: datetime,
    *,
    orthanc_study_id: str | None = None,
    stored: StoredRule | None = None,
) -> Explained:
    """Why a rule means this study or not. `stored` is the rule as it is kept; None for one that is only written.

    Raises NotFound where the study is not in the index, AmbiguousStudy where several have the UID and none is named.
    """
    key = the_study(connection, study_instance_uid, orthanc_study_id)
    study = read_study(connection, language.vocabulary, [rule], key.orthanc_study_id, now)
    if study is None:
        raise NotFound(P_("There is no study with this UID in the archive."))
    match = match_rule(rule, study, "", now)
    actions: tuple[ForeseenAction, ...] = ()
    if match is not None:
        before = latest_versions_that_matched(connection, key)
        occasion = occasion_of(rule, stored, match, str(rule.trigger), study_instance_uid, before, None, now)
        actions = tuple(
            ForeseenAction(action=step.action.name, sentence=step.action.foresee(connection, step.spec, occasion))
            for step in rule.steps
        )
    return Explained(
        study=key,
        holds=match is not None,
        explanation=explain(condition_of_study(rule), study, now),
        actions=actions,
    )
