"""The demonstration's exams have a best known dose without any doubt, its mammogram too."""

from __future__ import annotations

from datetime import date

from treegarth.demo.examinations import Extent
from treegarth.demo.hospital_day import hospital_day
from treegarth.features.dose.reading import read_dose
from treegarth.features.dose.registry.candidates import source_of
from treegarth.features.dose.registry.decision import SourceFacts, decide_exam, event_facts, report_facts


def test_no_dose_of_the_made_up_day_is_doubted() -> None:
    kinds = set()
    for built in hospital_day(1, date(2026, 5, 4), extent=Extent(slices=0.1, detail=0.125)):
        facts = []
        for dataset in built.datasets:
            reading = read_dose(dataset)
            if reading.kind is None:
                continue
            events = [*reading.irradiation_events, *reading.administrations]
            facts.append(
                SourceFacts(
                    orthanc_instance_id=str(dataset.SOPInstanceUID),
                    sop_instance_uid=str(dataset.SOPInstanceUID),
                    kind=reading.kind,
                    source=source_of(reading.sop_class_uid, reading.kind),
                    series=str(dataset.SeriesInstanceUID),
                    totals=reading.totals,
                    events=tuple(event_facts(reading.kind, event, n) for n, event in enumerate(events, start=1)),
                    **report_facts(reading.report),
                )
            )
        if facts:
            decision = decide_exam(facts)
            assert decision.doubts == ()
            assert decision.best
            kinds |= {one.kind for one in facts}
    assert kinds == {"ct", "projection", "mammography", "radiopharmaceutical"}
