"""The effective dose of CT: DLP times a coefficient of the region, the age and the phantom, event by event. Pure.

E = sum of k(region, age, phantom) x DLP (AAPM Report 96, 2008, section on effective dose). It is an estimate for a
reference patient, not of this one; k of the 16 cm phantom is never used with a DLP of the 32 cm phantom.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from treegarth.features.dose.analysis.derived.ages import AgeGroup, age_group, named
from treegarth.features.dose.analysis.derived.coefficients import Coefficients, Phantom
from treegarth.features.dose.analysis.derived.model import Input, Line, Reason
from treegarth.features.dose.analysis.derived.regions import region_of
from treegarth.features.dose.registry.decision import ExamDecision
from treegarth.features.dose.registry.decision.accounts import Account
from treegarth.features.dose.registry.decision.facts import BODY, HEAD, CtDose
from treegarth.phrases import P_, Phrase

PHANTOMS: dict[str | None, Phantom] = {HEAD: "head", BODY: "body"}
DIAMETERS: dict[Phantom, str] = {"head": "16 cm", "body": "32 cm"}
LEFT_OUT_AT_MOST = 0.05
"""Of the DLP that is reckoned with, what localizers without a coefficient may have beside it and be left out: a few
mGy·cm, which a device may give by another phantom than the scan's. More leaves the exam without a value."""


def effective_dose(decision: ExamDecision, age_years: float | None, known: Coefficients) -> tuple[Line, ...]:
    """The effective dose of each event with a dose, in mSv. Raises Reason."""
    events = [one for one in decision.event_accounts if one[0].source.group == "ct"]
    if not events:
        raise Reason(P_("No irradiation event tells where the dose was given."))
    if age_years is None:
        raise Reason(P_("The age of the patient is not known."))
    group = age_group(age_years)
    lines, left_out = [], list[tuple[Line, Reason]]()
    for accounts in events:
        try:
            lines += _of_event(accounts, group, known)
        except Reason as reason:
            localizer = _localizer(accounts)
            if localizer is None:
                raise
            left_out.append((localizer, reason))
    left = _dlp(one for one, _ in left_out)
    if left_out and left > LEFT_OUT_AT_MOST * _dlp(lines):
        raise left_out[0][1]
    if not lines:
        raise Reason(P_("No DLP is known."))
    return (*lines, *(one for one, _ in left_out))


def _localizer(accounts: Sequence[Account]) -> Line | None:
    """An event of a localizer that tells its DLP, as what is left out."""
    account = next((one for one in accounts if any(dose.dlp_mgy_cm is not None for dose in one.event.doses)), None)
    if account is None or not account.event.is_localizer:
        return None
    dlp = sum(dose.dlp_mgy_cm or 0.0 for dose in account.event.doses)
    return Line(of=str(account.event.position), inputs=(_input(dlp),), value=0.0, is_left_out=True)


def _input(dlp_mgy_cm: float) -> Input:
    return Input(name="DLP", value=dlp_mgy_cm, unit="mGy·cm")


def _dlp(lines: Iterable[Line]) -> float:
    return sum(line.inputs[0].value for line in lines)


def _of_event(accounts: Sequence[Account], group: AgeGroup, known: Coefficients) -> list[Line]:
    account = next((one for one in accounts if any(dose.dlp_mgy_cm is not None for dose in one.event.doses)), None)
    if account is None:
        first = accounts[0]
        if first.event.is_localizer and first.source.is_document:  # some devices never give a dose for one (GE)
            return []
        raise Reason(P_("Event %(number)s tells no DLP.", number=first.event.position))
    given = [dose for dose in account.event.doses if dose.dlp_mgy_cm]
    region = next((one.event.region for one in accounts if one.event.region is not None), None)
    return [_line(dose, account.event.position, region, group, known) for dose in given]


def _line(dose: CtDose, number: int, region_code: object, group: AgeGroup, known: Coefficients) -> Line:
    if region_code is None:
        raise Reason(P_("Event %(number)s tells no region of the body.", number=number))
    region, phantom = region_of(region_code), PHANTOMS.get(dose.phantom)
    meaning = str(region_code.get("meaning") or region_code.get("code")) if isinstance(region_code, Mapping) else ""
    if phantom is None:
        raise Reason(P_("Event %(number)s names no dosimetry phantom.", number=number))
    coefficient = None if region is None else known.ct(region, group, phantom)
    if coefficient is None:
        raise Reason(_without(region, meaning, number, group, phantom, known))
    dlp = dose.dlp_mgy_cm or 0.0
    return Line(
        of=f"{number}: {meaning}, {DIAMETERS[phantom]}",
        inputs=(
            _input(dlp),
            Input(name="k", value=coefficient.value, unit="mSv/(mGy·cm)"),
        ),
        value=dlp * coefficient.value,
        source=coefficient.source,
        is_site=coefficient.is_site,
    )


def _without(
    region: str | None, meaning: str, number: int, group: AgeGroup, phantom: Phantom, known: Coefficients
) -> Phrase:
    other: Phantom = "body" if phantom == "head" else "head"
    if region is not None and known.ct(region, group, other) is not None:
        return P_(
            "Event %(number)s (%(region)s): the coefficient refers to the %(other)s phantom, the DLP to that of "
            "%(phantom)s.",
            number=number, region=meaning, other=DIAMETERS[other], phantom=DIAMETERS[phantom],
        )  # fmt: skip
    return P_(
        "Event %(number)s: there is no coefficient for this region (%(region)s) and age group (%(group)s).",
        number=number, region=meaning, group=named(group),
    )  # fmt: skip
