"""Policies over HTTP: the dialect of all documents, and what is confirmed before much or the only copy goes."""

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
from treegarth.web.routes import Text


class PolicyStateBody(StateBody):
    """On or off."""

    typed_count: int | None = Field(default=None, ge=0, le=LARGEST_BIGINT)
    """How many objects it would delete today; needed where that is more than its share of the archive."""
    only_copy_may_go: bool = False
    """That the only copy of an object may be deleted; needed to switch on a policy whose `proof` is `none`."""


class PolicySwitchForm(SwitchForm):
    """On or off, and what is confirmed beside it."""

    count: Text = ""
    """How many objects it would delete today, typed by the user where that is much of the archive."""
    only_copy_may_go: bool = False
    """That the only copy may go, where the policy asks for no proof."""


def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
    return Wording(document=policy_document(call.part(PolicyLanguage).parse_known(connection, document, place)))


def check_on(call: AnyCall, connection: Connection, stored: StoredPolicy, body: PolicyStateBody) -> None:
    service.check_confirmed(
        connection,
        call.part(PolicyLanguage),
        stored,
        call.services.clock(),
        typed_count=body.typed_count,
        only_copy_may_go=body.only_copy_may_go,
    )


def state_of(form: PolicySwitchForm) -> PolicyStateBody:
    digits = "".join(re.findall("[0-9]", form.count))[:18]
    typed_count = int(digits) if digits else None
    return PolicyStateBody(is_on=form.on, typed_count=typed_count, only_copy_may_go=form.only_copy_may_go)


EXAMPLE = {
    "name": "ten years",
    "why": "the law asks for ten years",
    "keep": "nothing",
    "after": "10 years since study date",
    "proof": {"at": "long-term archive", "within": "30 days"},
}
POLICY_DOCUMENTS = Documents(
    kind=POLICIES,
    name="retention_policy",
    example=EXAMPLE,
    names="retention_policies",
    one="policy",
    many="policies",
    path="retention/policies",
    tag="retention",
    number=PolicyPath,
    parse=parse,
    state=PolicyStateBody,
    switch_form=PolicySwitchForm,
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
