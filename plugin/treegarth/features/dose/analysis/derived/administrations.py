"""What follows from what was given of a radiopharmaceutical: effective dose, activity at the scan. Pure.

Effective dose: activity times a coefficient of the radiopharmaceutical and the age (ICRP Publications 53, 80, 106,
128). Activity at the scan: A = A0 x 2^(-t/T), the law of decay; T is the half-life that the object tells, else of ICRP
Publication 107.
"""

from __future__ import annotations

from collections.abc import Sequence

from treegarth.features.dose.analysis.derived.ages import AgeGroup, age_group, named
from treegarth.features.dose.analysis.derived.coefficients import Coefficients
from treegarth.features.dose.analysis.derived.model import Input, Line, Reason
from treegarth.features.dose.analysis.derived.regions import coded
from treegarth.features.dose.registry.decision import ExamDecision
from treegarth.features.dose.registry.decision.accounts import Account
from treegarth.phrases import N_, P_

MOST_HALF_LIVES = 10
"""Nobody scans what is left of an activity after that: one part in a thousand."""

SAME_HALF_LIFE = 0.05
"""A half-life that differs by more from the published one is of another nuclide, or in another unit."""


def effective_dose(decision: ExamDecision, age_years: float | None, known: Coefficients) -> tuple[Line, ...]:
    """The effective dose of each administration, in mSv. Raises Reason."""
    if age_years is None:
        raise Reason(P_("The age of the patient is not known."))
    group = age_group(age_years)
    return tuple(_dose(accounts, group, known) for accounts in decision.administration_accounts)


def _dose(accounts: Sequence[Account], group: AgeGroup, known: Coefficients) -> Line:
    activity = _activity(accounts)
    agent = next((one.event.agent for one in accounts if coded(one.event.agent) is not None), None)
    code = coded(agent)
    if agent is None or code is None:
        raise Reason(P_("No code tells which radiopharmaceutical was given."))
    meaning = str(agent.get("meaning") or code)
    coefficient = known.radiopharmaceutical(code, group)
    if coefficient is None:
        raise Reason(
            P_(
                "There is no coefficient for %(agent)s (%(code)s) and this age group (%(group)s).",
                agent=meaning,
                code=code,
                group=named(group),
            )
        )
    return Line(
        of=meaning,
        inputs=(
            Input(name=N_("Activity"), value=activity, unit="MBq"),
            Input(name=N_("Coefficient"), value=coefficient.value, unit="mSv/MBq"),
        ),
        value=activity * coefficient.value,
        source=coefficient.source,
        is_site=coefficient.is_site,
    )


def _activity(accounts: Sequence[Account]) -> float:
    given = (one.event.numbers.get("administered_activity_mbq") for one in accounts)
    activity = next((one for one in given if one is not None), None)
    if activity is None:
        raise Reason(P_("An administration tells no activity."))
    return activity


def activity_at_scan(decision: ExamDecision, known: Coefficients) -> tuple[Line, ...]:
    """What was left of each administration when the scan began, in MBq; of one radionuclide. Raises Reason."""
    nuclides = {_nuclide(accounts) for accounts in decision.administration_accounts}
    if len(nuclides) > 1:
        raise Reason(P_("Several radionuclides were given: their activities are not added."))
    return tuple(_left(accounts, known) for accounts in decision.administration_accounts)


def _nuclide(accounts: Sequence[Account]) -> str | None:
    return next((one.event.nuclide for one in accounts if one.event.nuclide), None)


def _left(accounts: Sequence[Account], known: Coefficients) -> Line:
    activity = _activity(accounts)
    half_life, source, is_site = _half_life(accounts, known)
    elapsed = _elapsed(accounts)
    if elapsed < 0:
        raise Reason(P_("By its clocks the scan began before the administration."))
    if elapsed > MOST_HALF_LIVES * half_life:
        raise Reason(P_("By its clocks the scan began more than ten half-lives after the administration."))
    return Line(
        of=_nuclide(accounts),
        inputs=(
            Input(name=N_("Activity"), value=activity, unit="MBq"),
            Input(name=N_("Time until the scan"), value=elapsed, unit="s"),
            Input(name=N_("Half-life"), value=half_life, unit="s"),
        ),
        value=decayed(activity, elapsed, half_life),
        source=source,
        is_site=is_site,
    )


def decayed(activity: float, elapsed_s: float, half_life_s: float) -> float:
    """What is left of an activity, in its unit: A0 x 2^(-t/T)."""
    return activity * float(2 ** (-elapsed_s / half_life_s))


def _half_life(accounts: Sequence[Account], known: Coefficients) -> tuple[float, str | None, bool]:
    """In seconds, with its source where it is no object's."""
    nuclide = _nuclide(accounts)
    published = None if nuclide is None else known.half_life(nuclide)
    told = next((one.event.half_life_s for one in accounts if one.event.half_life_s), None)
    if published is None:
        if told is None or told <= 0:
            raise Reason(P_("No half-life of the radionuclide is known."))
        return told, None, False
    if told is None or published.is_site:
        return published.value, published.source, published.is_site
    if abs(told - published.value) > SAME_HALF_LIFE * published.value:
        raise Reason(
            P_(
                "The half-life that the object tells (%(told)s s) is not that of %(nuclide)s.",
                told=f"{told:g}",
                nuclide=nuclide,
            )
        )
    return told, None, False


def _elapsed(accounts: Sequence[Account]) -> float:
    """Seconds from the administration, as its best account has it, to the beginning of the scan, by clocks that can be
    compared: of the best account before that of the images themselves."""
    scans = [scan for one in accounts for scan in one.event.scans if scan.day is not None]
    starts = [one.event.instant for one in accounts if one.event.instant is not None and one.event.instant.day]
    if not scans:
        raise Reason(P_("No image tells when the scan began."))
    if not starts:
        raise Reason(P_("Nothing tells when the radiopharmaceutical was given."))
    for start in starts:
        alike = [scan for scan in scans if (scan.offset_s is None) == (start.offset_s is None)]
        if alike:
            return min(scan.utc_s for scan in alike) - start.utc_s
    raise Reason(P_("One of the two clocks, of the administration and of the scan, tells no time zone."))
