"""What happens to a study is handled once by every rule that is on, with facts that are read once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, func, insert, select
from sqlalchemy.engine import Engine

from tests.rule_support import (
    LANGUAGE,
    NOW,
    add_rules,
    author,
    book,
    handle_all,
    index_study,
    series_id,
    stored_rules,
    study_id,
    study_uid,
)
from treegarth.conditions.action import NotYet
from treegarth.database.engine import connect, transaction
from treegarth.features.archive.stability import decide_stable
from treegarth.features.rules.events import EVENTS
from treegarth.features.rules.followers import follow_dose_read, follow_stable
from treegarth.features.rules.model import Trigger
from treegarth.features.rules.outcomes import OUTCOMES
from treegarth.features.rules.service import explain_rule, preview_rule, save_rule
from treegarth.features.rules.store import events, outcomes
from treegarth.features.rules.store.rules import RULES
from treegarth.features.rules.tables import notification, rule_event
from treegarth.features.rules.text import parse_rule
from treegarth.index.labels import change_labels, list_labels
from treegarth.index.studies import asked_study
from treegarth.index.tables import arrival, label_change
from treegarth.phrases import Phrase

CT = """
- name: label CT
  when: study stable
  if: Modality = CT
  do:
    - label: seen
    - notify: dashboard
  on: true
"""


def note(engine: Engine, number: int, *, trigger: Trigger = Trigger.STUDY_STABLE, series: str = "") -> None:
    with transaction(engine) as connection:
        events.note_events(connection, trigger, [(study_id(number), series)], NOW)


def labels(engine: Engine, number: int) -> list[str]:
    with connect(engine) as connection:
        return [one.label for one in list_labels(connection, study_id(number))]


def did(engine: Engine, number: int) -> list[outcomes.Outcome]:
    with connect(engine) as connection:
        study = asked_study(connection, study_uid(number), None)
        return OUTCOMES.rows(connection, outcomes.select_outcomes(study=study)).items


def count(engine: Engine, table: object) -> int:
    with connect(engine) as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]


def test_a_rule_that_is_on_acts_on_what_it_means_and_on_nothing_else(engine: Engine) -> None:
    index_study(engine, 1, "CT", "SR")
    index_study(engine, 2, "MR")
    add_rules(engine, CT)
    note(engine, 1)
    note(engine, 2)
    assert handle_all(engine) == 2
    assert labels(engine, 1) == ["seen"]
    assert labels(engine, 2) == []
    assert count(engine, rule_event) == 0
    (outcome,) = did(engine, 1)
    assert [one.done for one in outcome.actions] == ["labelled seen", "1 notice to be told"]
    assert did(engine, 2) == []


def test_a_study_that_comes_again_is_handled_again_and_told_of_once(engine: Engine) -> None:
    index_study(engine, 1, "CT")
    (rule,) = add_rules(engine, CT)
    for _ in range(2):
        note(engine, 1)
        handle_all(engine)
    assert count(engine, notification) == 1
    assert did(engine, 1)[0].actions[1].done == "told before"
    with transaction(engine) as connection:
        for is_on in (False, True):
            RULES.switch(connection, rule.id, author(), is_on=is_on)
    note(engine, 1)
    handle_all(engine)
    assert count(engine, notification) == 1
    with transaction(engine) as connection:
        worded = {"name": "label CT", "when": "study stable", "if": "Modality = CT", "do": ["notify"]}
        save_rule(connection, rule.id, parse_rule(worded, LANGUAGE), author())
    note(engine, 1)
    handle_all(engine)
    assert count(engine, notification) == 2


def test_a_rule_that_is_off_does_nothing(engine: Engine) -> None:
    index_study(engine, 1, "CT")
    add_rules(engine, CT.replace("on: true", "on: false"))
    note(engine, 1)
    assert handle_all(engine) == 1
    assert labels(engine, 1) == []


def test_a_rule_of_series_stable_is_asked_of_that_series_alone(engine: Engine) -> None:
    index_study(engine, 1, "CT", "SR")
    add_rules(
        engine,
        """
- {name: both, when: series stable, if: {all: [Modality = CT, Modality = SR]}, do: [label: both], on: true}
- {name: one, when: series stable, if: {all: [Modality = CT, StudyDescription = Chest]}, do: [label: one], on: true}
""",
    )
    note(engine, 1, trigger=Trigger.SERIES_STABLE, series=series_id(1, 1))
    handle_all(engine)
    assert labels(engine, 1) == []
    note(engine, 1, trigger=Trigger.SERIES_STABLE, series=series_id(1, 0))
    handle_all(engine)
    assert labels(engine, 1) == ["one"]


def test_what_has_come_to_rest_is_decided_once_and_noted_only_where_a_rule_looks(engine: Engine) -> None:
    index_study(engine, 1, "CT")
    add_rules(engine, CT)
    with transaction(engine) as connection:
        for series in ("", series_id(1, 0)):
            row = {"orthanc_study_id": study_id(1), "orthanc_series_id": series, "last_arrived_at": NOW}
            connection.execute(insert(arrival).values(**row))

    def decide(after_s: float) -> int:
        at = NOW + timedelta(seconds=after_s)
        return decide_stable(engine, timedelta(seconds=60), [follow_stable], lambda: at)

    assert decide(59) == 0
    assert decide(61) == 2
    assert decide(62) == 0
    with connect(engine) as connection:
        noted = connection.execute(select(rule_event.c.trigger, rule_event.c.orthanc_series_id)).all()
    assert [tuple(row) for row in noted] == [("study stable", "")]


def test_two_workers_that_decide_at_once_note_each_study_once(engine: Engine) -> None:
    add_rules(engine, CT)
    with transaction(engine) as connection:
        for number in range(20):
            row = {"orthanc_study_id": study_id(number), "orthanc_series_id": "", "last_arrived_at": NOW}
            connection.execute(insert(arrival).values(**row))
    at = NOW + timedelta(seconds=61)
    found: list[int] = []

    def other_worker(connection: object, stable: object, now: object) -> None:
        found.append(decide_stable(engine, timedelta(seconds=60), [], lambda: at))

    first = decide_stable(engine, timedelta(seconds=60), [other_worker], lambda: at, limit=12)
    assert (first, found) == (12, [8])


def test_an_error_takes_back_what_the_rules_did_and_is_tried_again_until_a_person_is_needed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_study(engine, 1, "CT")
    add_rules(engine, CT)
    note(engine, 1)
    tried = []

    def fail(*given: object, **named: object) -> str:
        tried.append(given)
        raise ValueError("made up")

    notify = LANGUAGE.actions.get("notify")
    with monkeypatch.context() as patch:
        patch.setattr(notify, "carry_out", fail)
        for attempt in range(8):
            handle_all(engine, at=NOW + timedelta(minutes=10 * attempt))
    assert len(tried) == 6
    assert labels(engine, 1) == []
    with transaction(engine) as connection:
        (failed,) = EVENTS.rows(connection, events.select_open(state="failed")).items
        assert failed.attempts == 6
        assert failed.last_error == "ValueError while rules looked at it; see the log."
        assert isinstance(failed.last_error, Phrase)
        assert events.retry_failed(connection, NOW, [failed.id]) == 1
    handle_all(engine)
    assert labels(engine, 1) == ["seen"]


def test_a_rule_that_fails_is_tried_again_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    index_study(engine, 1, "CT")
    add_rules(
        engine, CT + CT.replace("label CT", "other").replace("seen", "other").replace("    - notify: dashboard\n", "")
    )
    note(engine, 1)

    def wait(*given: object, **named: object) -> str:
        raise NotYet("The dose is not read yet.")

    with monkeypatch.context() as patch:
        patch.setattr(LANGUAGE.actions.get("notify"), "carry_out", wait)
        for attempt in range(12):  # more often than a mere error is tried
            handle_all(engine, at=NOW + timedelta(minutes=10 * attempt))
    assert labels(engine, 1) == ["other"]
    assert len(did(engine, 1)) == 1
    with transaction(engine) as connection:
        assert EVENTS.rows(connection, events.select_open(state="failed")).items == []
        follow_dose_read(connection, study_id(1), NOW)
    handle_all(engine)
    assert labels(engine, 1) == ["other", "seen"]
    assert count(engine, rule_event) == 0


def test_an_event_that_another_worker_claimed_again_is_left_to_it(engine: Engine) -> None:
    note(engine, 1)
    with transaction(engine) as connection:
        (first,) = events.claim_events(connection, NOW, timedelta(seconds=60), limit=5)
    with transaction(engine) as connection:
        assert events.claim_events(connection, NOW, timedelta(seconds=60), limit=5) == []
        (second,) = events.claim_events(connection, NOW + timedelta(seconds=61), timedelta(seconds=60), limit=5)
    with transaction(engine) as connection:
        assert not events.hold_event(connection, first)
        assert events.hold_event(connection, second)


def test_what_happens_while_an_event_is_handled_is_not_lost(engine: Engine) -> None:
    note(engine, 1)
    with transaction(engine) as connection:
        (claimed,) = events.claim_events(connection, NOW, timedelta(seconds=60), limit=5)
    note(engine, 1)
    with transaction(engine) as connection:
        events.finish_event(connection, claimed)
    assert handle_all(engine) == 1


def test_fifty_rules_read_a_studys_facts_once(engine: Engine) -> None:
    index_study(engine, 1, "CT", "SR")
    text = "".join(
        f"- {{name: rule {n}, when: study stable, if: 'SeriesDescription = none{n}', do: [label: x], on: true}}\n"
        for n in range(50)
    )
    add_rules(engine, text)
    statements: dict[int, int] = {}
    for number in (1, 2):
        index_study(engine, 10 + number, "CT")
        note(engine, 10 + number)
        seen: list[str] = []

        def listen(*given: object, into: list[str] = seen) -> None:
            into.append(str(given[2]))

        event.listen(engine, "before_cursor_execute", listen)
        handle_all(engine)
        event.remove(engine, "before_cursor_execute", listen)
        statements[number] = len(seen)
    assert max(statements.values()) <= 10


def test_a_preview_counts_exactly_and_pages_the_newest_first_without_acting(engine: Engine) -> None:
    for number in range(1, 8):
        index_study(engine, number, "CT" if number % 2 else "MR", size_bytes=number)
    (stored,) = add_rules(engine, CT)
    rule = book().read(stored).rule
    assert rule is not None
    with connect(engine) as connection:
        first = preview_rule(connection, LANGUAGE, rule, NOW, limit=3)
        second = preview_rule(connection, LANGUAGE, rule, NOW, limit=3, cursor=first.page.next)
    assert (first.sums.study_count, first.sums.size_bytes) == (4, 16)
    shown = [one.study_instance_uid for one in [*first.page.studies, *second.page.studies]]
    assert shown == [study_uid(number) for number in (7, 5, 3, 1)]
    assert second.page.next is None
    assert [one.sentence for one in first.actions] == ["labels the study seen", "tells on the dashboard"]
    assert labels(engine, 7) == []


def test_a_study_is_explained_clause_by_clause(engine: Engine) -> None:
    index_study(engine, 1, "CT", "SR")
    (stored,) = add_rules(engine, CT)
    rule = book().read(stored).rule
    assert rule is not None
    with connect(engine) as connection:
        found = explain_rule(connection, LANGUAGE, rule, study_uid(1), NOW, stored=stored)
    assert found.holds
    assert (found.explanation.text, found.explanation.seen) == ("Modality = CT", ("CT", "SR"))
    assert [one.action for one in found.actions] == ["label", "notify"]


def test_labels_wait_for_orthanc_only_where_it_can_take_them(engine: Engine) -> None:
    with transaction(engine) as connection:
        for is_set, expected in ((True, ["긴급", "urgent"]), (True, []), (False, ["긴급", "urgent"])):
            changed = change_labels(connection, study_id(1), ["urgent", "긴급"], is_set=is_set, by="kim", now=NOW)
            assert sorted(changed) == sorted(expected)
        (row,) = connection.execute(select(label_change)).all()
    assert (row.label, row.is_set) == ("urgent", False)


def test_every_change_of_a_rule_is_kept(engine: Engine) -> None:
    (stored,) = add_rules(engine, CT)
    assert stored.changed_by == "김관리"
    assert stored_rules(engine)[0].is_on
