"""The dose of a whole exam: of each quantity the best known, the total as reported and the sum of the events. No
queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from treegarth.features.dose.quantities import BEST, QUANTITIES, ShownQuantity
from treegarth.features.dose.registry.decision.sameness import totals_differ
from treegarth.features.dose.registry.pages.names import origin_in_words
from treegarth.features.dose.registry.shown_breasts import exposures_of, glandular_sums
from treegarth.features.dose.registry.shown_quantities import SHORT
from treegarth.features.dose.registry.store.reports import DoseReport
from treegarth.features.dose.registry.store.studies import DoseStudy
from treegarth.features.dose.sums import known_sum
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.formats import scaled

REPORTED = {
    "dlp_mgy_cm": ("dlp_total_mgy_cm", "dlp_of_events_mgy_cm"),
    "dose_area_product_gy_m2": ("dose_area_product_total_gy_m2", "dose_area_product_of_events_gy_m2"),
    "dose_rp_gy": ("dose_rp_total_gy", "dose_rp_of_events_gy"),
    "glandular_dose_left_mgy": ("glandular_dose_left_mgy", None),
    "glandular_dose_right_mgy": ("glandular_dose_right_mgy", None),
    "administered_activity_mbq": (None, "administered_activity_mbq"),
}
"""Of a best known dose, the fields of the study with the reported total and the sum of the events."""
OF_REPORTS = {"total_fluoro_time_s": "total_fluoro_time_s"}
"""What only the totals of the reports that count have."""


@dataclass(frozen=True, kw_only=True)
class ShownDose:
    """One quantity of the exam, in the unit shown. None is unknown."""

    name: str  # of the quantity; of what is kept apart within the exam, none
    label: str  # a msgid
    unit: str
    best: Decimal | None
    origin: str  # a phrase
    reported: Decimal | None
    of_events: Decimal | None
    differs: bool
    """Whether reported total and sum of the events are two numbers (by more than 0.5 %)."""
    said: str = ""  # a phrase

    @property
    def difference_percent(self) -> Decimal | None:
        """Of the sum, against the reported total; None where that is 0 or not told."""
        if not self.reported or self.of_events is None:
            return None
        return (self.of_events - self.reported) * 100 / self.reported


def shown_doses(study: DoseStudy, reports: Sequence[DoseReport]) -> list[ShownDose]:
    """The quantities of which anything is known; `reports` are those that count."""
    glandular = glandular_sums(event for _, event in exposures_of(_mammograms(reports)))
    found = [_dose(study, name, reports, glandular) for name in BEST]
    return [one for one in found if one is not None] + _effective(study, reports)


def _dose(
    study: DoseStudy, name: str, reports: Sequence[DoseReport], glandular: Mapping[str, Decimal | None]
) -> ShownDose | None:
    total, sum_name = REPORTED.get(name, (None, None))
    best = getattr(study, BEST[name].column)
    reported = getattr(study, total) if total else _of_reports(name, reports)
    of_events = getattr(study, sum_name) if sum_name else glandular.get(name)
    if best is None and reported is None and of_events is None:
        return None
    origins = study.origin
    return _shown(
        BEST[name],
        name=name,
        best=best,
        origin=origin_in_words(name, origins[name]) if name in origins else "",
        reported=reported,
        of_events=None if of_events is None else float(of_events),
        said=_said(study, name),
    )


def _said(study: DoseStudy, name: str) -> str:
    if name == "dose_rp_gy" and len(study.planes or ()) > 1:
        return P_("best known: of the plane with the most; the others: planes added")
    return ""


def _effective(study: DoseStudy, reports: Sequence[DoseReport]) -> list[ShownDose]:
    """Effective doses as reports say them: none is computed, and those of CT and of administrations never added."""
    totals = [number for one in reports if (number := _number(one.totals.get("effective_dose_total_msv"))) is not None]
    quantity = replace(QUANTITIES["effective_dose_msv"], label=N_("Effective dose"))  # of what is said beside
    found = []
    if totals:
        said = P_("of the CT, as the report says")
        found.append(_shown(quantity, reported=known_sum(totals), said=said))
    if study.effective_dose_msv is not None:
        given = [str(one["effective_dose_reference_authority"]) for report in reports for one in report.administrations
                 if one.get("effective_dose_reference_authority")]  # fmt: skip
        by = tuple(dict.fromkeys(given))
        said = (
            P_("of the administrations, as the report says, by %(authority)s", authority=by)
            if by
            else P_("of the administrations, as the report says")
        )
        found.append(_shown(quantity, of_events=study.effective_dose_msv, said=said))
    return found


def _shown(
    quantity: ShownQuantity,
    *,
    name: str = "",
    best: float | None = None,
    origin: str = "",
    reported: float | None = None,
    of_events: float | None = None,
    said: str = "",
) -> ShownDose:
    def in_unit(value: float | None) -> Decimal | None:
        return None if value is None else scaled(value, quantity.factor)

    return ShownDose(
        name=name,
        label=quantity.label,
        unit=quantity.unit,
        best=in_unit(best),
        origin=origin,
        reported=in_unit(reported),
        of_events=in_unit(of_events),
        differs=totals_differ(reported, of_events),
        said=said,
    )


def _of_reports(name: str, reports: Sequence[DoseReport]) -> float | None:
    of_total = OF_REPORTS.get(name)
    return known_sum([_number(one.totals.get(of_total)) for one in reports]) if of_total else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _mammograms(reports: Sequence[DoseReport]) -> list[DoseReport]:
    return [one for one in reports if one.kind == "mammography"]


@dataclass(frozen=True, kw_only=True)
class ShownPart:
    """What is kept apart within the exam: a plane, a radionuclide."""

    name: str  # a phrase
    doses: list[ShownDose]


def shown_parts(study: DoseStudy) -> list[ShownPart]:
    """The planes of a biplane system and the radionuclides, where there are several."""
    planes = [
        (one.get("acquisition_plane"), one, ("dose_area_product_gy_m2", "dose_rp_gy")) for one in study.planes or ()
    ]
    given = [(one.get("radionuclide"), one, ("administered_activity_mbq",)) for one in study.activities or ()]
    return [
        ShownPart(name=_part_name(name), doses=[_shown(BEST[of], best=values.get(of)) for of in names])
        for parts in (planes, given)
        if len(parts) > 1
        for name, values, names in parts
    ]  # fmt: skip


def _part_name(name: str | None) -> str:
    if not name:
        return Phrase(N_("not told"))
    return Phrase(SHORT[name]) if name in SHORT else name
