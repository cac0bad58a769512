"""What stands in an address for what retention keeps."""

from __future__ import annotations

from treegarth.web.routes import Identifier, LongIdentifier, Parameters


class PolicyPath(Parameters):
    policy_id: Identifier
    """The policy's number."""


class HoldPath(Parameters):
    hold_id: Identifier
    """The hold's number."""


class LedgerPath(Parameters):
    ledger_id: LongIdentifier
    """The entry's number."""
