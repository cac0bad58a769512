"""Read how the dose indicators of a device were calibrated: TID 10002 rows 3 to 8, TID 10041. Pure.

The factor is kept as reported and never applied: older editions of the standard say that the totals were already
multiplied by it, newer ones that they can be.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import Coded, Moment, Number, Table, Words
from treegarth.features.dose.reading.part import Part

CALIBRATION: Table = {
    codes.DOSE_MEASUREMENT_DEVICE: Coded("dose_measurement_device_code"),
    codes.CALIBRATION_DATETIME: Moment("calibration_date_time"),
    codes.CALIBRATION_FACTOR: Number("calibration_factor", "1"),
    codes.CALIBRATION_UNCERTAINTY: Number("calibration_uncertainty_percent", "%"),
    codes.CALIBRATION_RESPONSIBLE_PARTY: Words("calibration_responsible_party"),
    codes.CALIBRATION_PROTOCOL: Words("calibration_protocol"),
}


def read_calibrations(accumulated: Part) -> dict[str, Any]:
    """The calibrations below accumulated dose data, one for each measuring device."""
    found = [values for below in accumulated.find(codes.CALIBRATION) if (values := below.values(CALIBRATION))]
    return {"calibrations": found} if found else {}
