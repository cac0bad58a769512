"""The series with their estimates, as lists, pages and answers show them. Queries only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from sqlalchemy import Connection, Select, func, select

from treegarth.features.dose.analysis.size.estimates import MatchedBy
from treegarth.features.dose.analysis.size.reasons import Reason
from treegarth.features.dose.analysis.size.tables import series_ssde
from treegarth.index.names import OfNamedStudy
from treegarth.index.tables import study
from treegarth.record import Record

State: TypeAlias = Literal["waiting", "measured", "none", "failed"]


class SeriesSsde(OfNamedStudy):
    """A CT series: how large the patient is in it, and its size-specific dose estimate."""

    orthanc_series_id: str
    orthanc_study_id: str
    study_instance_uid: str
    """(0020,000D)"""
    series_instance_uid: str
    """(0020,000E)"""
    series_number: int | None
    """(0020,0011)"""
    series_description: str | None
    """(0008,103E)"""
    body_part_examined: str | None
    """(0018,0015)"""
    state: State
    """`waiting`; `measured`; `none`: there is nothing to be measured; `failed` needs a person."""
    reason: Reason | None
    """Why there is no estimate."""
    last_error: str | None
    """Why the last attempt to measure it failed."""
    measured_at: datetime | None
    image_count: int | None
    """Original images of it; of a long series some are measured, evenly spaced."""
    slice_count: int | None
    """Images that were measured."""
    water_equivalent_diameter_min_mm: float | None
    water_equivalent_diameter_mean_mm: float | None
    """AAPM 220, over its slices."""
    water_equivalent_diameter_max_mm: float | None
    effective_diameter_mean_mm: float | None
    """The root of lateral times AP dimension (AAPM 204), over its slices."""
    lateral_mean_mm: float | None
    ap_mean_mm: float | None
    truncated_fraction_mean: float | None
    """Of the patient's border, how much lies at the edge of the field of view: 0 to 1, over its slices."""
    truncated_fraction_max: float | None
    """Of the slice with the most."""
    ctdi_vol_mgy: float | None
    """Of the irradiation event that its images are of."""
    ctdiw_phantom_type: str | None
    event_instance_id: str | None
    """Orthanc's identifier of the source that tells of the event."""
    event_position: int | None
    """The event's place in that source, from 1."""
    matched_by: MatchedBy | None
    """How the event was found: `uid`: the images name it; `images`: images of this series tell of it; `only`: there is
    no other; `ctdi_vol`: the images have its CTDIvol."""
    ssde_min_mgy: float | None
    """The least of its slices."""
    ssde_mean_mgy: float | None
    """Over its slices: the estimate of the series."""
    ssde_max_mgy: float | None
    ssde_slice_count: int | None
    """Slices of a size that the table of factors has."""
    is_doubted: bool
    """Whether much of the patient is cut off, or the CTDIvol is doubted."""


class SliceSize(Record):
    """The patient in one image."""

    z_mm: float | None
    """Image Position (Patient), its third number."""
    water_equivalent_diameter_mm: float
    effective_diameter_mm: float
    lateral_mm: float
    ap_mm: float
    area_mm2: float
    """Of the patient's region."""
    mean_hu: float
    """Of the same region."""
    truncated_fraction: float
    """Of the patient's border at the edge of the field of view."""


class UnusedImage(Record):
    """An image that was not measured."""

    path: str
    """Orthanc's identifier of it."""
    reason: str


class MeasuredSeries(SeriesSsde):
    """The same with each slice."""

    slices: list[SliceSize] | None
    """By place; null where nothing was measured."""
    issues: list[UnusedImage] | None
    """Images that were fetched and not used, at most 20."""


_OWN = [name for name in SeriesSsde.model_fields if name not in OfNamedStudy.model_fields]
NAMES = ("patient_name", "patient_id", "study_date", "study_description")


def select_series(
    *,
    state: State | None = None,
    reason: Reason | None = None,
    without: bool | None = None,
    truncated: bool | None = None,
    study_date_from: date | None = None,
    study_date_to: date | None = None,
) -> Select[Any]:
    """Series, in no order."""
    query = select(*(series_ssde.c[name] for name in _OWN), study.c.study_date).outerjoin_from(
        series_ssde, study, study.c.orthanc_study_id == series_ssde.c.orthanc_study_id
    )
    if state is not None:
        query = query.where(series_ssde.c.state == state)
    if reason is not None:
        query = query.where(series_ssde.c.reason == reason)
    if without is not None:
        has_none = series_ssde.c.ssde_mean_mgy.is_(None)
        query = query.where(has_none if without else ~has_none)
    if truncated is not None:
        is_cut = func.coalesce(series_ssde.c.truncated_fraction_max, 0) > 0
        query = query.where(is_cut if truncated else ~is_cut)
    if study_date_from is not None:
        query = query.where(study.c.study_date >= study_date_from)
    if study_date_to is not None:
        query = query.where(study.c.study_date <= study_date_to)
    return query


def series_of_study(connection: Connection, orthanc_study_id: str) -> list[MeasuredSeries]:
    """The CT series of one study that were noted, by number."""
    query = (
        select(*(series_ssde.c[name] for name in _OWN), series_ssde.c.slices, series_ssde.c.issues)
        .where(series_ssde.c.orthanc_study_id == orthanc_study_id)
        .order_by(series_ssde.c.series_number.asc().nulls_last(), series_ssde.c.series_instance_uid)
    )
    return [MeasuredSeries.model_validate(row._asdict()) for row in connection.execute(query)]
