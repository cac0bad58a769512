"""PET images of an FDG study (PS3.3 A.21) and its Radiopharmaceutical Radiation Dose SR (PS3.16 TID 10021). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage, RadiopharmaceuticalRadiationDoseSRStorage

from treegarth.demo.attributes import (
    add_acquisition,
    add_axial_plane,
    code_items,
    dicom_datetime,
    dicom_time,
    new_object,
)
from treegarth.demo.codes import DIAGNOSTIC_INTENT, dcm, sct, ucum
from treegarth.demo.content import coded, container, identifier, moment, number
from treegarth.demo.identifiers import made_up_uid
from treegarth.demo.phantoms import Ellipse, Picture, paint, smooth_noise, softened
from treegarth.demo.pixels import add_pixels, chance_of
from treegarth.demo.structured_report import structured_report
from treegarth.demo.studies import Equipment, Series, Study

PET_CT = Equipment(
    model="Ring PET/CT", station_name="PET1", ae_title="PETCT1", serial_number="18018", department="Nuclear Medicine"
)

FLUORINE_18 = sct("77004003", "^18^Fluorine")
FLUORODEOXYGLUCOSE = sct("35321007", "Fluorodeoxyglucose F^18^")
INTRAVENOUS = sct("47625008", "Intravenous route")
HALF_LIFE_S = 6586.2
FDG_MSV_PER_MBQ = 0.019
"""Effective dose of an adult per administered activity of F-18 FDG (ICRP Publication 128)."""


@dataclass(frozen=True, kw_only=True)
class Administration:
    """One injection of F-18 FDG."""

    administered_activity_mbq: float = 312.0
    before_study: timedelta = timedelta(minutes=60)

    @property
    def effective_dose_msv(self) -> float:
        return round(self.administered_activity_mbq * FDG_MSV_PER_MBQ, 3)

    def started(self, study: Study) -> datetime:
        return study.started - self.before_study


@dataclass(frozen=True, kw_only=True)
class PetScan:
    """How a PET series was acquired and reconstructed."""

    administration: Administration = Administration()
    instances: int = 32
    rows: int = 128
    columns: int = 128
    field_of_view_mm: float = 700.0
    slice_thickness_mm: float = 5.0


def pet_series(study: Study, scan: PetScan, *, series_number: int = 3, equipment: Equipment = PET_CT) -> list[Dataset]:
    """The attenuation-corrected slices, in Bq/ml."""
    series = Series(
        study=study,
        equipment=equipment,
        modality="PT",
        number=series_number,
        description="WB AC",
        protocol="WB FDG",
        after=timedelta(minutes=8),
    )
    chance = chance_of(series.series_instance_uid)
    images = []
    for place in range(scan.instances):
        image = new_object(series, PositronEmissionTomographyImageStorage, place + 1)
        add_acquisition(image, series, series.started)
        _add_plane(image, study, scan, place)
        _add_series(image, scan)
        _add_frame(image, place)
        image.RadiopharmaceuticalInformationSequence = [_radiopharmaceutical(study, scan.administration)]
        level = place / max(1, scan.instances - 1)
        uptake = softened(_uptake(level, (scan.rows, scan.columns)), 2)
        noise = smooth_noise((scan.rows, scan.columns), chance)
        activity = np.maximum(0, uptake * (1 + 0.12 * noise) + 60 * np.abs(noise))
        _add_activity(image, activity)
        images.append(image)
    return images


def radiopharmaceutical_dose_report(
    study: Study, administration: Administration, *, series_number: int = 502, equipment: Equipment = PET_CT
) -> Dataset:
    """The dose report of the injection."""
    series = Series(
        study=study,
        equipment=equipment,
        modality="SR",
        number=series_number,
        description="Radiopharmaceutical Dose Report",
        after=timedelta(minutes=30),
    )
    intent = coded(sct("363703001", "Has Intent"), DIAGNOSTIC_INTENT, relationship="HAS CONCEPT MOD")
    procedure = sct("443271005", "PET CT FDG imaging of whole body")
    return structured_report(
        series,
        sop_class_uid=RadiopharmaceuticalRadiationDoseSRStorage,
        template="10021",
        title=dcm("113500", "Radiopharmaceutical Radiation Dose Report"),
        content=[
            coded(sct("363589002", "Associated Procedure"), procedure, intent, relationship="HAS CONCEPT MOD"),
            _administration(study, administration),
        ],
    )


def _administration(study: Study, administration: Administration) -> Dataset:
    """Radiopharmaceutical Administration Event Data (TID 10022)."""
    mbq = ucum("MBq")
    activity = administration.administered_activity_mbq
    agent = coded(
        sct("349358000", "Radiopharmaceutical agent"),
        FLUORODEOXYGLUCOSE,
        coded(sct("89457008", "Radionuclide"), FLUORINE_18, relationship="HAS PROPERTIES"),
        number(
            sct("304283002", "Radionuclide Half Life"), HALF_LIFE_S, ucum("s", "seconds"), relationship="HAS PROPERTIES"
        ),
    )
    started = administration.started(study)
    return container(
        dcm("113502", "Radiopharmaceutical Administration"),
        agent,
        identifier(dcm("113503", "Radiopharmaceutical Administration Event UID"), _event_uid(study)),
        moment(dcm("123003", "Radiopharmaceutical Start DateTime"), started),
        moment(dcm("123004", "Radiopharmaceutical Stop DateTime"), started + timedelta(seconds=20)),
        number(dcm("113507", "Administered activity"), activity, mbq),
        number(dcm("113508", "Pre-Administration Measured Activity"), round(activity * 1.02, 1), mbq),
        number(dcm("113509", "Post-Administration Measured Activity"), round(activity * 0.02, 1), mbq),
        number(dcm("113839", "Effective Dose"), administration.effective_dose_msv, ucum("mSv")),
        coded(sct("410675002", "Route of administration"), INTRAVENOUS),
    )


def _event_uid(study: Study) -> str:
    return made_up_uid(study.study_instance_uid, "administration")


def _radiopharmaceutical(study: Study, administration: Administration) -> Dataset:
    started = administration.started(study)
    item = Dataset()
    item.Radiopharmaceutical = "Fluorodeoxyglucose F^18^"
    item.RadiopharmaceuticalCodeSequence = code_items(FLUORODEOXYGLUCOSE)
    item.RadiopharmaceuticalRoute = "IV"
    item.AdministrationRouteCodeSequence = code_items(INTRAVENOUS)
    item.RadiopharmaceuticalVolume = 4.5
    item.RadiopharmaceuticalStartTime = dicom_time(started)
    item.RadiopharmaceuticalStartDateTime = dicom_datetime(started)
    item.RadiopharmaceuticalStopTime = dicom_time(started + timedelta(seconds=20))
    item.RadiopharmaceuticalStopDateTime = dicom_datetime(started + timedelta(seconds=20))
    item.RadionuclideTotalDose = round(administration.administered_activity_mbq * 1e6)  # Bq in PET headers
    item.RadionuclideHalfLife = HALF_LIFE_S
    item.RadionuclidePositronFraction = 0.9673
    item.RadionuclideCodeSequence = code_items(FLUORINE_18)
    item.RadiopharmaceuticalAdministrationEventUID = _event_uid(study)
    return item


def _add_plane(image: Dataset, study: Study, scan: PetScan, place: int) -> None:
    z = round(scan.slice_thickness_mm * ((scan.instances - 1) / 2 - place), 3)
    add_axial_plane(
        image, study, z_mm=z, field_of_view_mm=scan.field_of_view_mm, slice_thickness_mm=scan.slice_thickness_mm
    )
    image.PixelSpacing = [round(scan.field_of_view_mm / scan.columns, 6)] * 2
    image.BodyPartExamined = study.procedure.body_part
    image.AnatomicRegionSequence = code_items(study.procedure.region)
    recumbent = sct("102538003", "recumbent").item()
    recumbent.PatientOrientationModifierCodeSequence = code_items(sct("40199007", "supine"))
    image.PatientOrientationCodeSequence = [recumbent]
    image.PatientGantryRelationshipCodeSequence = code_items(sct("102540008", "headfirst"))


def _add_series(image: Dataset, scan: PetScan) -> None:
    """PET Series (PS3.3 C.8.9.1)."""
    image.Units = "BQML"
    image.CountsSource = "EMISSION"
    image.SeriesType = ["WHOLE BODY", "IMAGE"]
    image.NumberOfSlices = scan.instances
    image.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"]
    image.RandomsCorrectionMethod = "DLYD"
    image.AttenuationCorrectionMethod = "measured, CT"
    image.ScatterCorrectionMethod = "Model-based"
    image.DecayCorrection = "START"
    image.ReconstructionMethod = "OSEM 3i21s"
    image.ReconstructionDiameter = scan.field_of_view_mm
    image.ConvolutionKernel = "XYZ Gauss 4.0"
    image.CollimatorType = "NONE"
    image.TypeOfDetectorMotion = "NONE"
    image.AxialAcceptance = 38
    image.EnergyWindowRangeSequence = [_energy_window()]


def _energy_window() -> Dataset:
    item = Dataset()
    item.EnergyWindowLowerLimit = 435
    item.EnergyWindowUpperLimit = 650
    return item


def _add_frame(image: Dataset, place: int) -> None:
    """PET Image (PS3.3 C.8.9.4)."""
    image.ImageType = ["ORIGINAL", "PRIMARY"]
    image.FrameReferenceTime = 60000
    image.ActualFrameDuration = 120000
    image.ImageIndex = place + 1
    image.DecayFactor = 1.0063
    image.DoseCalibrationFactor = 1
    image.ScatterFractionFactor = 0.34
    image.DeadTimeFactor = 1.08
    image.LossyImageCompression = "00"


def _add_activity(image: Dataset, activity_bq_ml: Picture) -> None:
    """Stores the slice with a slope of its own, as PET scanners do."""
    slope = round(float(activity_bq_ml.max()) / 32767, 6)
    image.RescaleIntercept = 0
    image.RescaleSlope = slope
    image.WindowCenter = 6000
    image.WindowWidth = 12000
    add_pixels(image, activity_bq_ml / slope, bits_stored=16, signed=True)


def _uptake(level: float, shape: tuple[int, int]) -> Picture:
    """Activity in Bq/ml from the neck (0) to the pelvis (1): muscle low, heart, liver, kidneys, bladder, one lesion."""
    liver = float(np.exp(-(((level - 0.48) / 0.12) ** 2)))
    kidney = float(np.exp(-(((level - 0.60) / 0.07) ** 2)))
    heart = float(np.exp(-(((level - 0.30) / 0.07) ** 2)))
    bladder = float(np.exp(-(((level - 0.97) / 0.05) ** 2)))
    lesion = float(np.exp(-(((level - 0.22) / 0.025) ** 2)))
    lungs = 400 if level < 0.45 else 1500
    painted = [
        Ellipse(0, 0, 0.52, 0.34, 900),
        Ellipse(0, 0, 0.47, 0.29, 1700),
        Ellipse(-0.23, 0, 0.17, 0.22, lungs),
        Ellipse(0.23, 0, 0.17, 0.22, lungs),
        Ellipse(0, 0.17, 0.06, 0.06, 3000),
        Ellipse(-0.20, -0.02, 0.19 * liver + 0.001, 0.18 * liver + 0.001, 5200),
        Ellipse(0.08, -0.03, 0.13 * heart + 0.001, 0.11 * heart + 0.001, 11000, 25),
        Ellipse(0.08, -0.03, 0.08 * heart + 0.001, 0.06 * heart + 0.001, 2600, 25),
        Ellipse(-0.24, 0.12, 0.06 * kidney + 0.001, 0.08 * kidney + 0.001, 14000),
        Ellipse(0.24, 0.12, 0.06 * kidney + 0.001, 0.08 * kidney + 0.001, 14000),
        Ellipse(0, -0.06, 0.11 * bladder + 0.001, 0.10 * bladder + 0.001, 30000),
        Ellipse(-0.26, -0.08, 0.045 * lesion + 0.001, 0.045 * lesion + 0.001, 16000),
    ]
    return paint(np.zeros(shape, dtype=np.float32), painted)
