"""The safety nets run as often as they say: a sixth column of a schedule is seconds, and it comes last."""

from datetime import UTC, datetime
from itertools import pairwise

from croniter import croniter
from procrastinate import App, Blueprint
from procrastinate.testing import InMemoryConnector

from treegarth.features.dose.registry.tasks import blueprint
from treegarth.tasks.app import upkeep
from treegarth.tasks.failures import FailedTasks


def longest_gap_s(blueprint: Blueprint, task: str) -> float:
    """Seconds between two runs of a periodic task, the longest of an hour."""
    app = App(connector=InMemoryConnector())
    app.add_tasks_from(blueprint, namespace="treegarth")
    (found,) = [one for (name, _), one in app.periodic_registry.periodic_tasks.items() if name == f"treegarth:{task}"]
    times = croniter(found.cron, datetime(2026, 3, 2, 9, tzinfo=UTC))
    runs = [times.get_next(float) for _ in range(240)]
    return max(later - earlier for earlier, later in pairwise(runs))


def test_what_no_hint_was_given_for_is_read_within_seconds() -> None:
    assert longest_gap_s(blueprint(context=None), "dose.sweep") == 15  # type: ignore[arg-type]


def test_tasks_of_dead_workers_are_found_within_seconds() -> None:
    assert longest_gap_s(upkeep(FailedTasks()), "tasks.retry_stalled") == 10
