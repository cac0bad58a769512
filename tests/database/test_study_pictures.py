"""A study's page asks Orthanc for pictures of what has pixels, as the index knows, and of nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Engine, update

from tests.index_support import NOON, write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.index.tables import instance, series

ROOT = Path(__file__).resolve().parents[2]


def test_only_what_has_rows_and_columns_is_asked_for_a_picture(engine: Engine) -> None:
    """A Secondary Capture without pixels too: its modality says nothing of it."""
    sizes = {1: (512, 512), 2: (None, None), 3: (0, 512), 4: (1, 1)}
    with engine.begin() as connection:
        for number, (rows, columns) in sizes.items():
            write_study(connection, number, modalities=["SR"] if number == 4 else ["OT"])
            connection.execute(
                instance.insert().values(
                    orthanc_instance_id=f"instance-{number}", orthanc_series_id=f"series-{number:05}",
                    sop_instance_uid=f"1.2.3.{number}", rows=rows, columns=columns, size_bytes=1, received_at=NOON,
                    indexed_at=NOON,
                )
            )  # fmt: skip
            connection.execute(
                update(series)
                .where(series.c.orthanc_series_id == f"series-{number:05}")
                .values(header_orthanc_instance_id=f"instance-{number}")
            )
    client = make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]
    asked = {
        number: re.findall(
            r"/instances/([^/]+)/rendered", client.get(f"/treegarth/studies/1.2.840.99999.1.{number}").text
        )
        for number in sizes
    }
    assert asked == {1: ["instance-1"], 2: [], 3: [], 4: ["instance-4"]}
