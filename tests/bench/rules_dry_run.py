"""How long the dry run of a rule takes over an archive of a million studies: its first page and its exact sums.

TREEGARTH_BENCH_STUDIES studies (1,000,000), made once a folder: see `million_studies`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from time import perf_counter

from sqlalchemy import Engine

from tests.bench.million_studies import million_studies
from tests.bench.report import Figure
from treegarth.assembly import rule_language
from treegarth.database.engine import connect
from treegarth.features.rules.service import preview_rule
from treegarth.features.rules.text import parse_rule
from treegarth.settings import Settings

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
WITHIN_S = 3.0
LOOKS: dict[str, object] = {
    "example": {
        "all": [
            "Modality in [CT, PT, XA]",
            {"not": "StudyDescription like '*outside*'"},
            {"any": ["dose.dlp_total_mgy_cm > 0", "origin.calling_ae_title = 'CTSCANNER1'"]},
        ]
    },
    "a text of a series": "SeriesDescription like '*lung*'",
    "one series": {"series": {"all": ["Modality = CT", "SeriesDescription not like '*scout*'"]}},
    "a header's attribute of 100 days": {"all": ["Modality = CT", "StudyDate within 100 days", "KVP > 100"]},
    "received a year ago": "received_at older than 365 days",
    "no study": "StudyDescription like '*nowhere*'",
}
WHOLE_LOOKS: dict[str, object] = {
    "every object's SOP class": "SOPClassUID = 1.2.840.10008.5.1.4.1.1.88.67",
    "every header": "KVP > 100",
}
"""These read all 6,000,000 objects or 2,000,000 headers: measured, without a limit."""


def measure() -> list[Figure]:
    """Each condition as a rule, from first page to sums; each once before, so that the disk is not what is measured."""
    count = int(os.environ.get("TREEGARTH_BENCH_STUDIES", "1000000"))
    with million_studies(count) as engine:
        figures = [one for name, asked in LOOKS.items() for one in _look(engine, name, asked, WITHIN_S)]
        return figures + [one for name, asked in WHOLE_LOOKS.items() for one in _look(engine, name, asked, None)]


def _look(engine: Engine, name: str, asked: object, limit_s: float | None) -> list[Figure]:
    language = rule_language(Settings())
    document = {"name": name, "why": "measured", "when": "by hand", "if": asked, "do": [{"label": "measured"}]}
    rule = parse_rule(document, language).rule
    seconds, found = 0.0, 0
    for _ in range(1 if limit_s is None else 2):
        begin = perf_counter()
        with connect(engine) as connection:
            preview = preview_rule(connection, language, rule, NOW, limit=50)
        seconds, found = perf_counter() - begin, preview.sums.study_count
    return [
        Figure(f"dry run, {name}: first page and exact sums", seconds, "s", at_most=limit_s),
        Figure(f"dry run, {name}: studies found", found, ""),
    ]
