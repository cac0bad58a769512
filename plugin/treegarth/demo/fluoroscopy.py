"""Angiography and fluoroscopy runs (PS3.3 A.14 XA, A.16 RF): vessels filling with contrast, a barium swallow. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import XRayAngiographicImageStorage, XRayRadiofluoroscopicImageStorage

from treegarth.demo.attributes import add_acquisition, code_items, new_object
from treegarth.demo.phantoms import Ellipse, Picture, paint, smooth_noise, softened
from treegarth.demo.pixels import add_pixels, chance_of
from treegarth.demo.projection_dose_report import ANGIOGRAPH, ProjectionEvent
from treegarth.demo.studies import Equipment, Series, Study

FLUOROSCOPE = Equipment(model="Arc RF 20", station_name="RF1", ae_title="FLUORO1", serial_number="27182")

Points = np.ndarray

# Bone and tissue of the chest in the beam: brightness falls with what is in the way.
_CHEST = (
    Ellipse(0.0, 0.0, 1.5, 1.5, 175),
    Ellipse(-0.75, 0.0, 0.55, 1.3, 205),
    Ellipse(0.10, 0.15, 0.62, 0.72, 150, 20),
    Ellipse(0.42, 0.0, 0.15, 1.5, 128),
    Ellipse(0.15, 1.05, 0.95, 0.42, 112, -8),
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One recorded run, and the irradiation event that it came from."""

    event: ProjectionEvent
    event_place: int
    frames: int = 8
    rows: int = 512
    columns: int = 512
    frames_per_s: float = 7.5


def angiography_run(study: Study, run: Run, *, series_number: int = 1, equipment: Equipment = ANGIOGRAPH) -> Dataset:
    """A coronary run: the vessels fill from the ostium and move with the heart."""
    image = _image(study, run, series_number, XRayAngiographicImageStorage, "XA", equipment)
    image.PositionerMotion = "STATIC"
    image.PositionerPrimaryAngle = run.event.positioner_primary_angle_deg
    image.PositionerSecondaryAngle = run.event.positioner_secondary_angle_deg
    image.DistanceSourceToPatient = 720
    image.ContrastBolusAgent = "Iodinated contrast 350 mg/ml"
    tree = _vessels(chance_of("coronary tree"))
    add_pixels(image, _film(image, run, tree), bits_stored=8)
    return image


def barium_run(study: Study, run: Run, *, series_number: int = 1, equipment: Equipment = FLUOROSCOPE) -> Dataset:
    """A swallow: barium runs down the oesophagus into the stomach."""
    image = _image(study, run, series_number, XRayRadiofluoroscopicImageStorage, "RF", equipment)
    image.ContrastBolusAgent = "Barium sulfate"
    add_pixels(image, _film(image, run, _oesophagus()), bits_stored=8)
    return image


def _image(
    study: Study, run: Run, series_number: int, sop_class_uid: str, modality: str, equipment: Equipment
) -> Dataset:
    series = Series(
        study=study,
        equipment=equipment,
        modality=modality,
        number=series_number,
        description=run.event.acquisition_protocol or "Run",
        protocol=run.event.acquisition_protocol or "",
        after=timedelta(minutes=2, seconds=30 * run.event_place),
    )
    image = new_object(series, sop_class_uid, 1)
    add_acquisition(image, series, series.started)
    image.ImageType = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
    image.BodyPartExamined = study.procedure.body_part
    image.AnatomicRegionSequence = code_items(study.procedure.region)
    image.PatientOrientation = ["L", "F"]
    image.PatientPosition = "HFS"
    image.LossyImageCompression = "00"
    _add_exposure(image, study, run)
    _add_cine(image, run)
    return image


def _add_exposure(image: Dataset, study: Study, run: Run) -> None:
    event = run.event
    image.RadiationSetting = "SC" if event.is_fluoroscopy else "GR"
    image.RadiationMode = "PULSED"
    image.KVP = event.kvp
    image.XRayTubeCurrent = None if event.x_ray_tube_current_ma is None else round(event.x_ray_tube_current_ma)
    image.ExposureTime = None if event.irradiation_duration_s is None else round(event.irradiation_duration_s * 1000)
    image.AveragePulseWidth = event.pulse_width_ms
    if event.exposure_uas is not None:
        image.Exposure = round(event.exposure_uas / 1000)
    if event.dose_area_product_gy_m2 is not None:
        image.ImageAndFluoroscopyAreaDoseProduct = round(event.dose_area_product_gy_m2 * 1e5, 6)  # dGy.cm2
    image.DistanceSourceToDetector = event.distance_source_to_detector_mm
    image.ImagerPixelSpacing = [0.308, 0.308]
    image.FieldOfViewShape = "RECTANGLE"
    image.FieldOfViewDimensions = [158, 158]
    image.FocalSpots = 0.6
    image.IrradiationEventUID = event.uid_in(study, run.event_place)


def _add_cine(image: Dataset, run: Run) -> None:
    frame_time_ms = round(1000 / run.frames_per_s, 3)
    image.NumberOfFrames = run.frames
    image.FrameIncrementPointer = Tag("FrameTime")
    image.FrameTime = frame_time_ms
    image.CineRate = round(run.frames_per_s)
    image.RecommendedDisplayFrameRate = round(run.frames_per_s)
    image.PixelIntensityRelationship = "LIN"
    image.WindowCenter = 128
    image.WindowWidth = 256


def _film(image: Dataset, run: Run, path: Points) -> np.ndarray:
    """The frames: a still chest, along the path contrast that gets further with each frame, and noise."""
    shape = (run.rows, run.columns)
    chance = chance_of(str(image.SOPInstanceUID))
    still = softened(paint(np.full(shape, 160, dtype=np.float32), _CHEST), 12)
    noise = smooth_noise(shape, chance)
    frames = []
    for frame in range(run.frames):
        filled = path[path[:, 3] <= (frame + 2) / (run.frames * 0.75)]
        beat = 0.025 * np.sin(2 * np.pi * frame / max(1, run.frames))
        darkening = softened(_drawn(filled, shape, float(beat)), 1)
        rolled = np.roll(noise, tuple(chance.integers(0, run.rows, 2)), (0, 1))
        frames.append(still * (1 - 0.62 * darkening) + 3.5 * rolled)
    return np.stack(frames)


def _drawn(path: Points, shape: tuple[int, int], beat: float) -> Picture:
    """Discs along a path of rows (x, y, radius, time)."""
    discs = [
        Ellipse(float(x) * (1 + beat), float(y) * (1 - beat), float(radius), float(radius), 1.0)
        for x, y, radius, _ in path
    ]
    return paint(np.zeros(shape, dtype=np.float32), discs)


def _vessels(chance: np.random.Generator) -> Points:
    """A left coronary tree: a main stem that forks twice, each branch thinner and later than its parent."""
    rows: list[tuple[float, float, float, float]] = []

    def grow(x: float, y: float, heading: float, radius: float, time: float, depth: int) -> None:
        bend = float(chance.uniform(-0.6, 0.6))
        steps = 26 if depth else 14
        for _ in range(steps):
            heading += (bend + float(chance.uniform(-1.2, 1.2))) / steps
            x, y = x + 0.014 * float(np.cos(heading)), y + 0.014 * float(np.sin(heading))
            time += 0.011
            radius = max(0.007, radius * 0.988)
            rows.append((x, y, radius, time))
        if depth < 4:
            spread = float(chance.uniform(0.35, 0.6))
            grow(x, y, heading - spread, radius * 0.80, time, depth + 1)
            grow(x, y, heading + spread, radius * 0.72, time, depth + 1)

    for place in range(30):  # the catheter comes down from above and turns into the ostium
        rows.append((-0.42 + 0.004 * place, -1.0 + 0.022 * place, 0.013, 0.0))
    grow(-0.30, -0.36, 1.0, 0.034, 0.05, 0)
    return np.array(rows)


def _oesophagus() -> Points:
    """A swallow from the pharynx to the stomach."""
    time = np.linspace(0, 1, 220)
    down = np.minimum(time / 0.75, 1)
    below = np.maximum(0, (time - 0.75) / 0.25)
    x = 0.30 + 0.05 * np.sin(down * 5) + 0.10 * down + 0.22 * below
    y = -0.98 + 1.45 * down + 0.22 * below
    radius = 0.032 + 0.014 * np.sin(down * 9) ** 2 + 0.14 * below
    return np.stack([x, y, radius, time], axis=1)
