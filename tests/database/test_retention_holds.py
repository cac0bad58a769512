"""Holds: set and released by people and by rules; a hold takes back what was about to be deleted."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Engine, func, insert, select

from tests.index_support import NOON, write_study
from treegarth.conditions.action import Occasion, Problem
from treegarth.conditions.model import Facts
from treegarth.features.retention.hold_actions import HoldAction, HoldSpec, ReleaseAction, ReleaseSpec
from treegarth.features.retention.model import HoldKind
from treegarth.features.retention.store.holds import list_holds, release_hold, set_holds
from treegarth.features.retention.tables import prune_ledger, prune_mark, retention_policy
from treegarth.index.studies import the_study

UID = "1.2.840.99999.1.1"
IDENTIFIERS = {
    "orthanc_instance_id": "instance-00001-1",
    "orthanc_series_id": "series-00001",
    "orthanc_study_id": "study-00001",
    "study_instance_uid": UID,
    "sop_instance_uid": "1.2.840.99999.3.1.1",
    "size_bytes": 500,
    "policy_id": 1,
    "policy_version": 1,
}


def hold(connection: Connection, **given: object) -> int:
    values: dict[str, object] = {
        "kind": HoldKind.LEGAL,
        "reason": "a court asks for it",
        "until": None,
        "set_by": "alice",
        "now": NOON,
        **given,
    }
    return set_holds(connection, [the_study(connection, UID)], **values)  # type: ignore[arg-type]


def occasion(rule_id: int = 7) -> Occasion:
    return Occasion(
        rule_id=rule_id,
        rule_version=1,
        rule_name="keep trials",
        why="the trial needs them",
        trigger="study stable",
        study=Facts(key="study-00001", values={}),
        study_instance_uid=UID,
        orthanc_series_ids=None,
        is_first=True,
        asked_by=None,
        now=NOON,
    )


def test_a_hold_tells_who_why_and_until_when_and_ends_by_itself(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        assert hold(connection, until=NOON + timedelta(days=1)) == 1
        (found,) = list_holds(connection, now=NOON)
        assert list_holds(connection, now=NOON + timedelta(days=2)) == []
        assert len(list_holds(connection, now=NOON + timedelta(days=2), only_in_force=False)) == 1
    assert (found.kind, found.reason, found.set_by, found.study_instance_uid) == (
        "legal",
        "a court asks for it",
        "alice",
        UID,
    )


def test_a_released_hold_forbids_no_more_and_is_released_once(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        hold(connection)
        (found,) = list_holds(connection, now=NOON)
        assert release_hold(connection, found.id, released_by="bob", now=NOON)
        assert not release_hold(connection, found.id, released_by="bob", now=NOON)
        assert list_holds(connection, now=NOON) == []


def test_a_hold_takes_back_marks_and_what_was_about_to_be_deleted(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        connection.execute(insert(retention_policy).values(id=1, name="p", version=1))
        connection.execute(insert(prune_mark).values(marked_at=NOON, due_at=NOON, **IDENTIFIERS))
        connection.execute(
            insert(prune_ledger).values(
                series_instance_uid="1.2", state="intended", intended_at=NOON, received_at=NOON, **IDENTIFIERS
            )
        )
        hold(connection)
        assert connection.execute(select(func.count()).select_from(prune_mark)).scalar_one() == 0
        row = connection.execute(select(prune_ledger.c.state, prune_ledger.c.kept_because)).one()
    assert tuple(row) == ("kept", "its study was put on hold (legal)")


def test_a_rule_holds_once_and_releases_every_kind_but_legal_unless_it_is_named(engine: Engine) -> None:
    action, release = HoldAction(), ReleaseAction()
    with engine.begin() as connection:
        write_study(connection, 1)
        spec = HoldSpec(kind=HoldKind.PROJECT)
        assert action.carry_out(connection, spec, occasion()) == "project hold set"
        assert action.carry_out(connection, spec, occasion()) == "on project hold already"
        hold(connection)
        assert release.carry_out(connection, ReleaseSpec(kind=None), occasion()) == "1 released"
        assert [one.kind for one in list_holds(connection, now=NOON)] == ["legal"]
        assert release.carry_out(connection, ReleaseSpec(kind=HoldKind.LEGAL), occasion()) == "1 released"


def test_the_actions_read_what_they_write_and_refuse_the_rest() -> None:
    problems: list[Problem] = []
    for action, document in (
        (HoldAction(), "legal"),
        (HoldAction(), {"kind": "teaching", "reason": "rare", "for": "30 days"}),
        (ReleaseAction(), "project"),
        (ReleaseAction(), "all but legal"),
    ):
        spec = action.parse(document, "do[0]", problems)
        assert problems == []
        assert action.document(spec) == document  # type: ignore[arg-type]
    assert HoldAction().parse({"kind": "forever", "for": "long", "x": 1}, "do[0].hold", problems) is None
    assert {problem.place for problem in problems} == {"do[0].hold.kind", "do[0].hold.for", "do[0].hold.x"}
