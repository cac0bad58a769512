"""Policies over HTTP: the dialect of all documents, and the number that is typed before much is deleted."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field
from sqlalchemy import Connection

from treegarth.documents.answers import StateBody
from treegarth.documents.language import Documents, Pages, SwitchForm
from treegarth.documents.store import Wording
from treegarth.features.retention import service
from treegarth.features.retention.paths import PolicyPath
from treegarth.features.retention.policy_text import policy_document
from treegarth.features.retention.service import PolicyLanguage
from treegarth.features.retention.store.policies import POLICIES, StoredPolicy
from treegarth.limits import LARGEST_BIGINT
from treegarth.phrases import N_
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


def state_of(form: SwitchForm) -> PolicyStateBody:
    digits = "".join(re.findall("[0-9]", form.count))[:18]
    return PolicyStateBody(is_on=form.on, typed_count=int(digits) if digits else None)


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
    state_of=state_of,
    check_on=check_on,
    pages=Pages(
        title=N_("Retention"),
        place="retention/policies",
        prefix="retention",
        frame="retention/frame.html",
        list_page="retention.policies_page",
        one_page="retention.policy_page",
    ),
)
