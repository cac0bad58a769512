"""Read the Irradiation Details of an Enhanced X-Ray Radiation Dose report (TID 10043 to 10055) for one event. Pure.

They tell the technique, the filters, the output and the field by time and X-ray source, independent of events: each
container has the period and the source that it is of. What overlaps an event in time and is of a source of it belongs
to the event. Devices that name the event itself in the details are understood too (`enhanced`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

from treegarth.dicom import codes
from treegarth.dicom.codes import concept_of
from treegarth.features.dose.reading.ct import SOURCE as CT_SOURCE
from treegarth.features.dose.reading.ct import SOURCE_ALWAYS
from treegarth.features.dose.reading.fields import Coded, Meaning, Moment, Number, Table, Uid, Words
from treegarth.features.dose.reading.model import Values
from treegarth.features.dose.reading.part import Part
from treegarth.features.dose.reading.planes import sources_named
from treegarth.features.dose.reading.projection import FILTER
from treegarth.phrases import P_

OF_WHAT: Table = {
    codes.DATETIME_STARTED: Moment("date_time_started"),
    codes.DATETIME_ENDED: Moment("date_time_ended"),
    codes.IDENTIFICATION_OF_THE_X_RAY_SOURCE: Words("x_ray_source_identification"),
}
EVENT_UID: Table = {codes.IRRADIATION_EVENT_UID: Uid("irradiation_event_uid")}
NOT_OF_DETAILS = frozenset({codes.IRRADIATION_EVENT_UID, *OF_WHAT})
OUTPUT: Table = {
    codes.AIR_KERMA_AT_OUTPUT_MEASUREMENT_POINT: Number("air_kerma_at_output_measurement_point_mgy", "mGy", many=True),
}
ATTENUATOR: Table = {
    **FILTER,
    codes.X_RAY_FILTER_THICKNESS: Number("x_ray_filter_thickness_mm", "mm"),
    codes.EQUIVALENT_ATTENUATOR_MATERIAL: Coded("equivalent_attenuator_material_code"),
    codes.ATTENUATOR_CATEGORY: Coded("attenuator_category_code"),
    codes.IDENTIFICATION_OF_THE_ATTENUATOR: Words("attenuator_identification"),
}
LISTS = {
    codes.X_RAY_FILTERS: "x_ray_filters",
    codes.FILTRATION: "x_ray_filters",
    codes.ATTENUATORS: "attenuators",
}
REPORTED_TYPE = Meaning("reported_value_type")

_PLAIN = re.compile(r"(\d{10})(\d{2})?(\d{2})?(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Detail:
    """One container of the details: from when to when it is, of which source, or of which event where it names one."""

    part: Part
    period: tuple[float, float] | None
    source: str | None
    irradiation_event_uid: str | None = None


def read_details(report: Part) -> list[Detail]:
    """Every container of the details, in the order of the report; what it does not say of itself, they say of all."""
    found = []
    for details in report.find(codes.IRRADIATION_DETAILS):
        of_all = details.values(OF_WHAT)
        uid = details.values_below(EVENT_UID).get("irradiation_event_uid")
        if uid is not None:
            found.append(Detail(details, None, of_all.get("x_ray_source_identification"), uid))
            continue
        for part in details.containers():
            of_what = of_all | part.values(OF_WHAT)
            period = _period(of_what.get("date_time_started"), of_what.get("date_time_ended"), inf)
            source = of_what.get("x_ray_source_identification")
            found.append(Detail(part, period, source))
    return found


def details_of(details: Sequence[Detail], event: Values) -> list[Detail]:
    """Those that name an event, and those of its period and of a source of it. An event that says no time has none."""
    lasted = event.get("irradiation_duration_s", event.get("exposure_time_s", 0.0))
    period = _period(event.get("date_time_started"), event.get("date_time_ended"), lasted)
    sources = sources_named(event.get("x_ray_source_identification"))
    uid = event.get("irradiation_event_uid")
    return [
        one
        for one in details
        if (one.irradiation_event_uid == uid and uid is not None)
        or (_overlap(one.period, period) and _shared(sources_named(one.source), sources))
    ]


def read_detailed(details: Sequence[Detail], table: Table) -> dict[str, Any]:
    """What the details of one event say; of several values over time `name` is the first, `name`_values has all."""
    wanted = {concept: field for concept, field in {**table, **OUTPUT}.items() if concept not in NOT_OF_DETAILS}
    given: dict[str, list[Any]] = {}
    lists: dict[str, list[Any]] = {}
    for detail in details:
        for name, given_here in _attenuators(detail.part):
            known = lists.setdefault(name, [])
            known += [one for one in given_here if one not in known]
        values = detail.part.values_below(wanted)
        for name in values:
            if not name.endswith("_values"):
                given.setdefault(name, []).extend(values.get(f"{name}_values", [values[name]]))
    found: dict[str, Any] = {name: attenuators for name, attenuators in lists.items() if attenuators}
    for name, over_time in given.items():
        found[name] = over_time[0]
        if any(value != over_time[0] for value in over_time):
            found[f"{name}_values"] = over_time
    return found


def read_ct_sources(details: Sequence[Detail]) -> dict[str, list[Any]]:
    """One value per X-ray source, as TID 10013 has them: sources in the order of the report."""
    by_source: dict[str | None, dict[str, list[Any]]] = {}
    for detail in details:
        for name, value in _of_source(detail.part).items():
            values = by_source.setdefault(detail.source, {}).setdefault(name, [])
            if value in values:
                continue
            values.append(value)
            if len(values) == 2:
                detail.part.issue(name, P_("it changes during the event; none of its values is that of the event"))
    names = dict.fromkeys((*SOURCE_ALWAYS, *(name for values in by_source.values() for name in values)))
    sources = list(by_source.values())
    found = {name: [_only(source.get(name, [])) for source in sources] for name in names} if sources else {}
    named = [source for source in by_source if source is not None]
    return found | ({"x_ray_source_identification": named} if named and len(named) == len(sources) else {})


def _of_source(part: Part) -> dict[str, Any]:
    """The technique of one container; a tube current that says that it is the maximum is not the mean one."""
    currents = part.parts(codes.X_RAY_TUBE_CURRENT)
    typed = {below.one(codes.REPORTED_VALUE_TYPE, REPORTED_TYPE): below for below in currents}
    table = {concept: field for concept, field in CT_SOURCE.items() if concept not in NOT_OF_DETAILS}
    found: dict[str, Any] = {}
    if codes.MAXIMUM.meaning in typed or codes.MEAN.meaning in typed:
        del table[codes.X_RAY_TUBE_CURRENT]
        for kind, concept in (
            (codes.MEAN, codes.X_RAY_TUBE_CURRENT),
            (codes.MAXIMUM, codes.MAXIMUM_X_RAY_TUBE_CURRENT),
        ):
            below = typed.get(kind.meaning)
            value = part.read(concept, CT_SOURCE[concept], below.item) if below is not None else None
            found |= {CT_SOURCE[concept].name: value} if value is not None else {}
    return found | part.values_below(table)


def _attenuators(part: Part) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The filters and other attenuators of a container or below it, each with its characteristics (TID 10055)."""
    for concept, name in LISTS.items():
        of_this_kind = [part] if concept_of(part.item.concept) is concept else part.find(concept)
        for kind in of_this_kind:
            holders = kind.find(codes.ATTENUATOR_CHARACTERISTICS) or [kind]
            yield name, [values for holder in holders if (values := holder.values(ATTENUATOR))]


def _only(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else None


def _shared(first: frozenset[str] | None, second: frozenset[str] | None) -> bool:
    return first is None or second is None or not first.isdisjoint(second)


def _period(started: str | None, ended: str | None, lasted_s: float) -> tuple[float, float] | None:
    """From and to in seconds of the device's clock; a report has one clock, so that offsets say nothing new."""
    start, end = _seconds(started), _seconds(ended)
    return None if start is None else (start, max(start, end) if end is not None else start + lasted_s)


def _seconds(moment: str | None) -> float | None:
    """A plain DT that names an hour, in seconds."""
    found = _PLAIN.match(moment or "")
    if found is None:
        return None
    minute, second = found[2] or "00", min(int(found[3] or 0), 59)
    clock = datetime.strptime(f"{found[1]}{minute}{second:02}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return clock.timestamp() + float(found[4] or 0)


def _overlap(first: tuple[float, float] | None, second: tuple[float, float] | None) -> bool:
    """Whether two periods have time in common. Those that touch have none; a moment is in the period that it begins."""
    if first is None or second is None:
        return False
    (from_1, to_1), (from_2, to_2) = first, second
    return from_1 == from_2 or (max(from_1, from_2) < min(to_1, to_2)) or (from_1 < from_2 == to_2 < to_1)
