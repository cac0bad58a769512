"""Written objects as deciding takes them, as the database keeps them."""

from __future__ import annotations

from tests.dose_exams.writing import Written
from treegarth.features.dose.registry.decision import Device, SourceFacts, event_facts, report_facts
from treegarth.features.dose.registry.rules import Source


def facts_of(one: Written) -> SourceFacts:
    offset = one.report.get("timezone_offset_from_utc")
    return SourceFacts(
        orthanc_instance_id=one.name,
        sop_instance_uid=one.sop_instance_uid,
        kind=one.kind,
        source=Source.REPORT if one.is_report else Source.HEADER,
        device=Device(manufacturer="Treebeard", model="Ent", serial=one.device),
        series=one.series,
        totals=one.totals,
        events=tuple(event_facts(one.kind, values, n, offset=offset) for n, values in enumerate(one.events, start=1)),
        modified_from=one.modified_from,
        received_at=one.received_at,
        **report_facts(one.report),  # type: ignore[arg-type]
    )
