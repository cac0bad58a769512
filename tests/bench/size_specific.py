"""What measuring a CT series costs a worker: images of 512 × 512 with noise, lungs and a table, read and measured.

Without Orthanc's part, and with the writing of what follows: as the workers do it, from files in memory.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless
from sqlalchemy import Engine, update

from tests.bench.report import Figure
from tests.ct_phantoms import CT, Bow, Ellipse, ct_slice, drawn, file_of
from tests.database.test_dose_series_ssde import NOW, SERIES, Archive, Instance, Stable, index, report
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import create_engine, transaction
from treegarth.database.migration import migrate
from treegarth.features.dose.analysis.size.follower import follow_stable
from treegarth.features.dose.analysis.size.images import read_image
from treegarth.features.dose.analysis.size.masks import label
from treegarth.features.dose.analysis.size.measurement import measure
from treegarth.features.dose.analysis.size.service import measure_waiting
from treegarth.features.dose.analysis.size.version import MOST_SLICES
from treegarth.index.tables import instance

ROUNDS = 5
SPACING = (0.8, 0.8)
SHAPES = (
    Ellipse(half_width=170, half_height=120, hu=30),
    Ellipse(half_width=55, half_height=75, hu=-850, x=-75),
    Ellipse(half_width=55, half_height=75, hu=-850, x=75),
    Bow(radius=420, thick=3, below=70),
)


def measure_series(engine: Engine, archive: Archive) -> float:
    """Seconds for the series, its exam's estimate written."""
    with transaction(engine) as connection:
        follow_stable(connection, [Stable(SERIES)], NOW)
    begin = perf_counter()
    measure_waiting(engine, archive, clock=lambda: NOW)
    return perf_counter() - begin


def files(count: int, syntax: UID = ExplicitVRLittleEndian) -> dict[str, bytes]:
    """Of a trunk with noise as of a low dose."""
    picture = drawn(*SHAPES, pixels=512, spacing=SPACING)
    noise = np.random.default_rng(1)
    return {
        f"i{number}": file_of(
            ct_slice(np.maximum(picture + noise.normal(0, 25, picture.shape), -1000), number=number, spacing=SPACING),
            syntax,
        )
        for number in range(1, count + 1)
    }


def measure_all() -> list[Figure]:
    """A series of as many images as are measured of one, one slice of it, and one slice compressed."""
    archive = Archive(**files(MOST_SLICES))
    plain = archive.files["i1"]
    assert isinstance(plain, bytes)
    image = read_image(plain).slice
    compressed = files(1, JPEG2000Lossless)["i1"]
    with TemporaryDirectory(prefix="bench") as place:
        server = EmbeddedServer(Path(place) / "server")
        address = server.start()
        try:
            migrate(address)
            engine = create_engine(address, application_name="bench")
            index(engine, *(Instance(name, f"1.2.3.8.{name}", sop_class_uid=CT) for name in archive.files))
            with transaction(engine) as connection:
                connection.execute(update(instance).values(image_type=["ORIGINAL", "PRIMARY", "AXIAL"]))
            report(engine)
            series = median(measure_series(engine, archive) for _ in range(ROUNDS))
            engine.dispose()
        finally:
            server.stop()
    tissue = image.hounsfield > -383
    return [
        Figure(f"size-specific: a series of {MOST_SLICES} images, measured and written", series, "s", at_most=5.0),
        Figure("size-specific: one image read", _ms(lambda: read_image(plain)), "ms"),
        Figure("size-specific: one image read, JPEG 2000", _ms(lambda: read_image(compressed)), "ms"),
        Figure("size-specific: one image measured", _ms(lambda: measure(image)), "ms"),
        Figure("size-specific: of which one labelling of its regions", _ms(lambda: label(tissue)), "ms"),
    ]


def _ms(act: object) -> float:
    assert callable(act)
    taken = []
    for _ in range(2 * ROUNDS):
        begin = perf_counter()
        act()
        taken.append((perf_counter() - begin) * 1000)
    return median(taken)
