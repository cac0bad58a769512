"""How long it takes to say of each dose of a page where it lies among those of exams that are called the same.

TREEGARTH_BENCH_EXAMS exams (1,000,000) of 400 raw names, one of which has a fifth of all; half of the names have one of
20 standard names. Each exam has five quantities: a page of 50 has 37 names, 185 distributions. Made
in SQL, once a folder (see `kept_database`). Pages are of different exams each time.
"""

# ruff: noqa: S608  (statements of parts that all stand in this module)

from __future__ import annotations

import os
from random import Random
from statistics import median
from time import perf_counter

from sqlalchemy import Engine, text

from tests.bench.kept_database import kept_database
from tests.bench.report import Figure
from treegarth.database.engine import connect
from treegarth.features.dose.analysis.store.percentiles import percentiles_of

RAW_NAMES = 400
PAGES = 15
STATEMENTS = (
    "INSERT INTO standard_name (modality, name) SELECT 'CT', 'Standard ' || n FROM generate_series(1, 20) n",
    "INSERT INTO exam_name (key, modality, study_description, procedure_codes, protocols, standard_name_id)"
    " SELECT md5('n' || n), 'CT', 'Exam ' || n, '{}', '{}', CASE WHEN n % 2 = 0 THEN n / 2 % 20 + 1 END"
    f" FROM generate_series(1, {RAW_NAMES}) n",
    "INSERT INTO exam_dose (orthanc_study_id, quantity, modality, exam_name_id, value, is_doubted, phantom, scope_id,"
    f" study_date) SELECT md5('t' || n), quantity, 'CT', CASE WHEN n % 5 = 0 THEN 1 ELSE n % {RAW_NAMES} + 1 END,"
    " exp((hashint4(n) & 65535) / 10000.0), n % 50 = 0, CASE WHEN quantity IN ('dlp_mgy_cm', 'ctdi_vol_max_mgy')"
    " THEN 'body' END, 1, DATE '2026-11-20' - n % 2920"
    " FROM generate_series(1, CAST(:count AS int)) n, unnest(ARRAY['dlp_mgy_cm', 'dlp_body_mgy_cm', 'ctdi_vol_max_mgy',"
    " 'ssde_mgy', 'effective_dose_ct_msv']) quantity",
)
FILLED = ("standard_name", "exam_name", "exam_dose")


def measure() -> list[Figure]:
    """Of pages of 50 and of 100 exams, the median of fifteen."""
    count = int(os.environ.get("TREEGARTH_BENCH_EXAMS", "1000000"))
    counted = "(SELECT DISTINCT orthanc_study_id FROM exam_dose) exam"
    with kept_database("percentiles", count, counted=counted, tables=FILLED, statements=STATEMENTS) as engine:
        return [_figure(engine, count, rows) for rows in (50, 100)]


def _figure(engine: Engine, count: int, rows: int) -> Figure:
    chance = Random(rows)
    taken = [_timed(engine, [chance.randint(1, count) for _ in range(rows)]) for _ in range(PAGES + 1)]
    return Figure(f"percentiles of a page of {rows} exams", median(taken[1:]) * 1000, "ms")


def _timed(engine: Engine, numbers: list[int]) -> float:
    with connect(engine) as connection:
        named = text("SELECT md5('t' || n) FROM unnest(CAST(:numbers AS int[])) n")
        studies = connection.execute(named, {"numbers": numbers}).scalars().all()
        begin = perf_counter()
        percentiles_of(connection, studies)
        return perf_counter() - begin
