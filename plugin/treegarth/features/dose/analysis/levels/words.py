"""The words of a comparison's outcome, on pages and in reports. Words only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from treegarth.features.dose.analysis.levels.comparison import Verdict
from treegarth.phrases import N_
from treegarth.web.signs import State


@dataclass(frozen=True, kw_only=True)
class Shown:
    """How a verdict is shown."""

    state: State
    words: str


WORDS: Mapping[Verdict, Shown] = {
    "above": Shown(state="attention", words=N_("above the level")),
    "straddles": Shown(state="unknown", words=N_("not certain: the level lies in the interval")),
    "below": Shown(state="ok", words=N_("not above the level")),
    "too_few": Shown(state="waiting", words=N_("too few exams")),
    "no_exams": Shown(state="nothing", words=N_("no such exams")),
    "no_standard_name": Shown(state="off", words=N_("no standard name yet")),
}
