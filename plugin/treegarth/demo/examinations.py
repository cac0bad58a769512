"""How each kind of study of the made-up hospital is built from a patient, an order and a little chance. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from treegarth.demo.codes import (
    HEAD_PHANTOM,
    SEQUENCED,
    WHOLE_BODY,
)
from treegarth.demo.ct import CtScan, ct_localizer, ct_series
from treegarth.demo.ct_dose_report import CT_SCANNER, CtEvent, XRaySource, ct_dose_report, localizer_event
from treegarth.demo.expected import BuiltStudy
from treegarth.demo.fluoroscopy import FLUOROSCOPE, Run, angiography_run, barium_run
from treegarth.demo.mammography import MAMMOGRAPH, mammograms
from treegarth.demo.mr import MR_SCANNER, mr_series
from treegarth.demo.pet import PET_CT, Administration, PetScan, pet_series, radiopharmaceutical_dose_report
from treegarth.demo.projection_dose_report import (
    ANGIOGRAPH,
    STATIONARY_ACQUISITION,
    ProjectionEvent,
    projection_dose_report,
)
from treegarth.demo.studies import Equipment, Study

SECOND_CT = Equipment(model="Orb CT Duo", station_name="CT2", ae_title="CTSCANNER2", serial_number="64002")

_BRAIN_WINDOW = (40.0, 80.0)
_UNSCANNED = CtEvent(mean_ctdi_vol_mgy=None, dlp_mgy_cm=None)
"""An event whose dose the patient decides."""


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How large the day is: `slices` multiplies the images of a series, `detail` the rows and columns of each."""

    slices: float = 1.0
    detail: float = 1.0

    def count(self, number: int) -> int:
        return max(2, round(number * self.slices))

    def pixels(self, number: int) -> int:
        return max(32, round(number * self.detail))


@dataclass(frozen=True, kw_only=True)
class Room:
    """What a study is built from."""

    study: Study
    extent: Extent
    chance: random.Random

    def varied(self, value: float, digits: int = 2) -> float:
        """The value within 15 %, as doses vary from patient to patient."""
        return round(value * self.chance.uniform(0.85, 1.15), digits)


@dataclass(frozen=True, kw_only=True)
class _Phase:
    """One axial series and what it takes to scan it."""

    scan: CtScan
    description: str
    ctdi_vol_mgy: float
    event: CtEvent


def _ct_study(room: Room, phases: Sequence[_Phase], *, equipment: Equipment = CT_SCANNER) -> BuiltStudy:
    """A localizer, the phases' series and the dose report."""
    study, extent = room.study, room.extent
    events = [localizer_event(mean_ctdi_vol_mgy=0.14, dlp_mgy_cm=room.varied(5.05))]
    datasets: list[Dataset] = []
    for place, phase in enumerate(phases, start=2):
        ctdi_vol_mgy = room.varied(phase.ctdi_vol_mgy)
        length_mm = phase.event.scanning_length_mm or 0.0
        event = replace(phase.event, mean_ctdi_vol_mgy=ctdi_vol_mgy, dlp_mgy_cm=round(ctdi_vol_mgy * length_mm / 10, 2))
        events.append(event)
        scan = replace(
            phase.scan,
            event=event,
            event_place=place,
            instances=extent.count(phase.scan.instances),
            rows=extent.pixels(phase.scan.rows),
            columns=extent.pixels(phase.scan.columns),
        )
        if not datasets:
            datasets.append(ct_localizer(study, replace(scan, event=events[0], event_place=1), equipment=equipment))
        datasets += ct_series(study, scan, series_number=place, description=phase.description, equipment=equipment)
    datasets.append(ct_dose_report(study=study, events=events, equipment=equipment))
    return BuiltStudy(study=study, calling_ae_title=equipment.ae_title, datasets=datasets, ct_events=tuple(events))


def chest_ct(room: Room) -> BuiltStudy:
    phase = _Phase(
        scan=CtScan(event=_UNSCANNED, region="chest", instances=15, contrast=True),
        description="Chest 5.0 SOFT",
        ctdi_vol_mgy=8.2,
        event=replace(_UNSCANNED, acquisition_protocol="Chest contrast", scanning_length_mm=330.0),
    )
    return _ct_study(room, [phase])


def low_dose_chest_ct(room: Room) -> BuiltStudy:
    phase = _Phase(
        scan=CtScan(event=_UNSCANNED, region="chest", instances=15, kernel="LUNG_C", window=(-600, 1600)),
        description="Lung 2.0 LUNG",
        ctdi_vol_mgy=1.6,
        event=replace(
            _UNSCANNED,
            acquisition_protocol="Lung screening",
            scanning_length_mm=310.0,
            sources=(XRaySource(kvp=100, x_ray_tube_current_ma=45, maximum_x_ray_tube_current_ma=70),),
        ),
    )
    return _ct_study(room, [phase], equipment=SECOND_CT)


def abdomen_ct(room: Room) -> BuiltStudy:
    scan = CtScan(event=_UNSCANNED, region="abdomen", instances=10, contrast=True)
    phases = [
        _Phase(
            scan=scan,
            description=f"Abdomen {name} 5.0",
            ctdi_vol_mgy=ctdi_vol_mgy,
            event=replace(
                _UNSCANNED,
                acquisition_protocol=f"Abdomen {name}",
                scanning_length_mm=length_mm,
                sources=(XRaySource(x_ray_tube_current_ma=230, maximum_x_ray_tube_current_ma=340),),
            ),
        )
        for name, ctdi_vol_mgy, length_mm in (("arterial", 9.4, 240.0), ("portal", 10.1, 430.0))
    ]
    return _ct_study(room, phases)


def head_ct(room: Room) -> BuiltStudy:
    child = room.study.patient.birth_date.year > room.study.started.year - 15
    event = replace(
        _UNSCANNED,
        acquisition_protocol="Head child" if child else "Head",
        acquisition_type=SEQUENCED,
        phantom=HEAD_PHANTOM,
        scanning_length_mm=130.0 if child else 155.0,
        pitch_factor=None,
        sources=(XRaySource(kvp=100 if child else 120, exposure_time_per_rotation_s=1.0),),
    )
    scan = CtScan(
        event=_UNSCANNED,
        region="head",
        instances=12 if child else 14,
        field_of_view_mm=210 if child else 240,
        window=_BRAIN_WINDOW,
    )
    phase = _Phase(scan=scan, description="Head 5.0 BRAIN", ctdi_vol_mgy=24.0 if child else 46.0, event=event)
    return _ct_study(room, [phase])


def heart_ct(room: Room) -> BuiltStudy:
    """Dual source: two tubes with currents of their own in one event."""
    sources = (
        XRaySource(kvp=100, x_ray_tube_current_ma=310, exposure_time_per_rotation_s=0.28),
        XRaySource(kvp=100, x_ray_tube_current_ma=290, exposure_time_per_rotation_s=0.28),
    )
    phase = _Phase(
        scan=CtScan(event=_UNSCANNED, region="chest", instances=12, contrast=True, field_of_view_mm=360),
        description="Heart 75 % 0.75",
        ctdi_vol_mgy=18.5,
        event=replace(
            _UNSCANNED,
            acquisition_protocol="Coronary CTA",
            scanning_length_mm=140.0,
            exposure_time_s=4.1,
            pitch_factor=0.22,
            sources=sources,
        ),
    )
    return _ct_study(room, [phase], equipment=SECOND_CT)


def pet_ct(room: Room) -> BuiltStudy:
    phase = _Phase(
        scan=CtScan(event=_UNSCANNED, region="chest", instances=32, rows=256, columns=256, field_of_view_mm=500),
        description="CT AC WB",
        ctdi_vol_mgy=4.1,
        event=replace(_UNSCANNED, acquisition_protocol="WB AC CT", scanning_length_mm=960.0, target_region=WHOLE_BODY),
    )
    ct = _ct_study(room, [phase], equipment=PET_CT)
    administration = Administration(administered_activity_mbq=room.varied(300.0, 1))
    scan = PetScan(
        administration=administration,
        instances=room.extent.count(32),
        rows=room.extent.pixels(128),
        columns=room.extent.pixels(128),
    )
    emission = pet_series(room.study, scan)
    report = radiopharmaceutical_dose_report(room.study, administration)
    return replace(ct, datasets=[*ct.datasets, *emission, report])


def _projection_events(room: Room, protocols: Sequence[tuple[str, float, float, bool]]) -> list[ProjectionEvent]:
    """Events from (protocol, Gy.m2, primary angle, whether it is fluoroscopy)."""
    events = []
    for protocol, dose_area_product_gy_m2, angle_deg, screened in protocols:
        event = ProjectionEvent(
            dose_area_product_gy_m2=room.varied(dose_area_product_gy_m2, 9),
            dose_rp_gy=room.varied(dose_area_product_gy_m2 * 62, 6),
            acquisition_protocol=protocol,
            positioner_primary_angle_deg=angle_deg,
        )
        if not screened:
            event = replace(
                event, irradiation_event_type=STATIONARY_ACQUISITION, irradiation_duration_s=3.2, pulse_rate_per_s=15.0
            )
        events.append(event)
    return events


def angiography(room: Room) -> BuiltStudy:
    events = _projection_events(
        room,
        [
            ("Coronary FL", 1.9e-4, 0.0, True),
            ("LCA 15 fps", 4.6e-4, -28.0, False),
            ("LCA 15 fps", 5.1e-4, 32.0, False),
            ("Coronary FL", 0.8e-4, 15.0, True),
        ],
    )
    runs = [
        angiography_run(room.study, _run(room, events[place - 1], place), series_number=place - 1) for place in (2, 3)
    ]
    report = projection_dose_report(study=room.study, events=events)
    return BuiltStudy(study=room.study, calling_ae_title=ANGIOGRAPH.ae_title, datasets=[*runs, report])


def barium(room: Room) -> BuiltStudy:
    events = _projection_events(room, [("Swallow FL", 0.9e-4, 0.0, True), ("Swallow 2 fps", 1.4e-4, 30.0, False)])
    run = barium_run(room.study, _run(room, events[1], 2))
    report = projection_dose_report(study=room.study, events=events, equipment=FLUOROSCOPE)
    return BuiltStudy(study=room.study, calling_ae_title=FLUOROSCOPE.ae_title, datasets=[run, report])


def _run(room: Room, event: ProjectionEvent, place: int) -> Run:
    side = room.extent.pixels(512)
    return Run(event=event, event_place=place, frames=room.extent.count(6), rows=side, columns=side)


def mammography(room: Room) -> BuiltStudy:
    images = mammograms(room.study, rows=room.extent.pixels(896), columns=room.extent.pixels(720))
    return BuiltStudy(study=room.study, calling_ae_title=MAMMOGRAPH.ae_title, datasets=images)


def brain_mr(room: Room) -> BuiltStudy:
    count, side = room.extent.count(20), room.extent.pixels(256)
    t2 = mr_series(room.study, weighting="T2", instances=count, rows=side, columns=side, series_number=2)
    t1 = mr_series(room.study, weighting="T1", instances=count, rows=side, columns=side, series_number=3)
    return BuiltStudy(study=room.study, calling_ae_title=MR_SCANNER.ae_title, datasets=[*t2, *t1])


def knee_mr(room: Room) -> BuiltStudy:
    count, side = room.extent.count(20), room.extent.pixels(256)
    images = mr_series(room.study, weighting="T1", region="knee", instances=count, rows=side, columns=side)
    return BuiltStudy(study=room.study, calling_ae_title=MR_SCANNER.ae_title, datasets=images)
