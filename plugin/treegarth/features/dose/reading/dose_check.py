"""Read the dose check of a CT acquisition: TID 10015, NEMA XR 25. Pure."""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import Number, Table, Words, YesNo
from treegarth.features.dose.reading.part import Part
from treegarth.features.dose.reading.participants import read_persons

REASON = "reason_for_proceeding"

ALERT: Table = {
    codes.DLP_ALERT_VALUE_CONFIGURED: YesNo("dlp_alert_value_configured"),
    codes.CTDI_VOL_ALERT_VALUE_CONFIGURED: YesNo("ctdi_vol_alert_value_configured"),
    codes.DLP_ALERT_VALUE: Number("dlp_alert_value_mgy_cm", "mGy.cm"),
    codes.CTDI_VOL_ALERT_VALUE: Number("ctdi_vol_alert_value_mgy", "mGy"),
    codes.ACCUMULATED_DLP_FORWARD_ESTIMATE: Number("accumulated_dlp_forward_estimate_mgy_cm", "mGy.cm"),
    codes.ACCUMULATED_CTDI_VOL_FORWARD_ESTIMATE: Number("accumulated_ctdi_vol_forward_estimate_mgy", "mGy"),
    codes.ALTERNATIVE_DOSE_ALERT_BEHAVIOR_ACTIVE: YesNo("alternative_dose_alert_behavior_active"),
    codes.REASON_FOR_PROCEEDING: Words(REASON),
}
NOTIFICATION: Table = {
    codes.DLP_NOTIFICATION_VALUE_CONFIGURED: YesNo("dlp_notification_value_configured"),
    codes.CTDI_VOL_NOTIFICATION_VALUE_CONFIGURED: YesNo("ctdi_vol_notification_value_configured"),
    codes.DLP_NOTIFICATION_VALUE: Number("dlp_notification_value_mgy_cm", "mGy.cm"),
    codes.CTDI_VOL_NOTIFICATION_VALUE: Number("ctdi_vol_notification_value_mgy", "mGy"),
    codes.DLP_FORWARD_ESTIMATE: Number("dlp_forward_estimate_mgy_cm", "mGy.cm"),
    codes.CTDI_VOL_FORWARD_ESTIMATE: Number("ctdi_vol_forward_estimate_mgy", "mGy"),
    codes.REASON_FOR_PROCEEDING: Words(f"notification_{REASON}"),
}


def read_dose_check(dose: Part) -> dict[str, Any]:
    """Alert and notification values and estimates, and who went on and why; an alert's and a notification's apart."""
    found: dict[str, Any] = {}
    for part in dose.find(codes.DOSE_CHECK_ALERT_DETAILS):
        found |= part.values(ALERT) | read_persons(part)
    for part in dose.find(codes.DOSE_CHECK_NOTIFICATION_DETAILS):
        persons = {f"notification_{name}": given for name, given in read_persons(part).items()}
        found |= part.values(NOTIFICATION) | persons
    return {"dose_check": found} if found else {}
