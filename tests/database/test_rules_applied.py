"""A rule applied to the archive: progress, stop, resume after a kill; rules of a schedule; imports, all or nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.engine import Engine

from tests.rule_support import (
    LANGUAGE,
    NOW,
    SEOUL,
    add_rules,
    author,
    book,
    handle_all,
    index_study,
    stored_rules,
    study_id,
    study_uid,
)
from tests.works import latest_of, rules_runner
from treegarth.database.engine import connect, transaction
from treegarth.documents.store import Change
from treegarth.errors import DocumentRefused, NotFound, RequestConflict
from treegarth.features.rules.service import application as applying_module
from treegarth.features.rules.service import (
    apply_by_hand,
    export_rules,
    import_rules,
)
from treegarth.features.rules.service.application import APPLYING, apply_to_archive
from treegarth.features.rules.store import events
from treegarth.features.rules.store.applications import stop_applying
from treegarth.features.rules.store.rules import RULES, due_by_schedule
from treegarth.index.labels import list_labels
from treegarth.tasks.app import TaskContext
from treegarth.work.store import LongWork, resume
from treegarth.work.tables import long_work

BY_HAND = "- {name: all, when: by hand, if: 'Modality = CT', do: [label: old], on: true}\n"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying_module, "BLOCK", 3)


def start(engine: Engine) -> LongWork:
    (stored,) = stored_rules(engine)
    with transaction(engine) as connection:
        acting = book().read(stored)
        return apply_to_archive(connection, LANGUAGE.vocabulary, acting, by="kim", now=NOW, is_asked=True)


def state(engine: Engine) -> LongWork:
    return latest_of(engine, APPLYING, str(stored_rules(engine)[0].id))


def block(engine: Engine, at: datetime = NOW) -> None:
    """One block, whenever its turn is."""
    with transaction(engine) as connection:
        connection.execute(update(long_work).values(next_attempt_at=NOW))
    rules_runner(engine, book(), lambda: at).block()


def labelled(engine: Engine, *numbers: int) -> list[int]:
    with connect(engine) as connection:
        return [number for number in numbers if list_labels(connection, study_id(number))]


def work(engine: Engine, rounds: int) -> None:
    for _ in range(rounds):
        block(engine)
        handle_all(engine)


def test_a_rule_is_applied_to_every_study_that_it_means_in_blocks(engine: Engine) -> None:
    for number in range(1, 9):
        index_study(engine, number, "MR" if number == 4 else "CT")
    add_rules(engine, BY_HAND)
    assert start(engine).total == 7
    assert start(engine).id == state(engine).id  # one that runs goes on
    work(engine, 1)
    assert (state(engine).done, state(engine).is_running) == (3, True)
    work(engine, 3)
    done = state(engine)
    assert (done.done, done.counts, done.state) == (7, {}, "done")
    assert labelled(engine, *range(1, 9)) == [1, 2, 3, 5, 6, 7, 8]


def test_of_studies_that_arrive_meanwhile_no_more_are_handled_than_there_are(engine: Engine) -> None:
    index_study(engine, 1, "CT")
    add_rules(engine, BY_HAND)
    assert start(engine).total == 1
    index_study(engine, 2, "CT")
    work(engine, 2)
    assert (state(engine).done, state(engine).total) == (2, 2)


def test_it_is_stopped_with_what_it_had_noted_and_goes_on_with_that(engine: Engine) -> None:
    for number in range(1, 9):
        index_study(engine, number, "CT")
    (stored,) = add_rules(engine, BY_HAND)
    start(engine)
    work(engine, 1)
    block(engine)
    with transaction(engine) as connection:
        stop_applying(connection, stored.id, by="lee", now=NOW)
    work(engine, 2)
    stopped = state(engine)
    assert (stopped.done, stopped.stopped_by, stopped.state) == (3, "lee", "stopped")
    assert labelled(engine, *range(1, 9)) == [1, 2, 3]
    with transaction(engine) as connection:
        resume(connection, stopped.id, NOW)
    work(engine, 4)
    assert (state(engine).done, state(engine).total, state(engine).state) == (8, 8, "done")
    assert labelled(engine, *range(1, 9)) == [*range(1, 9)]


def test_one_that_is_stopped_before_its_first_block_goes_on(engine: Engine) -> None:
    index_study(engine, 1, "CT")
    (stored,) = add_rules(engine, BY_HAND)
    started = start(engine)
    with transaction(engine) as connection:
        stop_applying(connection, stored.id, by="lee", now=NOW)
        resume(connection, started.id, NOW)
    work(engine, 2)
    assert (state(engine).state, state(engine).done, state(engine).last_error) == ("done", 1, None)


def test_what_a_killed_worker_had_claimed_is_done_by_another(engine: Engine) -> None:
    for number in range(1, 5):
        index_study(engine, number, "CT")
    add_rules(engine, BY_HAND)
    start(engine)
    block(engine)
    with transaction(engine) as connection:
        assert len(events.claim_events(connection, NOW, timedelta(seconds=60), limit=2)) == 2
    work(engine, 2)
    assert state(engine).done == 1
    for _ in range(3):
        block(engine)
        handle_all(engine, at=NOW + timedelta(seconds=61))
    assert (state(engine).done, state(engine).state) == (4, "done")


def test_a_rule_that_is_off_is_not_applied_and_switching_it_off_ends_it(engine: Engine) -> None:
    index_study(engine, 1, "CT")
    (stored,) = add_rules(engine, BY_HAND)
    start(engine)
    block(engine)
    with transaction(engine) as connection:
        RULES.switch(connection, stored.id, author("lee"), is_on=False)
    work(engine, 1)
    assert labelled(engine, 1) == []
    assert state(engine).stopped_by == "lee"
    with pytest.raises(RequestConflict, match="is off"):
        start(engine)


def test_a_rule_is_applied_to_one_study_by_hand(engine: Engine) -> None:
    index_study(engine, 1, "CT")
    (stored,) = add_rules(engine, BY_HAND)
    with transaction(engine) as connection:
        acting = book().read(stored)
        apply_by_hand(connection, acting, study_uid(1), None, by="kim", now=NOW)
        with pytest.raises(NotFound):
            apply_by_hand(connection, acting, "1.2.404", None, by="kim", now=NOW)
    handle_all(engine)
    with connect(engine) as connection:
        assert [one.set_by for one in list_labels(connection, study_id(1))] == ["kim"]


def test_a_rule_of_a_schedule_acts_when_its_time_has_come(engine: Engine) -> None:
    from treegarth.features.rules.tasks import start_scheduled

    index_study(engine, 1, "CT")
    text = "- {name: nightly, when: schedule, schedule: daily 02:00, do: [label: night], on: true}"
    (stored,) = add_rules(engine, text)  # at 18:00 in Seoul
    assert stored.scheduled_at == NOW + timedelta(hours=8)
    for hours, expected in ((7.9, []), (8, [1])):
        at = NOW + timedelta(hours=hours)
        context = TaskContext(engine=engine, orthanc=None, clock=lambda at=at: at)  # type: ignore[arg-type, misc]
        start_scheduled(context, book(), SEOUL)
        block(engine, at)
        handle_all(engine, at=at)
        assert labelled(engine, 1) == expected
    assert stored_rules(engine)[0].scheduled_at == NOW + timedelta(hours=32)
    with transaction(engine) as connection:
        assert due_by_schedule(connection, NOW + timedelta(hours=9)) == []


TWO = """
# the first
- name: first
  when: by hand
  do: [label: x]

- name: second
  when: by hand
  do: [label: y]
"""


def take_in(engine: Engine, text: str, *, dry_run: bool = False) -> list[tuple[str, str, bool]]:
    with transaction(engine) as connection:
        made = import_rules(connection, LANGUAGE, text, author("import"), dry_run=dry_run)
    return [(one.name, one.outcome, one.is_on) for one in made]


def test_an_import_says_what_it_changes_and_changes_nothing_when_dry(engine: Engine) -> None:
    assert take_in(engine, TWO, dry_run=True) == [("first", "created", True), ("second", "created", True)]
    assert stored_rules(engine) == []
    take_in(engine, TWO)
    assert take_in(engine, TWO) == [("first", "same", True), ("second", "same", True)]
    assert [one.version for one in stored_rules(engine)] == [1, 1]
    changed = TWO.replace("label: y", "label: z") + "  on: false\n"
    assert take_in(engine, changed) == [("first", "same", True), ("second", "changed", False)]
    with connect(engine) as connection:
        text = export_rules(book(), RULES.all(connection))
    assert text.strip() == changed.strip()


def test_an_import_with_something_wrong_changes_nothing(engine: Engine) -> None:
    with pytest.raises(DocumentRefused):
        take_in(engine, TWO + "- name: third\n")
    assert stored_rules(engine) == []


def test_an_import_puts_its_rules_in_its_order_and_leaves_others_their_places(engine: Engine) -> None:
    take_in(engine, TWO + "- {name: third, when: by hand, do: [label: x]}\n")
    take_in(
        engine,
        "- {name: third, when: by hand, do: [label: x]}\n- {name: first, when: by hand, do: [label: x]}\n",
    )
    assert [one.name for one in stored_rules(engine)] == ["third", "second", "first"]


def test_each_change_of_a_rule_is_a_version_with_who_and_when(engine: Engine) -> None:
    take_in(engine, TWO)
    first = stored_rules(engine)[0]
    with transaction(engine) as connection:
        RULES.switch(connection, first.id, author("kim"), is_on=False)
        RULES.move(connection, first.id, 2, author("lee"))
        RULES.remove(connection, first.id, author("park"))
        found = [(one.change, one.changed_by, one.is_on) for one in RULES.history(connection, first.id)]
    assert found == [
        (Change.REMOVED, "park", False),
        (Change.MOVED, "lee", False),
        (Change.SWITCHED_OFF, "kim", False),
        (Change.CREATED, "import", True),
    ]
    assert [one.name for one in stored_rules(engine)] == ["second"]
    take_in(engine, TWO)  # the name is free again
    assert sorted(one.name for one in stored_rules(engine)) == ["first", "second"]
