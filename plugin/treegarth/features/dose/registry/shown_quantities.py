"""Which quantities of a report are shown, under which names, in which unit and order. Tables only."""

from __future__ import annotations

from dataclasses import dataclass

from treegarth.phrases import N_


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One thing that is shown: its name in the registry, how it is called, its unit."""

    name: str
    label: str
    unit: str = ""
    numeric: bool = True
    always: bool = False  # shown as a column of dashes where no event has it: its absence says something
    factor: float = 1.0  # from the stored unit to the one shown
    moment: bool = False  # a date and time as DICOM has it (DT)
    whole: bool = False  # a count, which devices may write with a decimal point
    side: bool = False  # L, R or B
    clock: bool = False  # a time of day as DICOM has it (TM)


TITLES: dict[str, str] = {
    "ct": N_("CT radiation dose report"),
    "projection": N_("X-ray radiation dose report"),
    "mammography": N_("Mammography radiation dose report"),
    "radiopharmaceutical": N_("Radiopharmaceutical dose report"),
}
TOTALS: dict[str, tuple[Quantity, ...]] = {
    "ct": (
        Quantity(name="dlp_total_mgy_cm", label=N_("DLP, total as reported"), unit="mGy·cm", always=True),
        Quantity(name="total_number_of_irradiation_events", label=N_("Events as reported")),
        Quantity(name="effective_dose_total_msv", label=N_("Effective dose, as reported"), unit="mSv"),
    ),
    "projection": (
        Quantity(name="dose_area_product_total_gy_m2", label=N_("DAP, total"), unit="Gy·cm²", always=True, factor=1e4),
        Quantity(
            name="dose_rp_total_gy", label=N_("Dose at reference point, total"), unit="mGy", always=True, factor=1e3
        ),
        Quantity(
            name="fluoro_dose_area_product_total_gy_m2", label=N_("DAP of fluoroscopy"), unit="Gy·cm²", factor=1e4
        ),
        Quantity(
            name="acquisition_dose_area_product_total_gy_m2", label=N_("DAP of acquisitions"), unit="Gy·cm²", factor=1e4
        ),
        Quantity(name="total_fluoro_time_s", label=N_("Fluoroscopy time"), unit="s"),
    ),
    "mammography": (
        Quantity(name="accumulated_average_glandular_dose_left_mgy", label=N_("AGD, left"), unit="mGy"),
        Quantity(name="accumulated_average_glandular_dose_right_mgy", label=N_("AGD, right"), unit="mGy"),
    ),
}
SUMS: dict[str, tuple[tuple[str, Quantity], ...]] = {
    "ct": (("dlp_mgy_cm", Quantity(name="dlp_total_mgy_cm", label=N_("DLP, sum of the events"), unit="mGy·cm")),),
    "projection": (
        (
            "dose_area_product_gy_m2",
            Quantity(
                name="dose_area_product_total_gy_m2", label=N_("DAP, sum of the events"), unit="Gy·cm²", factor=1e4
            ),
        ),
        (
            "dose_rp_gy",
            Quantity(
                name="dose_rp_total_gy", label=N_("Dose at reference point, sum of the events"), unit="mGy", factor=1e3
            ),
        ),
    ),
}
SIDES: dict[str, str] = {"L": N_("Left"), "R": N_("Right"), "B": N_("Both")}
"""Image Laterality (0020,0062), PS3.3 C.7.6.1.1.1."""
SHORT: dict[str, str] = {
    # The phantoms' diameters: IEC 60601-2-44; the acquisitions: PS3.16 CID 10013.
    "IEC Head Dosimetry Phantom": N_("Head 16 cm"),
    "IEC Body Dosimetry Phantom": N_("Body 32 cm"),
    "Spiral Acquisition": N_("Spiral"),
    "Sequenced Acquisition": N_("Sequenced"),
    "Constant Angle Acquisition": N_("Constant angle"),
    "Stationary Acquisition": N_("Stationary"),
    "Free Acquisition": N_("Free"),
    "Cone Beam Acquisition": N_("Cone beam"),
    # The planes: PS3.16 CID 10003; the sorts of exposures: CID 10002.
    "Plane A": N_("Plane A"),
    "Plane B": N_("Plane B"),
    "Single Plane": N_("Single plane"),
    "Fluoroscopy": N_("Fluoroscopy"),
    "Stepping Acquisition": N_("Stepping"),
    "Rotational Acquisition": N_("Rotational"),
}
WHERE = (
    Quantity(name="laterality", label=N_("Side"), numeric=False, side=True),
    Quantity(name="view_position", label=N_("View"), numeric=False),
    Quantity(name="body_part_examined", label=N_("Body part"), numeric=False),
)
DETAILS_LABELS: dict[str, str] = {"radiopharmaceutical": N_("More of each administration")}
"""Of a kind whose details are no geometry and exposure."""
EVENTS: dict[str, tuple[Quantity, ...]] = {
    "ct": (
        Quantity(name="acquisition_protocol", label=N_("Protocol"), numeric=False),
        Quantity(name="irradiation_event_type", label=N_("Acquisition"), numeric=False),
        Quantity(name="target_region_code", label=N_("Region"), numeric=False),
        Quantity(name="acquisition_number", label=N_("Acquisition no."), whole=True),
        Quantity(name="mean_ctdi_vol_mgy", label="CTDIvol", unit="mGy", always=True),
        Quantity(name="dlp_mgy_cm", label="DLP", unit="mGy·cm", always=True),
        Quantity(name="ctdiw_phantom_type", label=N_("Phantom"), numeric=False, always=True),
        Quantity(name="size_specific_dose_estimate_mgy", label="SSDE", unit="mGy"),
        Quantity(name="scanning_length_mm", label=N_("Length"), unit="mm"),
        Quantity(name="kvp", label="kVp", unit="kV"),
        Quantity(name="x_ray_tube_current_ma", label=N_("Current"), unit="mA"),
        Quantity(name="maximum_x_ray_tube_current_ma", label=N_("Current, max"), unit="mA"),
        Quantity(name="exposure_time_per_rotation_s", label=N_("Rotation"), unit="s"),
        Quantity(name="exposure_time_s", label=N_("Exposure"), unit="s"),
        Quantity(name="pitch_factor", label=N_("Pitch")),
        Quantity(name="nominal_total_collimation_width_mm", label=N_("Collimation"), unit="mm"),
    ),
    "projection": (
        Quantity(name="date_time_started", label=N_("Started"), numeric=False, moment=True),
        Quantity(name="acquisition_protocol", label=N_("Protocol"), numeric=False),
        Quantity(name="irradiation_event_type", label=N_("Acquisition"), numeric=False),
        Quantity(name="acquisition_plane", label=N_("Plane"), numeric=False),
        *WHERE,
        Quantity(name="dose_area_product_gy_m2", label="DAP", unit="Gy·cm²", always=True, factor=1e4),
        Quantity(name="dose_rp_gy", label=N_("Dose at reference point"), unit="mGy", factor=1e3),
        Quantity(name="kvp", label="kVp", unit="kV"),
        Quantity(name="irradiation_duration_s", label=N_("Duration"), unit="s"),
        Quantity(name="number_of_pulses", label=N_("Pulses"), whole=True),
    ),
    "mammography": (
        Quantity(name="laterality", label=N_("Side"), numeric=False, always=True, side=True),
        Quantity(name="view", label=N_("View"), numeric=False, always=True),
        Quantity(name="view_modifiers", label=N_("View, modified"), numeric=False),
        Quantity(name="average_glandular_dose_mgy", label="AGD", unit="mGy", always=True),
        Quantity(name="entrance_exposure_at_rp_mgy", label=N_("Entrance dose"), unit="mGy"),
        Quantity(name="kvp", label="kVp", unit="kV"),
        Quantity(name="exposure_uas", label=N_("Current-time product"), unit="mAs", factor=1e-3),
        Quantity(name="anode_and_filter", label=N_("Anode / filter"), numeric=False),
        Quantity(name="compression_thickness_mm", label=N_("Compression"), unit="mm"),
        Quantity(name="compression_force_n", label=N_("Compression force"), unit="N"),
        Quantity(name="source", label=N_("Source"), numeric=False),
        Quantity(name="irradiation_event_type", label=N_("Acquisition"), numeric=False),
        Quantity(name="date_time_started", label=N_("Started"), numeric=False, moment=True),
    ),
    "radiopharmaceutical": (
        Quantity(name="agent_code", label=N_("Agent"), numeric=False),
        Quantity(name="radiopharmaceutical", label=N_("Agent as written"), numeric=False),
        Quantity(name="radionuclide_code", label=N_("Radionuclide"), numeric=False),
        Quantity(name="start", label=N_("Started"), numeric=False, moment=True),
        Quantity(name="start_time", label=N_("Started at"), numeric=False, clock=True),
        Quantity(name="administered_activity_mbq", label=N_("Activity"), unit="MBq", always=True),
        Quantity(name="effective_dose_msv", label=N_("Effective dose"), unit="mSv"),
    ),
}
TABLE = (
    Quantity(name="table_longitudinal_position_mm", label=N_("Table, longitudinal"), unit="mm"),
    Quantity(name="table_lateral_position_mm", label=N_("Table, lateral"), unit="mm"),
    Quantity(name="table_height_position_mm", label=N_("Table, height"), unit="mm"),
    Quantity(name="table_longitudinal_end_position_mm", label=N_("Table, longitudinal, end"), unit="mm"),
    Quantity(name="table_lateral_end_position_mm", label=N_("Table, lateral, end"), unit="mm"),
    Quantity(name="table_height_end_position_mm", label=N_("Table, height, end"), unit="mm"),
    Quantity(name="table_head_tilt_angle_deg", label=N_("Table, head tilt"), unit="°"),
    Quantity(name="table_horizontal_rotation_angle_deg", label=N_("Table, rotation"), unit="°"),
    Quantity(name="table_cradle_tilt_angle_deg", label=N_("Table, cradle tilt"), unit="°"),
)
ANGLES = (
    Quantity(name="positioner_primary_angle_deg", label=N_("Primary angle"), unit="°"),
    Quantity(name="positioner_primary_end_angle_deg", label=N_("Primary angle, end"), unit="°"),
    Quantity(name="positioner_secondary_angle_deg", label=N_("Secondary angle"), unit="°"),
    Quantity(name="positioner_secondary_end_angle_deg", label=N_("Secondary angle, end"), unit="°"),
)
TUBE = (
    Quantity(name="x_ray_tube_current_ma", label=N_("Current"), unit="mA"),
    Quantity(name="exposure_time_ms", label=N_("Exposure time"), unit="ms"),
    Quantity(name="average_x_ray_tube_current_ma", label=N_("Current, mean"), unit="mA"),
    Quantity(name="exposure_uas", label=N_("Current-time product"), unit="mAs", factor=1e-3),
    Quantity(name="pulse_rate_per_s", label=N_("Pulse rate"), unit="1/s"),
    Quantity(name="pulse_width_ms", label=N_("Pulse width"), unit="ms"),
    Quantity(name="focal_spot_size_mm", label=N_("Focal spot"), unit="mm"),
    Quantity(name="anode_target_material_code", label=N_("Anode"), numeric=False),
    Quantity(name="x_ray_filters", label=N_("Filters"), numeric=False),
    Quantity(name="half_value_layer_mm", label=N_("Half value layer"), unit="mm"),
)
DETECTOR = (
    Quantity(name="distance_source_to_detector_mm", label=N_("Source to detector"), unit="mm"),
    Quantity(name="distance_source_to_isocenter_mm", label=N_("Source to isocentre"), unit="mm"),
    Quantity(name="distance_source_to_reference_point_mm", label=N_("Source to reference point"), unit="mm"),
    Quantity(name="distance_source_to_patient_mm", label=N_("Source to patient"), unit="mm"),
    Quantity(name="distance_source_to_table_plane_mm", label=N_("Source to table"), unit="mm"),
    Quantity(name="patient_equivalent_thickness_mm", label=N_("Equivalent thickness of the patient"), unit="mm"),
    Quantity(name="collimated_field_area_m2", label=N_("Field area"), unit="cm²", factor=1e4),
    Quantity(name="collimated_field_height_mm", label=N_("Field height"), unit="mm"),
    Quantity(name="collimated_field_width_mm", label=N_("Field width"), unit="mm"),
    Quantity(name="x_ray_grid_code", label=N_("Grid"), numeric=False),
    Quantity(name="x_ray_grid", label=N_("Grid as written"), numeric=False),
    Quantity(name="exposure_index", label=N_("Exposure index")),
    Quantity(name="target_exposure_index", label=N_("Exposure index, target")),
    Quantity(name="deviation_index", label=N_("Deviation index")),
)
DETAILS: dict[str, tuple[Quantity, ...]] = {
    "ct": (
        Quantity(name="date_time_started", label=N_("Started"), numeric=False, moment=True),
        Quantity(name="x_ray_source_identification", label=N_("X-ray source"), numeric=False),
        Quantity(name="x_ray_modulation_type", label=N_("Modulation"), numeric=False),
        Quantity(name="x_ray_filter_aluminum_equivalent_mm", label=N_("Filter, as aluminium"), unit="mm"),
        Quantity(name="nominal_single_collimation_width_mm", label=N_("Collimation of a slice"), unit="mm"),
        Quantity(name="exposed_range_mm", label=N_("Exposed range"), unit="mm"),
        Quantity(name="length_of_reconstructable_volume_mm", label=N_("Reconstructable length"), unit="mm"),
        Quantity(name="top_z_of_scanning_length_mm", label=N_("Scan, top"), unit="mm"),
        Quantity(name="bottom_z_of_scanning_length_mm", label=N_("Scan, bottom"), unit="mm"),
        Quantity(name="mean_ctdi_free_air_mgy", label=N_("CTDI free in air"), unit="mGy"),
        Quantity(name="effective_dose_msv", label=N_("Effective dose"), unit="mSv"),
        Quantity(
            name="effective_dose_conversion_factor_msv_per_mgy_cm", label=N_("Conversion factor"), unit="mSv/mGy·cm"
        ),
        Quantity(name="procedure_context_code", label=N_("Context"), numeric=False),
        Quantity(name="comment", label=N_("Comment"), numeric=False),
    ),
    "projection": (
        Quantity(name="fluoro_mode", label=N_("Fluoroscopy mode"), numeric=False),
        *ANGLES,
        *TUBE,
        *DETECTOR,
        *TABLE,
        Quantity(name="target_region_code", label=N_("Region"), numeric=False),
        Quantity(name="anatomical_structure_code", label=N_("Anatomy"), numeric=False),
        Quantity(name="image_view_code", label=N_("View"), numeric=False),
        Quantity(name="patient_table_relationship_code", label=N_("Patient on the table"), numeric=False),
        Quantity(name="patient_orientation_code", label=N_("Patient orientation"), numeric=False),
        Quantity(name="reference_point_definition", label=N_("Reference point"), numeric=False),
        Quantity(name="comment", label=N_("Comment"), numeric=False),
    ),
    "mammography": (
        Quantity(name="acquisition_protocol", label=N_("Protocol"), numeric=False),
        Quantity(name="compression_pressure_kpa", label=N_("Compression pressure"), unit="kPa"),
        Quantity(name="compression_contact_area_mm2", label=N_("Contact area"), unit="mm²"),
        *ANGLES,
        *TUBE,
        *DETECTOR,
    ),
    "radiopharmaceutical": (
        Quantity(name="stop", label=N_("Ended"), numeric=False, moment=True),
        Quantity(name="route_of_administration_code", label=N_("Route"), numeric=False),
        Quantity(name="route_of_administration", label=N_("Route as written"), numeric=False),
        Quantity(name="site_of_administration_code", label=N_("Site"), numeric=False),
        Quantity(name="radionuclide_half_life_s", label=N_("Half-life"), unit="s"),
        Quantity(name="pre_administration_activity_mbq", label=N_("Activity before"), unit="MBq"),
        Quantity(name="post_administration_activity_mbq", label=N_("Activity after"), unit="MBq"),
        Quantity(name="radiopharmaceutical_volume_ml", label=N_("Volume"), unit="mL"),
        Quantity(name="estimated_extravasation_activity_mbq", label=N_("Extravasation, estimated"), unit="MBq"),
        Quantity(name="effective_dose_reference_authority", label=N_("Effective dose by"), numeric=False),
        Quantity(name="brand_name", label=N_("Brand"), numeric=False),
        Quantity(name="acquired", label=N_("Images made"), numeric=False, moment=True),
        Quantity(name="comment", label=N_("Comment"), numeric=False),
    ),
}
"""Geometry and exposure, beside the doses: shown where at least one event has it."""
RULES: dict[str, str] = {
    "single": N_("nothing takes its place"),
    "repeated": N_("a later or fuller report has the same events"),
    "cumulative": N_("another report has its events and more"),
    "replaced": N_("a later version takes its place"),
    "elsewhere": N_("its events count in another study"),
    "continued": N_("it has events of its own"),
    "overlapping": N_("some of its events are in another report too: each is taken once"),
    "superseded": N_("a better source has its dose"),
    "same_exposure": N_("another image is of the same exposure"),
    "exposures": N_("it is of an exposure of its own"),
    "overruled": N_("a person says that another report counts"),
    "chosen": N_("a person says so"),
    "voided": N_("a person left it out"),
    "moved": N_("a person moved it to another study"),
}
"""Why a source counts or does not, by the rule that decided (docs/dose.md)."""
SIZE_SPECIFIC = (
    Quantity(name="event", label=N_("Event"), whole=True, always=True),
    Quantity(name="acquisition_protocol", label=N_("Protocol"), numeric=False),
    Quantity(name="size_specific_dose_estimate_mgy", label="SSDE", unit="mGy", always=True),
    Quantity(name="measurement_method_code", label=N_("Method"), numeric=False, always=True),
    Quantity(name="water_equivalent_diameter_mm", label=N_("Water-equivalent diameter"), unit="mm"),
    Quantity(name="derived_effective_diameter_mm", label=N_("Effective diameter"), unit="mm"),
    Quantity(name="measured_lateral_dimension_mm", label=N_("Lateral dimension"), unit="mm"),
    Quantity(name="measured_ap_dimension_mm", label=N_("AP dimension"), unit="mm"),
)
"""Size Specific Dose Estimates (TID 10013)."""
DOSE_CHECK = (
    Quantity(name="event", label=N_("Event"), whole=True, always=True),
    Quantity(name="acquisition_protocol", label=N_("Protocol"), numeric=False),
    Quantity(name="check", label=N_("Check"), numeric=False, always=True),
    Quantity(name="configured", label=N_("Switched on"), numeric=False),
    Quantity(name="limit", label=N_("Limit"), always=True),
    Quantity(name="estimate", label=N_("Forward estimate"), always=True),
    Quantity(name="verdict", label=N_("Result"), numeric=False),
)
"""Alert and notification values against what was about to be given (TID 10015, NEMA XR 25)."""
ORGANS = (
    Quantity(name="event", label=N_("Event"), whole=True),
    Quantity(name="finding_site_code", label=N_("Organ"), numeric=False, always=True),
    Quantity(name="laterality", label=N_("Side"), numeric=False, side=True),
    Quantity(name="organ_dose_mgy", label=N_("Organ dose"), unit="mGy"),
    Quantity(name="absorbed_dose_mgy", label=N_("Absorbed dose"), unit="mGy"),
    Quantity(name="equivalent_dose_msv", label=N_("Equivalent dose"), unit="mSv"),
    Quantity(name="effective_dose_msv", label=N_("Effective dose"), unit="mSv"),
    Quantity(name="reference_authority", label=N_("By the model of"), numeric=False),
    Quantity(name="radiation_dose_estimate_name", label=N_("Estimate"), numeric=False),
    Quantity(name="radiation_dose_estimate_method_type_code", label=N_("Method"), numeric=False),
)
"""Doses of organs (TID 10023), and the estimates of a Patient Radiation Dose report (TID 10030)."""
SOURCES = (
    Quantity(name="made", label=N_("Made"), numeric=False, moment=True, always=True),
    Quantity(name="sort", label=N_("Source"), numeric=False, always=True),
    Quantity(name="counts", label=N_("Counts"), numeric=False, always=True),
    Quantity(name="because_of", label=N_("Because of"), numeric=False),
    Quantity(name="series", label=N_("Series"), numeric=False),
    Quantity(name="events", label=N_("Events"), whole=True),
)
"""Every source of an exam, those too that do not count."""
