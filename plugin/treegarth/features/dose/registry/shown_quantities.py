"""Which quantities of a report are shown, under which names, in which unit and order. Tables only."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

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
ROUNDING = Decimal("0.01")  # of the total; reports give events and totals with two to four figures
SHORT: dict[str, str] = {
    # The phantoms' diameters: IEC 60601-2-44; the acquisitions: PS3.16 CID 10013.
    "IEC Head Dosimetry Phantom": N_("Head 16 cm"),
    "IEC Body Dosimetry Phantom": N_("Body 32 cm"),
    "Spiral Acquisition": N_("Spiral"),
    "Sequenced Acquisition": N_("Sequenced"),
    "Constant Angle Acquisition": N_("Constant angle"),
    "Stationary Acquisition": N_("Stationary"),
    "Free Acquisition": N_("Free"),
}
EVENTS: dict[str, tuple[Quantity, ...]] = {
    "ct": (
        Quantity(name="acquisition_protocol", label=N_("Protocol"), numeric=False),
        Quantity(name="irradiation_event_type", label=N_("Acquisition"), numeric=False),
        Quantity(name="target_region_code", label=N_("Region"), numeric=False),
        Quantity(name="mean_ctdi_vol_mgy", label="CTDIvol", unit="mGy", always=True),
        Quantity(name="dlp_mgy_cm", label="DLP", unit="mGy·cm", always=True),
        Quantity(name="ctdiw_phantom_type", label=N_("Phantom"), numeric=False, always=True),
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
        Quantity(name="dose_area_product_gy_m2", label="DAP", unit="Gy·cm²", always=True, factor=1e4),
        Quantity(name="dose_rp_gy", label=N_("Dose at reference point"), unit="mGy", factor=1e3),
        Quantity(name="kvp", label="kVp", unit="kV"),
        Quantity(name="irradiation_duration_s", label=N_("Duration"), unit="s"),
        Quantity(name="number_of_pulses", label=N_("Pulses"), whole=True),
    ),
    "mammography": (
        Quantity(name="laterality", label=N_("Side"), numeric=False),
        Quantity(name="image_view_code", label=N_("View"), numeric=False),
        Quantity(name="average_glandular_dose_mgy", label="AGD", unit="mGy", always=True),
        Quantity(name="entrance_exposure_at_rp_mgy", label=N_("Entrance dose"), unit="mGy"),
        Quantity(name="compression_thickness_mm", label=N_("Compression"), unit="mm"),
        Quantity(name="kvp", label="kVp", unit="kV"),
    ),
    "radiopharmaceutical": (
        Quantity(name="agent_code", label=N_("Agent"), numeric=False),
        Quantity(name="radionuclide_code", label=N_("Radionuclide"), numeric=False),
        Quantity(name="start", label=N_("Started"), numeric=False, moment=True),
        Quantity(name="administered_activity_mbq", label=N_("Activity"), unit="MBq", always=True),
        Quantity(name="effective_dose_msv", label=N_("Effective dose"), unit="mSv"),
    ),
}
TABLE = (
    Quantity(name="table_longitudinal_position_mm", label=N_("Table, longitudinal"), unit="mm"),
    Quantity(name="table_lateral_position_mm", label=N_("Table, lateral"), unit="mm"),
    Quantity(name="table_height_position_mm", label=N_("Table, height"), unit="mm"),
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
    Quantity(name="exposure_uas", label=N_("Exposure"), unit="µAs"),
    Quantity(name="pulse_rate_per_s", label=N_("Pulse rate"), unit="1/s"),
    Quantity(name="pulse_width_ms", label=N_("Pulse width"), unit="ms"),
    Quantity(name="focal_spot_size_mm", label=N_("Focal spot"), unit="mm"),
    Quantity(name="anode_target_material_code", label=N_("Anode"), numeric=False),
    Quantity(name="half_value_layer_mm", label=N_("Half value layer"), unit="mm"),
)
DETECTOR = (
    Quantity(name="distance_source_to_detector_mm", label=N_("Source to detector"), unit="mm"),
    Quantity(name="distance_source_to_isocenter_mm", label=N_("Source to isocentre"), unit="mm"),
    Quantity(name="distance_source_to_reference_point_mm", label=N_("Source to reference point"), unit="mm"),
    Quantity(name="collimated_field_area_m2", label=N_("Field area"), unit="cm²", factor=1e4),
    Quantity(name="x_ray_grid_code", label=N_("Grid"), numeric=False),
    Quantity(name="exposure_index", label=N_("Exposure index")),
    Quantity(name="target_exposure_index", label=N_("Exposure index, target")),
    Quantity(name="deviation_index", label=N_("Deviation index")),
)
DETAILS: dict[str, tuple[Quantity, ...]] = {
    "projection": (
        Quantity(name="fluoro_mode", label=N_("Fluoroscopy mode"), numeric=False),
        *ANGLES,
        *TUBE,
        *DETECTOR,
        *TABLE,
        Quantity(name="target_region_code", label=N_("Region"), numeric=False),
    ),
    "mammography": (
        Quantity(name="acquisition_protocol", label=N_("Protocol"), numeric=False),
        Quantity(name="irradiation_event_type", label=N_("Acquisition"), numeric=False),
        Quantity(name="compression_force_n", label=N_("Compression force"), unit="N"),
        *ANGLES,
        *TUBE,
        *DETECTOR,
    ),
    "radiopharmaceutical": (
        Quantity(name="stop", label=N_("Ended"), numeric=False, moment=True),
        Quantity(name="route_of_administration_code", label=N_("Route"), numeric=False),
        Quantity(name="site_of_administration_code", label=N_("Site"), numeric=False),
        Quantity(name="radionuclide_half_life_s", label=N_("Half-life"), unit="s"),
        Quantity(name="pre_administration_activity_mbq", label=N_("Activity before"), unit="MBq"),
        Quantity(name="post_administration_activity_mbq", label=N_("Activity after"), unit="MBq"),
        Quantity(name="radiopharmaceutical_volume_ml", label=N_("Volume"), unit="mL"),
        Quantity(name="organ_dose_count", label=N_("Organ doses"), whole=True),
    ),
}
"""Geometry and exposure, beside the doses: shown where at least one event has it."""
RULES: dict[str, str] = {
    "single": N_("nothing takes its place"),
    "repeated": N_("the same events again"),
    "cumulative": N_("another report repeats and extends it"),
    "replaced": N_("a later version takes its place"),
    "elsewhere": N_("its events count in another study"),
    "continued": N_("different events: each report counts"),
    "overlapping": N_("partly the same events: each is taken once"),
    "superseded": N_("a better source of the same kind is there"),
    "same_exposure": N_("another image of the same exposure"),
    "exposures": N_("different exposures: each counts once"),
}
