"""What stands in an address for a rule, and for what it did."""

from __future__ import annotations

from treegarth.web.routes import Identifier, LongIdentifier, Parameters, Text


class RulePath(Parameters):
    rule_id: Identifier
    """The rule's number."""


class ExplainPath(RulePath):
    study_instance_uid: Text
    """(0020,000D)"""


class EventPath(Parameters):
    event_id: LongIdentifier
    """The event's number."""


class LabelPath(Parameters):
    study_instance_uid: Text
    """(0020,000D), or Orthanc's own identifier of the study, which is needed where several patients share the UID."""
    label: Text
    """1 to 64 characters. Orthanc's own labels follow where it has labels and can take this one."""
