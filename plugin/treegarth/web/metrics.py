"""Figures for a monitoring system, in Prometheus' text form. Writes what it is given; measures nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector
from sqlalchemy import Connection

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "treegarth_"


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One quantity, with a value for each combination of its labels' values."""

    name: str  # without the prefix, with the unit: "ingest_lag_seconds"; a counter's without "_total"
    meaning: str
    values: Mapping[tuple[str, ...], float]
    labels: tuple[str, ...] = ()
    kind: Literal["gauge", "counter", "summary"] = "gauge"  # a summary's only label is "quantile"


Measure: TypeAlias = Callable[[Connection, datetime], Iterable[Metric]]
"""What a feature measures, by its tables and the time."""


def single(name: str, meaning: str, value: float, *, kind: Literal["gauge", "counter"] = "gauge") -> Metric:
    """A quantity without labels."""
    return Metric(name=name, meaning=meaning, values={(): value}, kind=kind)


def exposition(metrics: Iterable[Metric]) -> str:
    """The text form 0.0.4. What labels are values of is written so that nothing in it can end a line."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(list(metrics)))
    return generate_latest(registry).decode("utf-8")


class _Given(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Family]:
        for one in self._metrics:
            found = Family(PREFIX + one.name, one.meaning, one.kind)
            name = found.name + ("_total" if one.kind == "counter" else "")
            for labels, value in one.values.items():
                found.add_sample(name, dict(zip(one.labels, labels, strict=True)), value)
            yield found

    def describe(self) -> Iterable[Family]:
        return []
