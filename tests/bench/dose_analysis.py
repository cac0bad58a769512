"""How long the database takes for the pages of dose analysis over a million exams and five million events.

TREEGARTH_BENCH_EXAMS exams (1,000,000), made once a folder (see `million_exams`), with their narrow rows as the product
makes them, in TREEGARTH_BENCH_SCOPES scopes (500). A page is asked for as a browser does: a limit is of the time in
which its statements run, and the whole of the request stands beside it. The first time is not counted, for it reads the
disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

from flask.testing import FlaskClient
from sqlalchemy import Engine, event, select, text

from tests.bench.million_exams import million_exams
from tests.bench.report import Figure
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.documents.store import Author
from treegarth.features.dose.analysis.names.store.name_documents import STANDARD_NAMES
from treegarth.features.dose.analysis.names.store.naming import name_everything
from treegarth.features.dose.analysis.store.values import refresh_values
from treegarth.features.dose.analysis.tables import exam_name, protocol_name
from treegarth.features.dose.registry.tables import dose_study
from treegarth.web.paths import BASE_PATH

COUNTED = {
    "exam": "SELECT exam_name_id, scope_id, count(*) FROM exam_dose WHERE quantity = 'irradiation_event_count'"
    " GROUP BY 1, 2",
    "protocol": "SELECT protocol_name_id, scope_id, count(*) FROM event_dose WHERE protocol_name_id IS NOT NULL"
    " GROUP BY 1, 2",
}
"""As triggers count them, which do not run while the rows are made."""
ROUNDS, AT_ONCE = 5, 10_000
PAGE_MS, OVERVIEW_MS, FRESH_S = 150.0, 1000.0, 5.0
WEB = Path(__file__).resolve().parents[2] / "web"


def measure() -> list[Figure]:
    with million_exams(int(os.environ.get("TREEGARTH_BENCH_EXAMS", "1000000"))) as engine:
        _fill(engine)
        with transaction(engine) as connection:
            name_everything(connection)
        client = make_application(make_services(WEB, engine=lambda: engine)).test_client()
        named = _names(engine)
        pages = {
            "overview of the whole archive": ("dose/analysis", OVERVIEW_MS),
            "a protocol of events": (f"dose/analysis/name?protocol={named['protocol']}", PAGE_MS),
            "a name of exams": (f"dose/analysis/name?exam_name={named['exam_name']}", PAGE_MS),
            "a standard name": (f"dose/analysis/name?standard_name={named['standard_name']}", None),
            "scanners and protocols side by side": ("dose/analysis/side-by-side?modality=CT", None),
            "fluoroscopy by physician": ("dose/analysis/physicians", None),
            "a year's report": ("dose/report?year=2025", None),
            "a page of the dose list, with marks": ("dose?modality=CT", None),
            "standard names": ("dose/standard-names", None),
            "names that have none": ("dose/raw-names", None),
        }
        found = [
            figure for what, (path, limit) in pages.items() for figure in _figures(engine, client, what, path, limit)
        ]
        return [
            *found,
            Figure("dose analysis: an exam that changed is in them", _fresh_s(engine), "s", at_most=FRESH_S),
        ]


def _fill(engine: Engine) -> None:
    """The narrow rows, as the registry makes them, and a standard name for a fifth of CT."""
    with transaction(engine) as connection:
        if "Many" in STANDARD_NAMES.names(connection):
            return
        left_over = "exam_dose, event_dose, exam_name_count, protocol_name_count"
        connection.execute(text(f"TRUNCATE {left_over}"))  # of a run that did not come to its end
        everything = connection.execute(select(dose_study.c.orthanc_study_id)).scalars().all()
    for at in range(0, len(everything), AT_ONCE):
        with transaction(engine) as connection:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            refresh_values(connection, everything[at : at + AT_ONCE])
    scopes = int(os.environ.get("TREEGARTH_BENCH_SCOPES", "500"))
    with transaction(engine) as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("exam_dose", "event_dose"):
            scope = f"UPDATE {table} SET scope_id = 1 + abs(hashtext(orthanc_study_id)) % :scopes"  # noqa: S608
            connection.execute(text(scope), {"scopes": scopes})
        for table, rows in COUNTED.items():
            connection.execute(text(f"INSERT INTO {table}_name_count ({table}_name_id, scope_id, count) {rows}"))
    with transaction(engine) as connection:
        rules = [{"study_description": "exam 1*"}]
        author = Author(name="bench", now=connection.execute(text("SELECT now()")).scalar_one())
        STANDARD_NAMES.together().create(connection, {"name": "Many", "modality": "CT", "rules": rules}, author)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _names(engine: Engine) -> dict[str, int]:
    """One of each kind, with values of CT."""
    with connect(engine) as connection:
        return {
            "protocol": connection.execute(
                select(protocol_name.c.id).where(protocol_name.c.modality == "CT").order_by(protocol_name.c.id).limit(1)
            ).scalar_one(),
            "exam_name": connection.execute(
                select(exam_name.c.id).where(exam_name.c.modality == "CT").order_by(exam_name.c.id).limit(1)
            ).scalar_one(),
            "standard_name": STANDARD_NAMES.names(connection)["Many"],
        }


@contextmanager
def _statements(engine: Engine) -> Iterator[list[float]]:
    """The milliseconds of each statement that runs meanwhile."""
    times: list[float] = []
    began: list[float] = []

    def before(*_: object) -> None:
        began.append(perf_counter())

    def after(*_: object) -> None:
        times.append((perf_counter() - began.pop()) * 1000)

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield times
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def _figures(engine: Engine, client: FlaskClient, what: str, path: str, limit: float | None) -> Iterator[Figure]:
    of_database, whole = [], []
    for _ in range(ROUNDS + 1):
        began = perf_counter()
        with _statements(engine) as times:
            answer = client.get(f"{BASE_PATH}/{path}")
        assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
        whole.append((perf_counter() - began) * 1000)
        of_database.append(sum(times))
    yield Figure(f"dose analysis: {what}", median(of_database[1:]), "ms", at_most=limit)
    yield Figure(f"dose analysis: {what}, the whole request", median(whole[1:]), "ms")


def _fresh_s(engine: Engine) -> float:
    """Of the transaction that makes its rows anew; statistics read no other rows."""
    with connect(engine) as connection:
        studies = connection.execute(select(dose_study.c.orthanc_study_id).limit(ROUNDS)).scalars().all()
    found = []
    for one in studies:
        began = perf_counter()
        with transaction(engine) as connection:
            refresh_values(connection, [one])
        found.append(perf_counter() - began)
    return median(found)
