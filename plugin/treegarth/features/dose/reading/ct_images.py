"""Read CT dose from images: Philips' capture of the dose page, the header of one CT image, the frames of many. Pure.

The capture (Secondary Capture) carries one item of Exposure Dose Sequence (0040,030E) per irradiation event, with
DLP in the private block "ELSCINT1" (00E1,xx21), in mGy·cm; the same element of the object is the total.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from treegarth.dicom import codes
from treegarth.dicom.elements import element_text
from treegarth.dicom.units import NotANumber, number_of
from treegarth.features.dose.reading.exposure import EXPOSURE_TIME_MS, X_RAY_TUBE_CURRENT_MA, first_told
from treegarth.features.dose.reading.frames import acquisition_number, by_event, frames_of, note_issues, over
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
    event = _image_event(header)
    if "mean_ctdi_vol_mgy" not in event:
        return DoseReading(refused=P_("The CT image's header holds no CTDIvol."))
    return DoseReading(kind="ct", irradiation_events=(event,))


def read_enhanced_ct_image(header: Header) -> DoseReading:
    """The acquisitions of the frames of an Enhanced CT object (PS3.3 C.8.15.3), also of a legacy converted one.

    Of an acquisition the frame of the greatest CTDIvol speaks, as of images the greatest counts: with tube current
    modulation each frame has its own.
    """
    frames = frames_of(header)
    acquisitions = by_event([over(frame, header) for frame in frames])
    events = [_event_of_frames(acquisition) for acquisition in acquisitions]
    note_issues(header, frames)
    told = tuple(event for event in events if "mean_ctdi_vol_mgy" in event)
    if not told:
        return DoseReading(refused=P_("The CT image's header holds no CTDIvol."))
    return DoseReading(kind="ct", irradiation_events=told)


def _event_of_frames(frames: Sequence[Header]) -> dict[str, Any]:
    strongest = max(frames, key=lambda frame: frame.quantity("CTDIvol") or 0.0)
    event = _image_event(strongest)
    moments = [moment for frame in frames if (moment := frame.moment("FrameAcquisitionDateTime")) is not None]
    if moments:
        event["date_time_started"] = min(moments)
    return event


def _image_event(header: Header) -> dict[str, Any]:
    event = _event(header)
    if moment := started(header):
        event["date_time_started"] = moment
    number = acquisition_number(header)
    if number is not None:
        event["acquisition_number"] = number
    phantom = header.code("CTDIPhantomTypeCodeSequence")
    if phantom is not None and phantom["code"] in PHANTOMS:
        event["ctdiw_phantom_type"] = PHANTOMS[phantom["code"]]
    return event


def _event(item: Header) -> dict[str, Any]:
    acquisition_type = item.text("AcquisitionType")
    values = {
        "irradiation_event_uid": item.uid("IrradiationEventUID"),
        "acquisition_protocol": item.text("SeriesDescription") or item.text("ProtocolName"),
        "irradiation_event_type": ACQUISITION_TYPES.get(acquisition_type or "", acquisition_type),
        "mean_ctdi_vol_mgy": _ctdi_vol(item),
        "dlp_mgy_cm": _dlp(item),
        "exposure_time_s": first_told(item, EXPOSURE_TIME_MS, "0.001"),
        "scanning_length_mm": item.quantity("ScanLength"),
        "pitch_factor": item.quantity("SpiralPitchFactor"),
        "nominal_single_collimation_width_mm": item.quantity("SingleCollimationWidth"),
        "nominal_total_collimation_width_mm": item.quantity("TotalCollimationWidth"),
    }
    found = {name: value for name, value in values.items() if value is not None}
    return found | {name: given for name, given in _sources(item).items() if any(one is not None for one in given)}


def _ctdi_vol(item: Header) -> float | None:
    """One number, also where each X-ray path repeats it."""
    paths = item.items("CTExposureSequence")
    told = {number for path in paths if (number := path.quantity("CTDIvol")) is not None}
    if len(told) > 1:
        item.issue("CTDIvol", P_("%(count)s numbers stand where one belongs", count=len(told)))
        return None
    return told.pop() if told else item.quantity("CTDIvol")


def _sources(item: Header) -> dict[str, list[float | None]]:
    """Voltage and current of each X-ray source: of the paths of a frame, and of its additional sources."""
    more = item.items("CTAdditionalXRaySourceSequence")
    voltages = [*(item.items("CTXRayDetailsSequence") or [item]), *more]
    currents = [*(item.items("CTExposureSequence") or [item]), *more]
    return {
        "kvp": [one.quantity("KVP") for one in voltages],
        "x_ray_tube_current_ma": [first_told(one, X_RAY_TUBE_CURRENT_MA) for one in currents],
    }


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
