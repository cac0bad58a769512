"""How totals are called and in which unit they are shown, where several kinds of examination stand side by side."""

from __future__ import annotations

from dataclasses import dataclass

from treegarth.phrases import N_


@dataclass(frozen=True, kw_only=True)
class ShownQuantity:
    """The name of a quantity for people, the unit shown, and the factor from the stored unit."""

    label: str
    unit: str
    factor: float = 1.0


QUANTITIES: dict[str, ShownQuantity] = {
    "dlp_total_mgy_cm": ShownQuantity(label=N_("DLP"), unit="mGy·cm"),
    "best_dlp_mgy_cm": ShownQuantity(label=N_("DLP"), unit="mGy·cm"),
    "best_dose_area_product_gy_m2": ShownQuantity(label=N_("DAP"), unit="Gy·cm²", factor=1e4),
    "best_dose_rp_gy": ShownQuantity(label=N_("Dose at reference point"), unit="mGy", factor=1e3),
    "best_glandular_dose_left_mgy": ShownQuantity(label=N_("AGD, left"), unit="mGy"),
    "best_glandular_dose_right_mgy": ShownQuantity(label=N_("AGD, right"), unit="mGy"),
    "best_administered_activity_mbq": ShownQuantity(label=N_("Activity"), unit="MBq"),
    "dose_area_product_total_gy_m2": ShownQuantity(label=N_("DAP"), unit="Gy·cm²", factor=1e4),
    "dose_rp_total_gy": ShownQuantity(label=N_("Dose at reference point"), unit="mGy", factor=1e3),
    "glandular_dose_mgy": ShownQuantity(label=N_("AGD per breast"), unit="mGy"),
    "glandular_dose_left_mgy": ShownQuantity(label=N_("AGD, left"), unit="mGy"),
    "glandular_dose_right_mgy": ShownQuantity(label=N_("AGD, right"), unit="mGy"),
    "administered_activity_mbq": ShownQuantity(label=N_("Activity"), unit="MBq"),
    "effective_dose_msv": ShownQuantity(label=N_("Effective dose"), unit="mSv"),
}

BEST: dict[str, ShownQuantity] = {
    "dlp_mgy_cm": ShownQuantity(label=N_("DLP"), unit="mGy·cm"),
    "dlp_head_mgy_cm": ShownQuantity(label=N_("DLP, head 16 cm"), unit="mGy·cm"),
    "dlp_body_mgy_cm": ShownQuantity(label=N_("DLP, body 32 cm"), unit="mGy·cm"),
    "ctdi_vol_max_mgy": ShownQuantity(label=N_("CTDIvol, greatest"), unit="mGy"),
    "dose_area_product_gy_m2": ShownQuantity(label=N_("DAP"), unit="Gy·cm²", factor=1e4),
    "dose_rp_gy": ShownQuantity(label=N_("Dose at reference point"), unit="mGy", factor=1e3),
    "total_fluoro_time_s": ShownQuantity(label=N_("Fluoroscopy time"), unit="s"),
    "glandular_dose_left_mgy": ShownQuantity(label=N_("AGD, left"), unit="mGy"),
    "glandular_dose_right_mgy": ShownQuantity(label=N_("AGD, right"), unit="mGy"),
    "administered_activity_mbq": ShownQuantity(label=N_("Activity"), unit="MBq"),
}
"""The best known doses of a study."""
