"""The list of retention policies: what each says, what it would free today, what it has marked; on, off, out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Response

from treegarth.access.actors import Permission
from treegarth.errors import ConditionRefused
from treegarth.features.retention import service
from treegarth.features.retention.paths import PolicyPath
from treegarth.features.retention.service import PolicyLanguage
from treegarth.features.retention.store import forecast
from treegarth.features.retention.store.forecast import Freed
from treegarth.features.retention.store.overview import Sum, marked_by_policy
from treegarth.features.retention.store.policies import POLICIES, StoredPolicy
from treegarth.features.retention.words import AGES
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.forms import TIME_UNITS
from treegarth.web.routes import Navigation, Route
from treegarth.web.templates import render_page

UNITS = {
    **TIME_UNITS,
    "minute": N_("minute"),
    "hour": N_("hour"),
    "day": N_("day"),
    "week": N_("week"),
    "year": N_("year"),
}
FREED_OVER = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class ShownPolicy:
    """A line of the list."""

    id: int
    name: str
    why: str
    is_on: bool
    says: Sequence[str]
    marked: Sum
    freed_bytes: int
    freed_count: int
    decided_at: datetime | None


def routes() -> list[Route]:
    return [
        route(
            name="retention.policies_page",
            path="/treegarth/retention",
            permission=Permission.SEE_SYSTEM,
            handler=policies_page,
            summary="The retention policies, and what each would free.",
            navigation=Navigation(label=N_("Retention"), icon="retention", order=36, key="n"),
        ),
        route(
            name="retention.frees_page",
            path="/treegarth/retention/policies/{policy_id}/frees",
            permission=Permission.SEE_SYSTEM,
            handler=frees_page,
            summary="How much a policy would free today.",
        ),
    ]


def policies_page(call: Call[None, None, None]) -> Response:
    now = call.services.clock()
    with call.connect() as connection:
        stored = POLICIES.all(connection)
        marked = marked_by_policy(connection)
        freed = {one.policy_id: one for one in forecast.freed_by_policy(connection, now - FREED_OVER)}
    shown = [_shown(one, marked, freed.get(one.id)) for one in stored]
    return render_page(
        call,
        "retention/policies.html",
        policies=shown,
        last_use=service.LAST_USE_NOTE,
    )


def _shown(one: StoredPolicy, marked: Mapping[int, Sum], freed: Freed | None) -> ShownPolicy:
    return ShownPolicy(
        id=one.id,
        name=one.name,
        why=str(one.document.get("why", "")),
        is_on=one.is_on,
        says=says(one.document),
        marked=marked.get(one.id, Sum()),
        freed_bytes=freed.size_bytes if freed else 0,
        freed_count=freed.instance_count if freed else 0,
        decided_at=one.decided_at,
    )


def says(document: Mapping[str, Any]) -> list[Phrase]:
    """What a policy says, in a few words: what stays, when the rest goes, what must be proved."""
    found = [P_("keeps: %(what)s", what=_kept(document.get("keep")))]
    if document.get("after"):
        found.append(P_("after %(age)s", age=_age(str(document["after"]))))
    if isinstance(space := document.get("space"), Mapping):
        high, low = space.get("high"), space.get("low")
        found.append(P_("above %(high)s, down to %(low)s, the least used first", high=high, low=low))
    given = document.get("proof")
    demands = [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, Mapping)]
    names = ", ".join(str(one.get("at")) for one in demands)
    proved = P_("only what is proved to be at %(names)s", names=names)
    found.append(proved if demands else P_("without proof: the only copy may go"))
    return found


def _age(text: str) -> Phrase | str:
    """`90 days since received` in words."""
    count, _, rest = text.partition(" ")
    unit, _, since = rest.partition(" since ")
    if unit not in UNITS or since not in AGES:
        return text
    return P_("%(count)s %(unit)s %(since)s", count=count, unit=Phrase(UNITS[unit]), since=Phrase(AGES[since]))


def _kept(given: Any) -> tuple[Phrase, ...]:
    parts = given if isinstance(given, list) else [given]
    known = {
        "nothing": P_("nothing"),
        "dose and one image per series": P_("dose and one image per series"),
    }
    by_condition = P_("what its condition names")
    return tuple(known.get(one, by_condition) for one in map(_hashable, parts))


def _hashable(part: Any) -> str:
    return part if isinstance(part, str) else ""


def frees_page(call: Call[None, None, PolicyPath]) -> Response:
    """A part of the list that is asked for alone: it looks at the whole archive."""
    language = call.part(PolicyLanguage)
    policy_id, foreseen, broken = call.path.policy_id, None, ""
    with call.connect() as connection:
        try:
            which = service.numbered(connection, language, policy_id)
            foreseen = forecast.foresee(connection, which, language.vocabulary(), call.services.clock())
        except ConditionRefused as error:
            broken = str(error)
    return render_page(call, "retention/policy_frees.html", policy_id=policy_id, foreseen=foreseen, broken=broken)
