"""What the endpoints of dose have in common: the base of their answers, the path of a source, how a route is made."""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import Field

from treegarth.features.dose.registry.rules import DoubtName, Origin
from treegarth.web.endpoints import Listed, endpoint
from treegarth.web.path_models import OrthancInstancePath
from treegarth.web.paths import API_PATH

__all__ = ["BestDose", "BestKnown", "Doubt", "Kind", "Listed", "OrthancInstancePath", "dose_route"]

TAG = "dose"
Kind = Literal["ct", "projection", "mammography", "radiopharmaceutical"]


class BestDose(Listed):
    """The best known dose of a study by quantity. Null is unknown, not zero."""

    dlp_mgy_cm: float | None
    """Of both phantoms together only where a report gives such a total."""
    dlp_head_mgy_cm: float | None
    """What refers to the 16 cm phantom."""
    dlp_body_mgy_cm: float | None
    """What refers to the 32 cm phantom."""
    dose_area_product_gy_m2: float | None
    """The planes added."""
    dose_rp_gy: float | None
    """Of the plane with the most."""
    glandular_dose_left_mgy: float | None
    glandular_dose_right_mgy: float | None
    administered_activity_mbq: float | None
    """Null where several radionuclides were given."""
    total_fluoro_time_s: float | None
    ctdi_vol_max_mgy: float | None
    """The greatest mean CTDIvol of an irradiation event."""


class Doubt(Listed):
    """Why a best known dose may not be the true one."""

    quantity: str
    name: DoubtName


class BestKnown(Listed):
    """What is best known of a study's dose, wherever a study is listed."""

    best: BestDose
    """The best known dose: lists, filters, patients, devices and exports go by it."""
    origin: dict[str, Origin] = Field(default_factory=dict)
    """Where each is from: a total as `reported`, the sum of the `events`, image `headers`, or `partial`."""
    doubts: list[Doubt] = Field(default_factory=list, validation_alias="doubt_names")
    replaced_by: str | None
    """Orthanc's identifier of the study in which all of this one counts instead, as under a corrected patient ID; then
    this one is in no sum and no percentile."""


dose_route = partial(endpoint, tag=TAG, under=f"{API_PATH}/dose")
