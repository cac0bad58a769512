"""When a patient's exams are above a level: sums and repeats within a window. Pure: exams in, episodes out.

An episode begins with the exam at which the window that ends there is first above; it covers all that follows for the
length of the window. So an exam that is read again, or one more within the window, begins no other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from treegarth.features.dose.sums import known_sum


@dataclass(frozen=True, kw_only=True)
class ExamValue:
    """An exam of a patient with what it adds, in the unit shown."""

    orthanc_study_id: str
    study_instance_uid: str
    scope_id: int
    day: date | None
    at: time | None
    value: float
    is_doubted: bool = False
    modality: str | None = None

    @property
    def moment(self) -> datetime:
        """Where it stands in the order; one without a time of day at the beginning of its day, without a day first."""
        return datetime.combine(self.day or date.min, self.at or time())


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A patient above a level: the exam at which that began, and the exams within the window that had the most."""

    began: ExamValue
    ended: datetime  # where the window ends; of windows of days the beginning of its day
    exams: Sequence[ExamValue]
    value: float


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An alert that there is already: where its window ended, what it is grouped by, which exams made it."""

    id: int
    ended: datetime
    is_of_patient: bool  # of the patient who is looked at; else of one whose exams were moved
    exams: Collection[str] = field(
        default_factory=frozenset
    )  # those that count, by the studies in which they count now


def days_before(day: date, window_days: int) -> date:
    """The first day of a window of so many days that ends with this one: of one day it is the same."""
    return date.fromordinal(max(day.toordinal() - window_days + 1, 1))


def sums_above(exams: Iterable[ExamValue], *, window_days: int, above: float, since: date) -> list[Episode]:
    """Where the sum over a window of days, both its first and its last included, is more than a level; the exam that
    ends the window is of `since` or later."""

    def window(ordered: Sequence[ExamValue], last: int) -> Sequence[ExamValue]:
        first = days_before(ordered[last].moment.date(), window_days)
        return [one for one in ordered[: last + 1] if one.moment.date() >= first]

    def value(within: Sequence[ExamValue]) -> float | None:
        total = known_sum([one.value for one in within])
        return total if total is None or total > above else None

    return _episodes(exams, window, value, timedelta(days=window_days), since, by_day=True)


def repeated(exams: Iterable[ExamValue], *, within: timedelta, at_least: int, since: date) -> list[Episode]:
    """Where so many exams, or more, are no further apart than this, the first from the last."""

    def window(ordered: Sequence[ExamValue], last: int) -> Sequence[ExamValue]:
        return [one for one in ordered[: last + 1] if ordered[last].moment - one.moment <= within]

    def value(found: Sequence[ExamValue]) -> float | None:
        return float(len(found)) if len(found) >= at_least else None

    known = (one for one in exams if one.at is not None)
    return _episodes(known, window, value, length_of(within), since, by_day=False)


def length_of(within: timedelta) -> timedelta:
    """How far apart two windows of hours end that have no exam in common: more than their length."""
    return within + timedelta(microseconds=1)


def _episodes(
    exams: Iterable[ExamValue],
    window: Callable[[Sequence[ExamValue], int], Sequence[ExamValue]],
    value: Callable[[Sequence[ExamValue]], float | None],
    length: timedelta,
    since: date,
    *,
    by_day: bool,
) -> list[Episode]:
    dated = (one for one in exams if one.day is not None)
    ordered = sorted(dated, key=lambda one: (one.moment, one.orthanc_study_id))
    found: list[Episode] = []
    for last, exam in enumerate(ordered):
        within = window(ordered, last)
        most = value(within) if exam.moment.date() >= since else None
        if most is None:
            continue
        ended = datetime.combine(exam.moment.date(), time()) if by_day else exam.moment
        covering = found[-1] if found and ended - found[-1].ended < length else None
        if covering is None:
            found.append(Episode(began=exam, ended=ended, exams=within, value=most))
        elif most > covering.value:
            found[-1] = replace(covering, exams=within, value=most)
    return found


def matched(
    episodes: Sequence[Episode], standing: Sequence[Standing], exams: Collection[str], length: timedelta
) -> dict[int, int]:
    """Which episode is told of by which alert already: by the place of the episode, the alert's number.

    First an alert of the same patient whose window ended less than a window away, the nearest; then one, of this
    patient or another one, most of whose exams are this patient's now (`exams`) and some in the episode.
    """
    found: dict[int, int] = {}
    for place, episode in enumerate(episodes):
        near = [
            one
            for one in standing
            if one.is_of_patient and one.id not in found.values() and abs(one.ended - episode.ended) < length
        ]
        if near:
            found[place] = min(near, key=lambda one: (abs(one.ended - episode.ended), one.id)).id
    for place, episode in enumerate(episodes):
        if place in found:
            continue
        made_of = {one.orthanc_study_id for one in episode.exams}
        moved = [
            one.id
            for one in standing
            if one.id not in found.values()
            and made_of & set(one.exams)
            and 2 * len(set(one.exams) & set(exams)) > len(one.exams)
        ]
        if moved:
            found[place] = min(moved)
    return found
