"""What a handler adds to the audit trail's event of its request: what only it knows."""

from __future__ import annotations

from dataclasses import dataclass, field

from treegarth.audit.model import What


@dataclass(kw_only=True)
class Noted:
    """Empty where the route, the address and the actor say it all."""

    what: What | None = None  # where that depends on the request
    actor: str | None = None  # a user's name, where the request itself has none yet: at the sign-in
    user_id: int | None = None
    detail: str = ""
    studies: list[str] = field(default_factory=list)  # Study Instance UIDs
    patients: list[str] = field(default_factory=list)  # Patient IDs
    resources: list[str] = field(default_factory=list)  # of Orthanc: "studies/1a2b..."
    count: int = 1  # how many things it was done to
    is_let_go: bool = False  # nothing happened that anybody would ask for
