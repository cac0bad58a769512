"""What a policy would do, why each object stays or goes, and what takes the space: over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from treegarth.access.actors import Permission
from treegarth.features.retention import service
from treegarth.features.retention.api.parts import Listed, retention_route
from treegarth.features.retention.policies import EXAMPLE
from treegarth.features.retention.service import PolicyLanguage
from treegarth.features.retention.store.daily import FreedDay
from treegarth.features.retention.store.forecast import Foreseen, ForeseenStudy, Freed, Month, Share
from treegarth.index.studies import find_study
from treegarth.web.call import Call
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Answer, Identifier, Parameters, Route
from treegarth.web.which_study import WhichStudy


class PreviewQuery(Parameters):
    policy_id: Identifier
    """The policy's number."""


class ReasonsQuery(PreviewQuery, WhichStudy):
    """Which policy, and which study."""


class PreviewBody(Parameters):
    """A policy that need not be saved."""

    document: dict[str, Any]
    """As its text form has it."""


class ForeseenItem(Answer):
    """What would be deleted."""

    at: datetime
    instance_count: int
    size_bytes: int
    shares: list[Share]
    """The largest first."""


class PolicyPreview(Answer):
    """What a policy would delete today, and in 30 days if nothing else changed."""

    today: ForeseenItem
    in_30_days: ForeseenItem
    studies: list[ForeseenStudy]
    """Of today: 50 of them."""
    archive_bytes: int
    space_wanted_bytes: int | None
    """Of a policy by space: how much would go today; `today` has all that could go."""
    asks_twice: bool
    """Whether it is switched on only with the number of objects typed."""


class ReasonItem(Listed):
    """One thing that speaks for or against."""

    cause: str
    about: str
    """A destination or a kind of hold, where there is one."""
    sentence: str
    at: datetime | None


class ObjectItem(Answer):
    """One object of a study, and whether the policy would prune it."""

    sop_instance_uid: str
    series_instance_uid: str
    size_bytes: int
    prune: bool
    in_favour: list[ReasonItem]
    against: list[ReasonItem]


class ObjectList(Answer):
    """Every object of a study that is here."""

    items: list[ObjectItem]


class FillingItem(Answer):
    """Between which moments the disk of the objects is full, by the last whole weeks; none where nobody can say."""

    free_bytes: int | None
    """Of that disk; null before it was measured."""
    weeks: int
    """Whole ones, at most 12, that the forecast is made of."""
    low_bytes_per_week: int
    """A quarter of these weeks grew by no more."""
    high_bytes_per_week: int
    """A quarter of them grew by no less."""
    earliest: datetime | None
    latest: datetime | None
    """Null with a moment in `earliest`: perhaps never, or in more than ten years."""
    reason: str
    """Why there is no forecast; empty where there is one."""


class StorageAnswer(Answer):
    """What the archive's space is taken by, and where that leads."""

    archive_bytes: int
    bytes_per_day: float
    """Received less freed, over the last 90 days: by so much the archive grows."""
    in_30_days_bytes: int
    in_365_days_bytes: int
    shares: list[Share]
    months: list[Month]
    freed: list[Freed]
    freed_days: list[FreedDay]
    """Of the last 30 days, the latest first."""
    filling: FillingItem


def preview(call: Call[PreviewQuery, None, None]) -> PolicyPreview:
    language = call.part(PolicyLanguage)
    with call.connect() as connection:
        policy = service.numbered(connection, language, call.query.policy_id)
        return _preview(service.preview(connection, language, policy, call.services.clock()))


def try_out(call: Call[None, PreviewBody, None]) -> PolicyPreview:
    language = call.part(PolicyLanguage)
    policy = service.unsaved(language.parse(call.body.document))
    with call.connect() as connection:
        return _preview(service.preview(connection, language, policy, call.services.clock()))


def explain(call: Call[ReasonsQuery, None, StudyPath]) -> ObjectList:
    language = call.part(PolicyLanguage)
    with call.connect() as connection:
        policy = service.numbered(connection, language, call.query.policy_id)
        study = find_study(connection, call.path.study_instance_uid, call.query.orthanc_study_id)
        key = study.orthanc_study_id if study else ""
        found = service.explain(connection, language, policy, key, call.services.clock())
    return ObjectList(
        items=[
            ObjectItem(
                sop_instance_uid=one.sop_instance_uid,
                series_instance_uid=one.series_instance_uid,
                size_bytes=one.size_bytes,
                prune=one.decision.prune,
                in_favour=[ReasonItem.model_validate(reason) for reason in one.decision.in_favour],
                against=[ReasonItem.model_validate(reason) for reason in one.decision.against],
            )
            for one in found
        ]
    )


def storage(call: Call[None, None, None]) -> StorageAnswer:
    with call.connect() as connection:
        zone, disks = call.services.zone, call.services.host.figures().disks
        found = service.space_figures(connection, call.services.clock(), zone=zone, disks=disks)
    return StorageAnswer(
        archive_bytes=found.archive_bytes,
        bytes_per_day=found.bytes_per_day,
        in_30_days_bytes=max(0, round(found.archive_bytes + 30 * found.bytes_per_day)),
        in_365_days_bytes=max(0, round(found.archive_bytes + 365 * found.bytes_per_day)),
        shares=list(found.shares),
        months=list(found.months),
        freed=list(found.freed),
        freed_days=list(found.freed_days),
        filling=FillingItem(free_bytes=service.free_for_objects(disks), **vars(found.filling)),
    )


def _preview(found: service.Preview) -> PolicyPreview:
    return PolicyPreview(
        today=_foreseen(found.today),
        in_30_days=_foreseen(found.in_30_days),
        studies=list(found.studies),
        archive_bytes=found.archive_bytes,
        space_wanted_bytes=found.space_wanted_bytes,
        asks_twice=found.asks_twice,
    )


def _foreseen(found: Foreseen) -> ForeseenItem:
    return ForeseenItem(
        at=found.at,
        instance_count=found.instance_count,
        size_bytes=found.size_bytes,
        shares=list(found.shares),
    )


def routes() -> list[Route]:
    """The endpoints that look ahead."""
    return [
        retention_route(
            "retention_preview",
            "preview",
            preview,
            "What a policy would delete today and in 30 days. Deletes nothing.",
        ),
        retention_route(
            "try_retention_policy",
            "preview",
            try_out,
            "What a policy that is not saved would delete. Deletes nothing.",
            method="POST",
            example={"document": EXAMPLE},
            permission=Permission.PRUNE,
        ),
        retention_route(
            "retention_reasons",
            "reasons/{study_instance_uid}",
            explain,
            "Of each object of a study, what speaks for and against its pruning by a policy.",
            problems=(404, 409, 503),
        ),
        retention_route(
            "retention_storage",
            "storage",
            storage,
            "What takes the archive's space, how it grows, and what policies freed.",
        ),
    ]
