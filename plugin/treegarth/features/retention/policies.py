"""Policies over HTTP: the dialect of all documents, and the number that is typed before much is deleted."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy import Connection

from treegarth.documents.answers import StateBody
from treegarth.documents.language import Documents
from treegarth.documents.store import Wording
from treegarth.features.retention import service
from treegarth.features.retention.paths import PolicyPath
from treegarth.features.retention.policy_text import policy_document
from treegarth.features.retention.service import PolicyLanguage
from treegarth.features.retention.store.policies import POLICIES, StoredPolicy
from treegarth.limits import LARGEST_BIGINT
from treegarth.web.call import AnyCall


class PolicyStateBody(StateBody):
    """On or off."""

    typed_count: int | None = Field(default=None, ge=0, le=LARGEST_BIGINT)
    """How many objects it would delete today; needed where that is more than its share of the archive."""


def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
    return Wording(document=policy_document(call.part(PolicyLanguage).parse(document, place)))


def check_on(call: AnyCall, connection: Connection, stored: StoredPolicy, body: PolicyStateBody) -> None:
    service.check_typed(
        connection, call.part(PolicyLanguage), stored, call.services.clock(), typed_count=body.typed_count
    )


POLICY_DOCUMENTS = Documents(
    kind=POLICIES,
    name="retention_policy",
    names="retention_policies",
    one="policy",
    many="policies",
    path="retention/policies",
    tag="retention",
    number=PolicyPath,
    parse=parse,
    state=PolicyStateBody,
    check_on=check_on,
)
