"""How long the database takes for the dose list over a million exams: each sort, each filter, ten pairs of filters; and
what deciding anew takes.

TREEGARTH_BENCH_EXAMS exams (1,000,000), made once a folder: see `million_exams`. Run it by itself:
`.venv/bin/python -m tests.bench.dose_list`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import chain
from statistics import median
from time import perf_counter
from typing import Any

from sqlalchemy import Engine

from tests.bench.million_exams import million_exams
from tests.works import dose_runner
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.quantities import OF_EVENT, asked_for
from treegarth.features.dose.registry.pages.doses import DOSES
from treegarth.features.dose.registry.pages.events import EVENTS
from treegarth.features.dose.registry.rules import Source
from treegarth.features.dose.registry.store.events import select_events
from treegarth.features.dose.registry.store.filters import DoseStudyFilter, Limits
from treegarth.features.dose.registry.store.redecision import start_redeciding
from treegarth.features.dose.registry.store.studies import select_studies_with_dose
from treegarth.web.listing import Listing

ROUNDS = 5


def at_least(name: str, limit: float) -> dict[str, Any]:
    """In the unit shown."""
    (asked,) = (one for one in asked_for() if one.name == name)
    return {"doses": {asked: Limits(low=limit)}}


def of_event(name: str, limit: float) -> dict[str, Any]:
    """In the unit shown."""
    (quantity,) = (one for one in OF_EVENT if one.asked.name == name)
    return {"of_event": {quantity: Limits(low=limit)}}


FILTERS: dict[str, dict[str, Any]] = {
    "kind": {"kind": "mammography"},
    "modality": {"modalities": ("PT",)},
    "patient_id": {"patient_id": "P1234"},
    "protocol": {"protocol": "protocol 39"},
    "equipment": {"equipment": "room59"},
    "study_date": {"study_date_from": date(2024, 2, 1), "study_date_to": date(2024, 2, 2)},
    "not_patient": {"not_patient": True},
    "patients only": {"not_patient": False},
    "dlp, the rarest": at_least("dlp", 2700.0),
    "dlp, most": at_least("dlp", 100.0),
    "ctdi_vol": at_least("ctdi_vol", 80.0),
    "dap": at_least("dap", 33.0),
    "dose_rp": at_least("dose_rp", 330.0),
    "agd": at_least("agd", 16.0),
    "activity": at_least("activity", 1900.0),
    "dlp_head": at_least("dlp_head", 2500.0),
    "dlp_body": at_least("dlp_body", 2700.0),
    "fluoro_time": at_least("fluoro_time", 800.0),
    "description": {"parts": {"study_description": "exam 24"}},
    "no description": {"parts": {"study_description": "nothing"}},
    "procedure": {"parts": {"procedure_named": "procedure 299"}},
    "institution": {"parts": {"institution_name": "hospital 6"}},
    "age": {"age_from_years": 86},
    "sex": {"patient_sex": "M"},
    "no such sex": {"patient_sex": "O"},
    "source": {"source": Source.HEADER},
    "doubtful": {"is_doubted": True},
    "not doubtful": {"is_doubted": False},
    "doubt": {"doubt": "partial_total"},
    "no such doubt": {"doubt": "sampled"},
    "doubted quantity": {"doubted_quantity": "dlp_mgy_cm"},
    "issues": {"has_issues": True},
    "no issues": {"has_issues": False},
    "event dlp, the rarest": of_event("event_dlp", 1300.0),
    "event dlp, some": of_event("event_dlp", 500.0),
    "event dlp, most": of_event("event_dlp", 10.0),
    "event ctdi_vol, the rarest": of_event("event_ctdi_vol", 85.0),
    "event dap, the rarest": of_event("event_dap", 15.0),
    "event dose_rp, the rarest": of_event("event_dose_rp", 150.0),
    "event agd, the rarest": of_event("event_agd", 8.5),
    "protocol of CT with event dlp, some": {"protocol": "protocol 31", **of_event("event_dlp", 500.0)},
    "protocol of CT with event dlp, the rarest": {"protocol": "protocol 31", **of_event("event_dlp", 1300.0)},
    "protocol of CT with event dlp, most": {"protocol": "protocol 31", **of_event("event_dlp", 10.0)},
    "protocol of CT with event dlp, none": {"protocol": "protocol 31", **of_event("event_dlp", 100_000.0)},
    "protocol of mammography with event dlp, most": {"protocol": "protocol 39", **of_event("event_dlp", 10.0)},
    "events": {"events_from": 9, "events_to": 9},
    "no event has so many": {"events_from": 100},
}
PAIRS = (
    ("kind", "protocol"), ("modality", "study_date"), ("patient_id", "dlp, most"), ("protocol", "equipment"),
    ("dlp, the rarest", "kind"), ("dlp, most", "study_date"), ("dap", "equipment"), ("agd", "study_date"),
    ("ctdi_vol", "not_patient"), ("events", "dlp, the rarest"),
    ("description", "age"), ("institution", "event dlp, some"), ("doubtful", "protocol"), ("sex", "procedure"),
)  # fmt: skip


def measure(engine: Engine) -> Iterator[tuple[str, float]]:
    """What, and the milliseconds that the first page and the title's count take together."""
    for sort in DOSES.sorts:
        yield f"sort {sort}", _milliseconds(engine, DoseStudyFilter(), sort)
    for name, given in FILTERS.items():
        yield name, _milliseconds(engine, DoseStudyFilter(**given), "-study_date")
    for pair in PAIRS:
        wanted = DoseStudyFilter(**{key: value for name in pair for key, value in FILTERS[name].items()})
        yield " and ".join(pair), _milliseconds(engine, wanted, "-study_date")


def measure_events(engine: Engine) -> Iterator[tuple[str, float]]:
    """The same of the list of irradiation events."""
    for sort in EVENTS.sorts:
        yield f"events, sort {sort}", _milliseconds(engine, DoseStudyFilter(), sort, EVENTS)
    for name, given in FILTERS.items():
        yield f"events of {name}", _milliseconds(engine, DoseStudyFilter(**given), "-study_date", EVENTS)


def _milliseconds(engine: Engine, wanted: DoseStudyFilter, sort: str, listing: Listing[Any, Any] = DOSES) -> float:
    select, times = select_studies_with_dose if listing is DOSES else select_events, []
    for _ in range(ROUNDS):
        began = perf_counter()
        with connect(engine) as connection:
            selected = select(connection, wanted)
            listing.rows(connection, selected, sort=sort)
            listing.count(connection, selected)
        times.append((perf_counter() - began) * 1000)
    return median(times)


def exams_decided_in_a_second(engine: Engine, *, batches: int = 10) -> float:
    """Of deciding anew, by one worker."""
    now = datetime.now(UTC)
    with transaction(engine) as connection:
        start_redeciding(connection, "bench", now)
    began, worker = perf_counter(), dose_runner(engine, lambda: now)
    for _ in range(batches):
        worker.block()
    return batches * 200 / (perf_counter() - began)


def main() -> None:
    with million_exams(int(os.environ.get("TREEGARTH_BENCH_EXAMS", "1000000"))) as engine:
        for what, milliseconds in chain(measure(engine), measure_events(engine)):
            sys.stdout.write(f"{milliseconds:9.1f} ms  {what}\n")
            sys.stdout.flush()
        sys.stdout.write(f"{exams_decided_in_a_second(engine):9.0f} exams a second decided anew by one worker\n")


if __name__ == "__main__":
    main()
