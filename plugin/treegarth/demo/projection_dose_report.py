"""X-Ray Radiation Dose SR of a projection study (PS3.16 TID 10001 to 10007): fluoroscopy and angiography. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydicom.dataset import Dataset
from pydicom.uid import XRayRadiationDoseSRStorage

from treegarth.demo.codes import YES, Code, dcm, sct, ucum
from treegarth.demo.content import (
    coded,
    container,
    device_observer,
    identifier,
    moment,
    number,
    optional_number,
    present,
    procedure_reported,
    scope_of_accumulation,
    source_of_dose_information,
    text,
)
from treegarth.demo.identifiers import made_up_uid
from treegarth.demo.structured_report import structured_report
from treegarth.demo.studies import Equipment, Series, Study

ANGIOGRAPH = Equipment(
    model="Arc XA 30", station_name="XA1", ae_title="ANGIO1", serial_number="31415", department="Cardiology"
)

FLUOROSCOPY = sct("44491008", "Fluoroscopy")
STATIONARY_ACQUISITION = dcm("113611", "Stationary Acquisition")
Plane = Literal["Single Plane", "Plane A", "Plane B"]
_PLANES: dict[Plane, Code] = {
    "Single Plane": dcm("113622", "Single Plane"),
    "Plane A": dcm("113620", "Plane A"),
    "Plane B": dcm("113621", "Plane B"),
}

_GY = ucum("Gy")
_GY_M2 = ucum("Gy.m2")
_DEG = ucum("deg", "degree")
_MM = ucum("mm")
_S = ucum("s")


@dataclass(frozen=True, kw_only=True)
class ProjectionEvent:
    """One irradiation event of a projection device. None leaves an item out."""

    dose_area_product_gy_m2: float | None
    dose_rp_gy: float | None
    irradiation_event_type: Code = FLUOROSCOPY
    acquisition_protocol: str | None = "FL low"
    acquisition_plane: Plane = "Single Plane"
    kvp: float | None = 76.0
    x_ray_tube_current_ma: float | None = 90.0
    exposure_uas: float | None = 3600.0
    irradiation_duration_s: float | None = 8.0
    number_of_pulses: int | None = 60
    pulse_width_ms: float | None = 6.0
    pulse_rate_per_s: float | None = 7.5
    positioner_primary_angle_deg: float | None = 0.0
    positioner_secondary_angle_deg: float | None = 0.0
    distance_source_to_detector_mm: float | None = 1050.0
    copper_filter_mm: float | None = 0.3
    irradiation_event_uid: str | None = None

    @property
    def is_fluoroscopy(self) -> bool:
        return self.irradiation_event_type == FLUOROSCOPY

    def uid_in(self, study: Study, place: int) -> str:
        """The event's UID as it stands in the report of the study; `place` counts from 1."""
        return self.irradiation_event_uid or made_up_uid(study.study_instance_uid, "irradiation event", place)


def projection_dose_report(
    *,
    study: Study,
    events: Sequence[ProjectionEvent],
    equipment: Equipment = ANGIOGRAPH,
    series_number: int = 901,
) -> Dataset:
    """The dose report of the study, with accumulated values for each plane that an event used."""
    series = Series(
        study=study,
        equipment=equipment,
        modality="SR",
        number=series_number,
        description="Radiation Dose Report",
        after=timedelta(minutes=40),
    )
    used = {event.acquisition_plane for event in events} or {"Single Plane"}
    planes = [plane for plane in _PLANES if plane in used]
    content = [
        procedure_reported(dcm("113704", "Projection X-Ray")),
        *device_observer(equipment),
        scope_of_accumulation(study),
        coded(dcm("113944", "X-Ray Mechanical Data Available"), YES),
        coded(dcm("113943", "X-Ray Source Data Available"), YES),
        coded(dcm("113945", "X-Ray Detector Data Available"), YES),
        *(_accumulated(plane, [event for event in events if event.acquisition_plane == plane]) for plane in planes),
        *(_event(event, study, place) for place, event in enumerate(events, start=1)),
        source_of_dose_information(),
    ]
    return structured_report(
        series,
        sop_class_uid=XRayRadiationDoseSRStorage,
        template="10001",
        title=dcm("113701", "X-Ray Radiation Dose Report"),
        content=content,
    )


def _plane(plane: Plane) -> Dataset:
    return coded(dcm("113764", "Acquisition Plane"), _PLANES[plane], relationship="HAS CONCEPT MOD")


def _reference_point() -> Dataset:
    return coded(dcm("113780", "Reference Point Definition"), dcm("113860", "15cm from Isocenter toward Source"))


def _accumulated(plane: Plane, events: Sequence[ProjectionEvent]) -> Dataset:
    """Accumulated X-Ray Dose (TID 10002) with TID 10004 and TID 10007."""
    fluoroscopy = [event for event in events if event.is_fluoroscopy]
    acquisitions = [event for event in events if not event.is_fluoroscopy]
    return container(
        dcm("113702", "Accumulated X-Ray Dose Data"),
        _plane(plane),
        number(dcm("113722", "Dose Area Product Total"), dose_area_product_of(events), _GY_M2),
        number(dcm("113725", "Dose (RP) Total"), dose_rp_of(events), _GY),
        _reference_point(),
        number(dcm("113726", "Fluoro Dose Area Product Total"), dose_area_product_of(fluoroscopy), _GY_M2),
        number(dcm("113728", "Fluoro Dose (RP) Total"), dose_rp_of(fluoroscopy), _GY),
        number(dcm("113730", "Total Fluoro Time"), _duration(fluoroscopy), _S),
        number(dcm("113727", "Acquisition Dose Area Product Total"), dose_area_product_of(acquisitions), _GY_M2),
        number(dcm("113729", "Acquisition Dose (RP) Total"), dose_rp_of(acquisitions), _GY),
        number(dcm("113855", "Total Acquisition Time"), _duration(acquisitions), _S),
    )


def dose_area_product_of(events: Sequence[ProjectionEvent]) -> float:
    """The sum of the events' dose area products in Gy.m2."""
    return round(sum(event.dose_area_product_gy_m2 or 0.0 for event in events), 12)


def dose_rp_of(events: Sequence[ProjectionEvent]) -> float:
    """The sum of the events' doses at the reference point in Gy."""
    return round(sum(event.dose_rp_gy or 0.0 for event in events), 9)


def _duration(events: Sequence[ProjectionEvent]) -> float:
    return round(sum(event.irradiation_duration_s or 0.0 for event in events), 6)


def _event(event: ProjectionEvent, study: Study, place: int) -> Dataset:
    """Irradiation Event X-Ray Data (TID 10003 with 10003A, B and C)."""
    protocol = event.acquisition_protocol
    return container(
        dcm("113706", "Irradiation Event X-Ray Data"),
        _plane(event.acquisition_plane),
        identifier(dcm("113769", "Irradiation Event UID"), event.uid_in(study, place)),
        moment(dcm("111526", "DateTime Started"), study.started + timedelta(minutes=2, seconds=30 * place)),
        coded(dcm("113721", "Irradiation Event Type"), event.irradiation_event_type),
        *([] if protocol is None else [text(dcm("125203", "Acquisition Protocol"), protocol)]),
        coded(dcm("123014", "Target Region"), study.procedure.region),
        *_patient_position(),
        *_dose(event),
        *_geometry(event),
        *_exposure(event),
    )


def _patient_position() -> list[Dataset]:
    supine = coded(
        dcm("113744", "Patient Orientation Modifier"), sct("40199007", "supine"), relationship="HAS CONCEPT MOD"
    )
    return [
        coded(dcm("113745", "Patient Table Relationship"), sct("102540008", "headfirst")),
        coded(dcm("113743", "Patient Orientation"), sct("102538003", "recumbent"), supine),
    ]


def _dose(event: ProjectionEvent) -> list[Dataset]:
    return present(
        optional_number(dcm("122130", "Dose Area Product"), event.dose_area_product_gy_m2, _GY_M2),
        optional_number(dcm("113738", "Dose (RP)"), event.dose_rp_gy, _GY),
        _reference_point(),
    )


def _geometry(event: ProjectionEvent) -> list[Dataset]:
    return present(
        optional_number(dcm("112011", "Positioner Primary Angle"), event.positioner_primary_angle_deg, _DEG),
        optional_number(dcm("112012", "Positioner Secondary Angle"), event.positioner_secondary_angle_deg, _DEG),
        optional_number(dcm("113750", "Distance Source to Detector"), event.distance_source_to_detector_mm, _MM),
        number(dcm("113748", "Distance Source to Isocenter"), 750, _MM),
        number(dcm("113737", "Distance Source to Reference Point"), 600, _MM),
    )


def _exposure(event: ProjectionEvent) -> list[Dataset]:
    copper = event.copper_filter_mm
    return present(
        optional_number(dcm("113791", "Pulse Rate"), event.pulse_rate_per_s, ucum("{pulse}/s", "pulse/s")),
        optional_number(dcm("113768", "Number of Pulses"), event.number_of_pulses, ucum("1", "no units")),
        optional_number(dcm("113793", "Pulse Width"), event.pulse_width_ms, ucum("ms")),
        optional_number(dcm("113742", "Irradiation Duration"), event.irradiation_duration_s, _S),
        optional_number(dcm("113733", "KVP"), event.kvp, ucum("kV")),
        optional_number(dcm("113734", "X-Ray Tube Current"), event.x_ray_tube_current_ma, ucum("mA")),
        optional_number(dcm("113736", "Exposure"), event.exposure_uas, ucum("uA.s")),
        number(dcm("113766", "Focal Spot Size"), 0.6, _MM),
        None if copper is None else _copper(copper),
    )


def _copper(thickness_mm: float) -> Dataset:
    return container(
        dcm("113771", "X-Ray Filters"),
        coded(dcm("113772", "X-Ray Filter Type"), dcm("113653", "Flat filter")),
        coded(dcm("113757", "X-Ray Filter Material"), sct("66925006", "Copper")),
        number(dcm("113758", "X-Ray Filter Thickness Minimum"), thickness_mm, _MM),
        number(dcm("113773", "X-Ray Filter Thickness Maximum"), thickness_mm, _MM),
    )
