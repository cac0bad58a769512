"""Decide what the dose of one exam is, of all that its sources say. Pure: facts in, decisions out; no I/O, no clock."""

from treegarth.features.dose.registry.decision.elsewhere import Elsewhere
from treegarth.features.dose.registry.decision.exam import Activity, ExamDecision, decide_exam
from treegarth.features.dose.registry.decision.facts import Device, EventFacts, SourceFacts, event_facts, report_facts

__all__ = [
    "Activity",
    "Device",
    "Elsewhere",
    "EventFacts",
    "ExamDecision",
    "SourceFacts",
    "decide_exam",
    "event_facts",
    "report_facts",
]
