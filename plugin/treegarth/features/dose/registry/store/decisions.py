"""Which sources of a study count, and by which rule. Queries only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from treegarth.database.parameters import is_among
from treegarth.features.dose.registry.store.queue import OTHER
from treegarth.features.dose.registry.tables import dose_report, dose_study


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceDecision:
    """What became of one source; `because_of` is the source that counts in its place."""

    orthanc_instance_id: str
    counted: bool
    rule: str
    because_of: str | None


def decisions_of_study(connection: Connection, orthanc_study_id: str) -> list[SourceDecision]:
    """For each source that was read. A row that an older version made says only which count, and the rules of all."""
    columns = (dose_study.c.decisions, dose_study.c.counted_report_ids, dose_study.c.rule)
    found: list[SourceDecision] = []
    for decisions, counted, rule in connection.execute(
        select(*columns).where(dose_study.c.orthanc_study_id == orthanc_study_id)
    ):
        if decisions is None:
            found += [
                SourceDecision(orthanc_instance_id=one, counted=True, rule=rule, because_of=None) for one in counted
            ]
        else:
            found += [
                SourceDecision(**{name: one.get(name) for name in SourceDecision.__dataclass_fields__})
                for one in decisions
            ]
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class StudySource:
    """One source of a study, whether it counts or not; `decision` is None of one that holds no dose, or waits."""

    orthanc_instance_id: str
    orthanc_study_id: str
    """Another one where a person moved it here."""
    sop_instance_uid: str
    sop_class_uid: str | None
    kind: str | None
    source: str | None
    state: str
    made: str | None
    """A DT: the date and time of its content, else of its creation."""
    series_description: str | None
    irradiation_event_count: int
    administration_count: int
    decision: SourceDecision | None


def is_source_of(orthanc_study_id: str, decided: Collection[str]) -> ColumnElement[bool]:
    """Whether a source stands in the study, or is among those of which something is `decided` there. What is about
    something else is none."""
    stands_here = dose_report.c.orthanc_study_id == orthanc_study_id
    return and_(
        dose_report.c.state != OTHER, or_(stands_here, is_among(dose_report.c.orthanc_instance_id, sorted(decided)))
    )


def sources_of_study(connection: Connection, orthanc_study_id: str) -> list[StudySource]:
    """Every source of the study by the time of its content, those too that do not count, and those of other studies of
    which a person moved something here."""
    decisions = {one.orthanc_instance_id: one for one in decisions_of_study(connection, orthanc_study_id)}
    made = func.coalesce(
        dose_report.c.report["content_date_time"].astext, dose_report.c.report["instance_created"].astext
    ).label("made")
    names = [name for name in StudySource.__dataclass_fields__ if name in dose_report.c]
    query = (
        select(*(dose_report.c[name] for name in names), made)
        .where(is_source_of(orthanc_study_id, decisions))
        .order_by(made.nulls_last(), dose_report.c.sop_instance_uid, dose_report.c.orthanc_instance_id)
    )
    return [
        StudySource(**row._mapping, decision=decisions.get(row.orthanc_instance_id))
        for row in connection.execute(query)
    ]
