"""What a policy would delete today and over the next 30 days, as the pages show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

from sqlalchemy import Connection

from treegarth.features.retention import service
from treegarth.features.retention.service import PolicyLanguage, Preview
from treegarth.features.retention.store.decision import NumberedPolicy
from treegarth.features.retention.store.forecast import Foreseen, ForeseenStudy, foresee
from treegarth.index.names import StudyName, name_studies
from treegarth.index.studies import OfStudy, told_apart
from treegarth.phrases import N_
from treegarth.web.call import AnyCall
from treegarth.web.formats import unit_of_sizes
from treegarth.web.parts import translated

BETWEEN = (5, 10, 15, 20, 25)  # days
QUICK_S = 3.0
"""Where today, in 30 days and their studies took longer, the days between are left out: nobody waits for a minute."""
MOST_SERIES = 5
COLOURS = ("--c1", "--c3", "--c2", "--c4", "--c5", "--c7")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A part of each bar."""

    name: str
    colour: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A day: its bytes by column, in the chart's unit and as they are."""

    foreseen: Foreseen
    drawn: Sequence[float]
    sizes: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Bars, the latest first, as the script that draws them reads a table."""

    unit: str
    columns: Sequence[Column]
    bars: Sequence[Bar]

    @property
    def any(self) -> bool:
        return any(bar.foreseen.size_bytes for bar in self.bars)


@dataclass(frozen=True, kw_only=True)
class ShownPreview:
    """A preview with its chart and the names of its studies."""

    preview: Preview
    chart: Chart
    studies: Sequence[tuple[ForeseenStudy, StudyName | None]]
    which: Callable[[OfStudy], str | None]  # what the address of one of them says beside its UID


def look_ahead(
    call: AnyCall,
    connection: Connection,
    language: PolicyLanguage,
    which: NumberedPolicy,
    *,
    between: Sequence[int] = BETWEEN,
) -> ShownPreview:
    """Looks at the whole archive: several times where that is quick. `between`: days on the way to the thirtieth."""
    now, began = call.services.clock(), monotonic()
    found = service.preview(connection, language, which, now)
    days = between if monotonic() - began < QUICK_S else ()
    on_the_way = [foresee(connection, which, language.vocabulary(), now + timedelta(days=day)) for day in days]
    names = name_studies(connection, found.studies)
    return ShownPreview(
        preview=found,
        chart=chart_of(call, [found.today, *on_the_way, found.in_30_days]),
        studies=[(one, names.get(one.orthanc_study_id)) for one in found.studies],
        which=told_apart(connection, found.studies),
    )


def chart_of(call: AnyCall, days: Sequence[Foreseen]) -> Chart:
    """By modality: the largest have a colour of their own, the others share one."""
    most: dict[str, int] = {}
    for share in (share for day in days for share in day.shares):
        most[share.modality] = most.get(share.modality, 0) + share.size_bytes
    own = sorted(most, key=lambda modality: (-most[modality], modality))[:MOST_SERIES]
    names = [modality or translated(call, N_("unknown")) for modality in own]
    if len(most) > len(own):
        names.append(translated(call, N_("others")))
    scale, unit = unit_of_sizes(max((day.size_bytes for day in days), default=0))
    bars = []
    for day in reversed(days):
        sizes = [sum(one.size_bytes for one in day.shares if one.modality == modality) for modality in own]
        if len(names) > len(own):
            sizes.append(day.size_bytes - sum(sizes))
        bars.append(Bar(foreseen=day, sizes=sizes, drawn=[round(size / scale, 3) for size in sizes]))
    columns = [Column(name=name, colour=colour) for name, colour in zip(names, COLOURS, strict=False)]
    return Chart(unit=unit, columns=columns, bars=bars)
