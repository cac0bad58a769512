"""Everything that is derived of one exam, in the order of `quantities.DERIVED`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite

from treegarth.features.dose.analysis.derived import administrations, ct
from treegarth.features.dose.analysis.derived.coefficients import Coefficients
from treegarth.features.dose.analysis.derived.model import Derived, Found, Input, Line, Missing, Reason
from treegarth.features.dose.registry.decision import ExamDecision
from treegarth.phrases import N_, P_

OF_CT = ("dlp_mgy_cm", "dlp_head_mgy_cm", "dlp_body_mgy_cm")
OF_ACTIVITY = ("administered_activity_mbq",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """What of the patient goes into formulas."""

    age_years: float | None = None
    weight_kg: float | None = None


def derive(decision: ExamDecision, patient: Patient, known: Coefficients) -> list[Derived]:
    """Nothing of an exam that counts elsewhere, or that a person left out."""
    return [] if decision.replaced_by or decision.is_void else list(_derived(decision, patient, known))


def _derived(decision: ExamDecision, patient: Patient, known: Coefficients) -> Iterator[Derived]:
    if any(one[0].source.group == "ct" for one in decision.event_accounts) or any(
        quantity in decision.best for quantity in OF_CT
    ):
        doubted = any(
            one.quantity in OF_CT and one.name != "phantoms_mixed" for one in decision.doubts
        )  # each event is reckoned by its own phantom
        yield _sum("effective_dose_ct_msv", doubted, lambda: ct.effective_dose(decision, patient.age_years, known))
    if decision.administration_accounts:
        doubted = any(one.quantity in OF_ACTIVITY for one in decision.doubts)
        yield _sum(
            "effective_dose_nm_msv",
            doubted,
            lambda: administrations.effective_dose(decision, patient.age_years, known),
        )
        yield _sum("activity_at_scan_mbq", doubted, lambda: administrations.activity_at_scan(decision, known))
        yield _sum(
            "activity_per_weight_mbq_per_kg",
            doubted,
            lambda: (_per_weight(decision.best.get("administered_activity_mbq"), patient.weight_kg),),
        )


def _sum(quantity: str, is_doubted: bool, lines: Callable[[], tuple[Line, ...]]) -> Derived:
    try:
        found = lines()
    except Reason as reason:
        return Missing(quantity=quantity, reason=reason.sentence)
    value = sum(one.value for one in found)
    if not all(isfinite(one) for one in (value, *(line.value for line in found))):
        return Missing(quantity=quantity, reason=P_("A number is too great or too small to be reckoned with."))
    return Found(quantity=quantity, value=value, lines=found, is_doubted=is_doubted)


def _per_weight(activity: float | None, weight_kg: float | None) -> Line:
    if activity is None:
        raise Reason(P_("No administered activity of one radionuclide is known."))
    if weight_kg is None or weight_kg <= 0:
        raise Reason(P_("The weight of the patient is not known."))
    return Line(
        of=None,
        inputs=(
            Input(name=N_("Activity"), value=activity, unit="MBq"),
            Input(name=N_("Weight"), value=weight_kg, unit="kg"),
        ),
        value=activity / weight_kg,
    )
