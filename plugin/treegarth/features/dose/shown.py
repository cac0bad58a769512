"""A dose report as its study's page shows it: which quantities, under which names, in which order. No queries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from treegarth.features.dose.store.reports import DoseReport
from treegarth.web.languages import N_
from treegarth.web.parts import AnyCall, State, translated


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


@dataclass(frozen=True, kw_only=True)
class Cell:
    text: str
    title: str = ""
    numeric: bool = True


@dataclass(frozen=True, kw_only=True)
class Total:
    label: str
    value: float | None
    unit: str
    differs: bool = False  # from the total as reported, by more than rounding


@dataclass(frozen=True, kw_only=True)
class Column:
    label: str
    unit: str
    numeric: bool


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Why a report shows no dose, or not yet."""

    kind: State
    word: str
    sentence: str = ""


@dataclass(frozen=True, kw_only=True)
class ShownReport:
    title: str
    equipment: str
    problem: Finding | None
    totals: list[Total]
    columns: list[Column]
    rows: list[list[Cell]]
    issues: Sequence[Mapping[str, str]]
    sop_instance_uid: str
    source_url: str | None
    content_url: str


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
SUMS: dict[str, tuple[str, Quantity]] = {
    "ct": ("dlp_mgy_cm", Quantity(name="dlp_total_mgy_cm", label=N_("DLP, sum of the events"), unit="mGy·cm")),
}
ROUNDING = 0.01  # of the total; reports give events and totals with two to four figures
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


def shown_report(call: AnyCall, report: DoseReport) -> ShownReport:
    """The report in the reader's language; what it has not is left out or a dash, never 0."""
    kind = report.kind or ""
    values = report.irradiation_events or report.administrations
    quantities = [
        quantity for quantity in EVENTS.get(kind, ()) if quantity.always or any(_has(v, quantity) for v in values)
    ]
    parts = (report.manufacturer, report.manufacturer_model_name, report.station_name)
    gone = report.source_deleted_at is not None
    return ShownReport(
        title=translated(call, TITLES.get(kind, N_("Dose report"))),
        equipment=" · ".join(part for part in parts if part),
        problem=_problem(call, report),
        totals=[
            _total(call, report, quantity)
            for quantity in TOTALS.get(kind, ())
            if quantity.always or report.totals.get(quantity.name) is not None
        ]
        + _sums(call, report),
        columns=[Column(label=translated(call, q.label), unit=q.unit, numeric=q.numeric) for q in quantities],
        rows=[[_cell(call, quantity, value.get(quantity.name)) for quantity in quantities] for value in values],
        issues=report.issues,
        sop_instance_uid=report.sop_instance_uid,
        content_url=call.site.url("dose.content_page", orthanc_instance_id=report.orthanc_instance_id),
        source_url=None if gone else f"/instances/{report.orthanc_instance_id}/file",
    )


def _problem(call: AnyCall, report: DoseReport) -> Finding | None:
    if report.state == "failed":
        return Finding(
            kind="attention", word=translated(call, N_("could not be read")), sentence=report.last_error or ""
        )
    if report.state == "refused":
        return Finding(kind="unknown", word=translated(call, N_("holds no dose")), sentence=report.refused or "")
    if report.state == "unread":
        return Finding(kind="waiting", word=translated(call, N_("waits to be read")))
    if report.source_deleted_at is not None:
        return Finding(kind="unknown", word=translated(call, N_("the object has left the archive; its dose is kept")))
    return None


def _total(call: AnyCall, report: DoseReport, quantity: Quantity) -> Total:
    value = report.totals.get(quantity.name)
    number = value * quantity.factor if isinstance(value, int | float) else None
    return Total(label=translated(call, quantity.label), value=number, unit=quantity.unit)


def _sums(call: AnyCall, report: DoseReport) -> list[Total]:
    """The sum over the events beside the total as reported: they are not the same thing, and may differ."""
    if (report.kind or "") not in SUMS or not report.irradiation_events:
        return []
    of_event, quantity = SUMS[report.kind or ""]
    known = [event[of_event] for event in report.irradiation_events if event.get(of_event) is not None]
    if not known:
        return []
    reported = report.totals.get(quantity.name)
    differs = reported is not None and abs(reported - sum(known)) > ROUNDING * abs(reported)
    return [Total(label=translated(call, quantity.label), value=sum(known), unit=quantity.unit, differs=differs)]


def _has(values: Mapping[str, Any], quantity: Quantity) -> bool:
    value = values.get(quantity.name)
    return any(part is not None for part in value) if isinstance(value, list) else value is not None


def _cell(call: AnyCall, quantity: Quantity, value: Any) -> Cell:
    """One value, or one of each X-ray source divided by a slash; all digits in the title."""
    parts = value if isinstance(value, list) else [value]
    texts = [_text(call, quantity, part) for part in parts if part is not None]
    full = [str(part) for part in parts if isinstance(part, float) or (isinstance(part, str) and part in SHORT)]
    if quantity.factor != 1.0:
        full = [f"{part * quantity.factor:.12g}" for part in parts if isinstance(part, float)]
    return Cell(text=" / ".join(texts) or "–", title=" / ".join(full), numeric=quantity.numeric)


def _text(call: AnyCall, quantity: Quantity, value: Any) -> str:
    if isinstance(value, Mapping):
        return readable_meaning(str(value.get("meaning") or value.get("code") or "–"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        name = "number" if quantity.whole else "significant"
        return str(call.site.environments[call.language].filters[name](value * quantity.factor))
    if quantity.moment:
        return readable_moment(str(value))
    return translated(call, SHORT[value]) if value in SHORT else str(value)


def readable_meaning(meaning: str) -> str:
    """SNOMED writes raised figures between carets: F^18^ is F¹⁸."""
    raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    return re.sub(r"\^(\d+)\^", lambda found: found[1].translate(raised), meaning)


def readable_moment(value: str) -> str:
    """A DT (PS3.5 6.2) in ISO form to the second, with its offset where it has one; anything else as it is."""
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?([+-]\d{4})?", value.strip())
    if found is None:
        return value
    year, month, day, hour, minute, second, offset = found.groups()
    clock = f"{hour}:{minute}:{second}" if second else f"{hour}:{minute}"
    return f"{year}-{month}-{day} {clock}" + (f" {offset[:3]}:{offset[3:]}" if offset else "")
