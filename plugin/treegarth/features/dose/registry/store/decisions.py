"""Which sources of a study count, and by which rule. Queries only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from treegarth.features.dose.registry.tables import dose_study


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
