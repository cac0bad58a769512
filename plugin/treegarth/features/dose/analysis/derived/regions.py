"""Which region of the body a coded body part belongs to, as coefficients of CT have them. Pure.

`data/regions.csv` has the codes of PS3.16 CID 4030 and those that the SNOMED RT codes of older devices stand for.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from pydicom.sr._snomed_dict import mapping

from treegarth.features.dose.analysis.derived.files import rows_of
from treegarth.phrases import N_

REGIONS: Mapping[str, str] = {
    "head": N_("Head"),
    "neck": N_("Neck"),
    "head_and_neck": N_("Head and neck"),
    "chest": N_("Chest"),
    "abdomen_pelvis": N_("Abdomen and pelvis"),
    "trunk": N_("Trunk"),
    "neck_chest": N_("Neck and chest"),
    "neck_chest_abdomen": N_("Neck, chest and abdomen"),
    "neck_chest_abdomen_pelvis": N_("Neck, chest, abdomen and pelvis"),
    "whole_body": N_("Whole body"),
    "spine": N_("Spine"),
    "limb": N_("Limb"),
}
"""Every region that can have a coefficient; a site may give one to those without."""


def coded(code: object) -> str | None:
    """`SCT:69536005` of a code, whichever of SNOMED's schemes a device uses; None where there is none."""
    if not isinstance(code, Mapping) or not code.get("code"):
        return None
    scheme, value = str(code.get("scheme") or ""), str(code["code"])
    if scheme in ("SRT", "SNM3", "99SDM"):
        return f"SCT:{mapping['SRT'][value]}" if value in mapping["SRT"] else f"SRT:{value}"
    return f"{scheme}:{value}"


def region_of(code: object) -> str | None:
    """The region of a coded body part; None where it is none of the table's."""
    return _by_code().get(coded(code) or "")


@functools.cache
def _by_code() -> Mapping[str, str]:
    return {row["code"]: row["region"] for row in rows_of("regions.csv")}
