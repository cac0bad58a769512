"""What figures of doses can be asked for in an address, by people and by programs, and what that means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field
from sqlalchemy import Connection

from treegarth.errors import InvalidRequest, NotFound
from treegarth.features.dose.analysis.figures import EXAM_COUNT, OF_LEVEL, OF_PROJECTION, leading_of
from treegarth.features.dose.analysis.store.choices import QuantityCount, quantities_of
from treegarth.features.dose.analysis.store.matrix import MatrixCell, matrix
from treegarth.features.dose.analysis.store.names import KindOfName, NamedCount, find_name, modalities_with_exams
from treegarth.features.dose.analysis.wanted import BY_PHANTOM, Band, Level, Phantom, Wanted
from treegarth.features.dose.quantities import ShownQuantity
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.lists import Day, LastDay, Spans
from treegarth.web.routes import AnyText, Identifier, Text

if TYPE_CHECKING:
    QuantityName: TypeAlias = str
else:
    QuantityName = Literal[tuple(dict.fromkeys(name for some in OF_LEVEL.values() for name in some))]

End: TypeAlias = Annotated[float | None, Field(ge=0, le=1000, allow_inf_nan=False)]
Modality: TypeAlias = Annotated[AnyText, Field(max_length=16)]


class DaysAsked(Spans):
    """Exams of which days."""

    study_date_from: Day | None = None
    """The first day that counts, `2026-11-20`."""
    study_date_to: LastDay = None
    """The last day that counts, included."""
    with_doubted: bool = False
    """Whether values count that something speaks against."""


class FiguresAsked(DaysAsked):
    """Which values of which quantity."""

    modality: Modality | None = None
    """Of exams or events without a name that is asked for; without one, that of the first name."""
    standard_name: Identifier | None = None
    """The number of a standard name, as `names` gives it; at most one of the three names."""
    exam_name: Identifier | None = None
    """The number of a name of exams."""
    protocol: Identifier | None = None
    """The number of a name of acquisition protocols: values are those of events."""
    level: Level = "exam"
    """`event`: of a standard name or a modality, values of irradiation events, not of exams."""
    quantity: QuantityName | None = None
    """Without one, what exams of the modality are known by, else what has the most values."""
    phantom: Phantom | None = None
    """Of DLP and CTDIvol: `head` (16 cm), `body` (32 cm), `both`, `unknown`. Without one, that with the most values."""
    device: Text | None = None
    """The key of one device, as figures by device give it."""
    age_from: End = None
    """Patients of this age in years, and older."""
    age_below: End = None
    """Patients younger than this."""
    weight_from: End = None
    """Patients of this weight in kg, and heavier."""
    weight_below: End = None
    """Patients lighter than this."""


class MatrixAsked(FiguresAsked):
    """Which values, by which names."""

    names: KindOfName | None = None
    """`standard`: by standard names; `exam`: by names of exams; `protocol`: by acquisition protocols, of whose events
    the values are. Without it standard names where there are any, else the names of exams or the protocols."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What is asked for, with everything that the address left open."""

    wanted: Wanted
    quantity: ShownQuantity
    name: NamedCount | None
    choices: list[QuantityCount]


def days_of(asked: DaysAsked) -> Wanted:
    """The days of every exam there is; which quantity is left open."""
    return Wanted(
        quantity=EXAM_COUNT,
        study_date_from=asked.study_date_from,
        study_date_to=asked.study_date_to,
        with_doubted=asked.with_doubted,
    )


def choose(connection: Connection, asked: FiguresAsked) -> Chosen:
    """Raises InvalidRequest where the address contradicts itself, NotFound where there is no such name."""
    level: Level = "event" if asked.protocol is not None else asked.level
    named = _named(asked, level)
    name = find_name(connection, named)
    if name is None and _names_in(asked):
        raise NotFound(N_("There is no such name."))
    modality = name.modality if name else asked.modality or _first_modality(connection)
    if asked.modality and name and asked.modality != modality:
        raise InvalidRequest(P_("The name is of another modality."))
    named = replace(named, modality=modality)
    choices = quantities_of(connection, named)
    quantity = asked.quantity or _usual_quantity(level, modality, choices)
    if quantity not in OF_LEVEL[level]:
        raise InvalidRequest(_OF_ANOTHER_LEVEL[level])
    wanted = replace(named, quantity=quantity, phantom=_phantom(asked, level, quantity, choices))
    return Chosen(wanted=wanted, quantity=OF_LEVEL[level][quantity], name=name, choices=choices)


_OF_ANOTHER_LEVEL: dict[Level, Phrase] = {
    "event": P_("No irradiation event has this quantity: ask for the level `exam`, or for another one."),
    "exam": P_("No exam as a whole has this quantity: ask for the level `event`, or for another one."),
}


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """Names and devices side by side, by names of which kind."""

    chosen: Chosen
    kind: KindOfName
    cells: list[MatrixCell]


def side_by_side(connection: Connection, asked: MatrixAsked) -> SideBySide:
    """Raises InvalidRequest where the address contradicts itself, NotFound where there is no such name."""
    if asked.names == "exam" and (asked.level == "event" or asked.protocol is not None):
        raise InvalidRequest(P_("A name of exams has values of exams: ask for the level `exam`."))
    chosen = choose(connection, asked.model_copy(update={"level": "event"}) if asked.names == "protocol" else asked)
    other: KindOfName = "exam" if chosen.wanted.level == "exam" else "protocol"
    kind: KindOfName = asked.names or "standard"
    cells = matrix(connection, chosen.wanted, kind)
    if not cells and asked.names is None:
        kind, cells = other, matrix(connection, chosen.wanted, other)
    return SideBySide(chosen=chosen, kind=kind, cells=cells)


def _names_in(asked: FiguresAsked) -> list[int]:
    return [one for one in (asked.standard_name, asked.exam_name, asked.protocol) if one is not None]


def _named(asked: FiguresAsked, level: Level) -> Wanted:
    """All but quantity and phantom, with one in their place that every level has."""
    if len(_names_in(asked)) > 1:
        raise InvalidRequest(P_("One name can be asked for, not several."))
    if level == "event" and asked.exam_name is not None:
        raise InvalidRequest(P_("A name of exams has values of exams: ask for the level `exam`."))
    return replace(
        days_of(asked),
        quantity=EXAM_COUNT if level == "exam" else OF_PROJECTION,
        level=level,
        standard_name_id=asked.standard_name,
        exam_name_id=asked.exam_name,
        protocol_name_id=asked.protocol,
        device_key=asked.device,
        age_years=Band(least=asked.age_from, below=asked.age_below),
        weight_kg=Band(least=asked.weight_from, below=asked.weight_below),
    )


def _first_modality(connection: Connection) -> str | None:
    return next(iter(modalities_with_exams(connection)), None)


def _usual_quantity(level: Level, modality: str | None, choices: list[QuantityCount]) -> str:
    """What leads the modality where it has values, else what has the most."""
    known = {one.quantity for one in choices}
    leading = [one for one, _ in leading_of(modality or "") if one in known]
    most = max(choices, key=lambda one: one.count, default=None)
    if level == "exam" and leading:
        counts = {one.quantity: one.count for one in reversed(choices)}
        return max(leading, key=lambda one: counts[one])
    return most.quantity if most else next(iter(OF_LEVEL[level]))


def _phantom(asked: FiguresAsked, level: Level, quantity: str, choices: list[QuantityCount]) -> Phantom | None:
    if quantity not in BY_PHANTOM[level]:
        if asked.phantom is not None:
            raise InvalidRequest(P_("The values of this quantity are not by phantom: leave `phantom` out."))
        return None
    found = [one for one in choices if one.quantity == quantity]
    most = max(found, key=lambda one: one.count, default=None)
    return asked.phantom or (most.phantom if most else None) or "unknown"
