"""What people and programs ask of retention: foresee what policies do, ask for reasons, hold and rescue.

The API and the pages both call these.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from treegarth.conditions.vocabulary import Vocabulary
from treegarth.errors import Problem, RequestConflict
from treegarth.features.retention.deletion import numbered_policy
from treegarth.features.retention.filling import WEEKS, Filling, when_full
from treegarth.features.retention.model import RESCUED_FOR, Decision, HoldKind, Policy
from treegarth.features.retention.policy_text import PolicyRefused, parse_policy
from treegarth.features.retention.rules import decide, needs_number_typed
from treegarth.features.retention.store import daily, forecast, holds, marks
from treegarth.features.retention.store.daily import FreedDay
from treegarth.features.retention.store.decision import NumberedPolicy, read_states
from treegarth.features.retention.store.forecast import Foreseen, ForeseenStudy, Freed, Month, Share
from treegarth.features.retention.store.policies import POLICIES, StoredPolicy
from treegarth.features.retention.tables import prune_mark
from treegarth.index.studies import StudyKey, the_study
from treegarth.index.tables import instance, series, study
from treegarth.phrases import N_, P_
from treegarth.web.services import Disk

FORECAST_OVER = timedelta(days=90)
FREED_DAYS = timedelta(days=30)
_DAYS = 90.0
NEW = NumberedPolicy(id=0, version=0, policy=Policy(name="", why=""))
"""Stands for a policy that was not saved: nothing was rescued from it."""
ONLY_COPY = P_(
    "This policy asks for no proof that an object is elsewhere: what it deletes may be the only copy, and nothing can "
    "bring it back. Confirm that the only copy may go (`only_copy_may_go`)."
)
LAST_USE_NOTE = N_(
    "Last use is the latest of: received, asked to be delivered, opened on these pages or by their link to OHIF. "
    "Orthanc does not record who reads over DICOMweb or its own pages, so these readings do not count."
)


@dataclass(frozen=True, kw_only=True)
class PolicyLanguage:
    """What policies are written in at this site."""

    vocabulary: Callable[[], Vocabulary]
    destination_names: Callable[[Connection], Sequence[str]]
    missing_destination: Callable[[Connection, str, str], Problem | None]

    def parse(self, document: object, place: str = "policy") -> Policy:
        """Raises PolicyRefused with every problem."""
        return parse_policy(document, self.vocabulary(), place)

    def parse_known(self, connection: Connection, document: object, place: str = "policy") -> Policy:
        """The same, and PolicyRefused where a proof is asked of a destination that is not there."""
        policy = self.parse(document, place)
        found = []
        for index, demand in enumerate(policy.proofs):
            at = f"{place}.proof[{index}].at" if len(policy.proofs) > 1 else f"{place}.proof.at"
            found.append(self.missing_destination(connection, demand.destination, at))
        if problems := [problem for problem in found if problem is not None]:
            raise PolicyRefused(problems)
        return policy


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a policy would do."""

    today: Foreseen
    in_30_days: Foreseen
    studies: tuple[ForeseenStudy, ...]  # the first of today's
    archive_bytes: int
    space_wanted_bytes: int | None  # of a policy by space: how much would go today; the rest of `today` could
    asks_twice: bool


@dataclass(frozen=True, kw_only=True)
class ObjectReasons:
    """One object, and what speaks for and against its pruning."""

    sop_instance_uid: str
    series_instance_uid: str
    size_bytes: int
    decision: Decision


@dataclass(frozen=True, kw_only=True)
class SpaceFigures:
    """What the archive's space is taken by, and where that leads."""

    shares: tuple[Share, ...]
    months: tuple[Month, ...]
    freed: tuple[Freed, ...]
    archive_bytes: int
    bytes_per_day: float  # received less freed, over the last 90 days
    freed_days: tuple[FreedDay, ...]
    filling: Filling


def preview(connection: Connection, language: PolicyLanguage, numbered: NumberedPolicy, now: datetime) -> Preview:
    """What the policy would delete if it acted today, and in 30 days with nothing else changed."""
    vocabulary, policy = language.vocabulary(), numbered.policy
    today = forecast.foresee(connection, numbered, vocabulary, now)
    archive = marks.archive_bytes(connection)
    wanted = None
    if policy.space is not None:
        above = archive > policy.space.high_bytes
        wanted = min(archive - policy.space.low_bytes, today.size_bytes) if above else 0
    return Preview(
        today=today,
        in_30_days=forecast.foresee(connection, numbered, vocabulary, now + forecast.HORIZON),
        studies=tuple(forecast.foresee_studies(connection, numbered, vocabulary, now)),
        archive_bytes=archive,
        space_wanted_bytes=wanted,
        asks_twice=needs_number_typed(policy, today.size_bytes if wanted is None else wanted, archive),
    )


def unsaved(policy: Policy) -> NumberedPolicy:
    """A policy that has no number yet, to be previewed."""
    return NumberedPolicy(id=NEW.id, version=NEW.version, policy=policy)


def numbered(connection: Connection, language: PolicyLanguage, policy_id: int) -> NumberedPolicy:
    """Raises NotFound, or PolicyRefused where the policy cannot be read any more."""
    return numbered_policy(POLICIES.read(connection, policy_id), language.vocabulary())


def check_confirmed(
    connection: Connection,
    language: PolicyLanguage,
    stored: StoredPolicy,
    now: datetime,
    *,
    typed_count: int | None,
    only_copy_may_go: bool,
) -> None:
    """A policy is switched on only with the number of objects typed, where it would delete much of the archive, and
    where it asks for no proof only if that is said once more.

    Raises PolicyRefused, and RequestConflict which says what is to be confirmed, and by which field.
    """
    language.parse_known(connection, stored.document, "document")  # a destination may have been removed since
    which = numbered_policy(stored, language.vocabulary())
    if not which.policy.proofs and not only_copy_may_go:
        raise RequestConflict(ONLY_COPY, field="only_copy_may_go")
    foreseen = preview(connection, language, which, now)
    count = foreseen.today.instance_count
    if foreseen.asks_twice and (typed_count is None or abs(typed_count - count) > count // 100):
        raise RequestConflict(
            P_(
                "This policy would delete %(count)s objects, more than its share of the archive. "
                "Say so by that number.",
                count=count,
            ),
            field="typed_count",
        )


def explain(
    connection: Connection, language: PolicyLanguage, which: NumberedPolicy, orthanc_study_id: str, now: datetime
) -> list[ObjectReasons]:
    """Of every object of a study, what speaks for and against its pruning; proofs as they stand in the ledger."""
    of_study = study.c.orthanc_study_id == orthanc_study_id
    states = read_states(connection, which, language.vocabulary(), now, of_study)
    names = {
        row.orthanc_instance_id: row
        for row in connection.execute(
            instance.join(series, series.c.orthanc_series_id == instance.c.orthanc_series_id)
            .join(study, study.c.orthanc_study_id == series.c.orthanc_study_id)
            .select()
            .with_only_columns(
                instance.c.orthanc_instance_id, instance.c.sop_instance_uid, series.c.series_instance_uid
            )
            .where(of_study)
        )
    }
    return [
        ObjectReasons(
            sop_instance_uid=names[state.orthanc_instance_id].sop_instance_uid,
            series_instance_uid=names[state.orthanc_instance_id].series_instance_uid,
            size_bytes=state.size_bytes,
            decision=decide(state, which.policy.for_marking, now),
        )
        for state in states
        if state.orthanc_instance_id in names
    ]


def hold_study(
    connection: Connection,
    study_instance_uid: str,
    orthanc_study_id: str | None,
    *,
    kind: HoldKind,
    reason: str,
    until: datetime | None,
    by: str | None,
    now: datetime,
) -> StudyKey:
    """Hold the study of this UID. Raises NotFound; AmbiguousStudy where several have it and none is named."""
    study = the_study(connection, study_instance_uid, orthanc_study_id)
    holds.set_holds(connection, [study], kind=kind, reason=reason, until=until, set_by=by, now=now)
    return study


def rescue_study(
    connection: Connection, orthanc_study_id: str, sop_instance_uids: Sequence[str], *, by: str | None, now: datetime
) -> int:
    """Take back what is marked of a study, or some of it; how many objects."""
    chosen = [prune_mark.c.orthanc_study_id == orthanc_study_id]
    if sop_instance_uids:
        chosen.append(prune_mark.c.sop_instance_uid.in_(sop_instance_uids))
    return marks.rescue(connection, *chosen, rescued_by=by, now=now, lasts=RESCUED_FOR)


def rescue_objects(
    connection: Connection, orthanc_instance_ids: Sequence[str], *, by: str | None, now: datetime
) -> int:
    """Take back these marked objects; how many there were."""
    chosen = prune_mark.c.orthanc_instance_id.in_(orthanc_instance_ids)
    return marks.rescue(connection, chosen, rescued_by=by, now=now, lasts=RESCUED_FOR)


def free_for_objects(disks: Sequence[Disk]) -> int | None:
    """Bytes on the disk of the objects; None before it was measured."""
    return next((disk.free_bytes for disk in disks if disk.place == "storage"), None)


def space_figures(connection: Connection, now: datetime, *, zone: ZoneInfo, disks: Sequence[Disk]) -> SpaceFigures:
    """Space by modality and source, growth and where it leads, and what policies freed."""
    since, free = now - timedelta(days=365), free_for_objects(disks)
    recent = forecast.flow(connection, now - FORECAST_OVER)
    return SpaceFigures(
        shares=tuple(forecast.space_by_modality_and_source(connection)),
        months=tuple(forecast.months(connection, since)),
        freed=tuple(forecast.freed_by_policy(connection, since)),
        archive_bytes=marks.archive_bytes(connection),
        bytes_per_day=recent / _DAYS,
        freed_days=tuple(daily.freed_by_day(connection, now - FREED_DAYS, zone)),
        filling=when_full(daily.growth_by_week(connection, WEEKS, now), free, now),
    )
