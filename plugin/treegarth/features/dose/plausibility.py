"""What no patient is given: wide limits of each quantity, with the reason. What lies outside is doubted, never changed.

One table. They are to find slips of units, numbers that stand for "unknown" and broken objects, not high doses: each is
a multiple of what its source calls much. A site may change them (`registry/store/limits.py`). Tables and words only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from treegarth.features.dose.quantities import BEST, ShownQuantity
from treegarth.phrases import N_

Of: TypeAlias = Literal["event", "exam"]


@dataclass(frozen=True, kw_only=True)
class Limit:
    """Between which two numbers a quantity of one event, or of a whole exam, is believed; both included, in the stored
    unit."""

    name: str
    of: Of
    shown: ShownQuantity
    greatest: float
    reason: str
    least: float = 0.0

    def allows(self, value: float) -> bool:
        return self.least <= value <= self.greatest


Limits: TypeAlias = Mapping[str, Limit]
"""By name; names of one event's quantities are none of an exam's."""


def _table(*limits: Limit) -> Limits:
    return {one.name: one for one in limits}


_ALERT = N_(
    "Three times the CTDIvol of 1,000 mGy at which scanners must raise an alert: NEMA XR 25 with the value that the "
    "FDA recommends."
)
_LONG = N_("A CTDIvol of 1,000 mGy, the alert value of NEMA XR 25, over half a metre.")
_WHOLE = N_("A CTDIvol of 1,000 mGy, the alert value of NEMA XR 25, over a metre.")
_SUBSTANTIAL_DAP = N_("Ten times what NCRP Report 168 calls a substantial dose: 500 Gy·cm².")
_SUBSTANTIAL_RP = N_("Ten times what NCRP Report 168 calls a substantial dose: 5 Gy at the reference point.")
_BREAST = N_("Ten times the 3 mGy that 21 CFR 900.12(e)(5)(vi) allows for one view of a standard breast.")
_VIEWS = N_("Some thirty views of a breast at the 3 mGy that 21 CFR 900.12(e)(5)(vi) allows for one.")
_THERAPY = N_(
    "More than twice the 7,400 MBq (200 mCi) of iodine-131 that the American Thyroid Association's guidelines of 2015 "
    "name as the most to be given without dosimetry."
)
_DAY = N_("Ten hours; NCRP Report 168 calls one hour of fluoroscopy a substantial dose.")

BUILT_IN = _table(
    Limit(name="mean_ctdi_vol_mgy", of="event", shown=ShownQuantity(label=N_("CTDIvol of an event"), unit="mGy"),
          greatest=3_000, reason=_ALERT),
    Limit(name="dlp_event_mgy_cm", of="event", shown=ShownQuantity(label=N_("DLP of an event"), unit="mGy·cm"),
          greatest=50_000, reason=_LONG),
    Limit(name="dose_area_product_event_gy_m2", of="event", greatest=0.5, reason=_SUBSTANTIAL_DAP,
          shown=ShownQuantity(label=N_("DAP of an event"), unit="Gy·cm²", factor=1e4)),
    Limit(name="dose_rp_event_gy", of="event", greatest=50, reason=_SUBSTANTIAL_RP,
          shown=ShownQuantity(label=N_("Dose at reference point of an event"), unit="mGy", factor=1e3)),
    Limit(name="average_glandular_dose_mgy", of="event", shown=ShownQuantity(label=N_("AGD of an event"), unit="mGy"),
          greatest=30, reason=_BREAST),
    Limit(name="administration_mbq", of="event", greatest=20_000, reason=_THERAPY,
          shown=ShownQuantity(label=N_("Activity of an administration"), unit="MBq")),
    Limit(name="dlp_mgy_cm", of="exam", shown=BEST["dlp_mgy_cm"], greatest=100_000, reason=_WHOLE),
    Limit(name="dlp_head_mgy_cm", of="exam", shown=BEST["dlp_head_mgy_cm"], greatest=100_000, reason=_WHOLE),
    Limit(name="dlp_body_mgy_cm", of="exam", shown=BEST["dlp_body_mgy_cm"], greatest=100_000, reason=_WHOLE),
    Limit(name="dose_area_product_gy_m2", of="exam", shown=BEST["dose_area_product_gy_m2"], greatest=0.5,
          reason=_SUBSTANTIAL_DAP),
    Limit(name="dose_rp_gy", of="exam", shown=BEST["dose_rp_gy"], greatest=50, reason=_SUBSTANTIAL_RP),
    Limit(name="glandular_dose_left_mgy", of="exam", shown=BEST["glandular_dose_left_mgy"], greatest=100,
          reason=_VIEWS),
    Limit(name="glandular_dose_right_mgy", of="exam", shown=BEST["glandular_dose_right_mgy"], greatest=100,
          reason=_VIEWS),
    Limit(name="administered_activity_mbq", of="exam", shown=BEST["administered_activity_mbq"], greatest=20_000,
          reason=_THERAPY),
    Limit(name="total_fluoro_time_s", of="exam", shown=BEST["total_fluoro_time_s"], greatest=36_000, reason=_DAY),
    Limit(name="ctdi_vol_max_mgy", of="exam", shown=BEST["ctdi_vol_max_mgy"], greatest=3_000, reason=_ALERT),
)  # fmt: skip
"""Every quantity of an event that enters a best known dose, and every best known dose."""

OF_EVENT = {
    "mean_ctdi_vol_mgy": "mean_ctdi_vol_mgy",
    "dlp_mgy_cm": "dlp_event_mgy_cm",
    "dose_area_product_gy_m2": "dose_area_product_event_gy_m2",
    "dose_rp_gy": "dose_rp_event_gy",
    "average_glandular_dose_mgy": "average_glandular_dose_mgy",
    "administered_activity_mbq": "administration_mbq",
}
"""The limit of each number that an event has."""

TOO_FAR = 2.0
"""DLP is CTDIvol times the length that was scanned (IEC 60601-2-44): by more than this factor it is something else."""
