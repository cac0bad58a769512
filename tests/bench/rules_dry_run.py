"""How long the dry run of a rule takes over an archive of a million studies: its first page and its exact count."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from sqlalchemy import Connection, func, select, text

from tests.bench.report import Figure
from treegarth.assembly import vocabulary
from treegarth.conditions.compiling import compile_condition
from treegarth.conditions.text import parse_condition
from treegarth.database.embedded import EmbeddedServer
from treegarth.database.engine import create_engine, transaction
from treegarth.database.migrating import migrate
from treegarth.features.archive.tables import study

QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CONDITIONS: dict[str, object] = {
    "example": {
        "all": [
            "Modality in [CT, PT, XA]",
            {"not": "StudyDescription like '*outside*'"},
            {"any": ["dose.dlp_total_mgy_cm > 0", "origin.calling_ae_title = 'CT1'"]},
        ]
    },
    "one series": {"series": {"all": ["Modality = CT", "SeriesDescription not like '*scout*'"]}},
}
_FILL = (
    "INSERT INTO patient (orthanc_patient_id) SELECT 'p' || n FROM generate_series(1, :n) n",
    "INSERT INTO study (orthanc_study_id, orthanc_patient_id, study_instance_uid, study_date, study_description,"
    " modalities, series_count, instance_count, size_bytes) SELECT 's' || n, 'p' || n, '1.2.' || n,"
    " date '2026-11-01' - n % 3000, (ARRAY['Chest', 'outside film', 'Abdomen'])[n % 3 + 1],"
    " ARRAY[(ARRAY['CT', 'MR', 'PT', 'US'])[n % 4 + 1]], 2, 6, 3000000 FROM generate_series(1, :n) n",
    "INSERT INTO series (orthanc_series_id, orthanc_study_id, series_instance_uid, modality, series_description,"
    " remote_ae_title) SELECT 's' || n || '-' || k, 's' || n, '1.2.' || n || '.' || k,"
    " (ARRAY['CT', 'MR', 'PT', 'US'])[n % 4 + 1], (ARRAY['scout', 'axial'])[k], 'CT' || n % 7"
    " FROM generate_series(1, :n) n, generate_series(1, 2) k",
    "INSERT INTO instance (orthanc_instance_id, orthanc_series_id, sop_instance_uid, size_bytes, received_at)"
    " SELECT orthanc_series_id || '-' || k, orthanc_series_id, '1.3', 500000, now()"
    " FROM series, generate_series(1, 2 + abs(hashtext(orthanc_series_id)) % 3) k",
    "INSERT INTO dose_study (orthanc_study_id, study_instance_uid, kinds, report_count, counted_report_ids, rule,"
    " irradiation_event_count, issue_count, dlp_total_mgy_cm, protocols, changed_at) SELECT 's' || n, '1.2.' || n,"
    " '{ct}', 1, '{}', 'single', 1, 0, n % 900, '{}', now() FROM generate_series(1, :n, 4) n",
)


def measure(*, count: int = 1_000_000) -> list[Figure]:
    """Fill a database of its own, then ask each condition: the newest hundred studies, and how many there are."""
    with TemporaryDirectory(prefix="bench") as place:
        server = EmbeddedServer(Path(place) / "postgresql", settings=QUICK)
        address = server.start()
        try:
            migrate(address)
            engine = create_engine(address)
            with transaction(engine) as connection:
                for statement in _FILL:
                    connection.execute(text(statement), {"n": count})
            with transaction(engine) as connection:
                connection.execute(text("ANALYZE"))
                figures = [figure for name in CONDITIONS for figure in _ask(connection, name)]
            engine.dispose()
            return figures
        finally:
            server.stop()


def _ask(connection: Connection, name: str) -> list[Figure]:
    holds = compile_condition(parse_condition(CONDITIONS[name], vocabulary()), vocabulary(), NOW)
    begin = perf_counter()
    newest = (study.c.study_date.desc().nulls_last(), study.c.orthanc_study_id.desc())
    connection.execute(select(study.c.orthanc_study_id).where(holds).order_by(*newest).limit(100)).all()
    found = connection.execute(select(func.count(), func.sum(study.c.size_bytes)).where(holds)).one()
    seconds = perf_counter() - begin
    return [
        Figure(f"dry run, {name}: first page and exact count", seconds, "s", at_most=3),
        Figure(f"dry run, {name}: studies found", found[0], ""),
    ]
