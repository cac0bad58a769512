"""Which irradiation event a series is of, and its size-specific dose estimate. Pure.

SSDE of a slice = CTDIvol of the event · f(Dw of the slice), by the function of the phantom that the CTDIvol refers to
and of no other. Of a series the mean over its slices counts (AAPM Report 220), beside the least and the greatest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, TypeAlias

from treegarth.features.dose.analysis.size.anatomy import Region, region_of
from treegarth.features.dose.analysis.size.factors import factors
from treegarth.features.dose.analysis.size.reasons import Reason

MatchedBy: TypeAlias = Literal["uid", "images", "only", "ctdi_vol"]
"""How the event of a series was found: its images name its UID; images of this series tell of it; it is the only one;
its CTDIvol is that of the images."""
SAME = 0.01
"""By how much of itself a CTDIvol of the images may differ from that of an event which is taken for theirs."""
HEAD_16_CM = "IEC Head Dosimetry Phantom"
MUCH_TRUNCATED = 0.2
"""From that on an estimate is doubted: below, the diameter of digital phantoms is within 5 %, and that of patients was
found to be too small by "a small percentage" (Influence of image truncation on the calculation of water equivalent
diameter in CT examinations, Physica Medica, abstract P014)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """An irradiation event that counts."""

    orthanc_instance_id: str
    position: int
    orthanc_series_id: str
    """Of the object that tells of it."""
    irradiation_event_uid: str | None
    is_localizer: bool
    ctdi_vol_mgy: float | None
    """Without one there is no estimate of it; that it was an exposure of its own counts all the same."""
    phantom: str | None
    target_region: str | None
    is_doubted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What was measured of a series, and what its images say of their exposure."""

    orthanc_series_id: str
    diameters_mm: Sequence[float]
    truncated_fraction: float
    """Of all its slices the mean."""
    irradiation_event_uids: Sequence[str]
    ctdi_vol_mgy: float | None
    body_part_examined: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """The size-specific dose estimate of a series, in mGy; or, by `reason`, why there is none."""

    reason: Reason | None = None
    event: Event | None = None
    matched_by: MatchedBy | None = None
    least: float | None = None
    mean: float | None = None
    greatest: float | None = None
    slice_count: int = 0
    """Slices of a size that the table of factors has."""
    is_doubted: bool = False


def estimate(measured: Measured, events: Sequence[Event]) -> Estimate:
    """The estimate of a series in a study with these events."""
    event, matched_by = event_of(measured, events)
    if event is None or event.ctdi_vol_mgy is None:
        is_told = any(one.ctdi_vol_mgy is not None for one in events if not one.is_localizer)
        return Estimate(reason=Reason.WHICH_EVENT if is_told else Reason.NO_DOSE)
    found = Estimate(event=event, matched_by=matched_by)
    reason = _without_factor(event, measured)
    factor = factors().get(event.phantom or "")
    if reason is not None or factor is None:
        return _none(found, reason or Reason.NO_PHANTOM)
    doses = [_ctdi_vol(event) * at for one in measured.diameters_mm if (at := factor.at(one)) is not None]
    if not doses:
        return _none(found, Reason.SIZE)
    return Estimate(
        event=event,
        matched_by=matched_by,
        least=min(doses),
        mean=fmean(doses),
        greatest=max(doses),
        slice_count=len(doses),
        is_doubted=event.is_doubted or measured.truncated_fraction > MUCH_TRUNCATED,
    )


def event_of(measured: Measured, events: Sequence[Event]) -> tuple[Event | None, MatchedBy | None]:
    """The event that the images of a series are of, and how it was found; nothing where it would have to be guessed: a
    scan of which no CTDIvol is told may be the one, and images that say another CTDIvol are of another one."""
    every = [one for one in events if not one.is_localizer]
    scans = [one for one in every if one.ctdi_vol_mgy is not None]
    named = [one for one in scans if one.irradiation_event_uid in measured.irradiation_event_uids]
    if named:
        return _if_alike(named, "uid")
    own = [one for one in scans if one.orthanc_series_id == measured.orthanc_series_id]
    if own:
        return _if_alike(own, "images")
    close = [one for one in scans if _is_close(_ctdi_vol(one), measured.ctdi_vol_mgy)]
    if len(every) == 1 and not measured.irradiation_event_uids and (close or not measured.ctdi_vol_mgy):
        return every[0], "only"
    return _if_alike(close, "ctdi_vol")


def _ctdi_vol(event: Event) -> float:
    return event.ctdi_vol_mgy or 0.0


def _is_close(told: float, of_images: float | None) -> bool:
    return bool(of_images) and abs(told - (of_images or 0.0)) <= SAME * told


def _if_alike(events: Sequence[Event], by: MatchedBy) -> tuple[Event | None, MatchedBy | None]:
    """The one, or the first of several whose doses are the same within `SAME`, of one phantom."""
    if not events or len({one.phantom for one in events}) > 1:
        return None, None
    doses = [_ctdi_vol(one) for one in events]
    return (events[0], by) if max(doses) - min(doses) <= SAME * max(doses) else (None, None)


def _without_factor(event: Event, measured: Measured) -> Reason | None:
    """Why no function of the report fits this part of the body. The 16 cm phantom stands for heads first of all, and
    for children's trunks: there the trunk has to be named."""
    if event.phantom is None:
        return Reason.NO_PHANTOM
    region = region_of(event.target_region, measured.body_part_examined)
    if region is Region.HEAD:
        return Reason.HEAD
    if region is Region.OTHER:
        return Reason.NOT_TRUNK
    if region is None and event.phantom == HEAD_16_CM:
        return Reason.REGION_UNKNOWN
    return None


def _none(found: Estimate, reason: Reason) -> Estimate:
    return Estimate(reason=reason, event=found.event, matched_by=found.matched_by)
