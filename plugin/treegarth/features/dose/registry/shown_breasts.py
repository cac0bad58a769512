"""A mammogram's exposures in one table, whatever sources they are from, and their sums by breast. No queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from treegarth.features.dose.reading.model import Values
from treegarth.features.dose.registry.shown_quantities import EVENTS
from treegarth.features.dose.registry.shown_tables import Cell, Line, ShownTable, shown_table
from treegarth.features.dose.registry.shown_views import view_cells
from treegarth.features.dose.registry.store.reports import DoseReport
from treegarth.features.dose.sums import exact_sum
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall

AGD = "average_glandular_dose_mgy"
BREASTS: dict[str | None, str] = {"L": N_("Left"), "R": N_("Right"), "B": N_("Both"), None: N_("No side is told")}


@dataclass(frozen=True, kw_only=True)
class BreastSum:
    """The exposures of one breast and the sum of their AGD; `unknown_count` of them tell none."""

    label: str  # a msgid
    count: int
    sum: Decimal | None
    unknown_count: int


@dataclass(frozen=True, kw_only=True)
class Exposures:
    table: ShownTable
    sums: list[BreastSum]


def exposures_of(reports: Iterable[DoseReport]) -> list[tuple[DoseReport, Values]]:
    """Of the sources that count every exposure once: by its event UID, of the first that has it."""
    seen: set[str] = set()
    found: list[tuple[DoseReport, Values]] = []
    for report in reports:
        mine = set()
        for event in report.irradiation_events:
            uid = event.get("irradiation_event_uid")
            if uid in seen:
                continue
            if uid:
                mine.add(str(uid))
            found.append((report, event))
        seen |= mine
    return found


def shown_exposures(call: AnyCall, reports: Iterable[DoseReport]) -> Exposures | None:
    """None where there is no exposure."""
    found = exposures_of(reports)
    lines = [Line(values=event, own=view_cells(event) | {"source": _source(call, report)}) for report, event in found]
    table = shown_table(call, "exposures", N_("Exposures"), EVENTS["mammography"], lines)
    return None if table is None else Exposures(table=table, sums=breast_sums(event for _, event in found))


def breast_sums(events: Iterable[Values]) -> list[BreastSum]:
    """By breast, in the order of the table; what is of both, or of none that is told, by itself."""
    by_side: dict[str | None, list[Values]] = {}
    for event in events:
        side = event.get("laterality")
        by_side.setdefault(side if side in BREASTS else None, []).append(event)
    return [_sum(label, by_side[side]) for side, label in BREASTS.items() if side in by_side]


def glandular_sums(events: Iterable[Values]) -> Mapping[str, Decimal | None]:
    """The sums of the events by the names of the best known doses."""
    by_label = {one.label: one.sum for one in breast_sums(events)}
    return {f"glandular_dose_{name}_mgy": by_label.get(BREASTS[side]) for side, name in (("L", "left"), ("R", "right"))}


def _sum(label: str, events: list[Values]) -> BreastSum:
    known = [value for event in events if isinstance(value := event.get(AGD), int | float)]
    return BreastSum(
        label=label,
        count=len(events),
        sum=exact_sum(known) if known else None,
        unknown_count=len(events) - len(known),
    )


def _source(call: AnyCall, report: DoseReport) -> Cell:
    words = P_("image") if report.source == "header" else P_("report")
    url = call.site.url("dose.content_page", orthanc_instance_id=report.orthanc_instance_id)
    return Cell(texts=[words], title=report.sop_instance_uid, numeric=False, url=url)
