"""Which doses the modalities of a study demand, and which of them its best known doses lack. Tables and SQL only.

A modality demands the quantity by which its exposures are compared: DLP of CT, dose-area product or the dose at the
reference point of projection X-ray, average glandular dose of mammography, administered activity of PET and nuclear
medicine. Every CT series was irradiated, also one that only corrects the attenuation of a PET.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

from treegarth.phrases import N_

Lacking: TypeAlias = Literal["ct_dose", "dlp", "dose_area_product", "glandular_dose", "administered_activity"]

LACKING_NAMES: dict[Lacking, str] = {
    "ct_dose": N_("CT dose"),
    "dlp": N_("DLP"),
    "dose_area_product": N_("DAP"),
    "glandular_dose": N_("AGD"),
    "administered_activity": N_("Activity"),
}
"""How what is lacking is called. Of CT without any dose it is the CT dose, of CT with CTDIvol alone the DLP."""

CT = ("CT",)
PROJECTION = ("CR", "DX", "IO", "PX", "RF", "RG", "XA")
MAMMOGRAPHY = ("MG",)
NUCLEAR = ("NM", "PT")
DOSE_MODALITIES = tuple(sorted((*CT, *PROJECTION, *MAMMOGRAPHY, *NUCLEAR)))
"""Modalities (PS3.3 C.7.3.1.1.1) whose acquisition is an exposure or follows an administration."""

DEMANDED: dict[Lacking, tuple[str, ...]] = {
    "ct_dose": CT,
    "dlp": CT,
    "dose_area_product": PROJECTION,
    "glandular_dose": MAMMOGRAPHY,
    "administered_activity": NUCLEAR,
}
"""The modalities whose series wait for each."""
WITHOUT_ANY: tuple[Lacking, ...] = ("ct_dose", "dose_area_product", "glandular_dose", "administered_activity")
"""What can be lacking where nothing was read."""


def array_of(modalities: Collection[str]) -> str:
    """As SQL; constants of this file alone."""
    return "ARRAY[" + ", ".join(f"'{one}'" for one in modalities) + "]"


_HAS_AGD = (
    "best_glandular_dose_left_mgy IS NOT NULL OR best_glandular_dose_right_mgy IS NOT NULL"
    " OR coalesce(unattributed && ARRAY['glandular_dose_left_mgy', 'glandular_dose_right_mgy'], false)"
)
_HAS_DAP = "best_dose_area_product_gy_m2 IS NOT NULL OR best_dose_rp_gy IS NOT NULL"
_HAS_DLP = "best_dlp_mgy_cm IS NOT NULL OR best_dlp_head_mgy_cm IS NOT NULL OR best_dlp_body_mgy_cm IS NOT NULL"
_HAS_ACTIVITY = (
    "best_administered_activity_mbq IS NOT NULL"
    " OR coalesce(activities, '[]'::jsonb) <> ALL (ARRAY['[]'::jsonb, 'null'::jsonb])"
)
_OF_MAMMOGRAPHY = f"modalities && {array_of(MAMMOGRAPHY)}"

LACKS = (
    "array_remove(ARRAY["
    f"CASE WHEN modalities && {array_of(CT)} AND NOT ({_HAS_DLP})"
    " THEN CASE WHEN best_ctdi_vol_max_mgy IS NULL THEN 'ct_dose' ELSE 'dlp' END ELSE NULL END, "
    f"CASE WHEN modalities && {array_of(PROJECTION)} AND NOT (CASE WHEN {_OF_MAMMOGRAPHY}"
    f" THEN ({_HAS_DAP}) AND 'projection' = ANY(kinds) ELSE {_HAS_DAP} OR {_HAS_AGD} END)"
    " THEN 'dose_area_product' ELSE NULL END, "
    f"CASE WHEN {_OF_MAMMOGRAPHY} AND NOT ({_HAS_AGD}) THEN 'glandular_dose' ELSE NULL END, "
    f"CASE WHEN modalities && {array_of(NUCLEAR)} AND NOT ({_HAS_ACTIVITY}) THEN 'administered_activity' ELSE NULL END"
    "], NULL)"
)
"""What a row of `dose_study` lacks, in the order of the names. Beside mammography a dose-area product is of the
projection only where something of that was read; without it, a projection with glandular doses is one."""
