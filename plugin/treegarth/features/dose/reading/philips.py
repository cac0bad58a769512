"""Read what Philips' angiography systems say in items of their own (scheme 99PHI-IXR-XPER). Pure.

They stand apart in `philips_xper`: some are named as items of the standard are, and may be measured from elsewhere.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import Number, Table, Words
from treegarth.features.dose.reading.part import Part

XPER: Table = {
    codes.PHILIPS_NUMBER_OF_FRAMES: Number("number_of_frames", "1"),
    codes.PHILIPS_OBJECT_THICKNESS: Number("object_thickness_mm", "mm"),
    codes.PHILIPS_TABLE_HEIGHT_POSITION: Number("table_height_position_mm", "mm"),
    codes.PHILIPS_FINAL_TABLE_HEIGHT_POSITION: Number("final_table_height_position_mm", "mm"),
    codes.PHILIPS_FINAL_TABLE_CRADLE_ANGLE: Number("final_table_cradle_angle_deg", "deg"),
    codes.PHILIPS_FINAL_TABLE_TILT_ANGLE: Number("final_table_tilt_angle_deg", "deg"),
    codes.PHILIPS_FINAL_DISTANCE_SOURCE_TO_DETECTOR: Number("final_distance_source_to_detector_mm", "mm"),
    codes.PHILIPS_DETECTOR_FIELD_X_SIDE: Number("detector_field_x_side_mm", "mm"),
    codes.PHILIPS_DETECTOR_FIELD_Y_SIDE: Number("detector_field_y_side_mm", "mm"),
    codes.PHILIPS_BOTTOM_SHUTTER: Number("bottom_shutter_mm", "mm"),
    codes.PHILIPS_LEFT_SHUTTER: Number("left_shutter_mm", "mm"),
    codes.PHILIPS_RIGHT_SHUTTER: Number("right_shutter_mm", "mm"),
    codes.PHILIPS_TOP_SHUTTER: Number("top_shutter_mm", "mm"),
    codes.PHILIPS_APPLICATION_NAME: Words("application_name"),
    codes.PHILIPS_FLUORO_FLAVOUR: Words("fluoro_flavour"),
}


def read_xper(event: Part) -> dict[str, Any]:
    """What the event has of these, or the containers right below it."""
    if not event.has(codes.PHILIPS_NUMBER_OF_FRAMES, codes.PHILIPS_TABLE_HEIGHT_POSITION):
        return {}
    return {"philips_xper": event.values_below(XPER, levels=1)}
