"""Dose in the headers of images: of angiography, of enhanced multi-frame objects, of what came as Secondary Capture."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from tests.dose_builder import as_file, code
from tests.dose_image_builder import (
    BREAST_PROJECTION,
    BREAST_TOMOSYNTHESIS,
    CONE_BEAM,
    CT,
    DX_FOR_PRESENTATION,
    ENHANCED_CT,
    ENHANCED_PET,
    ENHANCED_XA,
    ENHANCED_XRF,
    LEGACY_CONVERTED_CT,
    LEGACY_CONVERTED_PET,
    MG_FOR_PRESENTATION,
    NM,
    PET,
    RF,
    SECONDARY_CAPTURE,
    X_RAY_3D_ANGIOGRAPHIC,
    XA,
    ct_frame,
    enhanced_image,
    groups,
    image,
    item,
    projection_image,
)
from treegarth.features.dose.reading import read_dose, read_dose_bytes
from treegarth.features.dose.reading.images import _READERS
from treegarth.features.dose.reading.model import DoseReading
from treegarth.features.dose.registry.candidates import (
    IMAGE_CLASSES,
    IMAGE_SOURCES,
    is_candidate,
    is_image,
    is_sampled,
    source_of,
)
from treegarth.features.dose.registry.rules import Source

ORIGINAL = ["ORIGINAL", "PRIMARY"]
HOLOGIC = {"Modality": "MG", "ImageType": ORIGINAL, "ConversionType": "WSD", "KVP": "28", "OrganDose": "0.0026"}


def read(dataset: Dataset) -> DoseReading:
    """As from a file: with bytes that nobody has looked at."""
    reading = read_dose_bytes(as_file(dataset))
    assert reading == read_dose(dataset)
    return reading


def the_event(dataset: Dataset) -> dict[str, Any]:
    reading = read(dataset)
    assert (reading.refused, reading.issues) == (None, ())
    (event,) = reading.irradiation_events
    return dict(event)


# A quantity in several units


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        ({"ExposureTime": "0", "ExposureTimeInuS": "350"}, "exposure_time_ms", 0.35),
        ({"ExposureTime": "4", "ExposureTimeInuS": "0"}, "exposure_time_ms", 4.0),
        ({"ExposureTime": "0"}, "exposure_time_ms", 0.0),
        ({"ExposureTimeInuS": "0"}, "exposure_time_ms", 0.0),
        ({"ExposureTime": "", "ExposureTimeInuS": "350"}, "exposure_time_ms", 0.35),
        ({"XRayTubeCurrent": "0", "XRayTubeCurrentInuA": "400"}, "x_ray_tube_current_ma", 0.4),
        ({"XRayTubeCurrent": "200", "XRayTubeCurrentInuA": "0"}, "x_ray_tube_current_ma", 200.0),
        ({"XRayTubeCurrent": "200", "XRayTubeCurrentInuA": "199600"}, "x_ray_tube_current_ma", 199.6),
        ({"Exposure": "0", "ExposureInuAs": "120"}, "exposure_uas", 120.0),
        ({"Exposure": "3", "ExposureInuAs": "0"}, "exposure_uas", 3000.0),
        ({"Exposure": "1", "ExposureInuAs": "1040"}, "exposure_uas", 1040.0),
        ({"Exposure": "0", "ExposureInuAs": "0"}, "exposure_uas", 0.0),
        ({}, "exposure_uas", None),
    ],
)
@pytest.mark.parametrize("sop_class_uid", [DX_FOR_PRESENTATION, MG_FOR_PRESENTATION, XA])
def test_a_0_beside_a_value_of_the_same_quantity_is_no_value(
    sop_class_uid: str, header: dict[str, str], name: str, value: float | None
) -> None:
    assert the_event(projection_image(sop_class_uid, "1.2.3.5", **header)).get(name) == value


def test_a_0_beside_a_value_is_no_value_in_ct_either() -> None:
    header = {"ExposureTime": "0", "ExposureTimeInuS": "350000", "XRayTubeCurrent": "210", "XRayTubeCurrentInuA": "0"}
    event = the_event(image(CT, "1.2.3.5", CTDIvol=8.5, **header))
    assert (event["exposure_time_s"], event["x_ray_tube_current_ma"]) == (0.35, [210.0])


# Angiography and fluoroscopy


@pytest.mark.parametrize("sop_class_uid", [XA, RF])
def test_a_run_of_angiography_is_one_event_with_its_plane_angles_and_area_dose(sop_class_uid: str) -> None:
    event = the_event(
        projection_image(
            sop_class_uid, "1.2.3.5", ImageType=[*ORIGINAL, "BIPLANE B"], RadiationSetting="GR", NumberOfFrames="60",
            IrradiationEventUID="1.9.1", PositionerPrimaryAngle="-30.5", PositionerSecondaryAngle="20",
            AveragePulseWidth="7.5", Exposure="48",
        )
    )  # fmt: skip
    assert event == {
        "irradiation_event_uid": "1.9.1", "acquisition_plane": "Plane B", "date_time_started": "20240229101500",
        "kvp": 80.0, "exposure_uas": 48000.0, "pulse_width_ms": 7.5, "dose_area_product_gy_m2": 2.5e-5,
        "positioner_primary_angle_deg": -30.5, "positioner_secondary_angle_deg": 20.0,
    }  # fmt: skip


def test_the_setting_says_that_a_run_is_fluoroscopy() -> None:
    told = {"RadiationSetting": "SC", "ImageType": [*ORIGINAL, "SINGLE PLANE"]}
    event = the_event(projection_image(RF, "1.2.3.5", **told))
    assert (event["irradiation_event_type"], event["acquisition_plane"]) == ("Fluoroscopy", "Single Plane")


def test_an_angiogram_without_dose_or_exposure_is_refused() -> None:
    assert read(image(XA, "1.2.3.5", ImageType=["DERIVED", "SECONDARY"])).refused


# Enhanced XA, XRF and breast projections


@pytest.mark.parametrize("sop_class_uid", [ENHANCED_XA, ENHANCED_XRF])
def test_what_an_enhanced_run_says_of_itself_counts_and_its_frames_say_the_rest(sop_class_uid: str) -> None:
    frames = [
        groups(FrameAcquisitionSequence={"KVP": kvp, "XRayTubeCurrentInmA": 100.0, "ExposureTimeInms": 8.0})
        for kvp in (70.0, 72.0)
    ]
    shared = groups(
        IrradiationEventIdentificationSequence={"IrradiationEventUID": "1.9.1"},
        XRayGeometrySequence={"DistanceSourceToDetector": 1180.0},
        PositionerPositionSequence={"PositionerPrimaryAngle": -30.0},
    )
    event = the_event(
        enhanced_image(
            sop_class_uid, "1.2.3.5", *frames, shared=shared, KVP=71.0, ExposureInmAs=1.6, ExposureTimeInms=16.0,
            XRayTubeCurrentInmA=100.5, AcquiredImageAreaDoseProduct=2.5, AcquisitionDateTime="20240229101500",
            PlaneIdentification="PLANE A", RadiationSetting="GR", AcquisitionProtocolName="Coronary",
        )
    )  # fmt: skip
    assert event == {
        "irradiation_event_uid": "1.9.1", "acquisition_plane": "Plane A", "acquisition_protocol": "Coronary",
        "date_time_started": "20240229101500", "kvp": 71.0, "exposure_uas": 1600.0, "exposure_time_ms": 16.0,
        "x_ray_tube_current_ma": 100.5, "dose_area_product_gy_m2": 2.5e-5, "distance_source_to_detector_mm": 1180.0,
        "positioner_primary_angle_deg": -30.0,
    }  # fmt: skip


def test_what_an_enhanced_run_does_not_say_is_the_sum_of_its_frames() -> None:
    frames = [groups(FrameAcquisitionSequence={"KVP": 70.0, "ExposureInmAs": mas}) for mas in (0.5, 0.75)]
    event = the_event(enhanced_image(ENHANCED_XA, "1.2.3.5", *frames))
    assert (event["exposure_uas"], event["kvp"]) == (1250.0, 70.0)


def test_the_dose_of_several_events_in_one_enhanced_run_is_of_none_of_them_and_an_issue() -> None:
    frames = [
        groups(
            IrradiationEventIdentificationSequence={"IrradiationEventUID": uid},
            FrameAcquisitionSequence={"KVP": 70.0, "ExposureInmAs": 0.5},
        )
        for uid in ("1.9.1", "1.9.2", "1.9.2")
    ]
    reading = read(enhanced_image(ENHANCED_XA, "1.2.3.5", *frames, AcquiredImageAreaDoseProduct=2.5, KVP=71.0))
    assert [(one["irradiation_event_uid"], one["exposure_uas"]) for one in reading.irradiation_events] == [
        ("1.9.1", 500.0), ("1.9.2", 1000.0),
    ]  # fmt: skip
    assert not any("dose_area_product_gy_m2" in one for one in reading.irradiation_events)
    assert [(one.path, one.reason) for one in reading.issues] == [
        ("AcquiredImageAreaDoseProduct", "the number is of 2 irradiation events together")
    ]


def test_each_breast_projection_is_an_event_with_its_own_glandular_dose() -> None:
    frames = [
        groups(
            IrradiationEventIdentificationSequence={"IrradiationEventUID": f"1.9.{number}"},
            XRayAcquisitionDoseSequence={"OrganDose": "0.001", "EntranceDoseInmGy": "0.4", "HalfValueLayer": "0.5"},
        )
        for number in range(3)
    ]
    shared = groups(FrameAnatomySequence={"FrameLaterality": "L"})
    reading = read(enhanced_image(BREAST_PROJECTION, "1.2.3.5", *frames, shared=shared, BodyPartThickness="52"))
    assert (reading.kind, len(reading.irradiation_events)) == ("mammography", 3)
    assert reading.irradiation_events[0] == {
        "irradiation_event_uid": "1.9.0", "average_glandular_dose_mgy": 0.1, "entrance_exposure_at_rp_mgy": 0.4,
        "half_value_layer_mm": 0.5, "laterality": "L", "compression_thickness_mm": 52.0,
    }  # fmt: skip


# Tomosynthesis and volumes


def test_a_tomosynthesis_is_one_exposure_with_the_dose_of_its_acquisition() -> None:
    projections = [item(ExposureInmAs=4.0, PositionerPrimaryAngle=angle) for angle in (-7.5, 7.5)]
    acquisition = item(
        KVP="29", ExposureInmAs=60.0, OrganDose="0.018", EntranceDoseInmGy="5.2", BodyPartThickness="55",
        CompressionForce="90", AnodeTargetMaterial="TUNGSTEN", FilterMaterial="ALUMINUM", HalfValueLayer="0.56",
        PerProjectionAcquisitionSequence=projections,
    )  # fmt: skip
    event = the_event(
        enhanced_image(
            BREAST_TOMOSYNTHESIS, "1.2.3.5", shared=groups(FrameAnatomySequence={"FrameLaterality": "R"}),
            XRay3DAcquisitionSequence=[acquisition],
            SourceIrradiationEventSequence=[item(IrradiationEventUID="1.9.1")],
            ContributingSourcesSequence=[item(AcquisitionDateTime="20240229101500")],
        )
    )  # fmt: skip
    assert event.pop("positioner_primary_angle_deg") == -7.5
    assert event == {
        "irradiation_event_uid": "1.9.1", "date_time_started": "20240229101500", "kvp": 29.0, "exposure_uas": 60000.0,
        "average_glandular_dose_mgy": pytest.approx(1.8), "entrance_exposure_at_rp_mgy": 5.2, "laterality": "R",
        "compression_thickness_mm": 55.0, "compression_force_n": 90.0, "half_value_layer_mm": 0.56,
        "anode_target_material": "TUNGSTEN", "x_ray_filter_material": "ALUMINUM",
    }  # fmt: skip


def test_a_glandular_dose_that_only_projections_say_is_their_sum() -> None:
    projections = [item(OrganDose="0.001", IrradiationEventUID="1.9.1") for _ in range(9)]
    acquisition = item(KVP="29", PerProjectionAcquisitionSequence=projections)
    event = the_event(image(BREAST_TOMOSYNTHESIS, "1.2.3.5", XRay3DAcquisitionSequence=[acquisition]))
    assert (event["irradiation_event_uid"], event["average_glandular_dose_mgy"]) == ("1.9.1", pytest.approx(0.9))


def test_the_acquisitions_of_a_volume_are_events_of_their_own() -> None:
    acquisitions = [item(KVP=kvp, ExposureInmAs=100.0) for kvp in ("80", "90")]
    sources = [item(IrradiationEventUID=uid) for uid in ("1.9.1", "1.9.2")]
    reading = read(
        image(
            X_RAY_3D_ANGIOGRAPHIC, "1.2.3.5", XRay3DAcquisitionSequence=acquisitions,
            SourceIrradiationEventSequence=sources,
        )
    )  # fmt: skip
    assert reading.irradiation_events == ({"kvp": 80.0, "exposure_uas": 1e5}, {"kvp": 90.0, "exposure_uas": 1e5})


def test_a_cone_beam_volume_may_carry_its_area_dose() -> None:
    acquisition = item(KVP="90", XRayTubeCurrentInmA=8.0)
    event = the_event(
        image(CONE_BEAM, "1.2.3.5", XRay3DAcquisitionSequence=[acquisition], ImageAndFluoroscopyAreaDoseProduct="5.5")
    )
    assert event == {"kvp": 90.0, "x_ray_tube_current_ma": 8.0, "dose_area_product_gy_m2": pytest.approx(5.5e-5)}


# Enhanced CT


def test_the_frames_of_an_enhanced_ct_are_one_event_for_each_uid_with_the_greatest_ctdi_vol() -> None:
    frames = [ct_frame(value, event=uid) for uid, value in (("1.9.1", 8.0), ("1.9.1", 12.5), ("1.9.2", 30.0))]
    shared = groups(
        CTAcquisitionTypeSequence={"AcquisitionType": "SPIRAL"},
        CTTableDynamicsSequence={"SpiralPitchFactor": 0.9},
        CTAcquisitionDetailsSequence={"TotalCollimationWidth": 40.0},
        CTXRayDetailsSequence={"KVP": 100.0},
    )
    reading = read(enhanced_image(ENHANCED_CT, "1.2.3.5", *frames, shared=shared, SeriesDescription="Thorax"))
    rest = {
        "acquisition_protocol": "Thorax", "irradiation_event_type": "Spiral Acquisition", "pitch_factor": 0.9,
        "nominal_total_collimation_width_mm": 40.0, "kvp": [100.0],
    }  # fmt: skip
    assert reading.issues == ()
    assert reading.irradiation_events == (
        {"irradiation_event_uid": "1.9.1", "mean_ctdi_vol_mgy": 12.5, **rest},
        {"irradiation_event_uid": "1.9.2", "mean_ctdi_vol_mgy": 30.0, **rest},
    )


def test_without_uids_the_acquisitions_of_an_enhanced_ct_are_told_by_their_numbers_and_times() -> None:
    frames = [
        ct_frame(
            8.0 + number,
            FrameContentSequence={
                "FrameAcquisitionNumber": number // 2, "FrameAcquisitionDateTime": f"2024022910150{9 - number}",
            },
        )
        for number in range(4)
    ]  # fmt: skip
    reading = read(enhanced_image(ENHANCED_CT, "1.2.3.5", *frames))
    assert reading.irradiation_events == (
        {"acquisition_number": 0.0, "mean_ctdi_vol_mgy": 9.0, "date_time_started": "20240229101508"},
        {"acquisition_number": 1.0, "mean_ctdi_vol_mgy": 11.0, "date_time_started": "20240229101506"},
    )


def test_each_path_of_a_dual_energy_frame_has_its_voltage_and_current() -> None:
    frame = groups(
        CTXRayDetailsSequence=[{"KVP": 80.0}, {"KVP": 140.0}],
        CTExposureSequence=[
            {"CTDIvol": 9.5, "XRayTubeCurrentInmA": 300.0, "CTDIPhantomTypeCodeSequence": [code("113691")]},
            {"CTDIvol": 9.5, "XRayTubeCurrentInmA": 120.0},
        ],
    )
    event = the_event(enhanced_image(ENHANCED_CT, "1.2.3.5", frame))
    assert event == {
        "mean_ctdi_vol_mgy": 9.5, "kvp": [80.0, 140.0], "x_ray_tube_current_ma": [300.0, 120.0],
        "ctdiw_phantom_type": "IEC Body Dosimetry Phantom",
    }  # fmt: skip


def test_paths_of_one_frame_that_disagree_in_its_ctdi_vol_are_an_issue() -> None:
    frame = groups(CTExposureSequence=[{"CTDIvol": 9.5}, {"CTDIvol": 4.5}])
    reading = read(enhanced_image(ENHANCED_CT, "1.2.3.5", frame, frame))
    assert (reading.kind, reading.refused) == (None, "The CT image's header holds no CTDIvol.")
    assert {one.reason for one in reading.issues} == {"2 numbers stand where one belongs"}


def test_what_no_frame_can_read_is_told_once() -> None:
    frame = groups(IrradiationEventIdentificationSequence={"IrradiationEventUID": "1.9.1"})
    shared = groups(CTExposureSequence={"CTDIvol": 9.5}, CTXRayDetailsSequence={"KVP": 100.0})
    frame.IrradiationEventIdentificationSequence[0]["IrradiationEventUID"].VR = "LO"
    frame.IrradiationEventIdentificationSequence[0].IrradiationEventUID = "event"
    reading = read_dose(enhanced_image(ENHANCED_CT, "1.2.3.5", *[frame] * 50, shared=shared))
    assert reading.irradiation_events[0]["mean_ctdi_vol_mgy"] == 9.5
    assert len([one for one in reading.issues if one.reason == "this is no UID"]) == 1


def test_a_frame_that_cannot_be_read_costs_itself_alone() -> None:
    frames = [ct_frame(8.0, event="1.9.1"), ct_frame(12.5, event="1.9.1"), ct_frame(9.0, event="1.9.1")]
    broken = frames[1].CTExposureSequence[0]
    broken.add_new(0x00189345, "OB", b"\1\2\3\4")  # four bytes where eight belong
    frames[2].add_new(0x00189321, "OB", b"no sequence")
    reading = read(enhanced_image(ENHANCED_CT, "1.2.3.5", *frames))
    assert reading.irradiation_events[0]["mean_ctdi_vol_mgy"] == 8.0
    assert [one.path for one in reading.issues] == ["PerFrameFunctionalGroupsSequence 2/CTDIvol"]


def test_a_legacy_converted_ct_is_read_from_what_its_images_had() -> None:
    frames = [
        groups(UnassignedPerFrameConvertedAttributesSequence={"CTDIvol": value, "AcquisitionNumber": number})
        for number, value in ((2, 8.5), (2, 9.5), (3, 30.0))
    ]
    shared = groups(UnassignedSharedConvertedAttributesSequence={"KVP": "120", "XRayTubeCurrent": "210"})
    reading = read(enhanced_image(LEGACY_CONVERTED_CT, "1.2.3.5", *frames, shared=shared))
    rest = {"kvp": [120.0], "x_ray_tube_current_ma": [210.0]}
    assert reading.irradiation_events == (
        {"acquisition_number": 2.0, "mean_ctdi_vol_mgy": 9.5, **rest},
        {"acquisition_number": 3.0, "mean_ctdi_vol_mgy": 30.0, **rest},
    )


# Nuclear medicine


def radiopharmaceutical(dose: str, **more: object) -> Dataset:
    nuclide = code("77004003", "SCT", "^18^Fluorine")
    return item(RadionuclideTotalDose=dose, RadionuclideCodeSequence=[nuclide], **more)


@pytest.mark.parametrize(
    ("sop_class_uid", "dose"), [(PET, "394000000"), (LEGACY_CONVERTED_PET, "394000000"), (ENHANCED_PET, "394")]
)
def test_the_class_says_in_which_unit_an_activity_is(sop_class_uid: str, dose: str) -> None:
    given = radiopharmaceutical(dose, RadiopharmaceuticalStartDateTime="20240229104830")
    (found,) = read(image(sop_class_uid, "1.2.3.5", RadiopharmaceuticalInformationSequence=[given])).administrations
    assert (found["administered_activity_mbq"], found["start"]) == (394.0, "20240229104830")


def test_a_legacy_converted_pet_may_keep_the_administration_among_what_had_no_place() -> None:
    kept = {"RadiopharmaceuticalInformationSequence": [radiopharmaceutical("394000000")]}
    shared = groups(UnassignedSharedConvertedAttributesSequence=kept)
    empty: dict[str, Any] = {"RadiopharmaceuticalInformationSequence": []}
    (found,) = read(enhanced_image(LEGACY_CONVERTED_PET, "1.2.3.5", groups(), shared=shared, **empty)).administrations
    assert found["administered_activity_mbq"] == 394.0


def test_an_activity_in_the_wrong_unit_is_an_issue_in_an_enhanced_pet_too() -> None:
    given = radiopharmaceutical("394000000")
    reading = read(image(ENHANCED_PET, "1.2.3.5", RadiopharmaceuticalInformationSequence=[given]))
    assert "administered_activity_mbq" not in reading.administrations[0]
    assert len(reading.issues) == 1


def test_each_radiopharmaceutical_of_a_header_is_an_administration_with_its_own_syringe() -> None:
    counted = item(EnergyWindowNumber=1, SyringeCounts="52000", ResidualSyringeCounts="1300")
    reading = read(
        image(
            NM, "1.2.3.5",
            RadiopharmaceuticalInformationSequence=[
                radiopharmaceutical("300", CalibrationDataSequence=[counted]),
                radiopharmaceutical("185", RadiopharmaceuticalSpecificActivity="5000"),
            ],
        )
    )  # fmt: skip
    first, second = reading.administrations
    assert (first["administered_activity_mbq"], second["administered_activity_mbq"]) == (300.0, 185.0)
    assert first["syringe_calibrations"] == [
        {"energy_window_number": 1.0, "syringe_counts": 52000.0, "residual_syringe_counts": 1300.0}
    ]
    assert second["radiopharmaceutical_specific_activity_bq_per_umol"] == 5000.0


# Secondary Capture


def test_an_original_x_ray_image_that_came_as_secondary_capture_is_read_by_its_modality() -> None:
    reading = read(image(SECONDARY_CAPTURE, "1.2.3.5", **HOLOGIC))
    assert (reading.kind, reading.irradiation_events) == (
        "mammography", ({"kvp": 28.0, "average_glandular_dose_mgy": 0.26},),
    )  # fmt: skip
    told = {"Modality": "XA", "ImageType": [*ORIGINAL, "BIPLANE A"], "ImageAndFluoroscopyAreaDoseProduct": "2.5"}
    event = the_event(image(SECONDARY_CAPTURE, "1.2.3.5", **told))
    assert event == {"acquisition_plane": "Plane A", "dose_area_product_gy_m2": 2.5e-5}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"ConversionType": "DF"}, "The secondary capture is a digitized film: its exposure is the film's."),
        ({"DetectorType": "FILM"}, "The secondary capture is a digitized film: its exposure is the film's."),
        ({"ConversionType": "SD"}, "The secondary capture is a scanned document."),
        ({"ConversionType": "SI"}, "The secondary capture is a scanned image."),
        *(
            ({"ImageType": kind}, "The secondary capture does not say that it is an original and primary image.")
            for kind in (["DERIVED", "PRIMARY"], ["ORIGINAL", "SECONDARY"], ["ORIGINAL"], None)
        ),
        ({"KVP": None, "OrganDose": None}, "The image's header holds neither dose nor exposure."),
        ({"Modality": "CT"}, "The secondary capture carries no Exposure Dose Sequence."),
        ({"Modality": "OT"}, "The secondary capture carries no Exposure Dose Sequence."),
    ],
)
def test_the_dose_of_a_derived_or_scanned_secondary_capture_is_refused_with_the_reason(
    header: dict[str, Any], reason: str
) -> None:
    reading = read(image(SECONDARY_CAPTURE, "1.2.3.5", **(HOLOGIC | header)))
    assert (reading.kind, reading.irradiation_events, reading.refused) == (None, (), reason)


# What is looked at in the archive


def indexed(sop_class_uid: str, modality: str | None) -> Any:
    class One:
        pass

    one = One()
    one.sop_class_uid, one.modality = sop_class_uid, modality  # type: ignore[attr-defined]
    return one


@pytest.mark.parametrize(
    ("modality", "taken"),
    [("CT", True), ("MG", True), ("XA", True), ("RF", True), ("DX", True), ("OT", False), ("US", False), (None, False)],
)
def test_of_secondary_captures_those_of_ct_and_x_ray_series_are_looked_at(modality: str | None, taken: bool) -> None:
    assert is_candidate(indexed(SECONDARY_CAPTURE, modality)) is taken


def test_every_image_class_that_is_read_is_looked_at_and_of_its_file_the_header_only() -> None:
    assert set(_READERS) == set(IMAGE_CLASSES)
    assert all(is_image(one) and is_candidate(indexed(one, "CT")) for one in _READERS)
    assert not any(is_sampled(indexed(one, "XA")) for one in IMAGE_SOURCES)


def test_what_was_read_of_a_secondary_capture_says_what_kind_of_source_it_is() -> None:
    assert source_of(SECONDARY_CAPTURE, "ct") is Source.CAPTURE
    assert source_of(SECONDARY_CAPTURE, "mammography") is Source.HEADER
    assert source_of(ENHANCED_CT, "ct") is Source.HEADER
    assert source_of("1.2.840.10008.5.1.4.1.1.88.67", "ct") is Source.REPORT
