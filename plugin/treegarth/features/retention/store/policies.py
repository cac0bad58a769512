"""Retention policies with their history. Marks go with their version: a change takes them back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, update

from treegarth.documents.store import Author, Change, Kind, Stored
from treegarth.features.retention.policy_text import KEYS
from treegarth.features.retention.store.ledger_sums import tell_studies
from treegarth.features.retention.tables import prune_ledger, prune_mark, retention_policy, retention_policy_version
from treegarth.phrases import N_


class StoredPolicy(Stored):
    """A policy as it acts now."""

    decided_at: datetime | None
    """When it last looked at the whole archive."""
    look_s: float | None
    """How long that took."""
    freeing_since: datetime | None
    """Of a policy by space: since when it brings the archive from its high mark to its low one."""


def take_marks_back(connection: Connection, policy: StoredPolicy, change: Change, author: Author) -> None:
    """Of a policy that was worded anew, switched or removed; what it was about to delete stays."""
    kept = connection.execute(
        update(prune_ledger)
        .where(prune_ledger.c.state == "intended", prune_ledger.c.policy_id == policy.id)
        .values(state="kept", kept_because=f"the policy was {change}")
        .returning(prune_ledger.c.orthanc_study_id)
    )
    connection.execute(delete(prune_mark).where(prune_mark.c.policy_id == policy.id))
    tell_studies(connection, kept.scalars())


POLICIES = Kind(
    record=StoredPolicy,
    table=retention_policy,
    versions=retention_policy_version,
    keys=KEYS,
    missing=N_("There is no retention policy of this number."),
    taken=N_("There is a retention policy named “%(name)s” already."),
    stays_on=False,  # so that nobody deletes more by an edit
    follow=take_marks_back,
    columns=lambda *_: {"decided_at": None, "freeing_since": None},
)
