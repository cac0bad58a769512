"""Axial CT series and their localizer (PS3.3 A.3, CT Image IOD), with headers as rich as a scanner's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from treegarth.demo.attributes import add_acquisition, add_axial_plane, code_items, dicom_time, new_object
from treegarth.demo.codes import dcm, sct
from treegarth.demo.ct_dose_report import CT_SCANNER, CtEvent, XRaySource
from treegarth.demo.phantoms import Picture, Region, ct_slice, smooth_noise
from treegarth.demo.pixels import add_pixels, chance_of
from treegarth.demo.studies import Equipment, Series, Study

_INTERCEPT = -1024
_PRIVATE_CREATOR = "TREEGARTH DEMO"


@dataclass(frozen=True, kw_only=True)
class CtScan:
    """How a series was scanned and reconstructed, and the irradiation event that it came from."""

    event: CtEvent
    event_place: int = 1
    """The event's place in the study's dose report, counted from 1."""
    region: Region = "chest"
    instances: int = 20
    rows: int = 512
    columns: int = 512
    field_of_view_mm: float = 380.0
    slice_thickness_mm: float = 5.0
    kernel: str = "SOFT_B"
    contrast: bool = False
    window: tuple[float, float] = (40.0, 400.0)
    """Centre and width in HU."""

    @property
    def spacing_mm(self) -> float:
        return round(self.field_of_view_mm / self.columns, 6)

    @property
    def top_mm(self) -> float:
        return round(self.slice_thickness_mm * (self.instances - 1) / 2, 3)


def ct_series(
    study: Study,
    scan: CtScan,
    *,
    series_number: int = 2,
    description: str = "Axial 5.0 SOFT",
    equipment: Equipment = CT_SCANNER,
) -> list[Dataset]:
    """The axial images of one reconstruction, from head to feet."""
    series = Series(
        study=study,
        equipment=equipment,
        modality="CT",
        number=series_number,
        description=description,
        protocol=scan.event.acquisition_protocol or "",
        after=timedelta(minutes=2 + series_number),
    )
    chance = chance_of(series.series_instance_uid)
    noise = smooth_noise((scan.rows, scan.columns), chance)
    images = []
    for place in range(scan.instances):
        image = _image(series, scan, place, ("ORIGINAL", "PRIMARY", "AXIAL"))
        rolled = np.roll(noise, tuple(chance.integers(0, scan.rows, 2)), (0, 1))
        level = place / max(1, scan.instances - 1)
        picture = ct_slice(scan.region, level, (scan.rows, scan.columns), rolled, contrast=scan.contrast)
        add_pixels(image, picture - _INTERCEPT, bits_stored=12)
        images.append(image)
    return images


def ct_localizer(study: Study, scan: CtScan, *, equipment: Equipment = CT_SCANNER) -> Dataset:
    """The frontal scout of the study, as series 1: a projection through the body of the scan, by the scan's event."""
    series = Series(
        study=study, equipment=equipment, modality="CT", number=1, description="Localizer", after=timedelta(minutes=1)
    )
    image = _image(series, scan, 0, ("ORIGINAL", "PRIMARY", "LOCALIZER"))
    image.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    image.ImagePositionPatient = [-scan.field_of_view_mm / 2, 0, scan.field_of_view_mm / 2]
    image.RescaleType = "US"  # a projection has no Hounsfield units
    add_pixels(image, _projection(scan, series) - _INTERCEPT, bits_stored=12)
    return image


def _projection(scan: CtScan, series: Series) -> Picture:
    """Each row of a scout is the mean of one axial slice along the beam."""
    quiet = np.zeros((96, scan.columns), dtype=np.float32)
    levels = np.linspace(0, 1, 16)
    profiles = [ct_slice(scan.region, float(at), quiet.shape, quiet, contrast=False).mean(axis=0) for at in levels]
    rows = np.linspace(0, 15, scan.rows)
    below = np.minimum(rows.astype(int), 14)
    share = (rows - below)[:, None]
    stack = np.stack(profiles)
    smooth = stack[below] * (1 - share) + stack[below + 1] * share
    noise = chance_of(series.series_instance_uid).normal(0, 8, smooth.shape)
    picture: Picture = (smooth * 1.6 + 700 + noise).astype(np.float32)
    return picture


def _image(series: Series, scan: CtScan, place: int, image_type: tuple[str, ...]) -> Dataset:
    image = new_object(series, CTImageStorage, place + 1)
    _add_image(image, series, place, image_type)
    _add_plane(image, series.study, scan, place)
    _add_exposure(image, series, scan)
    _add_references(image, series.study, place)
    _add_presentation(image, scan)
    if scan.contrast:
        _add_contrast(image, series)
    _add_private(image, scan, place)
    return image


def _add_image(image: Dataset, series: Series, place: int, image_type: tuple[str, ...]) -> None:
    acquired = series.started + timedelta(milliseconds=240 * place)
    image.ImageType = list(image_type)
    add_acquisition(image, series, acquired)
    image.BodyPartExamined = series.study.procedure.body_part
    image.AnatomicRegionSequence = code_items(series.study.procedure.region)
    image.PatientPosition = "HFS"
    image.PerformedProtocolCodeSequence = code_items(series.study.procedure.as_code())
    image.BurnedInAnnotation = "NO"
    image.LossyImageCompression = "00"
    image.QualityControlImage = "NO"


def _add_plane(image: Dataset, study: Study, scan: CtScan, place: int) -> None:
    z = round(scan.top_mm - place * scan.slice_thickness_mm, 3)
    add_axial_plane(
        image, study, z_mm=z, field_of_view_mm=scan.field_of_view_mm, slice_thickness_mm=scan.slice_thickness_mm
    )
    image.PixelSpacing = [scan.spacing_mm, scan.spacing_mm]
    image.ReconstructionDiameter = scan.field_of_view_mm
    image.DataCollectionDiameter = 500
    image.DataCollectionCenterPatient = [0, 0, z]
    image.ReconstructionTargetCenterPatient = [0, 0, z]
    image.TableHeight = 162.5


def _add_exposure(image: Dataset, series: Series, scan: CtScan) -> None:
    event = scan.event
    source = event.sources[0] if event.sources else XRaySource()
    rotation_s = source.exposure_time_per_rotation_s or 0.5
    current_ma = source.x_ray_tube_current_ma or 0
    image.KVP = source.kvp
    image.ExposureTime = round(rotation_s * 1000)
    image.XRayTubeCurrent = round(current_ma)
    image.Exposure = round(current_ma * rotation_s)
    image.ExposureInuAs = round(current_ma * rotation_s * 1000)
    image.ExposureModulationType = "XYZ_EC"
    image.GeneratorPower = 60
    image.FilterType = "WEDGE_2"
    image.FocalSpots = 1.2
    image.GantryDetectorTilt = 0
    image.RotationDirection = "CW"
    image.DistanceSourceToDetector = 1085.6
    image.DistanceSourceToPatient = 595
    image.ConvolutionKernel = scan.kernel
    image.ScanOptions = "HELICAL MODE" if event.pitch_factor else "AXIAL MODE"
    image.RevolutionTime = rotation_s
    if event.nominal_total_collimation_width_mm and event.nominal_single_collimation_width_mm:
        image.SingleCollimationWidth = event.nominal_single_collimation_width_mm
        image.TotalCollimationWidth = event.nominal_total_collimation_width_mm
    if event.pitch_factor:
        image.SpiralPitchFactor = event.pitch_factor
        image.TableSpeed = 46.0
        image.TableFeedPerRotation = 23.0
    if event.mean_ctdi_vol_mgy is not None:
        image.CTDIvol = event.mean_ctdi_vol_mgy
    if event.phantom is not None:
        image.CTDIPhantomTypeCodeSequence = code_items(event.phantom)
    image.IrradiationEventUID = event.uid_in(series.study, scan.event_place)


def _add_references(image: Dataset, study: Study, place: int) -> None:
    if "LOCALIZER" in image.ImageType:
        return
    localizer = Series(study=study, equipment=CT_SCANNER, modality="CT", number=1, description="Localizer")
    reference = Dataset()
    reference.ReferencedSOPClassUID = CTImageStorage
    reference.ReferencedSOPInstanceUID = localizer.sop_instance_uid(1)
    reference.PurposeOfReferenceCodeSequence = code_items(dcm("121311", "Localizer"))
    image.ReferencedImageSequence = [reference]


def _add_presentation(image: Dataset, scan: CtScan) -> None:
    centre, width = scan.window
    image.RescaleIntercept = _INTERCEPT
    image.RescaleSlope = 1
    image.RescaleType = "HU"
    image.WindowCenter = [centre, -600]
    image.WindowWidth = [width, 1600]
    image.WindowCenterWidthExplanation = ["STANDARD", "LUNG"]


def _add_contrast(image: Dataset, series: Series) -> None:
    image.ContrastBolusAgent = "Iodinated contrast 350 mg/ml"
    image.ContrastBolusAgentSequence = code_items(sct("109218004", "Iohexol"))
    image.ContrastBolusRoute = "IV"
    image.ContrastBolusVolume = 90
    image.ContrastBolusStartTime = dicom_time(series.started - timedelta(seconds=70))
    image.ContrastBolusStopTime = dicom_time(series.started - timedelta(seconds=40))
    image.ContrastBolusTotalDose = 90
    image.ContrastFlowRate = 3
    image.ContrastFlowDuration = 30
    image.ContrastBolusIngredient = "IODINE"
    image.ContrastBolusIngredientConcentration = 350


def _add_private(image: Dataset, scan: CtScan, place: int) -> None:
    """A private block as scanners write one: it is what makes their headers long."""
    block = image.private_block(0x0029, _PRIVATE_CREATOR, create=True)
    block.add_new(0x01, "OB", bytes(range(256)) * 8)
    block.add_new(0x02, "LO", f"reconstruction {scan.kernel} {scan.rows}")
    block.add_new(0x03, "IS", place)
    for offset in range(0x10, 0x80):
        block.add_new(offset, "DS", f"{(offset * 37 + place) % 1000 / 10:.1f}")
