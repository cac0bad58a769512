"""Which studies of the dose list are wanted, as conditions on its table. Queries only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Connection, Select, Text, and_, cast, false, func, or_, select, true

from treegarth.features.dose.quantities import Asked, BestQuantity, asked_for
from treegarth.features.dose.registry.tables import dose_protocol, dose_study


class Limits(NamedTuple):
    """Between which two numbers, both included; None is without a limit."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseStudyFilter:
    """Which studies are wanted; None wants all. Doses are the best known ones. Texts are contained, in capitals or not;
    `patient_id` is exact."""

    kind: str | None = None
    modalities: Sequence[str] = ()  # studies with a series of one of these
    patient_id: str | None = None
    issuer_of_patient_id: str | None = None
    protocol: str | None = None
    equipment: str | None = None
    study_date_from: date | None = None
    study_date_to: date | None = None
    doses: Mapping[Asked, Limits] = field(default_factory=dict)
    events_from: int | None = None
    events_to: int | None = None
    device: str | None = None  # a fingerprint: `device_key`
    not_patient: bool | None = None  # False: without phantoms, QA and service; True: only these
    not_patient_rule: int | None = None  # what this rule marks
    devices: Sequence[str] | None = None  # fingerprints: what `resolved` makes of `equipment`
    protocols: Sequence[str] | None = None  # whole names: what `resolved` makes of `protocol`


def _devices(part: str) -> Select[Any]:
    """The devices with a name that contains this. A loose scan of the index: one look for each device, where reading
    their names would read every row."""
    key = dose_study.c.device_key
    keys = select(func.min(key).label("device_key")).cte("keys", recursive=True)
    following = select(func.min(key)).where(key > keys.c.device_key).scalar_subquery()
    keys = keys.union_all(select(following).where(keys.c.device_key.is_not(None)))
    names = (dose_study.c.manufacturer, dose_study.c.manufacturer_model_name, dose_study.c.station_name)
    named = select(*names).where(key == keys.c.device_key).limit(1).lateral("named")
    matches = or_(*(name.icontains(part, autoescape=True) for name in named.c))
    return select(keys.c.device_key).join_from(keys, named, true()).where(matches)


def resolved(connection: Connection, wanted: DoseStudyFilter) -> DoseStudyFilter:
    """With the devices and protocols whose names contain what is asked for: they are few, and have indexes."""
    devices, protocols = wanted.devices, wanted.protocols
    if wanted.equipment is not None and devices is None:
        devices = tuple(connection.execute(_devices(wanted.equipment)).scalars())
    if wanted.protocol is not None and protocols is None:
        named = dose_protocol.c.name.icontains(wanted.protocol, autoescape=True)
        protocols = tuple(connection.execute(select(dose_protocol.c.name).where(named)).scalars())
    return replace(wanted, devices=devices, protocols=protocols)


def conditions(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    """What a row of `dose_study` must fulfil: all of these."""
    return [*_texts(wanted), *_marks(wanted), *_ranges(wanted)]


def _texts(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found: list[ColumnElement[bool]] = []
    if wanted.patient_id is not None:
        found.append(table.patient_id == wanted.patient_id)
    if wanted.issuer_of_patient_id is not None:
        found.append(table.issuer_of_patient_id == wanted.issuer_of_patient_id)
    if wanted.protocols is not None:
        found.append(
            table.protocols.op("&&")(cast(list(wanted.protocols), ARRAY(Text))) if wanted.protocols else false()
        )
    elif wanted.protocol is not None:
        found.append(func.array_to_string(table.protocols, "\n").icontains(wanted.protocol, autoescape=True))
    if wanted.devices is not None:
        found.append(table.device_key.in_(wanted.devices) if wanted.devices else false())
    elif wanted.equipment is not None:
        names = (table.manufacturer, table.manufacturer_model_name, table.station_name)
        found.append(or_(*(name.icontains(wanted.equipment, autoescape=True) for name in names)))
    if wanted.device is not None:
        found.append(table.device_key == wanted.device)
    return found


def _marks(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        found.append(table.kinds.contains([wanted.kind]))
    if wanted.modalities:
        found.append(table.modalities.op("&&")(cast(list(wanted.modalities), ARRAY(Text))))
    if wanted.not_patient is not None:
        found.append(table.not_patient.is_not(None) if wanted.not_patient else table.not_patient.is_(None))
    if wanted.not_patient_rule is not None:
        found.append(table.not_patient_rule_id == wanted.not_patient_rule)
    return found


def _ranges(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found = [
        *_between(table.study_date, wanted.study_date_from, wanted.study_date_to),
        *_between(table.irradiation_event_count, wanted.events_from, wanted.events_to),
    ]
    for asked, quantities in asked_for().items():
        limits = wanted.doses.get(asked, Limits())
        if limits != Limits():  # of several quantities one within them is enough: one breast
            found.append(or_(*(and_(*_between(table[one.column], *_stored(limits, one))) for one in quantities)))
    return found


def _stored(limits: Limits, quantity: BestQuantity) -> Limits:
    """In the stored unit."""
    return Limits(*(None if limit is None else limit / quantity.factor for limit in limits))


def _between(column: ColumnElement[Any], low: Any, high: Any) -> list[ColumnElement[bool]]:
    above = [] if low is None else [column >= low]
    below = [] if high is None else [column <= high]
    return above + below
