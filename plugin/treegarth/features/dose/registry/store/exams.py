"""Make one examination of a study's sources: the row of the dose list, as `deciding` decides. Queries only.

Studies are decided from the rows that were read, a batch at a time; no object is needed for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Row, Text, any_, cast, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert

from treegarth.database.finite_double import finite
from treegarth.dicom.ages import age_in_years
from treegarth.features.dose.analysis.derived import Patient, derive
from treegarth.features.dose.analysis.store.derived import coefficients_of, write_derived
from treegarth.features.dose.analysis.store.values import refresh_values
from treegarth.features.dose.quantities import BEST, OF_EVENT
from treegarth.features.dose.registry.candidates import SAMPLE, SAMPLED_SOURCES
from treegarth.features.dose.registry.decision import (
    Device,
    Elsewhere,
    ExamDecision,
    SourceFacts,
    decide_exam,
    event_facts,
    report_facts,
)
from treegarth.features.dose.registry.decision.accounts import Account
from treegarth.features.dose.registry.decision.nuclides import meaning_of
from treegarth.features.dose.registry.decision.physician import performing_physician
from treegarth.features.dose.registry.decision.sameness import totals_differ
from treegarth.features.dose.registry.own_words import own_word
from treegarth.features.dose.registry.rules import Said, Source
from treegarth.features.dose.registry.store.acts import ByPeople, decided_by_people, guests_of
from treegarth.features.dose.registry.store.elsewhere import elsewhere_of, former_uids
from treegarth.features.dose.registry.store.given_sizes import with_given
from treegarth.features.dose.registry.store.limits import decider_version, limits_of
from treegarth.features.dose.registry.store.modalities import modalities_of
from treegarth.features.dose.registry.store.not_patients import mark_not_patients
from treegarth.features.dose.registry.store.undecided import note_neighbours
from treegarth.features.dose.registry.tables import (
    administration,
    dose_protocol,
    dose_report,
    dose_study,
    irradiation_event,
)
from treegarth.features.dose.sums import known_sum
from treegarth.index.tables import instance

LONGEST_PROTOCOL = 500
"""Characters of a protocol by which studies are found: an index takes 2,700 bytes. The event has all."""
TOTALS = ("dlp_total_mgy_cm", "dose_area_product_total_gy_m2", "dose_rp_total_gy")
SUMS = {
    "dlp_total_mgy_cm": ("dlp_of_events_mgy_cm", "dlp_mgy_cm"),
    "dose_area_product_total_gy_m2": ("dose_area_product_of_events_gy_m2", "dose_area_product_gy_m2"),
    "dose_rp_total_gy": ("dose_rp_of_events_gy", "dose_rp_gy"),
}
"""For each reported total, the column of the sum over the events and the value of an event."""

OF_EVENTS = (
    "dlp_mgy_cm", "mean_ctdi_vol_mgy", "dose_area_product_gy_m2", "dose_rp_gy", "average_glandular_dose_mgy",
    "irradiation_event_uid", "acquisition_protocol", "ctdiw_phantom_type", "irradiation_event_type",
)  # fmt: skip
"""Columns of an event that stand for its values where these are not told: the same names."""

FROM_NEWEST_REPORT = (
    "study_instance_uid", "manufacturer", "manufacturer_model_name", "station_name", "device_serial_number",
    "patient_id", "issuer_of_patient_id", "patient_name", "patient_sex", "patient_age", "study_date", "study_time",
    "study_description", "accession_number", "institution_name", "patient_size_m", "patient_weight_kg",
    "requested_procedure_description",
)  # fmt: skip

MOMENTS: Mapping[str, type[date] | type[time]] = {"study_date": date, "study_time": time}
"""What of a study is kept as text where a decision names it."""

# As a text, like every statement of the store path: the same one for any number of studies, planned once.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended(one, 7311))"
    " FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS given (one, place) ORDER BY place"
)


def refresh_study(connection: Connection, orthanc_study_id: str, now: datetime) -> None:
    """Make the study's row say what its sources say, and have those studies decided again that share something with
    it. Concurrent callers for one study wait for each other."""
    note_neighbours(connection, orthanc_study_id)
    decide_studies(connection, [orthanc_study_id], now)


def decide_studies(connection: Connection, orthanc_study_ids: Sequence[str], now: datetime) -> None:
    """Make the rows of these studies say what their sources say; of a study without any, the row goes."""
    wanted = sorted(set(orthanc_study_ids))
    lock_studies(connection, wanted)
    exams = _exams(connection, wanted)
    without = [one for one in wanted if one not in exams]
    if without:
        connection.execute(delete(dose_study).where(dose_study.c.orthanc_study_id.in_(without)))
        refresh_values(connection, without)
    if not exams:
        return
    limits, version = limits_of(connection), decider_version(connection)
    modalities = modalities_of(connection, sorted(exams))
    decisions = {
        study: decide_exam(exam.own_facts, exam.elsewhere, limits, exam.guest_facts) for study, exam in exams.items()
    }
    rows = [
        {"orthanc_study_id": study, "modalities": modalities.get(study, [])}
        | _study_row(exam, decisions[study])
        | {"changed_at": now, "decider_version": version}
        for study, exam in exams.items()
    ]
    rows = with_given(connection, rows)
    _write(connection, rows)
    _write_derived(connection, rows, decisions)
    mark_not_patients(connection, sorted(exams))


def _write_derived(
    connection: Connection, rows: Sequence[Mapping[str, Any]], decisions: Mapping[str, ExamDecision]
) -> None:
    """Before the rows of statistics are made of it (`mark_not_patients`)."""
    known = coefficients_of(connection)
    write_derived(
        connection,
        {
            row["orthanc_study_id"]: derive(
                decisions[row["orthanc_study_id"]],
                Patient(age_years=row["patient_age_years"], weight_kg=finite(row["patient_weight_kg"])),
                known,
            )
            for row in rows
        },
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Exam:
    """All that a study is decided from: its sources, those of others of which something was moved here, the facts of
    all by instance, and what else is known of it."""

    own: Sequence[Row[Any]]
    guests: Sequence[Row[Any]]
    facts: Mapping[str, SourceFacts]
    elsewhere: Elsewhere
    by_people: ByPeople | None

    @property
    def rows(self) -> list[Row[Any]]:
        return [*self.own, *self.guests]

    @property
    def own_facts(self) -> list[SourceFacts]:
        return [self.facts[one.orthanc_instance_id] for one in self.own]

    @property
    def guest_facts(self) -> list[SourceFacts]:
        return [self.facts[one.orthanc_instance_id] for one in self.guests]


def _exams(connection: Connection, orthanc_study_ids: Sequence[str]) -> dict[str, _Exam]:
    """By study, of those that have any source."""
    own = _reports(connection, dose_report.c.orthanc_study_id == _any(orthanc_study_ids))
    moved = guests_of(connection, orthanc_study_ids)
    named = sorted({instance for instances in moved.values() for instance in instances})
    others = _reports(connection, dose_report.c.orthanc_instance_id == _any(named)) if named else {}
    by_instance = {row.orthanc_instance_id: row for rows in others.values() for row in rows}
    guests = {study: [by_instance[one] for one in instances] for study, instances in moved.items() if instances}
    facts = _facts(connection, [row for rows in (*own.values(), *others.values()) for row in rows])
    elsewhere = elsewhere_of(connection, sorted(own))
    by_people = decided_by_people(connection, _of_rows(own, facts), _of_rows(guests, facts))
    return {
        study: _Exam(
            own=own.get(study, ()),
            guests=guests.get(study, ()),
            facts=facts,
            elsewhere=_with_acts(elsewhere.get(study, Elsewhere()), by_people.get(study)),
            by_people=by_people.get(study),
        )
        for study in sorted({*own, *guests})
    }


def _of_rows(rows: Mapping[str, Sequence[Row[Any]]], facts: Mapping[str, SourceFacts]) -> dict[str, list[SourceFacts]]:
    return {study: [facts[one.orthanc_instance_id] for one in found] for study, found in rows.items()}


def _with_acts(elsewhere: Elsewhere, by_people: ByPeople | None) -> Elsewhere:
    return elsewhere if by_people is None else replace(elsewhere, acts=by_people.acts)


def lock_studies(connection: Connection, orthanc_study_ids: Sequence[str]) -> None:
    """Until the end of the transaction nobody else decides these; in one order, so that nobody waits in a circle."""
    connection.execute(_LOCK, {"ids": sorted(orthanc_study_ids)})


def _write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    statement = insert(dose_study)
    values = {name: statement.excluded[name] for name in rows[0] if name != "orthanc_study_id"}
    written = statement.on_conflict_do_update(index_elements=[dose_study.c.orthanc_study_id], set_=values)
    connection.execute(written, list(rows))
    _note_protocols(connection, {name for row in rows for name in row["protocols"]})


def _note_protocols(connection: Connection, names: set[str]) -> None:
    """Those that are new: nearly always none. In one order, so that nobody waits in a circle."""
    known = connection.execute(select(dose_protocol.c.name).where(dose_protocol.c.name.in_(sorted(names)))).scalars()
    new = sorted(names - set(known))
    if new:
        connection.execute(insert(dose_protocol).values([{"name": one} for one in new]).on_conflict_do_nothing())


def _reports(connection: Connection, which: ColumnElement[bool]) -> dict[str, list[Row[Any]]]:
    """The sources with a kind, by study, in a fixed order."""
    found: dict[str, list[Row[Any]]] = {}
    query = select(dose_report).where(which, dose_report.c.kind.is_not(None))
    for row in connection.execute(query.order_by(dose_report.c.orthanc_instance_id)):
        found.setdefault(row.orthanc_study_id, []).append(row)
    return found


def _any(identifiers: Sequence[str]) -> ColumnElement[Any]:
    """One parameter, however many there are: the statement is the same one."""
    return any_(cast(list(identifiers), ARRAY(Text)))


def _facts(connection: Connection, reports: Sequence[Row[Any]]) -> dict[str, SourceFacts]:
    """By instance."""
    instances = [one.orthanc_instance_id for one in reports]
    values = _values(connection, instances)
    sampled = _sampled_series(connection, reports)
    former = former_uids(connection, [one.orthanc_instance_id for one in reports if one.modified_from is not None])
    return {
        one.orthanc_instance_id: _source_facts(one, values.get(one.orthanc_instance_id, []), sampled, former)
        for one in reports
    }


def _source_facts(
    row: Row[Any],
    values: Sequence[Mapping[str, Any]],
    sampled: frozenset[str],
    former: Mapping[str, frozenset[str]],
) -> SourceFacts:
    report = row.report or {}
    reported = {name: number for name in TOTALS if (number := row._mapping[name]) is not None}
    offset = report.get("timezone_offset_from_utc")
    return SourceFacts(
        orthanc_instance_id=row.orthanc_instance_id,
        sop_instance_uid=row.sop_instance_uid,
        kind=row.kind,
        source=Source(row.source or Source.REPORT),
        device=Device(
            manufacturer=row.manufacturer,
            model=row.manufacturer_model_name,
            serial=row.device_serial_number,
            station=row.station_name,
        ),
        series=row.orthanc_series_id,
        totals=(row.totals or {}) | reported,
        events=tuple(event_facts(row.kind, one, number, offset=offset) for number, one in enumerate(values, start=1)),
        modified_from=row.modified_from,
        former_uids=former.get(row.orthanc_instance_id, frozenset()),
        received_at=row.received_at or row.discovered_at,
        is_sampled=row.orthanc_series_id in sampled and row.sop_class_uid in SAMPLED_SOURCES,
        **report_facts(report),
    )


def _values(connection: Connection, instances: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """What was read of every event and administration, by instance, in the order of the object."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for table, names in ((irradiation_event, OF_EVENTS), (administration, ("irradiation_event_uid",))):
        query = (
            select(table.c.orthanc_instance_id, table.c["values"].label("read"), *(table.c[name] for name in names))
            .where(table.c.orthanc_instance_id == _any(instances))
            .order_by(table.c.orthanc_instance_id, table.c.position)
        )
        for row in connection.execute(query):
            columns = {name: row._mapping[name] for name in names if row._mapping[name] is not None}
            found.setdefault(row.orthanc_instance_id, []).append(columns | row.read)
    return found


def _sampled_series(connection: Connection, reports: Sequence[Row[Any]]) -> frozenset[str]:
    """Series of which only some images were read. Of a series that has left the index: as many as a sample has."""
    sources: dict[str, int] = {}
    for one in reports:
        if one.sop_class_uid in SAMPLED_SOURCES and one.kind == "ct":
            sources[one.orthanc_series_id] = sources.get(one.orthanc_series_id, 0) + 1
    if not sources:
        return frozenset()
    query = (
        select(instance.c.orthanc_series_id, func.count().label("images"))
        .where(instance.c.orthanc_series_id.in_(sorted(sources)), instance.c.sop_class_uid.in_(sorted(SAMPLED_SOURCES)))
        .group_by(instance.c.orthanc_series_id)
    )
    images = {row.orthanc_series_id: row.images for row in connection.execute(query)}
    return frozenset(
        series for series, read in sources.items() if images.get(series, SAMPLE + 1 if read >= SAMPLE else 0) > read
    )


def _study_row(exam: _Exam, decision: ExamDecision) -> dict[str, Any]:
    reports, facts = exam.rows, exam.facts
    by_age = sorted(reports, key=lambda one: facts[one.orthanc_instance_id].age)
    counted = [one for one in by_age if one.orthanc_instance_id in decision.counted] or by_age
    best = min((Source(one.source or Source.REPORT) for one in counted), key=list(Source).index)
    newest = [one for one in counted if (one.source or Source.REPORT) == best][-1]
    gone = [one.source_deleted_at for one in reports]
    return {
        **{name: getattr(newest, name) for name in FROM_NEWEST_REPORT},
        **_of_newest(newest),
        **_identity(exam, newest),
        **_as_reported(counted, facts, decision),
        **_told_by(facts, decision),
        **_administered(decision.administrations),
        "performing_physician": performing_physician(
            (one.performing_physician_name for one in reversed(counted)),
            (one.event.administered_by for one in decision.events),
        ),
        **{one.column: decision.best.get(one.name) for one in BEST.values()},
        "origins": sorted(
            f"{quantity}:{origin}"
            for quantity, origin in decision.origin.items()
            if finite(decision.best.get(quantity)) is not None
        ),
        "doubts": [f"{one.quantity}:{one.name}" for one in decision.doubts],
        "doubted": sorted({one.quantity for one in decision.doubts}),
        "doubt_evidence": [
            {"quantity": doubt.quantity, "name": doubt.name, "said": [_said(one) for one in said]}
            for doubt, said in decision.evidence.items()
        ],
        "planes": [
            {
                "acquisition_plane": one.acquisition_plane,
                "dose_area_product_gy_m2": finite(one.dose_area_product.value),
                "dose_rp_gy": finite(one.dose_rp.value),
            }
            for one in decision.planes
        ],
        "activities": [asdict(one) for one in decision.activities if finite(one.administered_activity_mbq) is not None],
        "unattributed": sorted(decision.unattributed),
        "replaced_by": decision.replaced_by,
        "own_word": own_word(report.report for report in reports),
        "is_void": decision.is_void,
        "kinds": sorted({report.kind for report in reports}),
        "report_count": len(reports),
        "counted_report_ids": list(decision.counted),
        "rule": "+".join(decision.rules),
        "decisions": [asdict(one) for one in decision.decisions],
        "source": best,
        "issue_count": sum(report.issue_count for report in counted),
        "source_deleted_at": None if None in gone else max(gone),
    }


OF_PATIENT = ("patient_id", "issuer_of_patient_id", "patient_name", "patient_sex")
OF_STUDY = (
    "study_instance_uid", *OF_PATIENT, "patient_age", "study_date", "study_time", "study_description",
    "accession_number",
)  # fmt: skip


def _identity(exam: _Exam, newest: Row[Any]) -> dict[str, Any]:
    """Whose exam it is and of which study: never as what was moved here says, and as a person says before all."""
    by_people = exam.by_people
    if by_people is None:
        return {}
    found: dict[str, Any] = {}
    if not exam.own and by_people.study is not None:
        found = {name: by_people.study.get(name) for name in OF_STUDY}
        found |= {name: value.fromisoformat(found[name]) if found[name] else None for name, value in MOMENTS.items()}
    elif newest in exam.guests:
        newest_own = max(exam.own, key=lambda one: exam.facts[one.orthanc_instance_id].age)
        found = {name: getattr(newest_own, name) for name in OF_STUDY}
    if by_people.patient is not None:
        found |= {name: by_people.patient.get(name) for name in OF_PATIENT}
        found |= {"patient_age": None, "patient_age_years": None}  # what the objects say is another one's
    return found


def _said(said: Said) -> dict[str, Any]:
    """Without a place where it names none; no number where it says none, or one that nothing can hold."""
    where = {name: getattr(said, name) for name in ("orthanc_instance_id", "position", "of")}
    return {"what": said.what, "value": finite(said.value)} | {name: value for name, value in where.items() if value}


def _of_newest(report: Row[Any]) -> dict[str, Any]:
    codes = [
        "^".join(code.get(name) or "" for name in ("code", "meaning", "scheme"))
        for code in report.procedure_codes or ()
    ]
    named = [one for one in (report.requested_procedure_description, *codes) if one]
    return {
        "patient_age_years": age_in_years(report.patient_age, report.patient_birth_date, report.study_date),
        "procedure_codes": codes,
        "procedure_named": "\n".join(named) or None,
    }


def _told_by(facts: Mapping[str, SourceFacts], decision: ExamDecision) -> dict[str, Any]:
    """From which sources its events are, and which of theirs are not: another one tells of the same."""
    told = {
        (one.source.orthanc_instance_id, one.event.position) for one in (*decision.events, *decision.administrations)
    }
    sources = sorted({instance for instance, _ in told})
    return {
        "event_report_ids": sources,
        "repeated_events": [
            f"{instance}:{event.position}"
            for instance in sources
            for event in facts[instance].events
            if (instance, event.position) not in told
        ],
    }


def _as_reported(
    counted: Sequence[Row[Any]], facts: Mapping[str, SourceFacts], decision: ExamDecision
) -> dict[str, Any]:
    """The totals of the reports that count, added, and the sums of the events beside them."""
    totals = [facts[one.orthanc_instance_id].totals for one in counted if one.kind not in decision.overlapping_kinds]
    row: dict[str, Any] = {name: known_sum([one.get(name) for one in totals]) for name in TOTALS}
    numbers = [account.event.numbers for account in decision.events]
    for quantity in OF_EVENT:
        values = [one[quantity.column] for one in numbers if quantity.column in one]
        row |= {quantity.least: min(values, default=None), quantity.greatest: max(values, default=None)}
    for column, of_event in SUMS.values():
        row[column] = known_sum([one.get(of_event) for one in numbers])
    for side in ("left", "right"):
        name = f"accumulated_average_glandular_dose_{side}_mgy"
        row[f"glandular_dose_{side}_mgy"] = known_sum([one.get(name) for one in totals])
    indexes = [one["mean_ctdi_vol_mgy"] for one in numbers if "mean_ctdi_vol_mgy" in one]
    doses = [dose for account in decision.events for dose in account.event.doses if dose.dlp_mgy_cm]
    scans = [account for account in decision.events if not account.event.is_localizer] or decision.events
    protocols = [account.event.protocol for account in scans]
    return row | {
        "irradiation_event_count": len(decision.events),
        "mean_ctdi_vol_max_mgy": max(indexes, default=None),
        "dlp_phantoms": sorted({dose.phantom or "unknown" for dose in doses}),
        "protocols": list(dict.fromkeys(protocol[:LONGEST_PROTOCOL] for protocol in protocols if protocol)),
        "differences": [total for total, (column, _) in SUMS.items() if totals_differ(row[total], row[column])],
    }


def _administered(given: Sequence[Account]) -> dict[str, Any]:
    nuclides = {one.event.nuclide for one in given}
    activities = [one.event.numbers.get("administered_activity_mbq") for one in given]
    doses = [one.event.effective_dose_msv for one in given]
    return {
        "administration_count": len(given),
        "radionuclides": sorted(meaning_of(nuclide) or nuclide for nuclide in nuclides if nuclide),
        "administered_activity_mbq": known_sum(activities) if len(nuclides) == 1 and None not in activities else None,
        "effective_dose_msv": known_sum(doses) if None not in doses else None,
    }
