"""Read CT dose: TID 10011 (report), 10012 (accumulated), 10013 (acquisition), 10014 (length), 10015 (dose check).

Pure. The names and units are those of docs/dose.md.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.fields import Coded, Count, Meaning, Moment, Number, Table, Uid, Words, YesNo
from treegarth.features.dose.reading.part import Part
from treegarth.phrases import P_

TOTALS: Table = {
    codes.TOTAL_NUMBER_OF_IRRADIATION_EVENTS: Count("total_number_of_irradiation_events"),
    codes.CT_EFFECTIVE_DOSE_TOTAL: Number("effective_dose_total_msv", "mSv"),
}

DLP_TOTAL = Number("dlp_total_mgy_cm", "mGy.cm")

ACQUISITION: Table = {
    codes.IRRADIATION_EVENT_UID: Uid("irradiation_event_uid"),
    codes.IRRADIATION_EVENT_LABEL: Words("irradiation_event_label"),
    codes.DATETIME_STARTED: Moment("date_time_started"),
    codes.ACQUISITION_PROTOCOL: Words("acquisition_protocol"),
    codes.TARGET_REGION: Coded("target_region_code"),
    codes.CT_ACQUISITION_TYPE: Meaning("irradiation_event_type"),
    codes.PROCEDURE_CONTEXT: Coded("procedure_context_code"),
    codes.X_RAY_MODULATION_TYPE: Words("x_ray_modulation_type"),
    codes.COMMENT: Words("comment"),
}

PARAMETERS: Table = {
    codes.EXPOSURE_TIME: Number("exposure_time_s", "s"),
    codes.SCANNING_LENGTH: Number("scanning_length_mm", "mm"),
    codes.LENGTH_OF_RECONSTRUCTABLE_VOLUME: Number("length_of_reconstructable_volume_mm", "mm"),
    codes.EXPOSED_RANGE: Number("exposed_range_mm", "mm"),
    codes.TOP_Z_OF_RECONSTRUCTABLE_VOLUME: Number("top_z_of_reconstructable_volume_mm", "mm"),
    codes.BOTTOM_Z_OF_RECONSTRUCTABLE_VOLUME: Number("bottom_z_of_reconstructable_volume_mm", "mm"),
    codes.TOP_Z_OF_SCANNING_LENGTH: Number("top_z_of_scanning_length_mm", "mm"),
    codes.BOTTOM_Z_OF_SCANNING_LENGTH: Number("bottom_z_of_scanning_length_mm", "mm"),
    codes.FRAME_OF_REFERENCE_UID: Uid("frame_of_reference_uid"),
    codes.NOMINAL_SINGLE_COLLIMATION_WIDTH: Number("nominal_single_collimation_width_mm", "mm"),
    codes.NOMINAL_TOTAL_COLLIMATION_WIDTH: Number("nominal_total_collimation_width_mm", "mm"),
    codes.PITCH_FACTOR: Number("pitch_factor", "1"),
    codes.NUMBER_OF_X_RAY_SOURCES: Count("number_of_x_ray_sources"),
    codes.X_RAY_MODULATION_TYPE: Words("x_ray_modulation_type"),
}

SOURCE: Table = {
    codes.IDENTIFICATION_OF_THE_X_RAY_SOURCE: Words("x_ray_source_identification"),
    codes.KVP: Number("kvp", "kV"),
    codes.X_RAY_TUBE_CURRENT: Number("x_ray_tube_current_ma", "mA"),
    codes.MAXIMUM_X_RAY_TUBE_CURRENT: Number("maximum_x_ray_tube_current_ma", "mA"),
    codes.EXPOSURE_TIME_PER_ROTATION: Number("exposure_time_per_rotation_s", "s"),
    codes.X_RAY_FILTER_ALUMINUM_EQUIVALENT: Number("x_ray_filter_aluminum_equivalent_mm", "mm"),
}
"""Lists in the event: one value per X-ray source in the order of the report, None where a source has none."""

SOURCE_ALWAYS = ("kvp", "x_ray_tube_current_ma", "maximum_x_ray_tube_current_ma", "exposure_time_per_rotation_s")

DOSE: Table = {
    codes.MEAN_CTDI_VOL: Number("mean_ctdi_vol_mgy", "mGy"),
    codes.CTDIW_PHANTOM_TYPE: Meaning("ctdiw_phantom_type"),
    codes.DLP: Number("dlp_mgy_cm", "mGy.cm"),
    codes.CTDI_FREE_AIR_CALCULATION_FACTOR: Number("ctdi_free_air_calculation_factor_mgy_per_mas", "mGy/mA.s"),
    codes.MEAN_CTDI_FREE_AIR: Number("mean_ctdi_free_air_mgy", "mGy"),
    codes.EFFECTIVE_DOSE: Number("effective_dose_msv", "mSv"),
    codes.EFFECTIVE_DOSE_CONVERSION_FACTOR: Number("effective_dose_conversion_factor_msv_per_mgy_cm", "mSv/mGy.cm"),
}

DOSE_BY_PHANTOM = ("mean_ctdi_vol_mgy", "dlp_mgy_cm", "ctdiw_phantom_type")

SIZE_SPECIFIC: Table = {
    codes.MEASUREMENT_METHOD: Coded("measurement_method_code"),
    codes.MEASURED_LATERAL_DIMENSION: Number("measured_lateral_dimension_mm", "mm"),
    codes.MEASURED_AP_DIMENSION: Number("measured_ap_dimension_mm", "mm"),
    codes.DERIVED_EFFECTIVE_DIAMETER: Number("derived_effective_diameter_mm", "mm"),
    codes.WATER_EQUIVALENT_DIAMETER: Number("water_equivalent_diameter_mm", "mm"),
}

DOSE_CHECK: Table = {
    codes.DLP_ALERT_VALUE_CONFIGURED: YesNo("dlp_alert_value_configured"),
    codes.CTDI_VOL_ALERT_VALUE_CONFIGURED: YesNo("ctdi_vol_alert_value_configured"),
    codes.DLP_ALERT_VALUE: Number("dlp_alert_value_mgy_cm", "mGy.cm"),
    codes.CTDI_VOL_ALERT_VALUE: Number("ctdi_vol_alert_value_mgy", "mGy"),
    codes.ACCUMULATED_DLP_FORWARD_ESTIMATE: Number("accumulated_dlp_forward_estimate_mgy_cm", "mGy.cm"),
    codes.ACCUMULATED_CTDI_VOL_FORWARD_ESTIMATE: Number("accumulated_ctdi_vol_forward_estimate_mgy", "mGy"),
    codes.REASON_FOR_PROCEEDING: Words("reason_for_proceeding"),
    codes.DLP_NOTIFICATION_VALUE_CONFIGURED: YesNo("dlp_notification_value_configured"),
    codes.CTDI_VOL_NOTIFICATION_VALUE_CONFIGURED: YesNo("ctdi_vol_notification_value_configured"),
    codes.DLP_NOTIFICATION_VALUE: Number("dlp_notification_value_mgy_cm", "mGy.cm"),
    codes.CTDI_VOL_NOTIFICATION_VALUE: Number("ctdi_vol_notification_value_mgy", "mGy"),
    codes.DLP_FORWARD_ESTIMATE: Number("dlp_forward_estimate_mgy_cm", "mGy.cm"),
    codes.CTDI_VOL_FORWARD_ESTIMATE: Number("ctdi_vol_forward_estimate_mgy", "mGy"),
}


def read_ct_totals(report: Part) -> dict[str, Any]:
    """The totals as reported (TID 10012). None is computed."""
    accumulated = report.find(codes.CT_ACCUMULATED_DOSE_DATA)
    if len(accumulated) > 1:
        report.issue(
            codes.CT_ACCUMULATED_DOSE_DATA.meaning, P_("%(count)s are given instead of one", count=len(accumulated))
        )
        return {}
    return read_accumulated(accumulated[0]) if accumulated else {}


def read_accumulated(part: Part) -> dict[str, Any]:
    """One container of accumulated CT dose (TID 10012)."""
    return _dlp_total(part) | part.values(TOTALS)


def _dlp_total(accumulated: Part) -> dict[str, Any]:
    """The DLP total; totals of different phantoms are never added: 16 cm and 32 cm do not mix."""
    given = _by_phantom(accumulated, codes.CT_DOSE_LENGTH_PRODUCT_TOTAL)
    found = _sub_totals(accumulated)
    if len(given) == 1:
        phantom = given[0].get("ctdiw_phantom_type")
        found[DLP_TOTAL.name] = given[0]["dlp_mgy_cm"]
        found |= {"dlp_total_ctdiw_phantom_type": phantom} if phantom else {}
    if len(given) > 1:
        accumulated.issue(
            codes.CT_DOSE_LENGTH_PRODUCT_TOTAL.meaning,
            P_("%(count)s totals are given, none for all", count=len(given)),
        )
        found["dlp_totals"] = given
    return found


def _sub_totals(accumulated: Part) -> dict[str, Any]:
    """The parts of the DLP total by phantom (TID 10012 row 3a), below the total or beside it."""
    holders = (*accumulated.parts(codes.CT_DOSE_LENGTH_PRODUCT_TOTAL), accumulated)
    given = [one for holder in holders for one in _by_phantom(holder, codes.CT_DOSE_LENGTH_PRODUCT_SUB_TOTAL)]
    return {"dlp_subtotals": given} if given else {}


def _by_phantom(holder: Part, concept: codes.Concept) -> list[dict[str, Any]]:
    """The dose length products of this concept, each with its phantom."""
    given = []
    for part in holder.parts(concept):
        value = holder.read(concept, DLP_TOTAL, part.item)
        if value is not None:
            phantom = part.one(codes.CTDIW_PHANTOM_TYPE, Meaning("ctdiw_phantom_type"))
            given.append({"dlp_mgy_cm": value} | ({"ctdiw_phantom_type": phantom} if phantom else {}))
    return given


def read_ct_event(part: Part) -> dict[str, Any]:
    """One CT Acquisition (TID 10013)."""
    event = part.values(ACQUISITION)
    if "irradiation_event_uid" not in event:
        part.issue(codes.IRRADIATION_EVENT_UID.meaning, P_("the acquisition has no irradiation event UID"))
    parameters = part.parts(codes.CT_ACQUISITION_PARAMETERS) or [part]
    for below in parameters:
        event |= below.values(PARAMETERS)
    event |= _sources([source for below in parameters for source in _source_parts(below)])
    return event | _doses([_dose(below) for below in part.parts(codes.CT_DOSE)])


def _dose(part: Part) -> dict[str, Any]:
    return part.values(DOSE) | _size_specific(part) | _dose_check(part)


def _doses(doses: list[dict[str, Any]]) -> dict[str, Any]:
    """The dose of an acquisition. Where it has several, as by phantom, they stand apart; what they share is its own."""
    given = [dose for dose in doses if dose]
    if len(given) < 2:
        return given[0] if given else {}
    shared = {name: value for name, value in given[0].items() if all(one.get(name) == value for one in given[1:])}
    apart = [{name: one[name] for name in DOSE_BY_PHANTOM if name in one} for one in given]
    if all(one == apart[0] for one in apart):
        return shared
    return {name: value for name, value in shared.items() if name not in DOSE_BY_PHANTOM} | {"ct_doses": apart}


def _source_parts(parameters: Part) -> list[Part]:
    """The X-ray sources; where a device writes the values of its only source beside them, that is the one source."""
    sources = parameters.parts(codes.CT_X_RAY_SOURCE_PARAMETERS)
    if not sources and parameters.has(codes.KVP, codes.X_RAY_TUBE_CURRENT, codes.MAXIMUM_X_RAY_TUBE_CURRENT):
        return [parameters]
    return sources


def _sources(parts: list[Part]) -> dict[str, list[Any]]:
    sources = [part.values(SOURCE) for part in parts]
    names = dict.fromkeys((*SOURCE_ALWAYS, *(name for source in sources for name in source)))
    return {name: [source.get(name) for source in sources] for name in names}


def _size_specific(dose: Part) -> dict[str, Any]:
    """Size Specific Dose Estimates (TID 10013 rows 15 ff.): one or more, each by its own method."""
    estimates = []
    for part in dose.parts(codes.SIZE_SPECIFIC_DOSE_ESTIMATE):
        value = dose.read(
            codes.SIZE_SPECIFIC_DOSE_ESTIMATE, Number("size_specific_dose_estimate_mgy", "mGy"), part.item
        )
        if value is not None:
            estimates.append({"size_specific_dose_estimate_mgy": value, **part.values(SIZE_SPECIFIC)})
    if not estimates:
        return {}
    first = estimates[0]["size_specific_dose_estimate_mgy"]
    only = {"size_specific_dose_estimate_mgy": first} if len(estimates) == 1 else {}
    return only | {"size_specific_dose_estimates": estimates}


def _dose_check(dose: Part) -> dict[str, Any]:
    """Alert and notification values and estimates (TID 10015, NEMA XR 25)."""
    found: dict[str, Any] = {}
    for concept in (codes.DOSE_CHECK_ALERT_DETAILS, codes.DOSE_CHECK_NOTIFICATION_DETAILS):
        for part in dose.parts(concept):
            found |= part.values(DOSE_CHECK)
    return {"dose_check": found} if found else {}
