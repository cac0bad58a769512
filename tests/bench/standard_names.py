"""How long it takes that a rule of standard names holds for a million exams, and to show what they are the names of.

2,000 raw names (half of exams, half of protocols), 50 rules, TREEGARTH_BENCH_EXAMS exams (1,000,000), each with an
irradiation event: made in SQL, once a folder (see `kept_database`). Rules are applied to names, so that exams are
counted, never written.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from time import perf_counter, process_time

from sqlalchemy import Engine, func, select

from tests.bench.kept_database import kept_database
from tests.bench.report import Figure
from treegarth.database.engine import connect, transaction
from treegarth.documents.store import Author
from treegarth.features.dose.analysis.names.service import preview
from treegarth.features.dose.analysis.names.store.name_documents import STANDARD_NAMES
from treegarth.features.dose.analysis.names.store.naming import name_everything
from treegarth.features.dose.analysis.names.store.raw_names import RawNamesWanted, select_names, select_raw_names

RULES, RAW_NAMES = 50, 1_000
AUTHOR = Author(name="bench", now=datetime(2026, 11, 21, 9, tzinfo=UTC))
WITHIN_S = 1.0
_NAMES = f"FROM generate_series(1, {RAW_NAMES}) n"
_EACH = "FROM generate_series(1, :count) n"
_DAY = "DATE '2026-11-20' - n % 2920"
STATEMENTS = (
    "INSERT INTO exam_name (key, modality, study_description, requested_procedure_description, procedure_codes,"
    " protocols) SELECT md5('n' || n), 'CT',"
    " 'CT ' || (ARRAY['Thorax', 'Schädel', '복부', 'Abdomen', 'Knie'])[n % 5 + 1] || ' Var ' || n,"
    " 'Procedure ' || n % 300, ARRAY['P' || n || '^Procedure ' || n || '^99LOCAL'],"
    f" ARRAY['Protocol ' || n % 40, 'Protocol ' || n] {_NAMES}",
    f"INSERT INTO protocol_name (modality, name) SELECT 'CT', 'Protocol ' || n {_NAMES}",
    "INSERT INTO exam_dose (orthanc_study_id, quantity, modality, exam_name_id, value, is_doubted, scope_id,"
    f" study_date) SELECT md5('t' || n), 'irradiation_event_count', 'CT', n % {RAW_NAMES} + 1, n % 9, false, 1,"
    f" {_DAY} {_EACH}",
    "INSERT INTO event_dose (orthanc_study_id, orthanc_instance_id, position, protocol_name_id, dlp_mgy_cm, doubted,"
    f" scope_id, study_date) SELECT md5('t' || n), md5('r' || n), 1, n % {RAW_NAMES} + 1, n % 900, '{{}}', 1,"
    f" {_DAY} {_EACH}",
)
FILLED = ("exam_name", "protocol_name", "exam_dose", "event_dose")


def measure() -> list[Figure]:
    """Each once before, so that the disk is not what is measured."""
    count = int(os.environ.get("TREEGARTH_BENCH_EXAMS", "1000000"))
    with kept_database("names", count, counted="exam_dose", tables=FILLED, statements=STATEMENTS) as engine:
        _write_rules(engine)
        return [
            *_timed("standard names: a rule changes, and every name follows", _change(engine), WITHIN_S),
            *_timed("standard names: a changed rule tried out", _look(engine), None),
            *_timed("standard names: the list, counted", _list(engine), None),
            *_timed("raw names: the list, counted", _raw(engine), None),
        ]


def _write_rules(engine: Engine) -> None:
    """One rule each, of every kind: most must be asked of every name."""
    with transaction(engine) as connection:
        if STANDARD_NAMES.names(connection):
            return
        names = STANDARD_NAMES.together()
        for n in range(RULES):
            rule = {"study_description": f"*thorax*{n}"} if n % 2 else {"protocol": f"*ocol ?{n}", "only": "events"}
            names.create(connection, {"name": f"Name {n}", "modality": "CT", "rules": [rule]}, AUTHOR)
        name_everything(connection)


def _change(engine: Engine) -> Callable[[], object]:
    """The last name takes everything that the others leave, and leaves it again."""
    turn = iter(range(1000))

    def act() -> object:
        with transaction(engine) as connection:
            number = STANDARD_NAMES.names(connection)[f"Name {RULES - 1}"]
            patterns = ({"study_description": "*"}, {"study_description": "*thorax*49"})[next(turn) % 2]
            document = {"name": f"Name {RULES - 1}", "modality": "CT", "rules": [patterns]}
            return STANDARD_NAMES.edit(connection, number, document, AUTHOR, since=None)

    return act


def _look(engine: Engine) -> Callable[[], object]:
    def act() -> object:
        with connect(engine) as connection:
            number = STANDARD_NAMES.names(connection)["Name 1"]
            rules = [{"study_description": "*abdomen*"}]
            return preview(connection, {"name": "Name 1", "modality": "CT", "rules": rules}, number)

    return act


def _list(engine: Engine) -> Callable[[], object]:
    def act() -> object:
        with connect(engine) as connection:
            return connection.execute(select_names()).all()

    return act


def _raw(engine: Engine) -> Callable[[], object]:
    def act() -> object:
        with connect(engine) as connection:
            found = select_raw_names(RawNamesWanted(named="no"))
            connection.execute(select(func.count()).select_from(found.subquery()))
            return connection.execute(found.order_by(found.selected_columns["count"].desc()).limit(50)).all()

    return act


def _timed(name: str, act: Callable[[], object], limit_s: float | None) -> list[Figure]:
    """Seconds by the clock, of which some are of this process and the others of the database."""
    act()
    begin, own = perf_counter(), process_time()
    act()
    seconds, of_process = perf_counter() - begin, process_time() - own
    return [
        Figure(name, seconds, "s", at_most=limit_s),
        Figure(f"{name}: of this process", of_process, "s"),
        Figure(f"{name}: of the database", seconds - of_process, "s"),
    ]
