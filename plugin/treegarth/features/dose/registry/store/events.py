"""The irradiation events and administrations of the dose list's studies, each that counts once. Queries only."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Double,
    Select,
    String,
    Text,
    and_,
    cast,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONPATH

from treegarth.features.dose.reading.model import Kind
from treegarth.features.dose.registry.store.device_names import called
from treegarth.features.dose.registry.store.filters import (
    DoseStudyFilter,
    conditions,
    conditions_of_event,
    is_counted,
    resolved,
    sources_of_events,
)
from treegarth.features.dose.registry.tables import administration, dose_report, dose_study, irradiation_event
from treegarth.record import Record


class DoseEvent(Record):
    """An irradiation event, or an administration of a radiopharmaceutical, with the exam that it is of. Null is
    unknown, not zero. What several X-ray sources or pulses have is that of the first."""

    orthanc_study_id: str
    study_instance_uid: str
    orthanc_instance_id: str
    """Of the source that tells of it."""
    position: int
    """In that source, from 1."""
    kind: Kind
    source: str | None
    """`report`, `capture` or `header`."""
    study_date: date | None
    study_time: time | None
    study_description: str | None
    accession_number: str | None
    patient_id: str | None
    issuer_of_patient_id: str | None
    patient_name: str | None
    patient_sex: str | None
    patient_age: str | None
    """As in DICOM: `063Y`."""
    patient_age_years: float | None
    """Of `patient_age`, else of the days of birth and of the study."""
    patient_size_m: float | None
    patient_weight_kg: float | None
    requested_procedure_description: str | None
    procedure_codes: list[str] | None
    """Each as `code^meaning^scheme`."""
    institution_name: str | None
    manufacturer: str | None
    manufacturer_model_name: str | None
    station_name: str | None
    device_serial_number: str | None
    source_deleted_at: datetime | None
    """When the last of the study's objects left the archive; the dose stays."""
    device_key: str | None
    """What the `device` of lists takes."""
    device_name: str | None
    """What people call the device; null: what its objects say."""
    not_patient: str | None
    """`phantom`, `qa` or `service`, where a rule says so."""
    irradiation_event_uid: str | None
    date_time_started: str | None
    """As DICOM has it; of an administration its start."""
    irradiation_event_type: str | None
    acquisition_protocol: str | None
    target_region: str | None
    """What was examined: the target region, else the anatomical structure, else Body Part Examined."""
    laterality: str | None
    comment: str | None
    mean_ctdi_vol_mgy: float | None
    ctdiw_phantom_type: str | None
    dlp_mgy_cm: float | None
    size_specific_dose_estimate_mgy: float | None
    scanning_length_mm: float | None
    pitch_factor: float | None
    nominal_single_collimation_width_mm: float | None
    nominal_total_collimation_width_mm: float | None
    exposure_time_per_rotation_s: float | None
    maximum_x_ray_tube_current_ma: float | None
    exposure_time_s: float | None
    x_ray_modulation_type: str | None
    kvp: float | None
    x_ray_tube_current_ma: float | None
    acquisition_plane: str | None
    dose_area_product_gy_m2: float | None
    dose_rp_gy: float | None
    irradiation_duration_s: float | None
    number_of_pulses: float | None
    pulse_rate_per_s: float | None
    exposure_time_ms: float | None
    exposure_uas: float | None
    exposure_index: float | None
    target_exposure_index: float | None
    deviation_index: float | None
    positioner_primary_angle_deg: float | None
    positioner_secondary_angle_deg: float | None
    average_glandular_dose_mgy: float | None
    entrance_exposure_at_rp_mgy: float | None
    image_view: str | None
    compression_thickness_mm: float | None
    compression_force_n: float | None
    half_value_layer_mm: float | None
    anode_target_material: str | None
    agent: str | None
    radionuclide: str | None
    administered_activity_mbq: float | None
    route_of_administration: str | None
    effective_dose_msv: float | None
    """Of the administration or of the CT acquisition, as reported."""


OF_X_RAYS = ("kvp", "x_ray_tube_current_ma")
OF_KIND: dict[str, tuple[str, ...]] = {
    "ct": (
        "mean_ctdi_vol_mgy", "ctdiw_phantom_type", "dlp_mgy_cm", "size_specific_dose_estimate_mgy",
        "scanning_length_mm", "pitch_factor", "nominal_single_collimation_width_mm",
        "nominal_total_collimation_width_mm", "exposure_time_per_rotation_s", "maximum_x_ray_tube_current_ma",
        "exposure_time_s", "x_ray_modulation_type", *OF_X_RAYS, "effective_dose_msv",
    ),
    "projection": (
        *OF_X_RAYS, "acquisition_plane", "dose_area_product_gy_m2", "dose_rp_gy", "irradiation_duration_s",
        "number_of_pulses", "pulse_rate_per_s", "exposure_time_ms", "exposure_uas", "exposure_index",
        "target_exposure_index", "deviation_index", "positioner_primary_angle_deg", "positioner_secondary_angle_deg",
        "entrance_exposure_at_rp_mgy",
    ),
    "mammography": (
        *OF_X_RAYS, "dose_area_product_gy_m2", "dose_rp_gy", "exposure_time_ms", "exposure_uas", "exposure_index",
        "target_exposure_index", "deviation_index", "average_glandular_dose_mgy", "entrance_exposure_at_rp_mgy",
        "image_view", "compression_thickness_mm", "compression_force_n", "half_value_layer_mm",
        "anode_target_material", "positioner_primary_angle_deg",
    ),
    "radiopharmaceutical": (
        "agent", "radionuclide", "administered_activity_mbq", "route_of_administration", "effective_dose_msv",
    ),
}  # fmt: skip
"""What means something of one kind only; a file has a sheet of each with the rest left out."""

_CODES = {
    "image_view": "image_view_code",
    "anode_target_material": "anode_target_material_code",
    "route_of_administration": "route_of_administration_code",
}
"""Of these the meaning is shown; else what an image header has under the name itself."""


def select_events(connection: Connection, filters: DoseStudyFilter) -> Select[Any]:
    """Those of the studies that are found, and of these the ones of the kind, the protocol and the doses asked for."""
    wanted = resolved(connection, filters)
    event, given = irradiation_event, administration
    source = func.unnest(sources_of_events(dose_study)).table_valued("instance").render_derived(name="told")
    instance = source.c.instance
    is_given = dose_report.c.kind == "radiopharmaceutical"
    tables = (
        dose_study.join(source, true())
        .join(dose_report, dose_report.c.orthanc_instance_id == instance)
        .join(event, and_(event.c.orthanc_instance_id == instance, ~is_given), isouter=True)
        .join(given, and_(given.c.orthanc_instance_id == instance, is_given), isouter=True)
    )
    position = _position()
    found = select(*_columns()).select_from(tables)
    found = found.where(dose_study.c.replaced_by.is_(None))  # its events are those of the study that replaces it
    found = found.where(position.is_not(None), is_counted(dose_study, dose_report.c.orthanc_instance_id, position))
    if wanted.kind is not None:
        found = found.where(dose_report.c.kind == wanted.kind)
    return found.where(*conditions(wanted), *conditions_of_event(wanted))


@cache
def _position() -> ColumnElement[int]:
    return func.coalesce(irradiation_event.c.position, administration.c.position)


@cache
def _columns() -> tuple[ColumnElement[Any], ...]:
    """The same of every query; to build them takes longer than PostgreSQL does over a small archive."""
    return tuple(_column(name).label(name) for name in DoseEvent.model_fields)


def _column(name: str) -> ColumnElement[Any]:
    event, given, values = irradiation_event.c, administration.c, _values()
    if name == "position":
        return _position()
    if name in ("orthanc_instance_id", "kind", "source"):
        return dose_report.c[name]
    if name == "device_name":
        return called(dose_study.c.device_key)
    if name == "irradiation_event_uid":
        return func.coalesce(event.irradiation_event_uid, given.irradiation_event_uid)
    if name == "date_time_started":
        return func.coalesce(*(values[one].astext for one in ("date_time_started", "start", "start_time")))
    if name == "target_region":
        structure = values["anatomical_structure_code"]["meaning"].astext
        return func.coalesce(event.target_region, structure, values["body_part_examined"].astext)
    if name in _CODES:
        return func.coalesce(_first_text(_CODES[name], "meaning"), _first_text(name))
    if name == "effective_dose_msv":
        return func.coalesce(given.effective_dose_msv, _first_number(name))
    if name in event:
        return event[name]
    if name in given:
        return given[name]
    if name in dose_study.c:
        return dose_study.c[name]
    is_text = DoseEvent.model_fields[name].annotation == str | None
    return _first_text(name) if is_text else _first_number(name)


@cache
def _values() -> ColumnElement[Any]:
    return func.coalesce(
        irradiation_event.c["values"], administration.c["values"], type_=irradiation_event.c["values"].type
    )


def _first_number(name: str) -> ColumnElement[Any]:
    return _number_among(_values(), name)


def number_of_event(name: str) -> ColumnElement[Any]:
    """A value of a row of `irradiation_event` that has no column of its own."""
    return _number_among(irradiation_event.c["values"], name)


def _number_among(values: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """Of several values the first, where it is a number."""
    path = literal(f'$."{name}"[0] ? (@.type() == "number")', String)
    return cast(func.jsonb_path_query_first(values, cast(path, JSONPATH)), Double)


def _first_text(name: str, *within: str) -> ColumnElement[Any]:
    path = "".join(f'."{one}"[0]' for one in (name, *within))
    found = func.jsonb_path_query_first(_values(), cast(literal(f"${path}", String), JSONPATH))
    return cast(found.op("#>>")(literal([], ARRAY(Text))), Text)
