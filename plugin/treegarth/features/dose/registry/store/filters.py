"""Which studies of the dose list are wanted, as conditions on its table. Queries only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    any_,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from treegarth.database.folding import is_or_is_like, matches
from treegarth.database.parameters import is_among, written_out
from treegarth.features.dose.analysis.store.of_exams import exams_called
from treegarth.features.dose.analysis.store.values import EVENT_COUNT
from treegarth.features.dose.analysis.tables import exam_dose, exam_name
from treegarth.features.dose.quantities import BEST, Asked, BestQuantity, EventQuantity, asked_for
from treegarth.features.dose.registry.rules import DOUBTS, DoubtName, Source
from treegarth.features.dose.registry.store.device_names import current_names
from treegarth.features.dose.registry.tables import (
    LONGEST_NAMED,
    dose_protocol,
    dose_study,
    irradiation_event,
)
from treegarth.index.labels import has_label


class Limits(NamedTuple):
    """Between which two numbers, both included; None is without a limit."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DoseStudyFilter:
    """Which studies are wanted; None wants all. Doses are the best known ones. Texts are contained, in capitals or
    not, with accents or without; of identifiers the whole. With * and ? it is the whole of each."""

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
    standard_name: int | None = None  # exams that have it, by its number
    called: str | None = None  # exams with a standard name that contains this
    parts: Mapping[str, str] = field(default_factory=dict)  # of texts of NAMED: what they contain
    label: str | None = None
    patient_sex: str | None = None
    age_from_years: float | None = None
    age_to_years: float | None = None  # a whole number is that year of life to its end
    source: Source | None = None
    is_doubted: bool | None = None
    doubt: DoubtName | None = None
    doubted_quantity: str | None = None
    has_issues: bool | None = None
    of_event: Mapping[EventQuantity, Limits] = field(
        default_factory=dict
    )  # all within them in one event, of `protocol`
    devices: Sequence[str] | None = None  # fingerprints: what `resolved` makes of `equipment`
    protocols: Sequence[str] | None = None  # whole names: what `resolved` makes of `protocol`
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)  # whole: what `resolved` makes of `parts`


def _devices(part: str) -> Select[Any]:
    """The devices with a name that contains this. A loose scan of the index: one look for each device, where reading
    their names would read every row."""
    key = dose_study.c.device_key
    keys = select(func.min(key).label("device_key")).cte("keys", recursive=True)
    following = select(func.min(key)).where(key > keys.c.device_key).scalar_subquery()
    keys = keys.union_all(select(following).where(keys.c.device_key.is_not(None)))
    names = (dose_study.c.manufacturer, dose_study.c.manufacturer_model_name, dose_study.c.station_name)
    named = select(*names).where(key == keys.c.device_key).limit(1).lateral("named")
    people = current_names()
    found = or_(*(matches(name, part) for name in (*named.c, people.c.display_name, people.c.location)))
    joined = keys.join(named, true()).outerjoin(people, people.c.device_key == keys.c.device_key)
    return select(keys.c.device_key).select_from(joined).where(found)


def _named(column: str, part: str) -> Select[Any]:
    """The different texts of NAMED that contain this, by a loose scan too: one look for each."""
    name = searched(column)
    names = select(func.min(name).label("name")).cte("names", recursive=True)
    following = select(func.min(name)).where(name > names.c.name).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    return select(names.c.name).where(matches(names.c.name, part))


def searched(column: str) -> ColumnElement[str]:
    """What of a text of NAMED is searched, as its index has it."""
    return func.left(dose_study.c[column], written_out(LONGEST_NAMED))


def resolved(connection: Connection, wanted: DoseStudyFilter) -> DoseStudyFilter:
    """With the devices and protocols whose names contain what is asked for: they are few, and have indexes."""
    devices, protocols = wanted.devices, wanted.protocols
    if wanted.equipment is not None and devices is None:
        devices = tuple(connection.execute(_devices(wanted.equipment)).scalars())
    if wanted.protocol is not None and protocols is None:
        named = matches(dose_protocol.c.name, wanted.protocol)
        protocols = tuple(connection.execute(select(dose_protocol.c.name).where(named)).scalars())
    names = {column: tuple(connection.execute(_named(column, part)).scalars()) for column, part in wanted.parts.items()}
    return replace(wanted, devices=devices, protocols=protocols, names={**wanted.names, **names})


def conditions(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    """What a row of `dose_study` must fulfil by itself: all of these."""
    return [*_texts(wanted), *_marks(wanted), *_reading(wanted), *_ranges(wanted), *_ends(wanted)]


def _texts(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found: list[ColumnElement[bool]] = []
    if wanted.patient_id is not None:
        found.append(is_or_is_like(table.patient_id, wanted.patient_id))
    if wanted.issuer_of_patient_id is not None:
        found.append(is_or_is_like(table.issuer_of_patient_id, wanted.issuer_of_patient_id))
    if wanted.label is not None:
        found.append(has_label(wanted.label, table.orthanc_study_id))
    if wanted.protocols is not None:
        found.append(
            table.protocols.op("&&")(cast(list(wanted.protocols), ARRAY(Text))) if wanted.protocols else false()
        )
    elif wanted.protocol is not None:
        one = func.unnest(table.protocols).column_valued("protocol")
        found.append(exists(select(literal(1)).where(matches(one, wanted.protocol))))
    if wanted.devices is not None:
        found.append(table.device_key.in_(wanted.devices) if wanted.devices else false())
    elif wanted.equipment is not None:
        names = (table.manufacturer, table.manufacturer_model_name, table.station_name)
        found.append(or_(*(matches(name, wanted.equipment) for name in names)))
    if wanted.device is not None:
        found.append(table.device_key == wanted.device)
    for column, part in wanted.parts.items():
        text, whole = searched(column), wanted.names.get(column)
        found.append(matches(text, part) if whole is None else is_among(text, whole))
    return found


def _called(standard_name: int) -> Select[Any]:
    """The studies that have this standard name, of one of their modalities."""
    return (
        select(exam_dose.c.orthanc_study_id)
        .join_from(exam_dose, exam_name, exam_name.c.id == exam_dose.c.exam_name_id)
        .where(exam_name.c.standard_name_id == standard_name, exam_dose.c.quantity == EVENT_COUNT)
    )


KIND_OF = {"CT": "ct", "MG": "mammography"}
"""The modalities that a dose report tells by itself, of an exam whose images are not here."""


def _of_modalities(modalities: Collection[str]) -> ColumnElement[bool]:
    table = dose_study.c
    has_series = table.modalities.op("&&", return_type=Boolean())(cast(list(modalities), ARRAY(Text)))
    kinds = [KIND_OF[one] for one in modalities if one in KIND_OF]
    if not kinds:
        return has_series
    return or_(has_series, table.kinds.op("&&", return_type=Boolean())(cast(kinds, ARRAY(Text))))


def _marks(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found: list[ColumnElement[bool]] = []
    if wanted.kind is not None:
        found.append(table.kinds.contains([wanted.kind]))
    if wanted.modalities:
        found.append(_of_modalities(wanted.modalities))
    if wanted.not_patient is not None:
        found.append(table.not_patient.is_not(None) if wanted.not_patient else table.not_patient.is_(None))
    if wanted.not_patient_rule is not None:
        found.append(table.not_patient_rule_id == wanted.not_patient_rule)
    if wanted.standard_name is not None:
        found.append(table.orthanc_study_id.in_(_called(wanted.standard_name)))
    if wanted.called is not None:
        found.append(table.orthanc_study_id.in_(exams_called(wanted.called)))
    if wanted.patient_sex is not None:
        found.append(table.patient_sex == written_out(wanted.patient_sex))
    return found


def _reading(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    """From where the dose is, what is doubted of it and what could not be read, as partial indexes have it."""
    table = dose_study.c
    found: list[ColumnElement[bool]] = []
    if wanted.source is not None:
        found.append(table.source == wanted.source)
        if wanted.source is not Source.REPORT:
            found.append(table.source != written_out(Source.REPORT))
    doubted = func.cardinality(table.doubts) > written_out(0)
    if wanted.is_doubted is not None:
        found.append(doubted if wanted.is_doubted else func.coalesce(func.cardinality(table.doubts), 0) == 0)
    if wanted.doubt is not None or wanted.doubted_quantity is not None:
        quantities = BEST if wanted.doubted_quantity is None else [wanted.doubted_quantity]
        names = DOUBTS if wanted.doubt is None else [wanted.doubt]
        either = [f"{quantity}:{name}" for quantity in quantities for name in names]
        found += [doubted, table.doubts.op("&&")(cast(either, ARRAY(Text)))]
    if wanted.has_issues is not None:
        found.append(table.issue_count > written_out(0) if wanted.has_issues else table.issue_count == 0)
    return found


def _ranges(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    table = dose_study.c
    found = [
        *_between(table.study_date, wanted.study_date_from, wanted.study_date_to),
        *_between(table.irradiation_event_count, wanted.events_from, wanted.events_to),
        *_ages(wanted),
    ]
    for asked, quantities in asked_for().items():
        limits = wanted.doses.get(asked, Limits())
        if limits != Limits():  # of several quantities one within them is enough: one breast
            found.append(or_(*(and_(*_between(table[one.column], *_stored(limits, one))) for one in quantities)))
    return found


def _ages(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    age, last = dose_study.c.patient_age_years, wanted.age_to_years
    if last is not None and last == int(last):
        return [*_between(age, wanted.age_from_years, None), age < last + 1]
    return _between(age, wanted.age_from_years, last)


def _ends(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    """By the greatest and the least of the study's events, whether one of them can be within each limit of an event."""
    table = dose_study.c
    ends: list[ColumnElement[bool]] = []
    for one, asked in wanted.of_event.items():
        low, high = _stored(asked, one)
        ends += [*_between(table[one.greatest], low, None), *_between(table[one.least], None, high)]
    return ends


def has_event(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    """That one event which counts, of the protocol that is asked for, is within all of the limits of an event; nothing
    where `conditions` tell it already. Of a list of events these are asked of the events themselves."""
    is_told = not wanted.of_event or (wanted.protocol is None and len(_ends(wanted)) <= 1)
    return [] if is_told else [_has_event(wanted)]


def _has_event(wanted: DoseStudyFilter) -> ColumnElement[bool]:
    """Asked of one study after the other, of those that all else leaves: joined, its estimates mislead the planner to
    look through all events, so it is no EXISTS. Its sources may be of other studies, where a person moved them."""
    event = irradiation_event.c
    found = select(true()).where(
        event.orthanc_instance_id == any_(sources_of_events(dose_study)),
        is_counted(dose_study, event.orthanc_instance_id, event.position),
        *conditions_of_event(wanted),
    )
    return found.limit(1).correlate(dose_study).scalar_subquery()


def conditions_of_event(wanted: DoseStudyFilter) -> list[ColumnElement[bool]]:
    """What a row of `irradiation_event` must fulfil where events are asked for: its protocol, and its doses."""
    event = irradiation_event.c
    found: list[ColumnElement[bool]] = []
    if wanted.protocols is not None:
        found.append(is_among(func.left(event.acquisition_protocol, LONGEST_NAMED), wanted.protocols))
    elif wanted.protocol is not None:
        found.append(matches(event.acquisition_protocol, wanted.protocol))
    for quantity, limits in wanted.of_event.items():
        column = event[quantity.column]
        found += [column.is_not(None), *_between(column, *_stored(limits, quantity))]
    return found


def sources_of_events(study: FromClause) -> ColumnElement[Any]:
    """The sources that a study's events are taken from; of one that waits to be decided again, those that count."""
    return func.coalesce(study.c.event_report_ids, study.c.counted_report_ids, type_=ARRAY(Text))


def is_counted(
    study: FromClause, orthanc_instance_id: ColumnElement[str], position: ColumnElement[int]
) -> ColumnElement[bool]:
    """Whether no other source of its study tells of this event of one of `sources_of_events`."""
    name = orthanc_instance_id + ":" + cast(position, Text)
    return (name == any_(study.c.repeated_events)).is_not(true())


def _stored(limits: Limits, quantity: BestQuantity | EventQuantity) -> Limits:
    """In the stored unit."""
    return Limits(*(None if limit is None else limit / quantity.factor for limit in limits))


def _between(column: ColumnElement[Any], low: Any, high: Any) -> list[ColumnElement[bool]]:
    above = [] if low is None else [column >= low]
    below = [] if high is None else [column <= high]
    return above + below
