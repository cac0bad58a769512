"""Magnetic resonance series (PS3.3 A.4, MR Image IOD): a brain in axial slices, a knee in sagittal ones. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from treegarth.demo.attributes import add_acquisition, add_axial_plane, code_items, new_object
from treegarth.demo.codes import KNEE
from treegarth.demo.phantoms import Ellipse, Picture, paint, smooth_noise, softened
from treegarth.demo.pixels import add_pixels, chance_of
from treegarth.demo.studies import Equipment, Series, Study

MR_SCANNER = Equipment(model="Halo MR 3T", station_name="MR1", ae_title="MRSCANNER1", serial_number="30017")

Weighting = Literal["T1", "T2"]
_TIMES_MS = {"T1": (520.0, 11.0), "T2": (4200.0, 98.0)}
"""Repetition and echo time."""


def mr_series(
    study: Study,
    *,
    weighting: Weighting = "T2",
    region: Literal["brain", "knee"] = "brain",
    instances: int = 20,
    rows: int = 256,
    columns: int = 256,
    series_number: int = 2,
    equipment: Equipment = MR_SCANNER,
) -> list[Dataset]:
    """The slices of one pulse sequence."""
    plane = "tra" if region == "brain" else "sag"
    series = Series(
        study=study,
        equipment=equipment,
        modality="MR",
        number=series_number,
        description=f"{weighting} tse {plane}",
        protocol=f"{weighting.lower()}_tse_{plane}",
        after=timedelta(minutes=4 * series_number),
    )
    chance = chance_of(series.series_instance_uid)
    images = []
    for place in range(instances):
        image = new_object(series, MRImageStorage, place + 1)
        acquired = series.started + timedelta(seconds=2 * place)
        add_acquisition(image, series, acquired)
        _add_sequence(image, weighting)
        _add_plane(image, study, region, place - (instances - 1) / 2, rows, columns)
        level = place / max(1, instances - 1)
        picture = _brain(level, weighting, (rows, columns)) if region == "brain" else _knee(level, (rows, columns))
        noisy = np.abs(softened(picture, 2) + 14 * smooth_noise((rows, columns), chance))
        add_pixels(image, noisy, bits_stored=12)
        image.WindowCenter, image.WindowWidth = 450, 900
        images.append(image)
    return images


def _add_sequence(image: Dataset, weighting: Weighting) -> None:
    repetition_ms, echo_ms = _TIMES_MS[weighting]
    image.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    image.ScanningSequence = "SE"
    image.SequenceVariant = "SK"
    image.ScanOptions = ""
    image.MRAcquisitionType = "2D"
    image.SequenceName = "tse2d"
    image.RepetitionTime = repetition_ms
    image.EchoTime = echo_ms
    image.EchoTrainLength = 9
    image.EchoNumbers = 1
    image.NumberOfAverages = 2
    image.MagneticFieldStrength = 3
    image.ImagingFrequency = 123.25
    image.ImagedNucleus = "1H"
    image.NumberOfPhaseEncodingSteps = 256
    image.PercentSampling = 100
    image.PercentPhaseFieldOfView = 100
    image.PixelBandwidth = 180
    image.ReceiveCoilName = "Head_32"
    image.TransmitCoilName = "Body"
    image.InPlanePhaseEncodingDirection = "ROW"
    image.FlipAngle = 150
    image.VariableFlipAngleFlag = "N"
    image.SAR = 0.82
    image.dBdt = 0
    image.PatientPosition = "HFS"
    image.LossyImageCompression = "00"


def _add_plane(image: Dataset, study: Study, region: str, offset: float, rows: int, columns: int) -> None:
    field_mm, thickness_mm, gap_mm = (230.0, 5.0, 1.0) if region == "brain" else (160.0, 3.0, 0.6)
    at = round(offset * (thickness_mm + gap_mm), 3)
    add_axial_plane(image, study, z_mm=-at, field_of_view_mm=field_mm, slice_thickness_mm=thickness_mm)
    if region == "knee":
        image.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        image.ImagePositionPatient = [at, -field_mm / 2, field_mm / 2]
    if study.procedure.region == KNEE:
        image.Laterality = "R"
    image.BodyPartExamined = study.procedure.body_part
    image.AnatomicRegionSequence = code_items(study.procedure.region)
    image.SpacingBetweenSlices = thickness_mm + gap_mm
    image.PixelSpacing = [round(field_mm / rows, 6), round(field_mm / columns, 6)]


def _brain(level: float, weighting: Weighting, shape: tuple[int, int]) -> Picture:
    bright = weighting == "T2"
    fluid, grey, white = (880.0, 520.0, 390.0) if bright else (150.0, 400.0, 540.0)
    size = 0.55 + 0.43 * float(np.sin(np.pi * (0.12 + 0.72 * level)))
    wide, high = 0.72 * size, 0.88 * size
    painted = [
        Ellipse(0, 0, wide, high, 760),
        Ellipse(0, 0, wide - 0.035, high - 0.035, 60),
        Ellipse(0, 0, wide - 0.075, high - 0.075, fluid),
        Ellipse(0, 0, wide - 0.090, high - 0.090, grey),
        Ellipse(0, 0, wide - 0.170, high - 0.170, white),
        Ellipse(0, 0, 0.010, high - 0.085, fluid),
    ]
    for place in range(30):
        turn = 2 * np.pi * place / 30
        x, y = (wide - 0.13) * np.cos(turn), (high - 0.13) * np.sin(turn)
        along = float(np.rad2deg(np.arctan2(y, x)))
        painted.append(Ellipse(float(x), float(y), 0.045, 0.010, fluid * 0.8 + grey * 0.2, along))
    inner = 1.3 * size * max(0.15, 1.05 - level)
    for side in (-1, 1):
        painted += [
            Ellipse(side * 0.10 * size, -0.18 * size, 0.045 * inner, 0.16 * inner, fluid, side * 18),
            Ellipse(side * 0.14 * size, 0.22 * size, 0.045 * inner, 0.17 * inner, fluid, -side * 22),
            Ellipse(side * 0.16 * size, 0.02, 0.080 * inner, 0.095 * inner, grey),
        ]
    return paint(np.zeros(shape, dtype=np.float32), painted)


def _knee(level: float, shape: tuple[int, int]) -> Picture:
    aside = float(np.sin(np.pi * (0.15 + 0.7 * level)))
    painted = [
        Ellipse(0.02, 0, 0.66, 1.40, 620),
        Ellipse(0.06, 0, 0.58, 1.36, 250),
        Ellipse(-0.02, -0.68, 0.24, 0.62, 60),
        Ellipse(-0.02, -0.68, 0.21, 0.60, 700),
        Ellipse(0.02, -0.14, 0.38 * aside, 0.29, 60),
        Ellipse(0.02, -0.14, 0.35 * aside, 0.26, 710),
        Ellipse(0.00, 0.72, 0.25, 0.60, 60),
        Ellipse(0.00, 0.72, 0.22, 0.58, 690),
        Ellipse(0.00, 0.27, 0.37 * aside, 0.15, 60),
        Ellipse(0.00, 0.27, 0.34 * aside, 0.12, 690),
        Ellipse(-0.22, 0.13, 0.11, 0.028, 40, 10),
        Ellipse(0.24, 0.13, 0.11, 0.028, 40, -10),
        Ellipse(0.02, 0.12, 0.16, 0.018, 880),
        Ellipse(-0.48, -0.22, 0.085, 0.19, 60, 6),
        Ellipse(-0.48, -0.22, 0.065, 0.165, 690, 6),
        Ellipse(-0.49, 0.18, 0.025, 0.24, 40, -6),
        Ellipse(-0.34, 0.12, 0.10, 0.15, 660, 20),
    ]
    return paint(np.zeros(shape, dtype=np.float32), painted)
