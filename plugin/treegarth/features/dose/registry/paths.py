"""What stands in an address for what the registry keeps."""

from __future__ import annotations

from treegarth.web.routes import Identifier, Parameters


class NotPatientRulePath(Parameters):
    not_patient_rule_id: Identifier
    """The rule's number."""


class DoseActPath(Parameters):
    dose_act_id: Identifier
    """The decision's number."""


class DoseLimitPath(Parameters):
    dose_limit_id: Identifier
    """The limit's number."""
