"""What is known of objects, as SQL expressions: each in one place, for the decision over the archive and for its
reasons. Every expression speaks of a row of `instance` in a query that joins it with its `series` and `study`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Table, Text, and_, case, exists, false, func, not_, null, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from treegarth.conditions.compilation import compile_for
from treegarth.conditions.model import Level
from treegarth.conditions.vocabulary import Vocabulary
from treegarth.features.deliveries.tables import delivery, delivery_object, destination
from treegarth.features.dose.analysis.size.tables import series_ssde
from treegarth.features.dose.registry.tables import dose_report, dose_sampling
from treegarth.features.retention.model import PROOFS_BY_UID, SUFFICIENT_PROOFS, Keep, Policy, ProofVoid
from treegarth.features.retention.store.holds import in_force
from treegarth.features.retention.tables import hold, prune_rescue, study_use
from treegarth.index.tables import instance, series, study

NEVER_AGAIN = datetime(9999, 1, 1, tzinfo=UTC)
"""The next attempt of a delivery that is through although better proof cannot be had: the deliveries' mark for it."""

DOSE_REPORTS = (
    "1.2.840.10008.5.1.4.1.1.88.67",  # X-Ray Radiation Dose SR
    "1.2.840.10008.5.1.4.1.1.88.68",  # Radiopharmaceutical Radiation Dose SR
    "1.2.840.10008.5.1.4.1.1.88.73",  # Patient Radiation Dose SR
    "1.2.840.10008.5.1.4.1.1.88.76",  # Enhanced X-Ray Radiation Dose SR
)
"""Classes (PS3.6 A) of which every object is a dose object, also one that the reader refused."""

DOSE_SOURCES = ("report", "capture")
"""Of other classes: the kinds of source that dose was read from. An image whose header was read is an image."""


def objects() -> FromClause:
    """Instances with their series and studies, and with the object whose header stands for the series, where it is
    there. PostgreSQL leaves those last joins out of a query that asks nothing of them, for they add no row."""
    header, dose = _header_object(), _dose_of_header()
    with_series = instance.join(series, series.c.orthanc_series_id == instance.c.orthanc_series_id)
    with_study = with_series.join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
    with_header = with_study.outerjoin(header, header.c.orthanc_instance_id == series.c.header_orthanc_instance_id)
    return with_header.outerjoin(
        dose, and_(dose.c.orthanc_instance_id == header.c.orthanc_instance_id, *_dose_was_read(dose))
    )


@cache
def _header_object() -> FromClause:
    """Always the same, so that a condition speaks of the one that was joined."""
    return instance.alias("header_instance")


@cache
def _dose_of_header() -> FromClause:
    """Always the same, see `_header_object`."""
    return dose_report.alias("header_dose")


def matches(policy: Policy, vocabulary: Vocabulary, now: datetime) -> ColumnElement[bool] | None:
    """The policy's condition; None where it is for every study."""
    return None if policy.condition is None else compile_for(Level.STUDY, policy.condition, vocabulary, now)


def is_kept(keep: Keep, vocabulary: Vocabulary, now: datetime) -> ColumnElement[bool]:
    """What the policy leaves of a study."""
    return or_(false(), *kept_parts(keep, vocabulary, now))


def kept_parts(keep: Keep, vocabulary: Vocabulary, now: datetime) -> list[ColumnElement[bool]]:
    """The same as alternatives, none of them NULL: apart, so that the database can rule out by a join what it can."""
    parts: list[ColumnElement[bool]] = []
    if keep.dose_and_representatives:
        parts += [_is_report(instance), _was_read(instance), _is_representative()]
    if keep.condition is not None:
        parts.append(func.coalesce(compile_for(Level(keep.level), keep.condition, vocabulary, now), False))
    return parts


def _is_report(instance: FromClause) -> ColumnElement[bool]:
    return func.coalesce(instance.c.sop_class_uid.in_(DOSE_REPORTS), False)


def _was_read(instance: FromClause) -> ColumnElement[bool]:
    report = dose_report.alias("dose_object")
    found = exists().where(report.c.orthanc_instance_id == instance.c.orthanc_instance_id, *_dose_was_read(report))
    return found.correlate(instance)


def _dose_was_read(report: FromClause) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return report.c.state == "read", report.c.source.in_(DOSE_SOURCES)


def _is_representative() -> ColumnElement[bool]:
    """One object of each series: that whose header stands for it (its picture stays on the pages), or, where that is
    gone or is a dose object, the one with the smallest identifier among the others.

    The others are asked for only where they matter: as a rule the header's object is there."""
    header, dose = _header_object(), _dose_of_header()
    other = instance.alias("other_instance")
    is_header_there = and_(
        header.c.orthanc_instance_id.is_not(None), dose.c.orthanc_instance_id.is_(None), not_(_is_report(header))
    )
    smallest = (
        select(func.min(other.c.orthanc_instance_id))
        .where(
            other.c.orthanc_series_id == series.c.orthanc_series_id,
            not_(or_(_is_report(other), _was_read(other))),
        )
        .correlate(series)
        .scalar_subquery()
    )
    is_smallest = func.coalesce(instance.c.orthanc_instance_id == smallest, False)
    is_header = instance.c.orthanc_instance_id == header.c.orthanc_instance_id
    return case((is_header_there, is_header), else_=is_smallest)


def of_study(table: Table) -> ColumnElement[bool]:
    """Whether the study has a row there: `arrival` while it arrives, `rule_event` while rules have not looked at it."""
    return exists().where(table.c.orthanc_study_id == study.c.orthanc_study_id)


def held(now: datetime) -> ColumnElement[bool]:
    return and_(hold.c.orthanc_study_id == study.c.orthanc_study_id, in_force(now))


def held_kinds(now: datetime) -> ColumnElement[Any]:
    return select(func.array_agg(hold.c.kind.distinct())).where(held(now)).scalar_subquery()


def delivery_open() -> tuple[FromClause, ColumnElement[bool]]:
    """Deliveries of the object that are not through. One that was given up is among them as long as its destination
    is there: what was wanted there never arrived."""
    wanted = delivery_object
    is_open = or_(
        wanted.c.state.in_(("waiting", "sending", "given up")),
        and_(wanted.c.state == "sent", wanted.c.next_attempt_at < NEVER_AGAIN),
    )
    of_object = wanted.c.orthanc_instance_id == instance.c.orthanc_instance_id
    joined = wanted.join(destination, destination.c.id == wanted.c.destination_id)
    return joined, and_(of_object, is_open, destination.c.removed_at.is_(None))


def is_delivery_open() -> ColumnElement[bool]:
    source, condition = delivery_open()
    return exists().select_from(source).where(condition)


def open_destinations() -> ColumnElement[Any]:
    source, condition = delivery_open()
    names = func.array_agg(destination.c.name.distinct())
    return select(names).select_from(source).where(condition).scalar_subquery()


def is_dose_unread() -> ColumnElement[bool]:
    """Also where reading failed for good: a person decides about that first."""
    return or_(*dose_unread())


def dose_unread() -> tuple[ColumnElement[bool], ...]:
    """That the object is a source that was not read, that its series waits for its images to be chosen, and that it
    waits for the patient in them to be measured: apart, so that the database can rule out each by a join instead of
    asking for every row. What could not be measured after all is kept no longer: it says nothing of the dose itself."""
    report, sampling, size = dose_report, dose_sampling, series_ssde
    return (
        exists().where(
            report.c.orthanc_instance_id == instance.c.orthanc_instance_id,
            report.c.state.in_(("unread", "failed")),
        ),
        exists().where(sampling.c.orthanc_series_id == series.c.orthanc_series_id),
        exists().where(size.c.orthanc_series_id == series.c.orthanc_series_id, size.c.state == "waiting"),
    )


def rescue(policy_id: int, policy_version: int) -> ColumnElement[bool]:
    """The rescue of the object from this version of the policy."""
    return and_(
        prune_rescue.c.orthanc_instance_id == instance.c.orthanc_instance_id,
        prune_rescue.c.policy_id == policy_id,
        prune_rescue.c.policy_version == policy_version,
    )


def proof_rows() -> tuple[FromClause, ColumnElement[bool]]:
    """Deliveries of the object that are proved to have arrived where they were to, not at an alternate instead."""
    done = delivery_object
    proved = and_(
        done.c.orthanc_instance_id == instance.c.orthanc_instance_id,
        done.c.state == "confirmed",
        done.c.proof.in_(sorted(SUFFICIENT_PROOFS)),
        done.c.confirmed_at.is_not(None),
        or_(done.c.via.is_(None), done.c.via == done.c.destination_id),
        destination.c.removed_at.is_(None),
    )
    return done.join(destination, destination.c.id == done.c.destination_id), proved


def _void_parts() -> list[tuple[ProofVoid, ColumnElement[bool]]]:
    """Why such a delivery proves nothing of what the archive has now, none of them NULL."""
    done = delivery_object
    by_uid = done.c.proof.in_(sorted(PROOFS_BY_UID))
    stored_at = func.coalesce(instance.c.content_since, instance.c.received_at)
    is_newer = func.coalesce(func.coalesce(done.c.begun_at, done.c.sent_at) < stored_at, True)
    return [
        (ProofVoid.STORED_SINCE, is_newer),
        (ProofVoid.OTHER_CONTENT, by_uid & done.c.had_other_content),
        (ProofVoid.SHARED_UID, by_uid & or_(_is_uid_shared(instance), _was_twin_sent(done))),
    ]


def _is_uid_shared(instance: FromClause) -> ColumnElement[bool]:
    """Whether another object of the archive has its SOP Instance UID, as of two patients that Orthanc keeps apart."""
    twin = instance.alias("twin_instance")
    shared = exists().where(
        twin.c.sop_instance_uid == instance.c.sop_instance_uid,
        twin.c.orthanc_instance_id != instance.c.orthanc_instance_id,
    )
    return shared.correlate_except(twin)  # it stands two queries deep


def _was_twin_sent(done: FromClause) -> ColumnElement[bool]:
    """Whether a send of another object with its UID was ever begun there: it may stand there instead."""
    twin = done.alias("twin_delivery")
    was_sent = exists().where(
        twin.c.sop_instance_uid == done.c.sop_instance_uid,
        twin.c.destination_id == done.c.destination_id,
        twin.c.orthanc_instance_id != done.c.orthanc_instance_id,
        or_(twin.c.begun_at.is_not(None), twin.c.sent_at.is_not(None), twin.c.attempts > 0),
    )
    return was_sent.correlate_except(twin)


def proofs() -> ColumnElement[Any]:
    """The proofs as JSON: [{destination, kind, at, void}], with those that prove nothing any more, and why."""
    source, condition = proof_rows()
    done = delivery_object
    void = case(*((part, why.value) for why, part in _void_parts()), else_=null())
    one = func.jsonb_build_object(
        *("destination", destination.c.name, "kind", done.c.proof, "at", done.c.confirmed_at, "void", void),
        type_=JSONB,
    )
    return select(func.jsonb_agg(one, type_=JSONB)).select_from(source).where(condition).scalar_subquery()


def is_proved(destination_name: str, not_before: datetime | None) -> ColumnElement[bool]:
    source, condition = proof_rows()
    wanted = [condition, destination.c.name == destination_name]
    wanted += [not_(part) for _, part in _void_parts()]
    if not_before is not None:
        wanted.append(delivery_object.c.confirmed_at >= not_before)
    return exists().select_from(source).where(*wanted)


def last_used_at() -> ColumnElement[datetime]:
    """The latest of: the study's last arrival, the last time that objects of it were to be delivered, the last time it
    was opened through us."""
    opened = select(study_use.c.last_used_at).where(study_use.c.orthanc_study_id == study.c.orthanc_study_id)
    delivered = select(func.max(delivery.c.changed_at)).where(delivery.c.orthanc_study_id == study.c.orthanc_study_id)
    return func.greatest(study.c.last_received_at, opened.scalar_subquery(), delivered.scalar_subquery())


def is_last_used_before(moment: datetime) -> list[ColumnElement[bool]]:
    """That `last_used_at` is before a moment, as conditions that rule out by a join what was used since."""
    of_study = study.c.orthanc_study_id
    return [
        study.c.last_received_at < moment,
        ~exists().where(study_use.c.orthanc_study_id == of_study, study_use.c.last_used_at >= moment),
        ~exists().where(delivery.c.orthanc_study_id == of_study, delivery.c.changed_at >= moment),
    ]


def source_name() -> ColumnElement[str]:
    """Who sent the object: its AE title, else the user who uploaded it."""
    return func.coalesce(instance.c.remote_ae_title, instance.c.http_user, "", type_=Text)
