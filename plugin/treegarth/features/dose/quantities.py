"""The quantities of dose: how each is called, in which unit it is stored and shown, what it can be asked for.

One table. The columns and indexes of the registry, the terms of conditions, the limits of the list, its columns and
headings, exports and answers follow from it; a test holds the models of the API to it. Tables and words only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from treegarth.phrases import N_


@dataclass(frozen=True, kw_only=True)
class ShownQuantity:
    """The name of a quantity for people, the unit shown, and the factor from the stored unit."""

    label: str
    unit: str
    factor: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Two limits that the list can be asked for, in the unit shown: `{name}_from_{unit}` and `{name}_to_{unit}`."""

    name: str
    unit: str
    label: str
    is_usual: bool = False  # in sight before more of them are asked for

    @property
    def parameters(self) -> tuple[str, str]:
        return f"{self.name}_from_{self.unit}", f"{self.name}_to_{self.unit}"


@dataclass(frozen=True, kw_only=True)
class BestQuantity(ShownQuantity):
    """A quantity of which an exam has one best known dose: a sum, or the greatest of its values."""

    name: str  # with the stored unit at its end
    stored_unit: str
    meaning: str  # in conditions
    asked: Asked | None = None  # of several that share it, one within the limits is enough
    is_greatest: bool = False

    @property
    def column(self) -> str:
        """Its column in the registry, and its name in conditions."""
        return best_column(self.name)


def best_column(name: str) -> str:
    """The column of a study's best known dose of a quantity; its name in conditions too."""
    return f"best_{name}"


def _by_name(*quantities: BestQuantity) -> dict[str, BestQuantity]:
    return {one.name: one for one in quantities}


_PER_BREAST = Asked(name="agd", unit="mgy", label=N_("AGD per breast"))

BEST = _by_name(
    BestQuantity(
        name="dlp_mgy_cm",
        label=N_("DLP"),
        unit="mGy·cm",
        stored_unit="mGy·cm",
        meaning=N_("Best known dose-length product"),
        asked=Asked(name="dlp", unit="mgy_cm", label=N_("DLP"), is_usual=True),
    ),
    BestQuantity(
        name="dlp_head_mgy_cm",
        label=N_("DLP, head 16 cm"),
        unit="mGy·cm",
        stored_unit="mGy·cm",
        meaning=N_("Best known dose-length product of the 16 cm phantom"),
        asked=Asked(name="dlp_head", unit="mgy_cm", label=N_("DLP, head 16 cm")),
    ),
    BestQuantity(
        name="dlp_body_mgy_cm",
        label=N_("DLP, body 32 cm"),
        unit="mGy·cm",
        stored_unit="mGy·cm",
        meaning=N_("Best known dose-length product of the 32 cm phantom"),
        asked=Asked(name="dlp_body", unit="mgy_cm", label=N_("DLP, body 32 cm")),
    ),
    BestQuantity(
        name="dose_area_product_gy_m2",
        label=N_("DAP"),
        unit="Gy·cm²",
        factor=1e4,
        stored_unit="Gy·m²",
        meaning=N_("Best known dose-area product"),
        asked=Asked(name="dap", unit="gy_cm2", label=N_("DAP"), is_usual=True),
    ),
    BestQuantity(
        name="dose_rp_gy",
        label=N_("Dose at reference point"),
        unit="mGy",
        factor=1e3,
        stored_unit="Gy",
        meaning=N_("Best known dose at the reference point, of the plane with the most"),
        asked=Asked(name="dose_rp", unit="mgy", label=N_("Dose at reference point")),
    ),
    BestQuantity(
        name="glandular_dose_left_mgy",
        label=N_("AGD, left"),
        unit="mGy",
        stored_unit="mGy",
        meaning=N_("Best known average glandular dose, left"),
        asked=_PER_BREAST,
    ),
    BestQuantity(
        name="glandular_dose_right_mgy",
        label=N_("AGD, right"),
        unit="mGy",
        stored_unit="mGy",
        meaning=N_("Best known average glandular dose, right"),
        asked=_PER_BREAST,
    ),
    BestQuantity(
        name="administered_activity_mbq",
        label=N_("Activity"),
        unit="MBq",
        stored_unit="MBq",
        meaning=N_("Best known administered activity"),
        asked=Asked(name="activity", unit="mbq", label=N_("Activity")),
    ),
    BestQuantity(
        name="total_fluoro_time_s",
        label=N_("Fluoroscopy time"),
        unit="s",
        stored_unit="s",
        meaning=N_("Best known fluoroscopy time"),
        asked=Asked(name="fluoro_time", unit="s", label=N_("Fluoroscopy time")),
    ),
    BestQuantity(
        name="ctdi_vol_max_mgy",
        label=N_("CTDIvol, greatest"),
        unit="mGy",
        stored_unit="mGy",
        meaning=N_("Best known CTDIvol, the greatest of its events"),
        asked=Asked(name="ctdi_vol", unit="mgy", label=N_("CTDIvol, greatest")),
        is_greatest=True,
    ),
)
"""The best known doses of a study, in the order of the columns of exports."""


@dataclass(frozen=True, kw_only=True)
class EventQuantity(ShownQuantity):
    """A quantity of one irradiation event, by which events are asked for; its column in `irradiation_event`."""

    column: str
    asked: Asked

    @property
    def least(self) -> str:
        """The column of a study's least value of an event."""
        return f"event_{self.column}_min"

    @property
    def greatest(self) -> str:
        """The column of a study's greatest value of an event."""
        return f"event_{self.column}_max"


OF_EVENT = (
    EventQuantity(
        column="mean_ctdi_vol_mgy",
        label=N_("CTDIvol"),
        unit="mGy",
        asked=Asked(name="event_ctdi_vol", unit="mgy", label=N_("CTDIvol of an event")),
    ),
    EventQuantity(
        column="dlp_mgy_cm",
        label=N_("DLP"),
        unit="mGy·cm",
        asked=Asked(name="event_dlp", unit="mgy_cm", label=N_("DLP of an event")),
    ),
    EventQuantity(
        column="dose_area_product_gy_m2",
        label=N_("DAP"),
        unit="Gy·cm²",
        factor=1e4,
        asked=Asked(name="event_dap", unit="gy_cm2", label=N_("DAP of an event")),
    ),
    EventQuantity(
        column="dose_rp_gy",
        label=N_("Dose at reference point"),
        unit="mGy",
        factor=1e3,
        asked=Asked(name="event_dose_rp", unit="mgy", label=N_("Dose at reference point of an event")),
    ),
    EventQuantity(
        column="average_glandular_dose_mgy",
        label=N_("AGD"),
        unit="mGy",
        asked=Asked(name="event_agd", unit="mgy", label=N_("AGD of an event")),
    ),
)
"""What irradiation events are asked for by: those of an exam's protocol, or any."""


@dataclass(frozen=True, kw_only=True)
class DerivedQuantity(ShownQuantity):
    """A quantity of an exam that follows from others by a formula: its column is a row of `derived_dose`."""

    name: str  # with the stored unit at its end
    stored_unit: str
    meaning: str
    kind: str  # of the sources that it is derived from
    formula: str  # in words, with the report that it is from
    asked: Asked | None = None


DERIVED = {
    one.name: one
    for one in (
        DerivedQuantity(
            name="effective_dose_ct_msv",
            label=N_("Effective dose, CT"),
            unit="mSv",
            stored_unit="mSv",
            meaning=N_("Effective dose of CT for a reference patient, derived"),
            kind="ct",
            formula=N_(
                "The DLP of each event times a coefficient of its region, the patient's age and the phantom, added: "
                "AAPM Report 96 (2008), table 3. For a reference patient, not for this one."
            ),
        ),
        DerivedQuantity(
            name="effective_dose_nm_msv",
            label=N_("Effective dose, radiopharmaceuticals"),
            unit="mSv",
            stored_unit="mSv",
            meaning=N_("Effective dose of radiopharmaceuticals for a reference patient, derived"),
            kind="radiopharmaceutical",
            formula=N_(
                "The activity of each administration times a coefficient of the radiopharmaceutical and the patient's "
                "age, added: ICRP Publications 53, 80, 106 and 128. For a reference patient, not for this one."
            ),
        ),
        DerivedQuantity(
            name="activity_at_scan_mbq",
            label=N_("Activity at the scan"),
            unit="MBq",
            stored_unit="MBq",
            meaning=N_("Activity that was left when the scan began, derived"),
            kind="radiopharmaceutical",
            formula=N_(
                "The activity times 2 to the power of minus the time from the administration to the beginning of the "
                "scan over the half-life: the law of decay. Excretion is not reckoned with."
            ),
        ),
        DerivedQuantity(
            name="activity_per_weight_mbq_per_kg",
            label=N_("Activity per weight"),
            unit="MBq/kg",
            stored_unit="MBq/kg",
            meaning=N_("Administered activity per weight of the patient, derived"),
            kind="radiopharmaceutical",
            formula=N_("The best known activity over the weight of the patient."),
        ),
        DerivedQuantity(
            name="ssde_mgy",
            label=N_("SSDE"),
            unit="mGy",
            stored_unit="mGy",
            meaning=N_("Size-specific dose estimate of CT, the greatest of its series, derived from images"),
            kind="ct",
            formula=N_(
                "Of the series that has the greatest: the CTDIvol of its event times a · exp(-b · Dw), the mean over "
                "its slices. a and b are of the phantom by AAPM Report 204, Dw is the water-equivalent diameter of the "
                "axial images by AAPM Report 220."
            ),
        ),
    )
}
"""What is derived of exams, by the names of `derived_dose.quantity`, in the order of pages."""

QUANTITIES: dict[str, ShownQuantity] = {
    **{one.column: one for one in BEST.values()},
    **DERIVED,
    "dlp_total_mgy_cm": BEST["dlp_mgy_cm"],
    "dose_area_product_total_gy_m2": BEST["dose_area_product_gy_m2"],
    "dose_rp_total_gy": BEST["dose_rp_gy"],
    "glandular_dose_mgy": ShownQuantity(label=N_("AGD per breast"), unit="mGy"),
    "glandular_dose_left_mgy": BEST["glandular_dose_left_mgy"],
    "glandular_dose_right_mgy": BEST["glandular_dose_right_mgy"],
    "administered_activity_mbq": BEST["administered_activity_mbq"],
    "effective_dose_msv": ShownQuantity(label=N_("Effective dose of the administration, as reported"), unit="mSv"),
}
"""What stands side by side on pages, by the names that lists, figures and sums have."""


def asked_for(quantities: Iterable[BestQuantity] = BEST.values()) -> dict[Asked, list[BestQuantity]]:
    """What the list can be asked for, and which quantities each is about."""
    found: dict[Asked, list[BestQuantity]] = {}
    for one in quantities:
        if one.asked is not None:
            found.setdefault(one.asked, []).append(one)
    return found
