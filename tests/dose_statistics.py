"""Rows of statistics of made-up exams and events, without their reports: for tests of what is worked out of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from itertools import count
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from treegarth.features.dose.analysis.tables import event_dose, exam_dose, exam_name, protocol_name, standard_name
from treegarth.features.dose.registry.decision.facts import BODY
from treegarth.features.dose.registry.tables import dose_study

NUMBERS = count(1)


@dataclass(frozen=True, kw_only=True)
class MadeExam:
    """An exam of a name with its doses; what is None is not known."""

    name: str = "Chest"
    modality: str = "CT"
    doses: dict[str, float] = field(default_factory=dict)
    doubted: tuple[str, ...] = ()
    phantom: str = "body"
    events: tuple[dict[str, Any], ...] = ()
    protocol: str | None = "Thorax routine"
    study_date: date | None = date(2026, 11, 1)
    study_hour: int | None = 9
    station: str = "CT1"
    age: float | None = 60.0
    weight: float | None = 75.0
    size: float | None = 1.75
    orthanc_study_id: str = field(default_factory=lambda: f"exam{next(NUMBERS)}")
    patient_id: str | None = None
    study_time: time | None = time(9)


def standard(connection: Connection, name: str, modality: str = "CT") -> int:
    made = insert(standard_name).values(name=name, modality=modality).returning(standard_name.c.id)
    return int(connection.execute(made).scalar_one())


def name_of_exams(connection: Connection, name: str, modality: str = "CT", standard_name_id: int | None = None) -> int:
    values = {"key": f"{modality} {name}", "modality": modality, "study_description": name, "procedure_codes": []}
    made = upsert(exam_name).values(**values, protocols=[], standard_name_id=standard_name_id).on_conflict_do_nothing()
    connection.execute(made)
    return int(connection.execute(select(exam_name.c.id).where(exam_name.c.key == values["key"])).scalar_one())


def name_of_protocol(
    connection: Connection, name: str, modality: str = "CT", standard_name_id: int | None = None
) -> int:
    made = upsert(protocol_name).values(name=name, modality=modality, standard_name_id=standard_name_id)
    connection.execute(made.on_conflict_do_nothing())
    found = select(protocol_name.c.id).where(protocol_name.c.name == name, protocol_name.c.modality == modality)
    return int(connection.execute(found).scalar_one())


def keep(connection: Connection, exams: Iterable[MadeExam]) -> None:
    """Write the exams' rows, of the registry and of statistics."""
    for exam in exams:
        device = connection.execute(insert(dose_study).values(_of_registry(exam)).returning(dose_study.c.device_key))
        about = {
            "orthanc_study_id": exam.orthanc_study_id,
            "scope_id": 1,
            "device_key": device.scalar_one(),
            "study_date": exam.study_date,
            "patient_age_years": exam.age,
            "patient_weight_kg": exam.weight,
            "patient_size_m": exam.size,
        }
        named = name_of_exams(connection, exam.name, exam.modality)
        for quantity, value in exam.doses.items():
            by_phantom = quantity in ("dlp_mgy_cm", "ctdi_vol_max_mgy")
            connection.execute(
                insert(exam_dose).values(
                    **about,
                    quantity=quantity,
                    value=value,
                    modality=exam.modality,
                    exam_name_id=named,
                    is_doubted=quantity in exam.doubted,
                    study_hour=exam.study_hour,
                    phantom=exam.phantom if by_phantom else None,
                )
            )
        protocol = name_of_protocol(connection, exam.protocol, exam.modality) if exam.protocol else None
        for position, event in enumerate(exam.events, start=1):
            values = {"ctdiw_phantom_type": BODY, "doubted": list(exam.doubted), **event}
            where = {"orthanc_instance_id": f"of {exam.orthanc_study_id}", "position": position}
            connection.execute(insert(event_dose).values(**about, **where, **values, protocol_name_id=protocol))


def _of_registry(exam: MadeExam) -> dict[str, Any]:
    return {
        "orthanc_study_id": exam.orthanc_study_id,
        "study_instance_uid": f"1.2.{exam.orthanc_study_id.removeprefix('exam')}",
        "modalities": [exam.modality],
        "kinds": [{"CT": "ct", "MG": "mammography", "PT": "radiopharmaceutical"}.get(exam.modality, "projection")],
        "report_count": 1,
        "counted_report_ids": [],
        "rule": "single",
        "source": "report",
        "irradiation_event_count": len(exam.events),
        "issue_count": 0,
        "protocols": [exam.protocol] if exam.protocol else [],
        "manufacturer": "Maker",
        "station_name": exam.station,
        "patient_id": exam.patient_id or f"P of {exam.orthanc_study_id}",
        "study_time": exam.study_time,
        "patient_age_years": exam.age,
        "patient_weight_kg": exam.weight,
        "patient_size_m": exam.size,
        "study_description": exam.name,
        "study_date": exam.study_date,
        "changed_at": datetime(2026, 11, 20, tzinfo=UTC),
        **{f"best_{name}": value for name, value in exam.doses.items() if f"best_{name}" in dose_study.c},
    }
