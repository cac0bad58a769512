"""What tests of rules share: an archive's index of made-up studies, and the language of rules over it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Engine

from treegarth.assembly import rule_language
from treegarth.database.engine import connect, transaction
from treegarth.documents.store import Author
from treegarth.features.rules.service import RuleBook, handle_waiting, import_rules
from treegarth.features.rules.store.rules import RULES, StoredRule
from treegarth.host.zone import ZoneInfo
from treegarth.index import tables
from treegarth.settings import Settings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
SEOUL = ZoneInfo("Asia/Seoul")
SETTINGS = Settings.model_validate(
    {
        "Mail": {"Host": "mail.example.org", "From": "treegarth@example.org"},
        "Webhooks": [{"Name": "ris", "Url": "https://ris.example.org/hook", "Secret": {"Environment": "HOOK"}}],
    }
)
LANGUAGE = rule_language(SETTINGS)


def book() -> RuleBook:
    return RuleBook(LANGUAGE)


def author(name: str | None = "김관리", *, at: datetime = NOW) -> Author:
    return Author(name=name, now=at.astimezone(SEOUL))


def study_id(number: int) -> str:
    """Orthanc's identifier of the made-up study of that number; they sort as their numbers."""
    return f"{number:08x}-0000-0000-0000-00000000"


def study_uid(number: int) -> str:
    return f"1.2.3.{number}"


def series_id(number: int, index: int) -> str:
    return f"{number:08x}-1111-0000-0000-{index:08x}"


def index_study(
    engine: Engine, number: int, *modalities: str, description: str = "Chest", size_bytes: int = 1000
) -> None:
    """A study with a series of each modality, one instance each."""
    with transaction(engine) as connection:
        connection.execute(insert(tables.patient).values(orthanc_patient_id="p").on_conflict_do_nothing())
        study = {
            "orthanc_study_id": study_id(number),
            "orthanc_patient_id": "p",
            "study_instance_uid": study_uid(number),
            "patient_name": "Hong^Gildong",
            "study_date": date(2026, 1, 1) + timedelta(days=number),
            "study_description": description,
            "modalities": sorted(set(modalities)),
            "series_count": len(modalities),
            "instance_count": len(modalities),
            "size_bytes": size_bytes,
        }
        connection.execute(insert(tables.study).values(**study))
        for index, modality in enumerate(modalities):
            series = {
                "orthanc_series_id": series_id(number, index),
                "orthanc_study_id": study_id(number),
                "series_instance_uid": f"{study_uid(number)}.{index}",
                "modality": modality,
                "instance_count": 1,
            }
            connection.execute(insert(tables.series).values(**series))


def add_rules(engine: Engine, text: str, *, at: datetime = NOW) -> list[StoredRule]:
    """Import rules; all that there are, in their order."""
    with transaction(engine) as connection:
        import_rules(connection, LANGUAGE, text, author(at=at))
        return RULES.all(connection)


def handle_all(engine: Engine, *, at: datetime = NOW) -> int:
    """What a worker does, until nothing is due; how many events there were."""
    total, rules = 0, book()
    while count := handle_waiting(engine, rules, lambda: at):
        total += count
    return total


def stored_rules(engine: Engine) -> list[StoredRule]:
    with connect(engine) as connection:
        return RULES.all(connection)
