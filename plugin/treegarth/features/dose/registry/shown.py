"""A dose report as its study's page shows it. No queries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from treegarth.features.dose.registry.shown_quantities import (
    DETAILS,
    EVENTS,
    ROUNDING,
    RULES,
    SHORT,
    SUMS,
    TITLES,
    TOTALS,
    Quantity,
)
from treegarth.features.dose.registry.store.decisions import SourceDecision
from treegarth.features.dose.registry.store.reports import DoseReport
from treegarth.features.dose.sums import exact_sum
from treegarth.phrases import N_, Phrase
from treegarth.web.call import AnyCall
from treegarth.web.formats import scaled
from treegarth.web.parts import State

VALUES_SHOWN = 4
"""Of one quantity in one event; of more, such as one of each pulse, the least and the greatest are shown."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    texts: list[str]
    title: str = ""
    numeric: bool = True


@dataclass(frozen=True, kw_only=True)
class Total:
    label: str  # a msgid
    value: Decimal | None
    unit: str
    differs: bool = False  # from the total as reported, by more than rounding


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Why a report shows no dose, or not yet."""

    kind: State
    word: str  # a msgid
    sentence: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a report makes the study's totals, and by which rule."""

    counted: bool
    reasons: list[str]


@dataclass(frozen=True, kw_only=True)
class ShownReport:
    title: str  # a msgid
    equipment: str
    problem: Finding | None
    totals: list[Total]
    columns: list[Quantity]
    rows: list[list[Cell]]
    issues: Sequence[Mapping[str, str]]
    sop_instance_uid: str
    source_url: str | None
    content_url: str
    orthanc_instance_id: str
    version: int | None
    verdict: Verdict | None
    detail_columns: list[Quantity]
    detail_rows: list[list[Cell]]


def shown_report(call: AnyCall, report: DoseReport, decision: SourceDecision | None = None) -> ShownReport:
    """The report, its numbers as the reader's language writes them; what it has not is left out or a dash, never 0."""
    kind = report.kind or ""
    values = report.irradiation_events or report.administrations
    quantities = _present(EVENTS.get(kind, ()), values)
    details = _present(DETAILS.get(kind, ()), values)
    parts = (report.manufacturer, report.manufacturer_model_name, report.station_name)
    gone = report.source_deleted_at is not None
    return ShownReport(
        title=TITLES.get(kind, N_("Dose report")),
        equipment=" · ".join(part for part in parts if part),
        problem=_problem(report),
        totals=[
            _total(report, quantity)
            for quantity in TOTALS.get(kind, ())
            if quantity.always or report.totals.get(quantity.name) is not None
        ]
        + _sums(report),
        columns=quantities,
        rows=_rows(call, quantities, values),
        detail_columns=details,
        detail_rows=_rows(call, details, values) if details else [],
        issues=report.issues,
        sop_instance_uid=report.sop_instance_uid,
        orthanc_instance_id=report.orthanc_instance_id,
        version=report.reader_version,
        verdict=_verdict(decision),
        content_url=call.site.url("dose.content_page", orthanc_instance_id=report.orthanc_instance_id),
        source_url=None if gone else call.site.orthanc_url(f"/instances/{report.orthanc_instance_id}/file"),
    )


def _present(quantities: Sequence[Quantity], values: Sequence[Mapping[str, Any]]) -> list[Quantity]:
    return [quantity for quantity in quantities if quantity.always or any(_has(v, quantity) for v in values)]


def _rows(call: AnyCall, quantities: Sequence[Quantity], values: Sequence[Mapping[str, Any]]) -> list[list[Cell]]:
    return [[_cell(call, quantity, value.get(quantity.name)) for quantity in quantities] for value in values]


def _verdict(decision: SourceDecision | None) -> Verdict | None:
    if decision is None:
        return None
    reasons = [Phrase(RULES[rule]) if rule in RULES else rule for rule in decision.rule.split("+")]
    return Verdict(counted=decision.counted, reasons=reasons)


def _problem(report: DoseReport) -> Finding | None:
    if report.state == "failed":
        return Finding(kind="attention", word=N_("could not be read"), sentence=report.last_error or "")
    if report.state == "refused":
        return Finding(kind="unknown", word=N_("holds no dose"), sentence=report.refused or "")
    if report.state == "unread":
        return Finding(kind="waiting", word=N_("waits to be read"))
    if report.source_deleted_at is not None:
        return Finding(kind="unknown", word=N_("the object has left the archive; its dose is kept"))
    return None


def _total(report: DoseReport, quantity: Quantity) -> Total:
    value = report.totals.get(quantity.name)
    number = scaled(value, quantity.factor) if isinstance(value, int | float) else None
    return Total(label=quantity.label, value=number, unit=quantity.unit)


def _sums(report: DoseReport) -> list[Total]:
    """The sum over the events beside the total as reported: they are not the same thing, and may differ."""
    found = []
    for of_event, quantity in SUMS.get(report.kind or "", ()):
        given = [event.get(of_event) for event in report.irradiation_events]
        known = [value for value in given if isinstance(value, int | float)]
        if known:
            reported = report.totals.get(quantity.name)
            total = exact_sum(known)
            differs = isinstance(reported, int | float) and _differ(exact_sum([reported]), total)
            found.append(
                Total(
                    label=quantity.label,
                    value=scaled(total, quantity.factor),
                    unit=quantity.unit,
                    differs=differs,
                )
            )
    return found


def _differ(reported: Decimal, total: Decimal) -> bool:
    return abs(reported - total) > ROUNDING * abs(reported)


def _has(values: Mapping[str, Any], quantity: Quantity) -> bool:
    value = values.get(quantity.name)
    return any(part is not None for part in value) if isinstance(value, list) else value is not None


def _cell(call: AnyCall, quantity: Quantity, value: Any) -> Cell:
    """One value, or one of each X-ray source; all digits in the title."""
    parts = value if isinstance(value, list) else [value]
    texts = [_text(call, quantity, part) for part in parts if part is not None]
    numbers = [part for part in parts if isinstance(part, int | float)]
    if len(numbers) > VALUES_SHOWN:  # one of each pulse
        ends = [_text(call, quantity, end) for end in (min(numbers), max(numbers))]
        texts = [f"{'–'.join(dict.fromkeys(ends))} ({len(numbers)})"]
    full = [part for part in parts if isinstance(part, str) and part in SHORT]
    full += [_written(call, "all_digits", quantity, part) for part in parts if isinstance(part, float)]
    return Cell(texts=texts, title=" / ".join(full), numeric=quantity.numeric)


def _text(call: AnyCall, quantity: Quantity, value: Any) -> str:
    if isinstance(value, Mapping):
        return readable_meaning(str(value.get("meaning") or value.get("code") or "–"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        name = "number" if quantity.whole else "significant"
        return _written(call, name, quantity, value)
    if quantity.moment:
        return readable_moment(str(value))
    return Phrase(SHORT[value]) if value in SHORT else str(value)


def _written(call: AnyCall, name: str, quantity: Quantity, value: float) -> str:
    """A number by one of the filters of `treegarth.web.formats`, in the unit that is shown."""
    return str(call.site.environments[call.language].filters[name](scaled(value, quantity.factor)))


def readable_meaning(meaning: str) -> str:
    """SNOMED writes raised figures between carets: F^18^ is F¹⁸."""
    raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    return re.sub(r"\^(\d+)\^", lambda found: found[1].translate(raised), meaning)


def readable_moment(value: str) -> str:
    """A DT (PS3.5 6.2) in ISO form to the second, with its offset where it has one; anything else as it is."""
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:\.\d+)?([+-]\d{4})?", value.strip())
    if found is None:
        return value
    year, month, day, hour, minute, second, offset = found.groups()
    clock = f"{hour}:{minute}:{second}" if second else f"{hour}:{minute}"
    return f"{year}-{month}-{day} {clock}" + (f" {offset[:3]}:{offset[3:]}" if offset else "")
