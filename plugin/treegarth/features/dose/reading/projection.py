"""Read projection X-ray and mammography: TID 10001 (report), 10002 with 10004 to 10007 (accumulated), 10003 (event).

Pure. The names and units are those of docs/dose.md. Totals are as reported; those of the planes of a biplane system
add up, because each plane has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from treegarth.dicom import codes
from treegarth.dicom.codes import concept_of
from treegarth.dicom.sr_tree import Code
from treegarth.features.dose.reading.acquisition import read_acquisition, read_origins
from treegarth.features.dose.reading.calibration import read_calibrations
from treegarth.features.dose.reading.fields import (
    Coded,
    Meaning,
    Moment,
    Number,
    ReferencedInstance,
    Side,
    Table,
    Uid,
    Words,
)
from treegarth.features.dose.reading.model import Values
from treegarth.features.dose.reading.part import Part
from treegarth.features.dose.reading.participants import read_devices
from treegarth.features.dose.reading.philips import read_xper
from treegarth.phrases import P_

TOTALS: Table = {
    codes.DOSE_AREA_PRODUCT_TOTAL: Number("dose_area_product_total_gy_m2", "Gy.m2"),
    codes.DOSE_RP_TOTAL: Number("dose_rp_total_gy", "Gy"),
    codes.FLUORO_DOSE_AREA_PRODUCT_TOTAL: Number("fluoro_dose_area_product_total_gy_m2", "Gy.m2"),
    codes.FLUORO_DOSE_RP_TOTAL: Number("fluoro_dose_rp_total_gy", "Gy"),
    codes.TOTAL_FLUORO_TIME: Number("total_fluoro_time_s", "s"),
    codes.ACQUISITION_DOSE_AREA_PRODUCT_TOTAL: Number("acquisition_dose_area_product_total_gy_m2", "Gy.m2"),
    codes.ACQUISITION_DOSE_RP_TOTAL: Number("acquisition_dose_rp_total_gy", "Gy"),
    codes.TOTAL_ACQUISITION_TIME: Number("total_acquisition_time_s", "s"),
    codes.TOTAL_NUMBER_OF_RADIOGRAPHIC_FRAMES: Number("total_number_of_radiographic_frames", "1"),
}
"""Numbers of one plane that add up over planes."""

PLANE: Table = {
    codes.ACQUISITION_PLANE: Meaning("acquisition_plane"),
    codes.REFERENCE_POINT_DEFINITION: Meaning("reference_point_definition"),
    codes.DISTANCE_SOURCE_TO_REFERENCE_POINT: Number("distance_source_to_reference_point_mm", "mm"),
    codes.DETECTOR_TYPE: Meaning("detector_type"),
    codes.EQUIPMENT_LANDMARK: Coded("equipment_landmark_code"),
    codes.EQUIPMENT_LANDMARK_X_POSITION: Number("equipment_landmark_x_position_mm", "mm"),
    codes.EQUIPMENT_LANDMARK_Z_POSITION: Number("equipment_landmark_z_position_mm", "mm"),
    codes.PATIENT_LOCATION_FIDUCIAL: Coded("patient_location_fiducial_code"),
    codes.EQUIPMENT_LANDMARK_TO_PATIENT_FIDUCIAL_Z_DISTANCE: Number(
        "equipment_landmark_to_patient_fiducial_z_distance_mm", "mm"
    ),
}
"""What belongs to one plane and adds up to nothing."""

PLANE_NAMES = frozenset(field.name for field in PLANE.values())

GLANDULAR = {"L": "left", "R": "right", "B": "both"}

EVENT: Table = {
    codes.IRRADIATION_EVENT_UID: Uid("irradiation_event_uid"),
    codes.ACQUISITION_PLANE: Meaning("acquisition_plane"),
    codes.DATETIME_STARTED: Moment("date_time_started"),
    codes.IRRADIATION_EVENT_TYPE: Meaning("irradiation_event_type"),
    codes.IRRADIATION_EVENT_LABEL: Words("irradiation_event_label"),
    codes.ACQUISITION_PROTOCOL: Words("acquisition_protocol"),
    codes.ANATOMICAL_STRUCTURE: Coded("anatomical_structure_code"),
    codes.TARGET_REGION: Coded("target_region_code"),
    codes.LATERALITY: Side("laterality"),
    codes.IMAGE_VIEW: Coded("image_view_code"),
    codes.PROJECTION_EPONYMOUS_NAME: Coded("projection_eponymous_name_code"),
    codes.PATIENT_TABLE_RELATIONSHIP: Coded("patient_table_relationship_code"),
    codes.PATIENT_ORIENTATION: Coded("patient_orientation_code"),
    codes.PATIENT_ORIENTATION_MODIFIER: Coded("patient_orientation_modifier_code"),
    codes.REFERENCE_POINT_DEFINITION: Meaning("reference_point_definition"),
    codes.DOSE_AREA_PRODUCT: Number("dose_area_product_gy_m2", "Gy.m2"),
    codes.DOSE_RP: Number("dose_rp_gy", "Gy"),
    codes.HALF_VALUE_LAYER: Number("half_value_layer_mm", "mm"),
    codes.ENTRANCE_EXPOSURE_AT_RP: Number("entrance_exposure_at_rp_mgy", "mGy"),
    codes.PATIENT_EQUIVALENT_THICKNESS: Number("patient_equivalent_thickness_mm", "mm"),
    codes.ACQUIRED_IMAGE: ReferencedInstance("acquired_image_sop_instance_uid", many=True),
    codes.COMMENT: Words("comment"),
    codes.DETECTOR_TYPE: Meaning("detector_type"),
    codes.EXPOSURE_INDEX: Number("exposure_index", "1"),
    codes.TARGET_EXPOSURE_INDEX: Number("target_exposure_index", "1"),
    codes.DEVIATION_INDEX: Number("deviation_index", "1"),
    codes.AVERAGE_GLANDULAR_DOSE: Number("average_glandular_dose_mgy", "mGy"),
    codes.FLUORO_MODE: Meaning("fluoro_mode"),
    codes.PULSE_RATE: Number("pulse_rate_per_s", "1/s", many=True),
    codes.NUMBER_OF_PULSES: Number("number_of_pulses", "1", many=True),
    codes.DERIVATION: Meaning("derivation", many=True),
    codes.PULSE_WIDTH: Number("pulse_width_ms", "ms", many=True),
    codes.IRRADIATION_DURATION: Number("irradiation_duration_s", "s"),
    codes.KVP: Number("kvp", "kV", many=True),
    codes.X_RAY_TUBE_CURRENT: Number("x_ray_tube_current_ma", "mA", many=True),
    codes.AVERAGE_X_RAY_TUBE_CURRENT: Number("average_x_ray_tube_current_ma", "mA"),
    codes.EXPOSURE_TIME: Number("exposure_time_ms", "ms", many=True),
    codes.EXPOSURE: Number("exposure_uas", "uA.s", many=True),
    codes.FOCAL_SPOT_SIZE: Number("focal_spot_size_mm", "mm", many=True),
    codes.ANODE_TARGET_MATERIAL: Coded("anode_target_material_code", many=True),
    codes.COLLIMATED_FIELD_AREA: Number("collimated_field_area_m2", "m2", many=True),
    codes.COLLIMATED_FIELD_HEIGHT: Number("collimated_field_height_mm", "mm", many=True),
    codes.COLLIMATED_FIELD_WIDTH: Number("collimated_field_width_mm", "mm", many=True),
    codes.X_RAY_GRID: Coded("x_ray_grid_code", many=True),
    codes.CR_DR_MECHANICAL_CONFIGURATION: Coded("cr_dr_mechanical_configuration_code"),
    codes.POSITIONER_PRIMARY_ANGLE: Number("positioner_primary_angle_deg", "deg", many=True),
    codes.POSITIONER_SECONDARY_ANGLE: Number("positioner_secondary_angle_deg", "deg", many=True),
    codes.POSITIONER_PRIMARY_END_ANGLE: Number("positioner_primary_end_angle_deg", "deg"),
    codes.POSITIONER_SECONDARY_END_ANGLE: Number("positioner_secondary_end_angle_deg", "deg"),
    codes.POSITIONER_ISOCENTER_PRIMARY_ANGLE: Number("positioner_isocenter_primary_angle_deg", "deg"),
    codes.POSITIONER_ISOCENTER_SECONDARY_ANGLE: Number("positioner_isocenter_secondary_angle_deg", "deg"),
    codes.POSITIONER_ISOCENTER_DETECTOR_ROTATION_ANGLE: Number(
        "positioner_isocenter_detector_rotation_angle_deg", "deg"
    ),
    codes.POSITIONER_ISOCENTER_PRIMARY_END_ANGLE: Number("positioner_isocenter_primary_end_angle_deg", "deg"),
    codes.POSITIONER_ISOCENTER_SECONDARY_END_ANGLE: Number("positioner_isocenter_secondary_end_angle_deg", "deg"),
    codes.POSITIONER_ISOCENTER_DETECTOR_ROTATION_END_ANGLE: Number(
        "positioner_isocenter_detector_rotation_end_angle_deg", "deg"
    ),
    codes.COLUMN_ANGULATION: Number("column_angulation_deg", "deg"),
    codes.TABLE_HEAD_TILT_ANGLE: Number("table_head_tilt_angle_deg", "deg"),
    codes.TABLE_HORIZONTAL_ROTATION_ANGLE: Number("table_horizontal_rotation_angle_deg", "deg"),
    codes.TABLE_CRADLE_TILT_ANGLE: Number("table_cradle_tilt_angle_deg", "deg"),
    codes.TABLE_HEAD_TILT_END_ANGLE: Number("table_head_tilt_end_angle_deg", "deg"),
    codes.TABLE_HORIZONTAL_ROTATION_END_ANGLE: Number("table_horizontal_rotation_end_angle_deg", "deg"),
    codes.TABLE_CRADLE_TILT_END_ANGLE: Number("table_cradle_tilt_end_angle_deg", "deg"),
    codes.TABLE_LONGITUDINAL_POSITION: Number("table_longitudinal_position_mm", "mm", many=True),
    codes.TABLE_LATERAL_POSITION: Number("table_lateral_position_mm", "mm", many=True),
    codes.TABLE_HEIGHT_POSITION: Number("table_height_position_mm", "mm", many=True),
    codes.TABLE_LONGITUDINAL_END_POSITION: Number("table_longitudinal_end_position_mm", "mm"),
    codes.TABLE_LATERAL_END_POSITION: Number("table_lateral_end_position_mm", "mm"),
    codes.TABLE_HEIGHT_END_POSITION: Number("table_height_end_position_mm", "mm"),
    codes.TABLE_X_POSITION_TO_ISOCENTER: Number("table_x_position_to_isocenter_mm", "mm"),
    codes.TABLE_Y_POSITION_TO_ISOCENTER: Number("table_y_position_to_isocenter_mm", "mm"),
    codes.TABLE_Z_POSITION_TO_ISOCENTER: Number("table_z_position_to_isocenter_mm", "mm"),
    codes.TABLE_X_END_POSITION_TO_ISOCENTER: Number("table_x_end_position_to_isocenter_mm", "mm"),
    codes.TABLE_Y_END_POSITION_TO_ISOCENTER: Number("table_y_end_position_to_isocenter_mm", "mm"),
    codes.TABLE_Z_END_POSITION_TO_ISOCENTER: Number("table_z_end_position_to_isocenter_mm", "mm"),
    codes.DISTANCE_SOURCE_TO_ISOCENTER: Number("distance_source_to_isocenter_mm", "mm"),
    codes.DISTANCE_SOURCE_TO_DETECTOR: Number("distance_source_to_detector_mm", "mm", many=True),
    codes.DISTANCE_SOURCE_TO_REFERENCE_POINT: Number("distance_source_to_reference_point_mm", "mm"),
    codes.DISTANCE_SOURCE_TO_TABLE_PLANE: Number("distance_source_to_table_plane_mm", "mm", many=True),
    codes.COMPRESSION_THICKNESS: Number("compression_thickness_mm", "mm"),
    codes.COMPRESSION_FORCE: Number("compression_force_n", "N"),
    codes.COMPRESSION_PRESSURE: Number("compression_pressure_kpa", "kPa"),
    codes.COMPRESSION_CONTACT_AREA: Number("compression_contact_area_mm2", "mm2"),
}

FILTER: Table = {
    codes.X_RAY_FILTER_TYPE: Meaning("x_ray_filter_type"),
    codes.X_RAY_FILTER_MATERIAL: Coded("x_ray_filter_material_code", many=True),
    codes.X_RAY_FILTER_THICKNESS_MINIMUM: Number("x_ray_filter_thickness_minimum_mm", "mm"),
    codes.X_RAY_FILTER_THICKNESS_MAXIMUM: Number("x_ray_filter_thickness_maximum_mm", "mm"),
}

SIDE = Side("laterality")


def read_projection_totals(report: Part) -> dict[str, Any]:
    """The totals as reported (TID 10002), planes added; with several planes each of them stands in `planes`."""
    planes = []
    for part in report.find(codes.ACCUMULATED_X_RAY_DOSE_DATA):
        values = {**part.values(TOTALS), **_glandular(part), **part.values(PLANE)}
        planes.append((part, values | read_calibrations(part) | read_devices(part)))
    for_all = [plane for part, plane in planes if _plane(part) is codes.ALL_PLANES]
    counted = for_all or [plane for _, plane in planes]
    if len(counted) == 1:
        return counted[0]
    return added(report, counted) | ({"planes": [plane for _, plane in planes]} if planes else {})


def added(report: Part, planes: list[dict[str, Any]]) -> dict[str, Any]:
    """The sums over the planes; a plane that does not say a total that another one says is an issue."""
    names = dict.fromkeys(name for plane in planes for name, value in plane.items() if isinstance(value, float))
    totals = {}
    for name in names:
        if name in PLANE_NAMES:
            continue
        known = [plane[name] for plane in planes if name in plane]
        if len(known) < len(planes):
            report.issue(
                name,
                P_(
                    "only %(known)s of %(count)s planes have a total; it is the sum of these",
                    known=len(known),
                    count=len(planes),
                ),
            )
        totals[name] = sum(known)
    return totals


def _plane(part: Part) -> codes.Concept | None:
    for plane in part.parts(codes.ACQUISITION_PLANE):
        if isinstance(plane.item.value, Code):
            return concept_of(plane.item.value)
    return None


def _glandular(accumulated: Part) -> dict[str, float]:
    """Accumulated Average Glandular Dose by breast (TID 10005)."""
    found: dict[str, float] = {}
    for part in accumulated.parts(codes.ACCUMULATED_AVERAGE_GLANDULAR_DOSE):
        field = Number("accumulated_average_glandular_dose_mgy", "mGy")
        value = accumulated.read(codes.ACCUMULATED_AVERAGE_GLANDULAR_DOSE, field, part.item)
        if value is None:
            continue
        side = part.one(codes.LATERALITY, SIDE)
        if side is None:
            part.issue(codes.LATERALITY.meaning, P_("a glandular dose does not say of which breast it is"))
            continue
        name = f"accumulated_average_glandular_dose_{GLANDULAR[side]}_mgy"
        if found.setdefault(name, value) != value:
            part.issue(codes.LATERALITY.meaning, P_("two different glandular doses are given for one breast"))
    return found


def read_projection_event(part: Part) -> dict[str, Any]:
    """One irradiation event (TID 10003)."""
    event = part.values(EVENT)
    if "irradiation_event_uid" not in event:
        part.issue(codes.IRRADIATION_EVENT_UID.meaning, P_("the event has no irradiation event UID"))
    event |= _modifiers(part, event)
    filters = [found for below in part.parts(codes.X_RAY_FILTERS) if (found := below.values(FILTER))]
    event |= {"x_ray_filters": filters} if filters else {}
    return event | read_acquisition(part) | read_origins((part, EVENT)) | read_xper(part)


def _modifiers(part: Part, event: dict[str, Any]) -> dict[str, Any]:
    """What stands below another item in the template: the side of the anatomy, the orientation's modifier."""
    found: dict[str, Any] = {}
    for concept in (codes.ANATOMICAL_STRUCTURE, codes.TARGET_REGION, codes.IMAGE_VIEW):
        for below in part.parts(concept):
            side = below.one(codes.LATERALITY, SIDE)
            if side is not None and "laterality" not in event:
                found.setdefault("laterality", side)
    for below in part.parts(codes.PATIENT_ORIENTATION):
        modifier = below.one(codes.PATIENT_ORIENTATION_MODIFIER, Coded("patient_orientation_modifier_code"))
        if modifier is not None:
            found["patient_orientation_modifier_code"] = modifier
    return found


def is_mammography(report: Part, totals: dict[str, Any], events: Sequence[Values]) -> bool:
    """Whether a TID 10001 report is of mammography: by the procedure it reports, or by glandular dose."""
    for part in report.parts(codes.PROCEDURE_REPORTED):
        if isinstance(part.item.value, Code) and concept_of(part.item.value) is codes.MAMMOGRAPHY:
            return True
    glandular = any(name.startswith("accumulated_average_glandular_dose") for name in totals)
    return glandular or any("average_glandular_dose_mgy" in event for event in events)


SIEMENS_TOTALS: Table = {
    codes.SIEMENS_EXPOSURES: Number("total_number_of_exposures", "1"),
    codes.SIEMENS_FLUORO_TIME: Number("total_fluoro_time_s", "s"),
    codes.SIEMENS_DOSE_AREA_PRODUCT: Number("dose_area_product_total_gy_m2", "Gy.m2"),
    codes.SIEMENS_AIR_KERMA: Number("dose_rp_total_gy", "Gy"),
}
"""Siemens' private Radiation Summary Report has totals and no events; air kerma at the reference point is Dose (RP)."""
