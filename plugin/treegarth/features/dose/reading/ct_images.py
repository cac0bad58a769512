"""Read CT dose from images: Philips' capture of the dose page, and the header of one CT image. Pure.

The capture (Secondary Capture) carries one item of Exposure Dose Sequence (0040,030E) per irradiation event, with
DLP in the private block "ELSCINT1" (00E1,xx21), in mGy·cm; the same element of the object is the total.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.dicom.elements import element_text
from treegarth.dicom.units import NotANumber, number_of
from treegarth.features.dose.reading.header import Header, started
from treegarth.features.dose.reading.model import DoseReading
from treegarth.phrases import P_

ACQUISITION_TYPES = {
    "CONSTANT_ANGLE": codes.CONSTANT_ANGLE_ACQUISITION.meaning,
    "SPIRAL": codes.SPIRAL_ACQUISITION.meaning,
    "SEQUENCED": codes.SEQUENCED_ACQUISITION.meaning,
    "STATIONARY": codes.STATIONARY_ACQUISITION_CT.meaning,
    "FREE": codes.FREE_ACQUISITION.meaning,
}
"""Acquisition Type (0018,9302), PS3.3 C.8.15.3.2, in the words of CID 10013."""

PHANTOMS = {"113690": codes.IEC_HEAD_DOSIMETRY_PHANTOM.meaning, "113691": codes.IEC_BODY_DOSIMETRY_PHANTOM.meaning}


def read_ct_capture(header: Header) -> DoseReading:
    """Every irradiation event of a captured dose page that carries its numbers beside the picture."""
    items = header.items("ExposureDoseSequence")
    if not items:
        return DoseReading(refused=P_("The secondary capture carries no Exposure Dose Sequence."))
    total = _dlp(header)
    return DoseReading(
        kind="ct",
        totals={} if total is None else {"dlp_total_mgy_cm": total},
        irradiation_events=tuple(_event(item) for item in items),
    )


def read_ct_image(header: Header) -> DoseReading:
    """What one CT image says of the acquisition that it comes from; the fallback where no report exists."""
    event = _event(header)
    if moment := started(header):
        event["date_time_started"] = moment
    number = header.number("AcquisitionNumber")
    if number is not None:
        event["acquisition_number"] = number
    phantom = header.code("CTDIPhantomTypeCodeSequence")
    if phantom is not None and phantom["code"] in PHANTOMS:
        event["ctdiw_phantom_type"] = PHANTOMS[phantom["code"]]
    if "mean_ctdi_vol_mgy" not in event:
        return DoseReading(refused=P_("The CT image's header holds no CTDIvol."))
    return DoseReading(kind="ct", irradiation_events=(event,))


def _event(item: Header) -> dict[str, Any]:
    acquisition_type = item.text("AcquisitionType")
    values = {
        "irradiation_event_uid": item.uid("IrradiationEventUID"),
        "acquisition_protocol": item.text("SeriesDescription") or item.text("ProtocolName"),
        "irradiation_event_type": ACQUISITION_TYPES.get(acquisition_type or "", acquisition_type),
        "mean_ctdi_vol_mgy": item.quantity("CTDIvol"),
        "dlp_mgy_cm": _dlp(item),
        "exposure_time_s": item.quantity("ExposureTime", "0.001"),
        "scanning_length_mm": item.quantity("ScanLength"),
        "pitch_factor": item.quantity("SpiralPitchFactor"),
        "nominal_single_collimation_width_mm": item.quantity("SingleCollimationWidth"),
        "nominal_total_collimation_width_mm": item.quantity("TotalCollimationWidth"),
    }
    current = item.quantity("XRayTubeCurrentInuA", "0.001")
    source = {
        "kvp": item.quantity("KVP"),
        "x_ray_tube_current_ma": current if current is not None else item.quantity("XRayTubeCurrent"),
    }
    found = {name: value for name, value in values.items() if value is not None}
    return found | {name: [value] for name, value in source.items() if value is not None}


def _dlp(item: Header) -> float | None:
    """DLP of the private block that ELSCINT1 has reserved in group 00E1 (PS3.5 7.8.1)."""
    for block in range(0x10, 0x100):
        creator = 0x00E10000 | block
        if creator in item.dataset and element_text(item.dataset, creator) == "ELSCINT1":
            written = element_text(item.dataset, 0x00E10000 | block << 8 | 0x21)
            break
    else:
        return None
    try:
        return None if written is None else float(number_of(written))
    except NotANumber as error:
        item.issue("DLP (00E1,xx21)", error.sentence)
        return None
