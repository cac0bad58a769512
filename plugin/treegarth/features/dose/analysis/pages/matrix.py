"""Scanners and protocols side by side: one quantity of each name on each device, as a table and as squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import Response

from treegarth.access.actors import Permission
from treegarth.features.dose.analysis.asked import Chosen, FiguresAsked, MatrixAsked, side_by_side
from treegarth.features.dose.analysis.figures import OF_LEVEL, PHANTOM_NAMES
from treegarth.features.dose.analysis.pages.overview import PARAMETERS
from treegarth.features.dose.analysis.store.matrix import MatrixCell
from treegarth.features.dose.analysis.store.names import KindOfName, modalities_with_exams
from treegarth.phrases import N_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.export import FORMAT_WORDS, FORMATS
from treegarth.web.routes import Route
from treegarth.web.templates import render_page, url_with

NAMES_SHOWN = 40
DEVICES_SHOWN = 20
"""More would be no table that is read; files have all."""

Drawn = Literal["median", "p75", "ratio", "n"]
DRAWN: Mapping[Drawn, str] = {
    "median": N_("Median"),
    "p75": N_("75th percentile"),
    "ratio": N_("Median beside that of all devices"),
    "n": N_("How many values"),
}
KINDS: Mapping[KindOfName, str] = {
    "standard": N_("By standard name"),
    "exam": N_("By name of the exam"),
    "protocol": N_("By acquisition protocol"),
}


class MatrixPageAsked(MatrixAsked):
    """Which values, by which names, and what the squares show."""

    shown: Drawn = "median"
    """What colours a square; `ratio`: the median, divided by that of its name on all devices."""


@dataclass(frozen=True, kw_only=True)
class ShownName:
    """A line: a name on all devices, and on those that are shown."""

    whole: MatrixCell
    url: str
    cells: Sequence[tuple[MatrixCell, str] | None]
    """Of each device shown, with the address of its distribution; None where it has no such value."""


@dataclass(frozen=True, kw_only=True)
class ShownMatrix:
    """What of the matrix fits on a page, and of how much that is."""

    names: Sequence[ShownName]
    devices: Sequence[tuple[str, str]]
    """Their keys, and what people call them: those with the most values first."""
    name_count: int
    device_count: int


def routes() -> list[Route]:
    return [
        route(
            name="dose.analysis_matrix_page",
            path="/treegarth/dose/analysis/side-by-side",
            permission=Permission.SEE_DOSE,
            handler=page,
            summary="Scanners and protocols side by side: one quantity of each name on each device.",
        )
    ]


def page(call: Call[MatrixPageAsked, None, None]) -> Response:
    query = call.query
    with call.connect() as connection:
        found = side_by_side(connection, query)
        modalities = modalities_with_exams(connection)
    chosen = found.chosen
    return render_page(
        call,
        "dose/analysis_matrix.html",
        chosen=chosen,
        wanted=chosen.wanted,
        quantity=chosen.quantity,
        quantities=_choices(call, chosen),
        phantom_names=PHANTOM_NAMES,
        modalities=modalities,
        kind=found.kind,
        kinds=KINDS,
        drawn=DRAWN,
        matrix=_shown(call, chosen, found.kind, found.cells),
        value_of=_value_of,
        files=_files(call),
    )


def _choices(call: AnyCall, chosen: Chosen) -> list[tuple[str, str, int, str, bool]]:
    """Each quantity that there is: its label, its phantom's, how many values, its address, whether it is shown."""
    shown = []
    for one in chosen.choices:
        is_on = (one.quantity, one.phantom) == (chosen.wanted.quantity, chosen.wanted.phantom)
        url = url_with(call, quantity=one.quantity, phantom=one.phantom)
        phantom = PHANTOM_NAMES[one.phantom] if one.phantom else ""
        shown.append((OF_LEVEL[chosen.wanted.level][one.quantity].label, phantom, one.count, url, is_on))
    return shown


def _shown(call: AnyCall, chosen: Chosen, kind: KindOfName, cells: Sequence[MatrixCell]) -> ShownMatrix:
    counts: dict[str, int] = {}
    labels: dict[str, str] = {}
    places: dict[tuple[int, str | None], MatrixCell] = {}
    for one in cells:
        places[one.name_id, one.device_key] = one
        if one.device_key is not None:
            counts[one.device_key] = counts.get(one.device_key, 0) + one.n
            labels[one.device_key] = one.device or ""
    devices = sorted(counts, key=lambda key: (-counts[key], key))[:DEVICES_SHOWN]
    wholes = [one for one in cells if one.device_key is None]
    names = [
        ShownName(
            whole=whole,
            url=_url(call, chosen, kind, whole),
            cells=[
                None
                if (cell := places.get((whole.name_id, device))) is None
                else (cell, _url(call, chosen, kind, cell))
                for device in devices
            ],
        )
        for whole in wholes[:NAMES_SHOWN]
    ]
    shown = [(device, labels[device]) for device in devices]
    return ShownMatrix(names=names, devices=shown, name_count=len(wholes), device_count=len(counts))


def _url(call: AnyCall, chosen: Chosen, kind: KindOfName, cell: MatrixCell) -> str:
    """The distribution of a cell."""
    asked: dict[str, Any] = {name: value for name, value in call.http.args.items() if name in _KEPT and value}
    wanted = chosen.wanted
    asked |= {"quantity": wanted.quantity, PARAMETERS[kind]: str(cell.name_id)}
    if wanted.phantom is not None:
        asked["phantom"] = wanted.phantom
    if kind == "standard" and wanted.level == "event":
        asked["level"] = "event"
    if cell.device_key is not None:
        asked["device"] = cell.device_key
    return call.site.url("dose.analysis_name_page", **asked)


_KEPT = {"study_date_from", "study_date_to", "with_doubted", "age_from", "age_below", "weight_from", "weight_below"}


def _value_of(shown: Drawn, cell: MatrixCell, whole: MatrixCell, factor: float) -> float | None:
    """What colours the square of a cell; None where that is no number."""
    if shown == "n":
        return cell.n
    if shown == "ratio":
        return cell.median / whole.median if cell.median is not None and whole.median else None
    value = cell.median if shown == "median" else cell.p75
    return None if value is None else value * factor


def _files(call: AnyCall) -> list[tuple[str, str]]:
    """What the files are called, and where they are."""
    kept = {*FiguresAsked.model_fields, "names"}
    asked: dict[str, Any] = {name: value for name, value in call.http.args.items() if name in kept and value}
    return [
        (
            FORMAT_WORDS[wanted],
            call.site.url("dose.analysis_file", table="matrix", format=wanted, **asked),
        )
        for wanted in FORMATS
    ]
