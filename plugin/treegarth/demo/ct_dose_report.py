"""X-Ray Radiation Dose SR of a CT study (PS3.16 TID 10011 to 10014), for the day and for tests. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from pydicom.dataset import Dataset
from pydicom.uid import XRayRadiationDoseSRStorage

from treegarth.demo.codes import BODY_PHANTOM, CONSTANT_ANGLE, SPIRAL, Code, dcm, sct, ucum
from treegarth.demo.content import (
    coded,
    container,
    device_observer,
    identifier,
    moment,
    number,
    number_of_events,
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

CT_SCANNER = Equipment(model="Orb CT 64", station_name="CT1", ae_title="CTSCANNER1", serial_number="64001")

_MGY = ucum("mGy")
_MGY_CM = ucum("mGy.cm")
_MM = ucum("mm")
_S = ucum("s")


@dataclass(frozen=True, kw_only=True)
class XRaySource:
    """One X-ray source during an event; None leaves the item out."""

    kvp: float | None = 120.0
    x_ray_tube_current_ma: float | None = 180.0
    maximum_x_ray_tube_current_ma: float | None = 260.0
    exposure_time_per_rotation_s: float | None = 0.5


@dataclass(frozen=True, kw_only=True)
class CtEvent:
    """One irradiation event of a CT. None leaves an item out, as devices do for what they do not know."""

    mean_ctdi_vol_mgy: float | None
    dlp_mgy_cm: float | None
    acquisition_protocol: str | None = "Chest"
    acquisition_type: Code = SPIRAL
    target_region: Code | None = None
    """None: the region of the study's procedure."""
    phantom: Code | None = BODY_PHANTOM
    exposure_time_s: float | None = 6.0
    scanning_length_mm: float | None = 320.0
    nominal_single_collimation_width_mm: float | None = 0.6
    nominal_total_collimation_width_mm: float | None = 38.4
    pitch_factor: float | None = 1.2
    sources: tuple[XRaySource, ...] = field(default=(XRaySource(),))
    comment: str | None = None
    irradiation_event_uid: str | None = None
    """None: made from the study's UID and the event's place in the report."""

    def uid_in(self, study: Study, place: int) -> str:
        """The event's UID as it stands in the report of the study; `place` counts from 1."""
        return self.irradiation_event_uid or made_up_uid(study.study_instance_uid, "irradiation event", place)


def localizer_event(*, mean_ctdi_vol_mgy: float | None = 0.14, dlp_mgy_cm: float | None = 5.05) -> CtEvent:
    """A constant-angle event such as a scout or topogram; None for both is how some devices report one."""
    return CtEvent(
        mean_ctdi_vol_mgy=mean_ctdi_vol_mgy,
        dlp_mgy_cm=dlp_mgy_cm,
        acquisition_protocol="Localizer",
        acquisition_type=CONSTANT_ANGLE,
        exposure_time_s=3.7,
        scanning_length_mm=360.0,
        nominal_total_collimation_width_mm=3.6,
        pitch_factor=None,
        sources=(
            XRaySource(
                x_ray_tube_current_ma=35.0, maximum_x_ray_tube_current_ma=35.0, exposure_time_per_rotation_s=None
            ),
        ),
    )


def dlp_total_of(events: Sequence[CtEvent]) -> float:
    """The sum of the events' dose length products in mGy.cm; an unknown one counts for nothing."""
    return round(sum(event.dlp_mgy_cm or 0.0 for event in events), 6)


def ct_dose_report(
    *,
    study: Study,
    events: Sequence[CtEvent],
    equipment: Equipment = CT_SCANNER,
    dlp_total_mgy_cm: float | None = None,
    series_number: int = 501,
) -> Dataset:
    """The dose report of the study. `dlp_total_mgy_cm` is the sum of the events unless the device says otherwise."""
    series = Series(
        study=study,
        equipment=equipment,
        modality="SR",
        number=series_number,
        description="Dose Report",
        after=timedelta(minutes=12),
    )
    total = dlp_total_of(events) if dlp_total_mgy_cm is None else dlp_total_mgy_cm
    content = [
        procedure_reported(sct("77477000", "Computed Tomography X-Ray")),
        *device_observer(equipment),
        moment(dcm("113809", "Start of X-Ray Irradiation"), study.started, relationship="HAS OBS CONTEXT"),
        moment(
            dcm("113810", "End of X-Ray Irradiation"),
            study.started + timedelta(minutes=10),
            relationship="HAS OBS CONTEXT",
        ),
        scope_of_accumulation(study),
        _accumulated(total, len(events)),
        *(_acquisition(event, study, place) for place, event in enumerate(events, start=1)),
        source_of_dose_information(),
    ]
    return structured_report(
        series,
        sop_class_uid=XRayRadiationDoseSRStorage,
        template="10011",
        title=dcm("113701", "X-Ray Radiation Dose Report"),
        content=content,
    )


def _accumulated(dlp_total_mgy_cm: float, event_count: int) -> Dataset:
    """CT Accumulated Dose Data (TID 10012)."""
    return container(
        dcm("113811", "CT Accumulated Dose Data"),
        number_of_events(event_count),
        number(dcm("113813", "CT Dose Length Product Total"), dlp_total_mgy_cm, _MGY_CM),
    )


def _acquisition(event: CtEvent, study: Study, place: int) -> Dataset:
    """CT Irradiation Event Data (TID 10013)."""
    protocol, comment = event.acquisition_protocol, event.comment
    return container(
        dcm("113819", "CT Acquisition"),
        *present(
            text(dcm("125203", "Acquisition Protocol"), protocol) if protocol is not None else None,
            coded(dcm("123014", "Target Region"), event.target_region or study.procedure.region),
            coded(dcm("113820", "CT Acquisition Type"), event.acquisition_type),
            identifier(dcm("113769", "Irradiation Event UID"), event.uid_in(study, place)),
            _parameters(event),
            _dose(event),
            text(dcm("121106", "Comment"), comment) if comment is not None else None,
        ),
    )


def _parameters(event: CtEvent) -> Dataset:
    return container(
        dcm("113822", "CT Acquisition Parameters"),
        *present(
            optional_number(dcm("113824", "Exposure Time"), event.exposure_time_s, _S),
            optional_number(dcm("113825", "Scanning Length"), event.scanning_length_mm, _MM),
            optional_number(
                dcm("113826", "Nominal Single Collimation Width"), event.nominal_single_collimation_width_mm, _MM
            ),
            optional_number(
                dcm("113827", "Nominal Total Collimation Width"), event.nominal_total_collimation_width_mm, _MM
            ),
            optional_number(dcm("113828", "Pitch Factor"), event.pitch_factor, ucum("{ratio}", "ratio")),
            number(
                dcm("113823", "Number of X-Ray Sources"), len(event.sources), ucum("{X-Ray sources}", "X-Ray sources")
            ),
        ),
        *(_source(source, place) for place, source in enumerate(event.sources)),
    )


def _source(source: XRaySource, place: int) -> Dataset:
    current = ucum("mA")
    return container(
        dcm("113831", "CT X-Ray Source Parameters"),
        text(dcm("113832", "Identification of the X-Ray Source"), "AB"[place] if place < 2 else str(place)),
        *present(
            optional_number(dcm("113733", "KVP"), source.kvp, ucum("kV")),
            optional_number(dcm("113833", "Maximum X-Ray Tube Current"), source.maximum_x_ray_tube_current_ma, current),
            optional_number(dcm("113734", "X-Ray Tube Current"), source.x_ray_tube_current_ma, current),
            optional_number(dcm("113834", "Exposure Time per Rotation"), source.exposure_time_per_rotation_s, _S),
        ),
    )


def _dose(event: CtEvent) -> Dataset | None:
    """CT Dose; a constant-angle event without any dose has no such container, as some devices write it."""
    if event.mean_ctdi_vol_mgy is None and event.dlp_mgy_cm is None:
        return None
    return container(
        dcm("113829", "CT Dose"),
        *present(
            optional_number(dcm("113830", "Mean CTDIvol"), event.mean_ctdi_vol_mgy, _MGY),
            coded(dcm("113835", "CTDIw Phantom Type"), event.phantom) if event.phantom is not None else None,
            optional_number(dcm("113838", "DLP"), event.dlp_mgy_cm, _MGY_CM),
        ),
    )
