"""Screening mammography in four views (PS3.3 A.27, for presentation), with the dose in the header. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation

from treegarth.demo.attributes import add_acquisition, code_items, new_object
from treegarth.demo.codes import BREAST, Code, sct
from treegarth.demo.identifiers import made_up_uid
from treegarth.demo.phantoms import Picture, smooth_noise, softened
from treegarth.demo.pixels import add_pixels, chance_of
from treegarth.demo.studies import Equipment, Series, Study

MAMMOGRAPH = Equipment(model="Petal MG", station_name="MG1", ae_title="MAMMO1", serial_number="77104")

CRANIO_CAUDAL = sct("399162004", "cranio-caudal")
MEDIO_LATERAL_OBLIQUE = sct("399368009", "medio-lateral oblique")


@dataclass(frozen=True, kw_only=True)
class MammographyView:
    """One exposure of one breast."""

    laterality: Literal["L", "R"]
    view: Code = CRANIO_CAUDAL
    average_glandular_dose_mgy: float = 1.35
    entrance_dose_mgy: float = 4.9
    compression_force_n: float = 98.0
    body_part_thickness_mm: float = 54.0
    kvp: float = 29.0
    exposure_uas: int = 87_000

    @property
    def is_oblique(self) -> bool:
        return self.view == MEDIO_LATERAL_OBLIQUE


SCREENING = (
    MammographyView(laterality="R"),
    MammographyView(laterality="L", average_glandular_dose_mgy=1.31, entrance_dose_mgy=4.7),
    MammographyView(laterality="R", view=MEDIO_LATERAL_OBLIQUE, average_glandular_dose_mgy=1.48, exposure_uas=96_000),
    MammographyView(laterality="L", view=MEDIO_LATERAL_OBLIQUE, average_glandular_dose_mgy=1.52, exposure_uas=98_000),
)


def mammograms(
    study: Study,
    views: tuple[MammographyView, ...] = SCREENING,
    *,
    rows: int = 1024,
    columns: int = 832,
    equipment: Equipment = MAMMOGRAPH,
) -> list[Dataset]:
    """One image a view, each in a series of its own as mammographs send them."""
    return [_image(study, view, place, (rows, columns), equipment) for place, view in enumerate(views, start=1)]


def _image(study: Study, view: MammographyView, place: int, shape: tuple[int, int], equipment: Equipment) -> Dataset:
    name = f"{view.laterality} {'MLO' if view.is_oblique else 'CC'}"
    series = Series(
        study=study,
        equipment=equipment,
        modality="MG",
        number=place,
        description=name,
        protocol=name,
        after=timedelta(minutes=2 * place),
    )
    image = new_object(series, DigitalMammographyXRayImageStorageForPresentation, 1)
    add_acquisition(image, series, series.started)
    _add_view(image, view)
    _add_detector(image, view, place)
    _add_exposure(image, view)
    add_pixels(image, _breast(shape, view, series.series_instance_uid), bits_stored=12)
    _add_presentation(image)
    return image


def _add_view(image: Dataset, view: MammographyView) -> None:
    image.ImageType = ["DERIVED", "PRIMARY"]
    image.PresentationIntentType = "FOR PRESENTATION"
    image.BodyPartExamined = "BREAST"
    image.ImageLaterality = view.laterality
    image.OrganExposed = "BREAST"
    image.AnatomicRegionSequence = code_items(BREAST)
    image.ViewPosition = "MLO" if view.is_oblique else "CC"
    coded_view = view.view.item()
    coded_view.ViewModifierCodeSequence = []
    image.ViewCodeSequence = [coded_view]
    towards_nipple = "A" if view.laterality == "L" else "P"
    across = ("F" if view.is_oblique else "L") if view.laterality == "L" else ("F" if view.is_oblique else "R")
    image.PatientOrientation = [towards_nipple, across]
    image.PositionerType = "MAMMOGRAPHIC"
    image.PositionerPrimaryAngle = (45 if view.laterality == "L" else -45) if view.is_oblique else 0
    image.PartialView = "NO"
    image.BreastImplantPresent = "NO"
    image.AcquisitionContextSequence = []


def _add_detector(image: Dataset, view: MammographyView, place: int) -> None:
    image.DetectorType = "DIRECT"
    image.DetectorConfiguration = "AREA"
    image.DetectorID = "DET-77"
    image.DetectorTemperature = 31.2
    image.ImagerPixelSpacing = [0.23, 0.23]
    image.PixelSpacing = [0.23, 0.23]
    image.DistanceSourceToDetector = 660
    image.DistanceSourceToPatient = 640
    image.EstimatedRadiographicMagnificationFactor = 1.03125
    image.IrradiationEventUID = made_up_uid(image.StudyInstanceUID, "irradiation event", place)
    image.BodyPartThickness = view.body_part_thickness_mm
    image.CompressionForce = view.compression_force_n


def _add_exposure(image: Dataset, view: MammographyView) -> None:
    image.KVP = view.kvp
    image.ExposureTime = 870
    image.XRayTubeCurrent = round(view.exposure_uas / 870)
    image.Exposure = round(view.exposure_uas / 1000)
    image.ExposureInuAs = view.exposure_uas
    image.ExposureControlMode = "AUTOMATIC"
    image.AnodeTargetMaterial = "TUNGSTEN"
    image.FilterMaterial = "RHODIUM"
    image.FilterThicknessMinimum = 0.05
    image.FilterThicknessMaximum = 0.05
    image.FocalSpots = 0.3
    image.Grid = ["RECIPROCATING", "PARALLEL"]
    image.HalfValueLayer = 0.53
    image.EntranceDoseInmGy = view.entrance_dose_mgy
    image.OrganDose = round(view.average_glandular_dose_mgy / 100, 6)  # dGy (PS3.3 C.8.7.8)
    image.CollimatorShape = "RECTANGULAR"
    image.CollimatorLeftVerticalEdge = 0
    image.CollimatorRightVerticalEdge = 832
    image.CollimatorUpperHorizontalEdge = 0
    image.CollimatorLowerHorizontalEdge = 1024


def _add_presentation(image: Dataset) -> None:
    image.PixelIntensityRelationship = "LOG"
    image.PixelIntensityRelationshipSign = -1
    image.RescaleIntercept = 0
    image.RescaleSlope = 1
    image.RescaleType = "US"
    image.PresentationLUTShape = "IDENTITY"
    image.LossyImageCompression = "00"
    image.BurnedInAnnotation = "NO"
    image.QualityControlImage = "NO"
    image.WindowCenter = 1250
    image.WindowWidth = 2500


def _breast(shape: tuple[int, int], view: MammographyView, identifier: str) -> Picture:
    """Stored values: air is dark, fat grey, glands bright; the chest wall lies left, mirrored for the right breast."""
    rows, columns = shape
    chance = chance_of(identifier)
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None] - (0.12 if view.is_oblique else 0.0)
    x = np.linspace(0, 1, columns, dtype=np.float32)[None, :]
    if view.is_oblique:
        y = np.where(y < 0, y * 0.6, y)  # the oblique view takes in the tail towards the armpit
    depth = 1 - ((x / 0.80) ** 2 + (np.abs(y) / 0.78) ** 2.2)
    inside = depth > 0
    thickness = np.clip(depth * 4, 0, 1) ** 0.5
    texture = _glands(shape, chance)
    glandular = np.exp(-(((x - 0.36) / 0.24) ** 2) - (y / 0.42) ** 2)
    picture = np.where(inside, 900 * thickness + 1500 * glandular * texture + 260 * texture, 0)
    picture += np.where(inside, _ducts(shape, y, x, glandular), 0)
    if view.is_oblique:
        muscle = x < 0.5 * (0.1 - y)
        picture = np.where(muscle, 1500 + 500 * texture, picture)
    picture = picture + smooth_noise(shape, chance, 2) * np.where(inside, 45, 8) + 60
    blurred = softened(picture.astype(np.float32), 2)
    return blurred if view.laterality == "L" else blurred[:, ::-1]


def _glands(shape: tuple[int, int], chance: np.random.Generator) -> Picture:
    """Clouds between 0 and 1: coarse noise at four scales, drawn larger."""
    clouds = np.zeros(shape, dtype=np.float32)
    for cells, share in ((6, 0.45), (14, 0.3), (36, 0.17), (90, 0.08)):
        coarse = softened(chance.random((cells, cells), dtype=np.float32))
        rows = np.linspace(0, cells - 1.001, shape[0])
        columns = np.linspace(0, cells - 1.001, shape[1])
        clouds += share * _bilinear(coarse, rows, columns)
    spread: Picture = (clouds - clouds.min()) / (clouds.max() - clouds.min())
    return spread


def _bilinear(coarse: Picture, rows: np.ndarray, columns: np.ndarray) -> Picture:
    top, left = rows.astype(int), columns.astype(int)
    down, right = (rows - top)[:, None], (columns - left)[None, :]
    upper = coarse[np.ix_(top, left)] * (1 - right) + coarse[np.ix_(top, left + 1)] * right
    lower = coarse[np.ix_(top + 1, left)] * (1 - right) + coarse[np.ix_(top + 1, left + 1)] * right
    drawn: Picture = (upper * (1 - down) + lower * down).astype(np.float32)
    return drawn


def _ducts(shape: tuple[int, int], y: Picture, x: Picture, glandular: Picture) -> Picture:
    """Fine strands that run together at the nipple."""
    angle = np.arctan2(y, 0.84 - x)
    strands: Picture = (160 * np.maximum(0, np.sin(angle * 42 + 6 * x)) ** 6 * glandular).astype(np.float32)
    return strands.reshape(shape)
