"""Studies written straight into the index, as tests of what reads it need them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection

from treegarth.features.archive.pages.studies import STUDIES
from treegarth.features.archive.search_model import StudyFilter, StudySummary
from treegarth.features.archive.store.search import select_studies
from treegarth.index.tables import instance, patient, series, study
from treegarth.web.listing import Rows

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KOREAN = "Hong^Gildong=洪^吉洞=홍^길동"


def write_study(connection: Connection, number: int, **given: Any) -> str:
    """A study with one series of two instances."""
    identifier = f"study-{number:05}"
    values: dict[str, Any] = {
        "study_instance_uid": f"1.2.840.99999.1.{number}",
        "patient_id": f"P{number}",
        "patient_name": "Doe^Jane",
        "study_date": date(2026, 11, 1),
        "modalities": ["CT"],
        "instance_count": 2,
        "series_count": 1,
        "size_bytes": 1000,
        "last_received_at": NOON,
        **given,
    }
    connection.execute(patient.insert().values(orthanc_patient_id=f"patient-{number}"))
    connection.execute(
        study.insert().values(orthanc_study_id=identifier, orthanc_patient_id=f"patient-{number}", **values)
    )
    connection.execute(
        series.insert().values(
            orthanc_series_id=f"series-{number:05}",
            orthanc_study_id=identifier,
            series_instance_uid=f"1.2.840.99999.2.{number}",
            modality=values["modalities"][0],
            series_number=1,
            instance_count=2,
            size_bytes=1000,
            last_received_at=values["last_received_at"],
        )
    )
    for position in (1, 2):
        connection.execute(
            instance.insert().values(
                orthanc_instance_id=f"instance-{number:05}-{position}",
                orthanc_series_id=f"series-{number:05}",
                sop_instance_uid=f"1.2.840.99999.3.{number}.{position}",
                instance_number=position,
                size_bytes=500,
                received_at=values["last_received_at"],
                content_since=values["last_received_at"],
            )
        )
    return identifier


def search_studies(connection: Connection, wanted: StudyFilter, **paging: Any) -> Rows[StudySummary]:
    """A page of the list of studies: `sort`, `limit`, `cursor`."""
    return STUDIES.rows(connection, select_studies(wanted), **paging)
