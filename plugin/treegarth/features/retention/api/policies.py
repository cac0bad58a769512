"""Policies over HTTP: read, write, switch, history, the text form."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from treegarth.features.retention import service
from treegarth.features.retention.api.parts import Listed, retention_route
from treegarth.features.retention.paths import PolicyPath
from treegarth.features.retention.service import PolicyLanguage
from treegarth.features.retention.store import policies as store
from treegarth.features.retention.store.policies import StoredPolicy
from treegarth.limits import LARGEST_BIGINT
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.routes import Answer, AnyText, Parameters, Route


class PolicyBody(Parameters):
    """A policy as its text form has it; see docs/retention.md."""

    policy: dict[str, Any]
    """`{"name": ..., "why": ..., "if": ..., "keep": ..., "after": ..., "proof": ...}`"""


class SwitchBody(Parameters):
    """On or off."""

    is_on: bool
    """Whether it acts."""
    typed_count: int | None = Field(default=None, ge=0, le=LARGEST_BIGINT)
    """How many objects it would delete today; needed where that is more than its share of the archive."""


class PolicyTextBody(Parameters):
    """Policies as YAML."""

    text: AnyText = Field(max_length=500_000)
    """A list of policies. Those whose name is known are changed, and are off then; the others are made."""


class PolicyItem(Listed):
    """A policy as it stands."""

    id: int
    name: str
    version: int
    is_on: bool
    policy: dict[str, Any]
    decided_at: datetime | None
    """When it last looked at the whole archive."""
    freeing_since: datetime | None
    """Of a policy by space: since when it brings the archive from its high mark to its low one."""


class PolicyList(Answer):
    """The policies, in the order in which they were made."""

    items: list[PolicyItem]
    last_use: str
    """What counts as the last use of a study, and what cannot."""


class PolicyChangeItem(Answer):
    """One version of a policy."""

    version: int
    policy: dict[str, Any]
    is_on: bool
    change: str
    """created, edited, switched on, switched off or removed."""
    changed_by: str | None
    changed_at: datetime


class PolicyHistory(Answer):
    """Every version, the latest first."""

    items: list[PolicyChangeItem]


class PolicyText(Answer):
    """Every policy as YAML."""

    text: str


def policies(call: Call[None, None, None]) -> PolicyList:
    with call.connect() as connection:
        return _list(store.list_policies(connection))


def policy(call: Call[None, None, PolicyPath]) -> PolicyItem:
    with call.connect() as connection:
        return _item(store.read_policy(connection, call.path.policy_id))


def create(call: Call[None, PolicyBody, None]) -> PolicyItem:
    language = call.part(PolicyLanguage)
    with call.begin() as connection:
        made = service.create(connection, language, call.body.policy, by=call.actor.name, now=call.services.clock())
    return _item(made)


def edit(call: Call[None, PolicyBody, PolicyPath]) -> PolicyItem:
    language = call.part(PolicyLanguage)
    with call.begin() as connection:
        changed = service.edit(
            connection,
            language,
            call.path.policy_id,
            call.body.policy,
            by=call.actor.name,
            now=call.services.clock(),
        )
    return _item(changed)


def switch(call: Call[None, SwitchBody, PolicyPath]) -> PolicyItem:
    language = call.part(PolicyLanguage)
    with call.begin() as connection:
        switched = service.switch(
            connection,
            language,
            call.path.policy_id,
            is_on=call.body.is_on,
            typed_count=call.body.typed_count,
            by=call.actor.name,
            now=call.services.clock(),
        )
    return _item(switched)


def remove(call: Call[None, None, PolicyPath]) -> PolicyList:
    with call.begin() as connection:
        store.remove_policy(connection, call.path.policy_id, changed_by=call.actor.name, now=call.services.clock())
        return _list(store.list_policies(connection))


def history(call: Call[None, None, PolicyPath]) -> PolicyHistory:
    with call.connect() as connection:
        changes = store.history(connection, call.path.policy_id)
    return PolicyHistory(
        items=[
            PolicyChangeItem(
                version=one.version,
                policy=dict(one.document),
                is_on=one.is_on,
                change=one.change,
                changed_by=one.changed_by,
                changed_at=one.changed_at,
            )
            for one in changes
        ]
    )


def text(call: Call[None, None, None]) -> PolicyText:
    language = call.part(PolicyLanguage)
    with call.connect() as connection:
        return PolicyText(text=service.export_text(connection, language))


def import_text(call: Call[None, PolicyTextBody, None]) -> PolicyList:
    language = call.part(PolicyLanguage)
    with call.begin() as connection:
        return _list(
            service.import_texts(connection, language, call.body.text, by=call.actor.name, now=call.services.clock())
        )


def _list(stored: list[StoredPolicy]) -> PolicyList:
    return PolicyList(items=[_item(one) for one in stored], last_use=service.LAST_USE_NOTE)


def _item(stored: StoredPolicy) -> PolicyItem:
    return PolicyItem(
        id=stored.id,
        name=stored.name,
        version=stored.version,
        is_on=stored.is_on,
        policy=dict(stored.document),
        decided_at=stored.decided_at,
        freeing_since=stored.freeing_since,
    )


def routes() -> list[Route]:
    """The endpoints about policies."""
    write: dict[str, Any] = {"permission": Permission.ADMINISTER}
    return [
        retention_route("retention_policies", "policies", policies, "The retention policies."),
        retention_route(
            "create_retention_policy",
            "policies",
            create,
            "Make a policy; it is off.",
            method="POST",
            status=201,
            problems=(409, 503),
            **write,
        ),
        retention_route("retention_policy", "policies/{policy_id}", policy, "One policy."),
        retention_route(
            "edit_retention_policy",
            "policies/{policy_id}",
            edit,
            "Replace what a policy says; it is off until it is switched on again.",
            method="PUT",
            problems=(409, 503),
            **write,
        ),
        retention_route(
            "remove_retention_policy",
            "policies/{policy_id}",
            remove,
            "Remove a policy; what it did stays in the ledger. The policies that are left.",
            method="DELETE",
            **write,
        ),
        retention_route(
            "switch_retention_policy",
            "policies/{policy_id}/switch",
            switch,
            "Let a policy act, or stop it; what it has marked is taken back then.",
            method="POST",
            problems=(409, 503),
            **write,
        ),
        retention_route(
            "retention_policy_history",
            "policies/{policy_id}/history",
            history,
            "Every version of a policy, with who and when; also of a removed one.",
        ),
        retention_route("retention_text", "text", text, "Every policy as YAML."),
        retention_route(
            "import_retention_text",
            "text",
            import_text,
            "Make or change policies from YAML.",
            method="POST",
            problems=(409, 503),
            **write,
        ),
    ]
