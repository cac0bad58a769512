"""Which quantities the dose list shows for which kind of examination, and between which limits it can be asked for.

Tables, and the leading doses of one exam: no queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from treegarth.features.dose.quantities import BEST, DERIVED, OF_EVENT, QUANTITIES, Asked, ShownQuantity, asked_for
from treegarth.features.dose.registry.pages.names import doubts_in_words
from treegarth.features.dose.registry.shown_tables import readable_meaning
from treegarth.features.dose.registry.store.studies import DoseStudy
from treegarth.phrases import N_, P_, Phrase


@dataclass(frozen=True, kw_only=True)
class DoseColumn:
    """A column of the list; `narrow` says how early it goes where space is short."""

    name: str
    quantity: ShownQuantity
    narrow: str = ""

    @property
    def is_derived(self) -> bool:
        """Then no order is by it: it is looked up for the rows that are shown."""
        return self.name in DERIVED


@dataclass(frozen=True, kw_only=True)
class Range:
    """Two fields of the filter, and where they belong."""

    first: str
    last: str
    label: str
    unit: str = ""
    whole: bool = False
    said: str = ""  # in the chip of what holds, where that is another


@dataclass(frozen=True, kw_only=True)
class Dose:
    """One dose of an exam: its values as stored, one beside the other, and why they may not be the true ones."""

    label: str  # a msgid
    values: tuple[float | None, ...]
    names: tuple[str, ...]  # of the quantity of each
    quantity: ShownQuantity
    doubts: list[Phrase]
    of: str = ""  # a radionuclide


def _column(name: str, narrow: str = "") -> DoseColumn:
    return DoseColumn(name=name, quantity=QUANTITIES[name], narrow=narrow)


OF_KIND: dict[str, tuple[DoseColumn, ...]] = {
    "ct": (
        _column("best_ctdi_vol_max_mgy"),
        _column("best_dlp_mgy_cm"),
        _column("best_dlp_head_mgy_cm", "c-3"),
        _column("best_dlp_body_mgy_cm", "c-3"),
        _column("ssde_mgy", "c-2"),
        _column("effective_dose_ct_msv", "c-3"),
    ),
    "projection": (
        _column("best_dose_area_product_gy_m2"),
        _column("best_dose_rp_gy", "c-0"),
        _column("best_total_fluoro_time_s", "c-2"),
    ),
    "mammography": (_column("best_glandular_dose_left_mgy"), _column("best_glandular_dose_right_mgy")),
    "radiopharmaceutical": (
        _column("best_administered_activity_mbq"),
        _column("activity_per_weight_mbq_per_kg", "c-1"),
        _column("effective_dose_nm_msv", "c-2"),
        _column("effective_dose_msv", "c-2"),
    ),
}
"""Where the list shows one kind of examination."""

EVERY = tuple(column for columns in OF_KIND.values() for column in columns)
"""Every dose that has a column, where the list shows its kind."""


def _range(asked: Asked, unit: str) -> Range:
    return Range(first=asked.parameters[0], last=asked.parameters[1], label=asked.label, unit=unit)


def _ranges(*, usual: bool) -> list[Range]:
    found = asked_for().items()
    return [_range(asked, quantities[0].unit) for asked, quantities in found if asked.is_usual is usual]


RANGES = _ranges(usual=True)
MORE_RANGES = [
    Range(first="age_from_years", last="age_to_years", label=N_("Age in years")),
    *_ranges(usual=False),
    Range(first="events_from", last="events_to", label=N_("Events"), whole=True),
]
EVENT_RANGES = [replace(_range(one.asked, one.unit), label=one.label, said=one.asked.label) for one in OF_EVENT]
"""Of one event of the protocol that is asked for."""


def leading_doses(study: DoseStudy) -> list[list[Dose]]:
    """What an exam of these kinds is known by, kind by kind: what is not known is left out."""
    return [doses for kind in OF_KIND if kind in study.kinds and (doses := list(_leading(kind, study)))]


def _leading(kind: str, study: DoseStudy) -> Iterator[Dose]:
    if kind == "ct":
        parts = ("dlp_head_mgy_cm", "dlp_body_mgy_cm") if study.best_dlp_mgy_cm is None else ("dlp_mgy_cm",)
        yield from _known(study, *parts, "ctdi_vol_max_mgy")
    elif kind == "projection":
        yield from _known(study, "dose_area_product_gy_m2", "dose_rp_gy")
    elif kind == "mammography":
        yield from _of_breasts(study)
    else:
        yield from _activities(study)


_SHORT = {"ctdi_vol_max_mgy": N_("CTDIvol"), "dose_rp_gy": N_("Dose (RP)")}


def _known(study: DoseStudy, *names: str) -> Iterator[Dose]:
    for name in names:
        value = getattr(study, BEST[name].column)
        if value is not None:
            label, doubts = _SHORT.get(name, BEST[name].label), doubts_of(study, name)
            yield Dose(label=label, values=(value,), names=(name,), quantity=BEST[name], doubts=doubts)


def _of_breasts(study: DoseStudy) -> Iterator[Dose]:
    values = (study.best_glandular_dose_left_mgy, study.best_glandular_dose_right_mgy)
    if values != (None, None):
        names = ("glandular_dose_left_mgy", "glandular_dose_right_mgy")
        doubts, quantity = doubts_of(study, *names), BEST[names[0]]
        yield Dose(label=N_("AGD left / right"), values=values, names=names, quantity=quantity, doubts=doubts)


def _activities(study: DoseStudy) -> Iterator[Dose]:
    """Of each radionuclide; of one that waits to be decided again, the sum."""
    name = "administered_activity_mbq"
    given = [(one[name], one["radionuclide"]) for one in study.activities or ()]
    if not given and study.best_administered_activity_mbq is not None:
        given = [(study.best_administered_activity_mbq, "".join(study.radionuclides or ()))]
    for value, nuclide in given:
        of = readable_meaning(nuclide) if nuclide else ""
        whole = (name,) if len(given) == 1 else ("",)  # no quantity of the exam is the activity of one nuclide of two
        doubts = doubts_of(study, name)
        yield Dose(label=BEST[name].label, values=(value,), names=whole, quantity=BEST[name], doubts=doubts, of=of)


def doubts_of(study: DoseStudy, *names: str) -> list[Phrase]:
    """Why these doses, best known or derived, may not be the true ones."""
    if any(one in names for one in study.derived_doubted or ()):
        return [P_("of a doubted dose")]
    return doubts_in_words([one for one in study.doubts or () if one.split(":", 1)[0] in names])
