"""What deciding needs to know of a source and of each of its events, made of a reading's values. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from treegarth.features.dose.reading.model import Values
from treegarth.features.dose.reading.planes import plane_of
from treegarth.features.dose.registry.decision.instants import Instant, clock_of, instant_of
from treegarth.features.dose.registry.decision.nuclides import nuclide_of
from treegarth.features.dose.registry.decision.physician import administering
from treegarth.features.dose.registry.rules import Source

Group: TypeAlias = Literal["ct", "x-ray", "radiopharmaceutical"]
GROUPS: Mapping[str, Group] = {
    "ct": "ct",
    "projection": "x-ray",
    "mammography": "x-ray",
    "radiopharmaceutical": "radiopharmaceutical",
}
"""Which kinds can describe one event."""

HEAD, BODY = "IEC Head Dosimetry Phantom", "IEC Body Dosimetry Phantom"
TO_THIS_POINT = "Procedure Step To This Point"  # DCM 113970, PS3.16 CID 10000
FLUOROSCOPY = "Fluoroscopy"  # SCT 44491008, PS3.16 CID 10002
SCANS = ("Spiral Acquisition", "Sequenced Acquisition")  # along the table: PS3.16 CID 10013
NUMBERS = (
    "dlp_mgy_cm",
    "mean_ctdi_vol_mgy",
    "dose_area_product_gy_m2",
    "dose_rp_gy",
    "average_glandular_dose_mgy",
    "administered_activity_mbq",
)
"""The doses of an event: what two accounts of one event agree in."""

MARKS = ("laterality", "view_position", "acquisition_plane", "kvp", "exposure_uas", "acquisition_number")
"""What tells exposures apart that begin at one instant, where both say it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """What a source says of the equipment."""

    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    station: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CtDose:
    """One CTDIvol and DLP of an event, for one phantom."""

    dlp_mgy_cm: float | None
    phantom: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFacts:
    """One irradiation event or administration as one source has it. `region` and `agent` are codes as devices write
    them; `scans` are when an image with this administration was begun, and its series."""

    position: int
    uid: str | None = None
    instant: Instant | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    marks: Mapping[str, str | float] = field(default_factory=dict)
    doses: tuple[CtDose, ...] = ()
    nuclide: str | None = None
    fluoro_time_s: float | None = None
    effective_dose_msv: float | None = None
    protocol: str | None = None
    administered_by: str | None = None
    is_fluoroscopy: bool = False
    is_localizer: bool = False
    is_scan: bool = False
    length_mm: float | None = None
    region: Mapping[str, Any] | None = None
    agent: Mapping[str, Any] | None = None
    half_life_s: float | None = None
    scans: tuple[Instant, ...] = ()
    richness: int = 0

    @property
    def side(self) -> str | None:
        """The breast, `L` or `R`; None where it is both or not told."""
        side = self.marks.get("laterality")
        return side if isinstance(side, str) and side in ("L", "R") else None

    @property
    def plane(self) -> str | None:
        """None of the only plane of a device."""
        plane = self.marks.get("acquisition_plane")
        return plane if isinstance(plane, str) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFacts:
    """One source that was read. Of `received_at` and what follows only the order counts: which account is later.
    `former_uids` are the SOP Instance UIDs of what Orthanc made it of: others may still name it by these."""

    orthanc_instance_id: str
    sop_instance_uid: str
    kind: str
    source: Source = Source.REPORT
    device: Device = Device()
    series: str = ""
    totals: Values = field(default_factory=dict)
    events: tuple[EventFacts, ...] = ()
    scope: str | None = None
    step_uid: str | None = None
    start: Instant | None = None
    predecessors: frozenset[str] = frozenset()
    former_uids: frozenset[str] = frozenset()
    modified_from: str | None = None
    is_partial: bool = False
    content: Instant | None = None
    created: Instant | None = None
    received_at: datetime | None = None
    is_sampled: bool = False
    is_chosen: bool = False

    @property
    def group(self) -> Group:
        return GROUPS[self.kind]

    @property
    def is_document(self) -> bool:
        return self.source is not Source.HEADER

    @property
    def age(self) -> tuple[bool, bool, float, float, float, str]:
        """What of two accounts is later, has the greater: what a person chose, a whole one, by its content, its
        creation, its arrival."""
        arrived = self.received_at.timestamp() if self.received_at is not None else 0.0
        made = self.created.utc_s if self.created is not None else 0.0
        content = self.content.utc_s if self.content is not None else 0.0
        return self.is_chosen, not self.is_partial, content, made, arrived, self.orthanc_instance_id


def event_facts(kind: str, values: Values, position: int, *, offset: object = None) -> EventFacts:
    """What a reading says of one event or administration (names of docs/dose.md); `offset` is the object's zone."""
    numbers = {name: float(values[name]) for name in NUMBERS if isinstance(values.get(name), int | float)}
    event_type = values.get("irradiation_event_type")
    return EventFacts(
        position=position,
        uid=values.get("irradiation_event_uid"),
        instant=_administered(values, offset) if kind == "radiopharmaceutical" else _began(values, offset),
        numbers=numbers,
        marks=_marks(kind, values),
        doses=_ct_doses(values, numbers),
        nuclide=nuclide_of(values.get("radionuclide_code"), values.get("radiopharmaceutical")),
        fluoro_time_s=_number(values, "irradiation_duration_s"),
        effective_dose_msv=_number(values, "effective_dose_msv"),
        protocol=values.get("acquisition_protocol"),
        administered_by=administering(values),
        is_fluoroscopy=event_type == FLUOROSCOPY,
        is_localizer=event_type == "Constant Angle Acquisition",
        is_scan=event_type in SCANS,
        length_mm=_number(values, "exposed_range_mm") or _number(values, "scanning_length_mm"),
        region=_code(values, "target_region_code"),
        agent=_code(values, "agent_code"),
        half_life_s=_number(values, "radionuclide_half_life_s"),
        scans=tuple(
            one for name in ("acquired", "series_started") if (one := instant_of(values.get(name), offset)) is not None
        ),
        richness=len(values),
    )


def report_facts(report: Values) -> dict[str, Any]:
    """What a reading's `report` gives to SourceFacts."""
    offset = report.get("timezone_offset_from_utc")
    predecessors = report.get("predecessor_sop_instance_uids")
    return {
        "scope": report.get("scope_of_accumulation"),
        "step_uid": report.get("scope_performed_procedure_step_uid"),
        "start": instant_of(report.get("start_of_x_ray_irradiation"), offset),
        "predecessors": frozenset(predecessors if isinstance(predecessors, Sequence) else ()),
        "is_partial": report.get("completion_flag") == "PARTIAL",
        "content": instant_of(report.get("content_date_time"), offset),
        "created": instant_of(report.get("instance_created"), offset),
    }


def _began(values: Values, offset: object) -> Instant | None:
    return instant_of(values.get("date_time_started"), offset)


def _marks(kind: str, values: Values) -> dict[str, str | float]:
    told = dict(values) | {"acquisition_plane": None if kind == "ct" else plane_of(values)}
    return {name: value for name in MARKS if isinstance(value := _first(told.get(name)), str | int | float)}


def _administered(values: Values, offset: object) -> Instant | None:
    """The start as a DT; as a TM on the day of the images, which were taken after it."""
    whole = instant_of(values.get("start"), offset)
    if whole is not None:
        return whole
    return clock_of(values.get("start_time"), near=instant_of(values.get("acquired"), offset), offset=offset)


def _ct_doses(values: Values, numbers: Mapping[str, float]) -> tuple[CtDose, ...]:
    given = values.get("ct_doses")
    if isinstance(given, Sequence) and given:
        return tuple(
            CtDose(dlp_mgy_cm=one.get("dlp_mgy_cm"), phantom=one.get("ctdiw_phantom_type"))
            for one in given
            if isinstance(one, Mapping)
        )
    return (CtDose(dlp_mgy_cm=numbers.get("dlp_mgy_cm"), phantom=values.get("ctdiw_phantom_type")),)


def _first(value: object) -> object:
    """Of several values (pulses, X-ray sources) the first that is there."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return next((one for one in value if one is not None), None)
    return value


def _code(values: Values, name: str) -> Mapping[str, Any] | None:
    """Empty where a device names none (Philips)."""
    value = values.get(name)
    return value if isinstance(value, Mapping) and value.get("code") else None


def _number(values: Values, name: str) -> float | None:
    value = values.get(name)
    return float(value) if isinstance(value, int | float) else None
