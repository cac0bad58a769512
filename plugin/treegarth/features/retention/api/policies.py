"""Policies over HTTP: read, write, switch, versions, the text form."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from treegarth.documents.answers import DocumentBody, EditBody, ImportOutcome, TextAnswer, TextBody, VersionList
from treegarth.features.retention import service
from treegarth.features.retention.api.parts import retention_route
from treegarth.features.retention.paths import PolicyPath
from treegarth.features.retention.requests import author_of
from treegarth.features.retention.service import PolicyLanguage
from treegarth.features.retention.store.policies import POLICIES, StoredPolicy
from treegarth.limits import LARGEST_BIGINT
from treegarth.web.actors import Permission
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Parameters, Route


class PolicyStateBody(Parameters):
    """On or off."""

    is_on: bool
    """Whether it acts."""
    typed_count: int | None = Field(default=None, ge=0, le=LARGEST_BIGINT)
    """How many objects it would delete today; needed where that is more than its share of the archive."""
    only_copy_may_go: bool = False
    """That the only copy of an object may be deleted; needed to switch on a policy whose `proof` is `none`."""


class PolicyList(Answer):
    """The policies, in the order in which they were made."""

    items: list[StoredPolicy]
    last_use: str
    """What counts as the last use of a study, and what cannot."""


def policies(call: Call[None, None, None]) -> PolicyList:
    with call.connect() as connection:
        return PolicyList(items=POLICIES.all(connection), last_use=service.LAST_USE_NOTE)


def policy(call: Call[None, None, PolicyPath]) -> StoredPolicy:
    with call.connect() as connection:
        return POLICIES.read(connection, call.path.policy_id)


def create(call: Call[None, DocumentBody, None]) -> StoredPolicy:
    language = call.part(PolicyLanguage)
    with call.begin() as connection:
        return service.create(connection, language, call.body.document, author_of(call))


def edit(call: Call[None, EditBody, PolicyPath]) -> StoredPolicy:
    language, body = call.part(PolicyLanguage), call.body
    with call.begin() as connection:
        return service.edit(
            connection, language, call.path.policy_id, body.document, author_of(call), since=body.version
        )


def switch(call: Call[None, PolicyStateBody, PolicyPath]) -> StoredPolicy:
    language, body = call.part(PolicyLanguage), call.body
    with call.begin() as connection:
        return service.switch(
            connection,
            language,
            call.path.policy_id,
            author_of(call),
            is_on=body.is_on,
            typed_count=body.typed_count,
            only_copy_may_go=body.only_copy_may_go,
        )


def remove(call: Call[None, None, PolicyPath]) -> StoredPolicy:
    with call.begin() as connection:
        return POLICIES.remove(connection, call.path.policy_id, author_of(call))


def versions(call: Call[None, None, PolicyPath]) -> VersionList:
    with call.connect() as connection:
        return VersionList(items=POLICIES.history(connection, call.path.policy_id))


def text(call: Call[None, None, None]) -> TextAnswer:
    language = call.part(PolicyLanguage)
    with call.connect() as connection:
        return TextAnswer(text=service.export_text(connection, language))


def import_text(call: Call[None, TextBody, None]) -> ImportOutcome:
    language, body = call.part(PolicyLanguage), call.body
    with call.begin() as connection:
        items = service.import_texts(connection, language, body.text, author_of(call), dry_run=body.dry_run)
    return ImportOutcome(dry_run=body.dry_run, items=items)


def routes() -> list[Route]:
    """The endpoints about policies."""
    write: dict[str, Any] = {"permission": Permission.ADMINISTER}
    one = "policies/{policy_id}"
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
        retention_route("retention_policy", one, policy, "One policy."),
        retention_route(
            "edit_retention_policy",
            one,
            edit,
            "Replace what a policy says; it is off until it is switched on again.",
            method="PUT",
            problems=(409, 503),
            **write,
        ),
        retention_route(
            "remove_retention_policy",
            one,
            remove,
            "Remove a policy; what it did stays in the ledger. The policy as it was.",
            method="DELETE",
            **write,
        ),
        retention_route(
            "switch_retention_policy",
            f"{one}/state",
            switch,
            "Let a policy act, or stop it; what it has marked is taken back then.",
            method="PUT",
            problems=(409, 503),
            **write,
        ),
        retention_route(
            "retention_policy_versions",
            f"{one}/versions",
            versions,
            "Every version of a policy, with who and when; also of a removed one.",
        ),
        retention_route("retention_text", "policies/text", text, "Every policy as YAML."),
        retention_route(
            "import_retention_text",
            "policies/text",
            import_text,
            "Make or change policies from YAML, or only say what would be.",
            method="PUT",
            problems=(409, 503),
            **write,
        ),
    ]
