"""What a level of alerts says: when a dose, a patient's sum, repeats, a missing dose or an outlier is told of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from treegarth.features.dose.quantities import BEST, DERIVED, ShownQuantity
from treegarth.features.dose.registry.lacking import DOSE_MODALITIES
from treegarth.phrases import N_
from treegarth.web.lists import Day
from treegarth.web.routes import AnyText, Parameters, Text

AlertKind: TypeAlias = Literal["exam", "cumulative", "repeat", "missing", "outlier"]
KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
EXAMS, LACKS = "exams", "lacks"
"""What stands for a quantity where there is none: of repeats and of a missing dose."""

OF_EXAM: Mapping[str, ShownQuantity] = {**BEST, **DERIVED}
"""What one exam can be above."""

NOT_ADDED = ("dlp_mgy_cm", "administered_activity_mbq")
"""The whole DLP mixes the phantoms of 16 and 32 cm, an activity radionuclides: neither adds up over exams."""
ADDED = ("effective_dose_ct_msv", "effective_dose_nm_msv")
"""Of what is derived, what adds up: for a reference patient, each of its own kind."""
OF_PATIENT: Mapping[str, ShownQuantity] = {
    **{name: one for name, one in BEST.items() if not one.is_greatest and name not in NOT_ADDED},
    **{name: DERIVED[name] for name in ADDED},
}
"""What adds up over a patient's exams."""

NEEDED: Mapping[AlertKind, tuple[str, ...]] = {
    "exam": ("quantity", "above"),
    "cumulative": ("quantity", "above", "window_days"),
    "repeat": ("at_least", "within_hours"),
    "missing": ("after_hours",),
    "outlier": ("quantity",),
}
"""What a level of each kind has to say."""

_OF_EXAMS = ("modality", "standard_name", "age_from", "age_to")
MAY_SAY: Mapping[AlertKind, tuple[str, ...]] = {
    "exam": (*NEEDED["exam"], *_OF_EXAMS),
    "cumulative": (*NEEDED["cumulative"], "modality"),
    "repeat": (*NEEDED["repeat"], "modality", "standard_name"),
    "missing": (*NEEDED["missing"], "modality"),
    "outlier": ("quantity", "percentile", "iqr_factor", "least_exams", "window_days", *_OF_EXAMS),
}
"""And what it may say beside name, days and whom it tells."""
OF_SOME_KIND = tuple(dict.fromkeys(name for names in MAY_SAY.values() for name in names))

LEAST_EXAMS = 20
"""Of a name, before one of its exams counts as an outlier: what ICRP Publication 135 asks of a median's facility."""
OUTLIER_DAYS = 365

Days = Annotated[int, Field(ge=1, le=36_500)]
Hours = Annotated[float, Field(gt=0, le=87_600)]
Age = Annotated[float, Field(ge=0, le=150)]
ShortText = Annotated[AnyText, Field(min_length=1, max_length=200)]


class LevelParameters(Parameters):
    """A level of alerts. Doses in the unit shown, ages in years."""

    name: Annotated[AnyText, Field(min_length=1, max_length=100)]
    """What it is called; an alert and what it tells are called by it."""
    kind: AlertKind
    """`exam`: a quantity of one exam; `cumulative`: its sum over a patient's exams within a window; `repeat`: exams of
    one name; `missing`: no dose; `outlier`: far above the other exams of its name."""
    quantity: Annotated[str, Field(json_schema_extra={"enum": sorted(OF_EXAM)})] | None = None
    """Of `exam`, `cumulative` and `outlier`: which. DLP as a whole and activity are no sums over exams."""
    above: Annotated[float | None, Field(gt=0, le=1e12)] = None
    """Of `exam` and `cumulative`: it fires above this, not at it."""
    modality: Annotated[str, Field(json_schema_extra={"enum": list(DOSE_MODALITIES)})] | None = None
    """Only exams of this modality (0008,0060)."""
    standard_name: ShortText | None = None
    """Only exams with this standard name."""
    age_from: Age | None = None
    """Only patients of this age or older, in years."""
    age_to: Age | None = None
    """And younger than this."""
    window_days: Days | None = None
    """Of `cumulative`: how many days the window has, its first and its last counted; of `outlier`: how far back exams
    are compared, 365 days if not given."""
    at_least: Annotated[int | None, Field(ge=2, le=1000)] = None
    """Of `repeat`: how many exams."""
    within_hours: Hours | None = None
    """Of `repeat`: how far apart at most the first and the last of them are."""
    after_hours: Hours | None = None
    """Of `missing`: how long after its last object an exam may be without a dose."""
    percentile: Annotated[float | None, Field(ge=50, lt=100)] = None
    """Of `outlier`: above this percentile of the other exams; or `iqr_factor`."""
    iqr_factor: Annotated[float | None, Field(gt=0, le=100)] = None
    """Of `outlier`: above the third quartile by more than so many interquartile ranges."""
    least_exams: Annotated[int | None, Field(ge=5, le=1_000_000)] = None
    """Of `outlier`: of how many other exams at least, 20 if not given."""
    exams_from: Day | None = None
    """Exams of this day or later make alerts; if not given those since it was switched on."""
    email: Annotated[list[ShortText], Field(max_length=20, default_factory=list)]
    """Who is told by e-mail."""
    webhook: Annotated[list[ShortText], Field(max_length=20, default_factory=list)]
    """Which webhooks of `Treegarth.Webhooks` are told."""
    reason: Text | None = None
    """Why, and what is to be done: for whoever looks at the alert."""

    @field_validator("quantity")
    @classmethod
    def _is_known(cls, quantity: str | None) -> str | None:
        if quantity is not None and quantity not in OF_EXAM:
            raise ValueError(N_("is none of the quantities of an exam."))
        return quantity

    @field_validator("modality")
    @classmethod
    def _is_of_dose(cls, modality: str | None) -> str | None:
        if modality is not None and modality not in DOSE_MODALITIES:
            raise ValueError(N_("is no modality with a dose."))
        return modality

    @field_validator("age_to")
    @classmethod
    def _is_above(cls, end: float | None, others: ValidationInfo) -> float | None:
        begin = others.data.get("age_from")
        if begin is not None and end is not None and begin >= end:
            raise ValueError(N_("The first age is not below the second."))
        return end

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> LevelParameters:
        if any(getattr(self, name) is None for name in NEEDED[self.kind]):
            raise ValueError(NEEDS[self.kind])
        if any(getattr(self, name) is not None for name in OF_SOME_KIND if name not in MAY_SAY[self.kind]):
            raise ValueError(N_("A level of this kind does not say all of this: leave the rest out."))
        if self.kind == "cumulative" and self.quantity not in OF_PATIENT:
            raise ValueError(N_("This quantity does not add up over exams."))
        if self.kind == "outlier" and (self.percentile is None) == (self.iqr_factor is None):
            raise ValueError(
                N_("An outlier is above a percentile, or above a number of interquartile ranges: say one.")
            )
        return self


NEEDS: Mapping[AlertKind, str] = {
    "exam": N_("A level of an exam says its quantity and above what it fires."),
    "cumulative": N_("A level of a patient's sum says its quantity, above what it fires and the days of the window."),
    "repeat": N_("A level of repeats says how many exams, and within how many hours."),
    "missing": N_("A level of missing dose says after how many hours."),
    "outlier": N_("A level of outliers says its quantity."),
}


@dataclass(frozen=True, kw_only=True)
class Level:
    """A level as it acts: what its document says, in the units of its alerts."""

    id: int
    version: int
    name: str
    is_on: bool
    exams_from: date
    says: LevelParameters

    @property
    def kind(self) -> AlertKind:
        return self.says.kind

    @property
    def quantity(self) -> str:
        """What its alerts are about."""
        return {"repeat": EXAMS, "missing": LACKS}.get(self.kind, self.says.quantity or "")

    @property
    def shown(self) -> ShownQuantity:
        """The quantity's name, unit and factor from the stored unit."""
        return shown_quantity(self.quantity)

    @property
    def within(self) -> timedelta:
        return timedelta(hours=self.says.within_hours or 0)

    @property
    def targets(self) -> list[tuple[str, str]]:
        """Each channel and target; the dashboard is always told."""
        told = [("email", one) for one in self.says.email] + [("webhook", one) for one in self.says.webhook]
        return [("dashboard", ""), *dict.fromkeys(told)]


_COUNTS = {
    EXAMS: ShownQuantity(label=N_("Exams"), unit=""),
    LACKS: ShownQuantity(label=N_("Hours without dose"), unit="h"),
}


def shown_quantity(name: str) -> ShownQuantity:
    """How what alerts are about is called and shown."""
    return _COUNTS.get(name) or OF_EXAM.get(name) or ShownQuantity(label=name, unit="")


def targets_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Whom a document tells, as the action of rules that tells has it."""
    return {name: list(document[name]) for name in ("email", "webhook") if document.get(name)}
