"""How the medians here stand to reference levels: the verdict is pure, the medians come from the statistics.

A national reference level is, as a rule, the 75th percentile of the medians of facilities (ICRP Publication 135, 2017,
glossary: National DRL): a facility is held against it by its own median, never by a single exam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Literal, TypeAlias

from sqlalchemy import Connection

from treegarth.features.dose.analysis.distribution import NOTHING, Distribution
from treegarth.features.dose.analysis.levels.holding import HeldLevel
from treegarth.features.dose.analysis.levels.model import LevelPhantom, LevelRow
from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.features.dose.analysis.levels.store import site_and_devices
from treegarth.features.dose.analysis.store.standard_names import MeantName, names_meant
from treegarth.features.dose.analysis.wanted import Band, Wanted
from treegarth.features.dose.registry.store.device_names import shown_devices
from treegarth.record import Record

NOISE = 1e-9
"""Of a number, far more than what a multiplication of doubles loses and far less than any dose is written with."""
Verdict: TypeAlias = Literal["below", "above", "straddles", "too_few", "no_exams", "no_standard_name"]


@dataclass(frozen=True, kw_only=True)
class Period:
    """Of which exams: those of these days, both included, and whether doubted doses count."""

    begin: date
    end: date
    with_doubted: bool = False


class Comparison(Record):
    """The median of the exams of one name, at one device or at all of them, beside one reference level."""

    verdict: Verdict
    """`below`: the level is not exceeded, the whole confidence interval of the median lies at it or below; `above`:
    the whole interval lies above; `straddles`: the level lies within; `too_few`: less exams than the set asks for;
    `no_exams`: none of this name, quantity and band in the period; `no_standard_name`: nothing is called so here."""
    modality: str
    standard_name: str
    """As the set says it."""
    standard_name_here: str | None
    """The standard name of this site that is meant: the same, else one that differs in capitals and accents alone; null
    where there is none."""
    quantity: str
    phantom: LevelPhantom | None
    """Of a quantity that is of either: `head` (16 cm) or `body` (32 cm)."""
    unit: str
    """Of level, median and interval."""
    age_from_years: float | None
    age_to_years: float | None
    """Younger than this."""
    weight_from_kg: float | None
    weight_to_kg: float | None
    """Lighter than this."""
    device_key: str | None
    """One device; null of the whole site."""
    device: str | None
    """Its manufacturer, model and station."""
    is_whole_site: bool
    """Whether all devices are meant."""
    n: int
    """Exams that count."""
    least_exams: int
    """How many the set asks for."""
    doubted_left_out: int
    """Exams whose dose is doubted, and which therefore do not count."""
    median: float | None
    median_low: float | None
    """The 95 % confidence interval of the median, by order statistics."""
    median_high: float | None
    level: float
    achievable: float | None
    median_percent: float | None
    """The median in percent of the level."""
    level_set_id: int
    level_set: str
    place: str
    """The country or the site of the set."""
    table: str
    """Where the level stands in its publication."""
    valid_from: date | None
    valid_to: date | None
    superseded_by: str | None
    """The later set of the same place that says a level of the same exams."""


def verdict_of(found: Distribution, level: float, least_exams: int) -> Verdict:
    """What the median says of the level; numbers in one unit. Of too few exams nothing is said."""
    if found.n == 0:
        return "no_exams"
    if found.n < least_exams or found.median_low is None or found.median_high is None:
        return "too_few"
    if not is_above(found.median_high, level):
        return "below"
    return "above" if is_above(found.median_low, level) else "straddles"


def is_above(value: float, level: float) -> bool:
    """Whether more than the level: a dose that is exactly it may be more by the noise of a change of units."""
    return value > level * (1 + NOISE)


def compare(
    connection: Connection, levels: Sequence[HeldLevel], period: Period, *, by_device: bool = True
) -> list[Comparison]:
    """Each level beside the whole site, and beside each device that has such exams."""
    names = names_meant(connection, {(held.row.modality, held.row.standard_name) for held in levels})
    known = [names.get((held.row.modality, held.row.standard_name)) for held in levels]
    wanted = [_wanted(held.row, name.id, period) for held, name in zip(levels, known, strict=True) if name is not None]
    sites = iter(site_and_devices(connection, wanted, by_device=by_device))
    found: list[Comparison] = []
    for held, name in zip(levels, known, strict=True):
        if name is None:
            found.append(_compared(held, None, NOTHING, "no_standard_name"))
            continue
        one = next(sites)
        found.append(_compared(held, name, one.site))
        found += [
            _compared(held, name, of_device, device_key=key, is_whole_site=False)
            for key, of_device in one.devices.items()
        ]
    return _with_names(connection, found)


def _with_names(connection: Connection, found: Sequence[Comparison]) -> list[Comparison]:
    """With what each device is called, of all together: no two have one name. Below its site those of a level stand by
    their names."""
    keys = {one.device_key for one in found if one.device_key is not None}
    names = shown_devices(connection, keys) if keys else {}
    named = [
        one if one.device_key is None else one.model_copy(update={"device": names[one.device_key] or None})
        for one in found
    ]
    levels = accumulate(int(one.is_whole_site) for one in named)
    by_name = sorted(
        zip(levels, named, strict=True),
        key=lambda pair: (pair[0], not pair[1].is_whole_site, pair[1].device or "", pair[1].device_key or ""),
    )
    return [one for _, one in by_name]


def _wanted(row: LevelRow, standard_name_id: int, period: Period) -> Wanted:
    return Wanted(
        quantity=row.quantity,
        phantom=row.phantom,
        modality=row.modality,
        standard_name_id=standard_name_id,
        study_date_from=period.begin,
        study_date_to=period.end,
        age_years=Band(least=row.age_from_years, below=row.age_to_years),
        weight_kg=Band(least=row.weight_from_kg, below=row.weight_to_kg),
        with_doubted=period.with_doubted,
    )


def _compared(
    held: HeldLevel,
    name: MeantName | None,
    found: Distribution,
    verdict: Verdict | None = None,
    *,
    device_key: str | None = None,
    is_whole_site: bool = True,
) -> Comparison:
    row, says, shown = held.row, held.of.says, LEVEL_QUANTITIES[held.row.quantity]
    low, median, high = (
        None if one is None else one * shown.factor for one in (found.median_low, found.median, found.median_high)
    )
    in_unit = found.model_copy(update={"median_low": low, "median": median, "median_high": high})
    return Comparison(
        verdict=verdict or verdict_of(in_unit, row.level, says.least_exams),
        **row.key._asdict(),
        standard_name_here=None if name is None else name.name,
        unit=shown.unit,
        device_key=device_key,
        device=None,
        is_whole_site=is_whole_site,
        n=found.n,
        least_exams=says.least_exams,
        doubted_left_out=found.doubted_left_out,
        median=median,
        median_low=low,
        median_high=high,
        level=row.level,
        achievable=row.achievable,
        median_percent=None if median is None else 100 * median / row.level,
        level_set_id=held.of.number,
        level_set=says.name,
        place=says.place,
        table=says.publication.table,
        valid_from=says.valid_from,
        valid_to=says.valid_to,
        superseded_by=held.superseded_by,
    )
