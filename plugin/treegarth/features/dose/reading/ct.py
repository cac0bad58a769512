"""Read CT dose: TID 10011 (report), 10012 (accumulated), 10013 (acquisition), 10014 (length).

Pure. The names and units are those of docs/dose.md.
"""

from __future__ import annotations

from typing import Any

from treegarth.dicom import codes
from treegarth.features.dose.reading.acquisition import read_acquisition, read_origins
from treegarth.features.dose.reading.calibration import read_calibrations
from treegarth.features.dose.reading.dose_check import read_dose_check
from treegarth.features.dose.reading.effective_dose import FACTOR, read_basis
from treegarth.features.dose.reading.fields import Coded, Count, Meaning, Moment, Number, Table, Uid, Words
from treegarth.features.dose.reading.part import Part
from treegarth.features.dose.reading.participants import read_devices
from treegarth.features.dose.reading.size_specific import read_size_specific
from treegarth.phrases import P_

TOTALS: Table = {
    codes.TOTAL_NUMBER_OF_IRRADIATION_EVENTS: Count("total_number_of_irradiation_events"),
    codes.CT_EFFECTIVE_DOSE_TOTAL: Number("effective_dose_total_msv", "mSv"),
}

DLP_TOTAL = Number("dlp_total_mgy_cm", "mGy.cm")

RECONSTRUCTION_ALGORITHM = Coded("reconstruction_algorithm_code", many=True)

ACQUISITION: Table = {
    codes.IRRADIATION_EVENT_UID: Uid("irradiation_event_uid"),
    codes.IRRADIATION_EVENT_LABEL: Words("irradiation_event_label"),
    codes.DATETIME_STARTED: Moment("date_time_started"),
    codes.ACQUISITION_PROTOCOL: Words("acquisition_protocol"),
    codes.TARGET_REGION: Coded("target_region_code"),
    codes.CT_ACQUISITION_TYPE: Meaning("irradiation_event_type"),
    codes.RECONSTRUCTION_ALGORITHM: RECONSTRUCTION_ALGORITHM,
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
    **FACTOR,
}

DOSE_BY_PHANTOM = ("mean_ctdi_vol_mgy", "dlp_mgy_cm", "ctdiw_phantom_type")


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
    return (
        _dlp_total(part)
        | part.values(TOTALS)
        | read_basis(part, codes.CT_EFFECTIVE_DOSE_TOTAL)
        | read_calibrations(part)
        | read_devices(part)
    )


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
    for kind in part.parts(codes.CT_ACQUISITION_TYPE):
        event |= kind.values({codes.RECONSTRUCTION_ALGORITHM: RECONSTRUCTION_ALGORITHM})
    parameters = part.parts(codes.CT_ACQUISITION_PARAMETERS) or [part]
    for below in parameters:
        event |= below.values(PARAMETERS)
    sources = [source for below in parameters for source in _source_parts(below)]
    doses = part.parts(codes.CT_DOSE)
    event |= read_sources(sources) | _doses([_dose(below) for below in doses])
    tables = [(parameters, PARAMETERS), (sources, SOURCE), (doses, DOSE)]
    origins = read_origins(*((below, table) for parts, table in tables for below in parts))
    return event | read_acquisition(part) | origins


def _dose(part: Part) -> dict[str, Any]:
    basis = read_basis(part, codes.EFFECTIVE_DOSE)
    return basis | part.values(DOSE) | read_size_specific(part) | read_dose_check(part)


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


def read_sources(parts: list[Part]) -> dict[str, list[Any]]:
    """One value per X-ray source, in the order of the report."""
    sources = [part.values(SOURCE) for part in parts]
    names = dict.fromkeys((*SOURCE_ALWAYS, *(name for source in sources for name in source)))
    return {name: [source.get(name) for source in sources] for name in names}
