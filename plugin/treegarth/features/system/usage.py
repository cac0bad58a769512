"""What the server took of disks and memory, and what waited, as charts with their tables. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from treegarth.features.system.samples import Point, Span
from treegarth.phrases import N_
from treegarth.web.formats import unit_of_sizes

SPAN_NAMES: Mapping[Span, str] = {"day": N_("24 hours"), "week": N_("7 days"), "year": N_("A year")}
COLOURS = ("--c1", "--c3", "--c2", "--c4")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value as it is measured, and in the chart's unit; None where nobody measured it."""

    value: int | None
    drawn: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    when: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart of a few lines over one time, the newest row first."""

    key: str
    title: str  # a msgid
    lines: tuple[tuple[str, str], ...]  # labels (msgids) and colours
    rows: tuple[Row, ...]
    unit: str  # of the drawn values; empty where they are counted


_KINDS: tuple[tuple[str, str, bool, tuple[tuple[str, str], ...]], ...] = (
    (
        "disk",
        N_("Disk: least free space"),
        True,
        (("storage_free_bytes", N_("objects' disk")), ("database_free_bytes", N_("database's disk"))),
    ),
    (
        "memory",
        N_("Memory"),
        True,
        (
            ("orthanc_memory_bytes", "Orthanc"),
            ("indexer_memory_bytes", N_("indexer")),
            ("workers_memory_bytes", N_("workers")),
            ("database_memory_bytes", "PostgreSQL"),
        ),
    ),
    (
        "queue",
        N_("Waiting"),
        False,
        (("waiting_instances", N_("reports to the index")), ("waiting_tasks", N_("tasks"))),
    ),
)


def charts_of(points: Sequence[Point], span: Span, zone: ZoneInfo) -> list[Chart]:
    """None where nothing was measured; a line that nobody measured is left out."""
    found = []
    for key, title, are_sizes, lines in _KINDS:
        known = [(name, label) for name, label in lines if any(getattr(one, name) is not None for one in points)]
        if not known:
            continue
        largest = max(getattr(one, name) or 0 for one in points for name, _ in known)
        scale, unit = unit_of_sizes(largest) if are_sizes else (1, "")
        found.append(
            Chart(
                key=key,
                title=title,
                lines=tuple((label, colour) for (_, label), colour in zip(known, COLOURS, strict=False)),
                rows=tuple(
                    Row(when=_when(one, span, zone), cells=tuple(_cell(getattr(one, name), scale) for name, _ in known))
                    for one in points
                ),
                unit=unit,
            )
        )
    return found


def _cell(value: int | None, scale: int) -> Cell:
    return Cell(value=value, drawn=None if value is None else round(value / scale, 3))


def _when(point: Point, span: Span, zone: ZoneInfo) -> str:
    here = point.at.astimezone(zone)
    return here.date().isoformat() if span == "year" else f"{here:%Y-%m-%d %H:%M}"
