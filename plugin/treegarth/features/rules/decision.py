"""Whether a rule means a study, and which of its series. Pure: a rule, facts and the time in, a match out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from treegarth.conditions.decision import decide
from treegarth.conditions.model import Condition, Facts, Level, Some
from treegarth.features.rules.model import Rule


@dataclass(frozen=True, kw_only=True)
class Match:
    """A rule means this study; only these series of it, or all (None)."""

    study: Facts
    orthanc_series_ids: frozenset[str] | None


def condition_of_study(rule: Rule) -> Condition:
    """What the rule asks, as asked of a study."""
    return Some(Level.SERIES, rule.condition) if rule.asks_series_alone else rule.condition


def match_rule(rule: Rule, study: Facts, orthanc_series_id: str, now: datetime) -> Match | None:
    """Whether the rule means the study. A rule that asks series alone is asked of this series, or of each where the
    series is not said (applied by hand)."""
    if not rule.asks_series_alone:
        return Match(study=study, orthanc_series_ids=None) if decide(rule.condition, study, now) else None
    asked = [series for series in study.below if orthanc_series_id in ("", series.key)]
    matched = frozenset(
        series.key for series in asked if decide(rule.condition, series, now, level=Level.SERIES, above=(study,))
    )
    return Match(study=study, orthanc_series_ids=matched) if matched else None
