"""GET /treegarth/metrics: what an operator's monitoring watches. Answers quickly, also while the database is down."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any

from flask import Response
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.audit.model import NotAudited
from treegarth.errors import DatabaseUnavailable
from treegarth.features.system.store import count_tasks
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.metrics import CONTENT_TYPE, Measure, Metric, exposition, single
from treegarth.web.paths import BASE_PATH
from treegarth.web.routes import Route
from treegarth.web.services import HostStatus

PATH = f"{BASE_PATH}/metrics"
KEPT_S = 10.0
"""So long an answer is given again: however many scrapers there are, the database is asked six times a minute."""

logger = logging.getLogger(__name__)


class Metrics:
    """The handler, with what each feature measures."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._measures = (_measure_tasks, *measures)
        self._lock = threading.Lock()
        self._kept: tuple[float, list[Metric]] | None = None

    def page(self, call: AnyCall) -> Response:
        found = [*host_metrics(call.services.host.figures()), *self._of_the_database(call)]
        return Response(exposition(found), content_type=CONTENT_TYPE)

    def _of_the_database(self, call: AnyCall) -> list[Metric]:
        with self._lock:
            if self._kept is None or monotonic() - self._kept[0] > KEPT_S:
                self._kept = (monotonic(), self._measured(call))
            return self._kept[1]

    def _measured(self, call: AnyCall) -> list[Metric]:
        now = call.services.clock()
        try:
            with call.connect() as connection:
                found = [metric for measure in self._measures for metric in measure(connection, now)]
        except DatabaseUnavailable as error:
            logger.debug("Metrics without the database: %s", error)
            return [single("database_up", "Whether PostgreSQL answers.", 0)]
        return [single("database_up", "Whether PostgreSQL answers.", 1), *found]


def host_metrics(figures: HostStatus) -> list[Metric]:
    """What the plugin knows without asking anybody. What is not known yet is left out."""
    lag = {("0.5",): figures.lag_median_s, ("0.99",): figures.lag_p99_s}
    callback = {("0.5",): figures.callback_median_ms, ("0.99",): figures.callback_p99_ms}
    alive = sum(worker.alive for worker in figures.workers)
    return [
        single("indexer_up", "Whether the indexer runs.", figures.indexer_alive),
        single("indexer_restarts", "Times that it was started again.", figures.indexer_restarts, kind="counter"),
        single("workers", "Workers that this server starts.", len(figures.workers)),
        single("workers_up", "Those of them that run.", alive),
        single("ingest_pending_instances", "Reported stores and deletions, not yet taken up.", figures.pending),
        single("ingest_queue_headers", "Reports of them that wait in memory.", figures.queue_length),
        single("ingest_queue_bytes", "Memory that their headers take.", figures.queue_bytes),
        single("ingest_dropped_headers", "Headers that a full queue let go.", figures.dropped_headers, kind="counter"),
        single("store_refused_nested", "Objects refused: nested too deep.", figures.refused_nested, kind="counter"),
        single(
            "ingest_indexed_instances", "Instances taken up: new, or stored again.", figures.indexed, kind="counter"
        ),
        _quantiles("ingest_lag_seconds", "From stored to searchable, lately.", lag, 1),
        _quantiles("store_callback_seconds", "That storing an instance spends here, lately.", callback, 1000),
        single("requests_given_up", "Requests not answered in time.", figures.requests_given_up, kind="counter"),
        _labelled("disk_total_bytes", "Size of the disk.", "place", {d.place: d.total_bytes for d in figures.disks}),
        _labelled("disk_free_bytes", "Free on it.", "place", {d.place: d.free_bytes for d in figures.disks}),
        _labelled("memory_bytes", "Memory of a part's processes.", "part", figures.memory_bytes),
        single("start_time_seconds", "When the plugin started, since 1970.", figures.started_at.timestamp()),
    ]


def _labelled(name: str, meaning: str, label: str, values: Mapping[Any, float]) -> Metric:
    return Metric(name=name, meaning=meaning, labels=(label,), values={(key,): value for key, value in values.items()})


def _quantiles(name: str, meaning: str, values: dict[tuple[str], float | None], parts: float) -> Metric:
    known: dict[tuple[str, ...], float] = {key: value / parts for key, value in values.items() if value is not None}
    return Metric(name=name, meaning=meaning, labels=("quantile",), values=known, kind="summary")


def _measure_tasks(connection: Connection, now: datetime) -> list[Metric]:
    tasks = count_tasks(connection)
    states: dict[tuple[str, ...], float] = {("todo",): tasks.todo, ("doing",): tasks.doing, ("failed",): tasks.failed}
    return [Metric(name="tasks", meaning="Tasks of the queue.", labels=("state",), values=states)]


def metrics_page(call: Call[None, None, None]) -> Response:
    return call.part(Metrics).page(call)


def routes() -> list[Route]:
    """The one endpoint."""
    return [
        route(
            name="system.metrics",
            audit=NotAudited(reason="Figures of the server, for a program that asks all the time."),
            path=PATH,
            permission=Permission.SEE_SYSTEM,
            handler=metrics_page,
            summary="Figures for a monitoring system, in Prometheus' text form.",
            media_type="text/plain",
        )
    ]
