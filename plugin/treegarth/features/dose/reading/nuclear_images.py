"""Read administered activity from PET and nuclear medicine image headers (PS3.3 C.8.9.2, C.8.22, C.8.4.10). Pure."""

from __future__ import annotations

from typing import Any

from treegarth.features.dose.reading.frames import frames_of, note_issues, over
from treegarth.features.dose.reading.header import Header, started
from treegarth.features.dose.reading.model import DoseReading
from treegarth.phrases import P_

BQ_TO_MBQ = "0.000001"
PLAUSIBLE_MBQ = (0.01, 100_000.0)
"""Outside of it, Bq and MBq were taken for each other: 0.01 MBq is below any capsule, 100 GBq above any therapy."""


def read_pet_image(header: Header) -> DoseReading:
    """PET, also as a legacy converted enhanced object: Radionuclide Total Dose in Bq, as the images had it."""
    return _read(header, BQ_TO_MBQ)


def read_enhanced_pet_image(header: Header) -> DoseReading:
    """Enhanced PET: Radionuclide Total Dose in MBq, unlike the older class."""
    return _read(header, "1")


def read_nm_image(header: Header) -> DoseReading:
    """Nuclear medicine: Radionuclide Total Dose in MBq."""
    return _read(header, "1")


def _read(header: Header, to_mbq: str) -> DoseReading:
    items = header.items("RadiopharmaceuticalInformationSequence")
    if not items:  # a legacy converted object may keep it among what had no place elsewhere
        first, *_ = frames = frames_of(header)
        items = over(header, first).items("RadiopharmaceuticalInformationSequence")
        note_issues(header, frames)
    moments = {"acquired": _acquired(header), "series_started": header.day_and_time("SeriesDate", "SeriesTime")}
    told = {name: moment for name, moment in moments.items() if moment is not None}
    administrations = tuple(found | told for item in items if (found := _administration(item, to_mbq)))
    if not administrations:
        return DoseReading(refused=P_("The image's header names no radiopharmaceutical."))
    return DoseReading(kind="radiopharmaceutical", administrations=administrations)


def _acquired(header: Header) -> str | None:
    """When the images were made: it tells the day of an administration of which the header has the time alone."""
    return (
        started(header)
        or header.day_and_time("SeriesDate", "SeriesTime")
        or header.day_and_time("StudyDate", "StudyTime")
    )


def _administration(item: Header, to_mbq: str) -> dict[str, Any]:
    values = {
        "irradiation_event_uid": item.uid("RadiopharmaceuticalAdministrationEventUID"),
        "radiopharmaceutical": item.text("Radiopharmaceutical"),
        "agent_code": item.code("RadiopharmaceuticalCodeSequence"),
        "radionuclide_code": item.code("RadionuclideCodeSequence"),
        "radionuclide_half_life_s": item.quantity("RadionuclideHalfLife"),
        "radionuclide_positron_fraction": item.quantity("RadionuclidePositronFraction"),
        "administered_activity_mbq": _activity(item, to_mbq),
        "radiopharmaceutical_volume_ml": item.quantity("RadiopharmaceuticalVolume"),
        "radiopharmaceutical_specific_activity_bq_per_umol": item.quantity("RadiopharmaceuticalSpecificActivity"),
        "start": item.moment("RadiopharmaceuticalStartDateTime"),
        "stop": item.moment("RadiopharmaceuticalStopDateTime"),
        "start_time": item.plain_time("RadiopharmaceuticalStartTime"),
        "stop_time": item.plain_time("RadiopharmaceuticalStopTime"),
        "route_of_administration": item.text("RadiopharmaceuticalRoute"),
        "route_of_administration_code": item.code("AdministrationRouteCodeSequence"),
        "syringe_calibrations": _calibrations(item) or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _calibrations(item: Header) -> list[dict[str, float]]:
    """What the syringe counted before and after the injection, for each energy window (nuclear medicine)."""
    found = []
    for calibration in item.items("CalibrationDataSequence"):
        values = {
            "energy_window_number": calibration.quantity("EnergyWindowNumber"),
            "syringe_counts": calibration.quantity("SyringeCounts"),
            "residual_syringe_counts": calibration.quantity("ResidualSyringeCounts"),
        }
        found.append({name: value for name, value in values.items() if value is not None})
    return [one for one in found if one]


def _activity(item: Header, to_mbq: str) -> float | None:
    """The activity by the unit that the SOP class fixes; one that cannot be is an issue, not a number."""
    activity = item.quantity("RadionuclideTotalDose", to_mbq)
    if activity is None or PLAUSIBLE_MBQ[0] <= activity <= PLAUSIBLE_MBQ[1]:
        return activity
    item.issue(
        "RadionuclideTotalDose",
        P_("%(activity)s MBq, by the unit of the SOP class, is no administered activity", activity=f"{activity:g}"),
    )
    return None
