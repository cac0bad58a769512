"""Measure the CT series that wait, in a worker: fetch some of their images, find the patient in each, keep the sizes.

Never in Orthanc's process: it only notes what came to rest, and the indexer does that for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from statistics import fmean
from time import monotonic
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine

from treegarth.database.engine import transaction
from treegarth.errors import DatabaseUnavailable, NotFound, TreegarthError
from treegarth.features.dose.analysis.size.images import Exposure, NotUsed, is_original, read_image
from treegarth.features.dose.analysis.size.measurement import Size, measure
from treegarth.features.dose.analysis.size.reasons import OF_IMAGES, Reason
from treegarth.features.dose.analysis.size.store import queue
from treegarth.features.dose.analysis.size.version import MOST_SLICES, READER_VERSION
from treegarth.features.dose.analysis.store.values import hold_studies, refresh_values
from treegarth.features.dose.registry.store.exams import lock_studies
from treegarth.phrases import P_
from treegarth.tasks.backoff import Backoff
from treegarth.tasks.shutdown import WorkerEnding, is_ending

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
MULTI_FRAME = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
"""Enhanced CT and Legacy Converted Enhanced CT (PS3.6 A): objects of hundreds of megabytes. They are not measured."""
LEASE = timedelta(minutes=5)
"""For how long a claim keeps others off: 25 images of 10 s each, which no Orthanc needs."""
FETCH_TIMEOUT_S = 10.0
TURN_S = 20.0
"""How long one task goes on before others have their turn."""
BACKOFF = Backoff(first=timedelta(seconds=30), longest=timedelta(hours=1), most_attempts=6)
ISSUES_KEPT = 20

logger = logging.getLogger(__name__)
OneT = TypeVar("OneT")


class ObjectSource(Protocol):
    """Where the bytes of an object come from: the client of Orthanc."""

    def get_bytes(self, path: str, *, timeout_s: float | None = None) -> bytes: ...


@dataclass
class Found:
    """What is gathered of a series, image by image."""

    exposures: list[Exposure] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    issues: list[dict[str, str]] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    missing: int = 0


def measure_waiting(
    engine: Engine, orthanc: ObjectSource, *, clock: Callable[[], datetime], seconds: float = TURN_S
) -> bool:
    """Measure series that wait, for so long; whether some may be left. Several workers share them.

    May be killed at any point: a series is measured until it was once, or has failed for good. Raises
    DatabaseUnavailable; every other failure is recorded with its series.
    """
    until = monotonic() + seconds
    while monotonic() < until and not is_ending():
        with transaction(engine) as connection:
            claim = queue.claim_next(connection, clock(), LEASE)
            images = [] if claim is None else queue.images_of(connection, claim.orthanc_series_id)
        if claim is None:
            return False
        _measure_claimed(engine, orthanc, claim, images, clock)
    return not is_ending()


def chosen(images: Sequence[queue.Image]) -> tuple[list[queue.Image], int, Reason]:
    """Which images of a series are measured, of how many, and why none is where none is."""
    of_class = [one for one in images if one.sop_class_uid == CT_IMAGE]
    originals = [one for one in of_class if one.image_type is None or is_original(one.image_type)]
    if not of_class and any(one.sop_class_uid in MULTI_FRAME for one in images):
        return [], 0, Reason.MULTI_FRAME
    return evenly(originals, MOST_SLICES), len(originals), Reason.NOT_ORIGINAL


def evenly(every: Sequence[OneT], most: int) -> list[OneT]:
    """At most so many of them, evenly spaced, each from the middle of its part."""
    if len(every) <= most:
        return list(every)
    return [every[int((part + 0.5) * len(every) / most)] for part in range(most)]


def _measure_claimed(
    engine: Engine,
    orthanc: ObjectSource,
    claim: queue.Claim,
    images: Sequence[queue.Image],
    clock: Callable[[], datetime],
) -> None:
    try:
        picked, count, reason = chosen(images)
        found = _gather(orthanc, picked)
        with transaction(engine) as connection:
            if not images or (found.missing and found.missing == len(picked)):
                queue.forget(connection, claim)
            else:
                _keep(connection, claim, _values(found, count, reason) | {"measured_at": clock()})
    except DatabaseUnavailable:
        raise
    except WorkerEnding:
        with transaction(engine) as connection:
            queue.give_back(connection, claim, clock())
    except TreegarthError as error:
        _record_failure(engine, claim, error.sentence, clock())
    except Exception as error:
        logger.exception("Series %s could not be measured.", claim.orthanc_series_id)
        reason_said = P_("%(kind)s while it was measured; see the log.", kind=type(error).__name__)
        _record_failure(engine, claim, reason_said, clock())


def _gather(orthanc: ObjectSource, picked: Sequence[queue.Image]) -> Found:
    """Image by image, so that one is in memory at a time. Raises OrthancUnavailable, and WorkerEnding between two."""
    found = Found()
    for one in picked:
        if is_ending():
            raise WorkerEnding
        try:
            path = f"/instances/{one.orthanc_instance_id}/file"
            image = read_image(orthanc.get_bytes(path, timeout_s=FETCH_TIMEOUT_S))
        except NotFound:
            found.missing += 1
        except NotUsed as error:
            found.reasons.append(error.reason)
            found.issues.append({"path": one.orthanc_instance_id, "reason": error.sentence})
        else:
            size = measure(image.slice)
            if size is None:
                found.reasons.append(Reason.NOBODY)
                continue
            found.sizes.append(size)
            found.exposures.append(image.exposure)
    return found


def _values(found: Found, image_count: int, reason: Reason) -> dict[str, Any]:
    """The columns of what was measured."""
    told = {"reader_version": READER_VERSION, "issues": found.issues[:ISSUES_KEPT], "image_count": image_count}
    told |= {"slice_count": len(found.sizes), "last_error": None, "attempts": 0}
    if not found.sizes:
        why = next((one for one in reversed(OF_IMAGES) if one in found.reasons), reason)
        return (
            told | dict.fromkeys((*_MEASURED, *_ESTIMATED)) | {"state": queue.NONE, "reason": why, "is_doubted": False}
        )
    sizes = sorted(found.sizes, key=lambda one: (one.z_mm is None, one.z_mm or 0.0))
    diameters = [one.water_equivalent_diameter_mm for one in sizes]
    truncated = [one.truncated_fraction for one in sizes]
    indexes = [one.ctdi_vol_mgy for one in found.exposures if one.ctdi_vol_mgy is not None]
    return told | {
        "state": queue.MEASURED,
        "reason": None,
        "slices": [asdict(one) for one in sizes],
        "water_equivalent_diameter_min_mm": min(diameters),
        "water_equivalent_diameter_mean_mm": fmean(diameters),
        "water_equivalent_diameter_max_mm": max(diameters),
        "effective_diameter_mean_mm": fmean(one.effective_diameter_mm for one in sizes),
        "lateral_mean_mm": fmean(one.lateral_mm for one in sizes),
        "ap_mean_mm": fmean(one.ap_mm for one in sizes),
        "truncated_fraction_mean": fmean(truncated),
        "truncated_fraction_max": max(truncated),
        "irradiation_event_uids": sorted({uid for one in found.exposures for uid in one.irradiation_event_uids}),
        "image_ctdi_vol_mgy": fmean(indexes) if indexes else None,
    }


_MEASURED = (
    "slices", "water_equivalent_diameter_min_mm", "water_equivalent_diameter_mean_mm",
    "water_equivalent_diameter_max_mm", "effective_diameter_mean_mm", "lateral_mean_mm", "ap_mean_mm",
    "truncated_fraction_mean", "truncated_fraction_max", "irradiation_event_uids", "image_ctdi_vol_mgy",
)  # fmt: skip
_ESTIMATED = (
    "ctdi_vol_mgy", "ctdiw_phantom_type", "event_instance_id", "event_position", "matched_by", "ssde_min_mgy",
    "ssde_mean_mgy", "ssde_max_mgy", "ssde_slice_count",
)  # fmt: skip


def _keep(connection: Connection, claim: queue.Claim, values: dict[str, Any]) -> None:
    """With what follows of it for the exam, in one transaction, as whoever decides the exam does it."""
    lock_studies(connection, [claim.orthanc_study_id])
    hold_studies(connection, [claim.orthanc_study_id])  # before the row of the series, as whoever decides the exam
    if queue.write(connection, claim, values):
        refresh_values(connection, [claim.orthanc_study_id])


def _record_failure(engine: Engine, claim: queue.Claim, reason: str, now: datetime) -> None:
    with transaction(engine) as connection:
        queue.record_failure(connection, claim, reason, BACKOFF.next_attempt(claim.attempts, now))
