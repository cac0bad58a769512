"""What people decide of exams holds whatever is read again, sent again or corrected in Orthanc; nothing is lost, each
event counts once at most, and what is taken back is as if it had never been."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from tests.database.test_dose_exams import NOW, Stored, arrive, gone, stored, sums_of
from tests.dose_exams.truth import BODY
from tests.dose_exams.writing import Written
from treegarth.acts.store import acts_of
from treegarth.acts.tables import act
from treegarth.database.engine import connect, transaction
from treegarth.errors import InvalidRequest, NotFound, RequestConflict
from treegarth.features.dose.quantities import OF_EVENT
from treegarth.features.dose.registry import acts
from treegarth.features.dose.registry.acts import Person
from treegarth.features.dose.registry.service import decide_undecided
from treegarth.features.dose.registry.store import queue
from treegarth.features.dose.registry.store.events import select_events
from treegarth.features.dose.registry.store.exams import decide_studies
from treegarth.features.dose.registry.store.filters import DoseStudyFilter, Limits
from treegarth.features.dose.registry.store.studies import select_studies_with_dose
from treegarth.features.dose.registry.tables import dose_report, dose_study
from treegarth.index.studies import StudyKey

WORLDS = 200 if os.environ.get("TREEGARTH_SOAK") else 8
STEPS = 12
PERSON = Person(name="physicist", now=NOW, reason="It says so on paper.")


def ct_report(name: str, events: dict[str, float], *, day: int = 0, device: str = "CT", **report: Any) -> Written:
    """Events by UID with their DLP."""
    told = tuple(
        {"irradiation_event_uid": uid, "dlp_mgy_cm": dlp, "mean_ctdi_vol_mgy": 9.0, "ctdiw_phantom_type": BODY}
        for uid, dlp in events.items()
    )
    return Written(
        name=name, sop_instance_uid=f"1.7.{name}", kind="ct", is_report=True, device=device, series=name,
        received_at=NOW + timedelta(days=day), totals={"dlp_total_mgy_cm": sum(events.values())}, events=told,
        report=report,
    )  # fmt: skip


def key(objects: list[Stored]) -> StudyKey:
    one = objects[0]
    return StudyKey(orthanc_study_id=one.orthanc_study_id, study_instance_uid=one.study_instance_uid)


def made_of(one: Stored, **changed: Any) -> Stored:
    """What Orthanc makes of an object in another study."""
    new = {"orthanc_instance_id": "n", "orthanc_study_id": "N", "modified_from": one.orthanc_instance_id}
    return replace(one, **new, **changed)


def dlp_of(engine: Engine, orthanc_study_id: str) -> float | None:
    with connect(engine) as connection:
        row = connection.execute(
            select(dose_study.c.best_dlp_mgy_cm, dose_study.c.replaced_by).where(
                dose_study.c.orthanc_study_id == orthanc_study_id
            )
        ).one_or_none()
    return None if row is None or row.replaced_by is not None else row.best_dlp_mgy_cm


@dataclass
class World:
    """Exams as they are in the archive, what people decided, and where each event truly counts."""

    engine: Engine
    chance: Random
    exams: list[list[Stored]] = field(default_factory=list)  # as they stand, the latest version of each object
    event_of: dict[str, tuple[int, float]] = field(default_factory=dict)  # its exam and DLP
    decided: list[tuple[int, frozenset[str], int | None]] = field(default_factory=list)  # act, events, exam or nowhere
    every: list[Stored] = field(default_factory=list)

    def begin(self) -> None:
        for number in range(3):
            uids = {f"1.9.{number}.{n}": 100.0 * (number + 1) + n for n in range(self.chance.randrange(1, 4))}
            self.event_of |= {uid: (number, dlp) for uid, dlp in uids.items()}
            first, *rest = uids.items()
            reports = [ct_report(f"a{number}", dict([first]))]
            reports += [ct_report(f"b{number}", dict(rest), day=1)] if rest else []
            self.exams.append(stored(reports, number, f"P{number}"))
        self.every = [one for exam in self.exams for one in exam]
        arrive(self.engine, self.every, self.chance)

    def step(self) -> None:
        self.chance.choice((self.decide, self.decide, self.take_back, self.read_again, self.send_again, self.correct))()
        decide_undecided(self.engine, lambda: NOW)

    def decide(self) -> None:
        number = self.chance.randrange(len(self.exams))
        exam = self.exams[number]
        source = self.chance.choice([None, self.chance.choice(exam)])
        told = [source] if source is not None else exam
        uids = frozenset(one["irradiation_event_uid"] for each in told for one in each.written.events)
        target = self.chance.choice([None, *(n for n in range(len(self.exams)) if n != number)])
        name = source.orthanc_instance_id if source is not None else None
        if source is None:  # with what was moved there before
            uids |= {uid for uid in self.event_of if self.place(uid) == number}
        try:
            with transaction(self.engine) as connection:
                if target is None:
                    done = acts.void(connection, key(exam), name, PERSON)
                else:
                    done = acts.move(connection, key(exam), name, key(self.exams[target]), PERSON)
        except RequestConflict:
            assert {self.place(uid) for uid in uids} == {target}  # it was so already
            return
        self.decided.append((done.id, uids, target))

    def take_back(self) -> None:
        if self.decided:
            done = self.decided.pop(self.chance.randrange(len(self.decided)))
            with transaction(self.engine) as connection:
                acts.undo(connection, done[0], PERSON)

    def read_again(self) -> None:
        """By a reader of another version: every row of the source is written anew."""
        one = self.chance.choice(self.chance.choice(self.exams))
        with transaction(self.engine) as connection:
            queue.note_sources(connection, [one], again=True)
        arrive(self.engine, [one], self.chance)

    def send_again(self) -> None:
        """A device makes a new object of the same events."""
        exam = self.chance.choice(self.exams)
        one = self.chance.choice(exam)
        uid = f"{one.sop_instance_uid}.{self.chance.randrange(1 << 30)}"
        again = replace(one, sop_instance_uid=uid, orthanc_instance_id=f"{one.orthanc_instance_id} {uid}")
        again = replace(again, modified_from=None)
        exam.append(again)
        self.every.append(again)
        arrive(self.engine, [again], self.chance)

    def correct(self) -> None:
        """Orthanc makes a new study of one; the old one goes, or stays."""
        number = self.chance.randrange(len(self.exams))
        mark = self.chance.randrange(1 << 30)
        new = [
            replace(
                one,
                orthanc_instance_id=f"{one.orthanc_instance_id} {mark}",
                orthanc_study_id=f"P{number} {mark}",
                study_instance_uid=f"{one.study_instance_uid}.{mark}",
                sop_instance_uid=f"{one.sop_instance_uid}.{mark}",
                modified_from=one.orthanc_instance_id,
            )
            for one in self.exams[number]
        ]
        old, self.exams[number] = self.exams[number], new
        self.every += new
        arrive(self.engine, new, self.chance)
        if self.chance.random() < 0.5:
            gone(self.engine, old)

    def place(self, uid: str) -> int | None:
        """Where an event counts: by the latest decision about it, else in its own exam."""
        number: int | None = self.event_of[uid][0]
        for _, uids, target in sorted(self.decided):
            if uid in uids:
                number = target
        return number

    def true_dlps(self) -> dict[int, float]:
        found: dict[int, float] = {}
        for uid, (_, dlp) in self.event_of.items():
            number = self.place(uid)
            if number is not None:
                found[number] = found.get(number, 0.0) + dlp
        return found

    def check(self, why: object) -> None:
        for number, exam in enumerate(self.exams):
            found = dlp_of(self.engine, exam[0].orthanc_study_id)
            assert (found or 0.0) == pytest.approx(self.true_dlps().get(number, 0.0)), (why, number, self.decided)
        with connect(self.engine) as connection:
            counted = select(func.sum(dose_study.c.best_dlp_mgy_cm)).where(dose_study.c.replaced_by.is_(None))
            assert (connection.execute(counted).scalar_one() or 0.0) == pytest.approx(sum(self.true_dlps().values())), (
                why
            )
            assert connection.execute(select(func.count()).select_from(dose_report)).scalar_one() == len(self.every)


@pytest.mark.parametrize("seed", range(WORLDS))
def test_decisions_hold_in_any_order_with_reading_sending_and_correcting(engine: Engine, seed: int) -> None:
    world = World(engine=engine, chance=Random(seed))
    world.begin()
    for step in range(STEPS):
        world.step()
        world.check((seed, step))
    before = rows(engine)
    with transaction(engine) as connection:
        decide_studies(connection, sorted(before), NOW)
    assert rows(engine) == before


def rows(engine: Engine) -> dict[str, Any]:
    with connect(engine) as connection:
        return {row.orthanc_study_id: row for row in connection.execute(select(dose_study))}


def test_what_is_taken_back_is_as_if_it_had_never_been(engine: Engine) -> None:
    first, second = (stored([ct_report(f"r{n}", {f"1.9.{n}": 100.0 * n})], n, f"P{n}") for n in (1, 2))
    arrive(engine, [*first, *second], Random(1))
    before = rows(engine)
    with transaction(engine) as connection:
        done = [
            acts.void(connection, key(first), None, PERSON),
            acts.move(connection, key(second), None, key(first), PERSON, name="merge"),
            acts.move_to_patient(connection, key(second), "P1", None, PERSON),
            acts.count(connection, key(first), first[0].orthanc_instance_id, PERSON),
        ]
    assert rows(engine) != before
    with transaction(engine) as connection:
        for one in Random(2).sample(done, len(done)):
            acts.undo(connection, one.id, PERSON)
    assert rows(engine) == before


def test_a_voided_exam_has_no_dose_and_is_still_there(engine: Engine) -> None:
    exam = stored([ct_report("r", {"1.9.1": 100.0})], 1, "P")
    arrive(engine, exam, Random(1))
    with transaction(engine) as connection:
        acts.void(connection, key(exam), None, PERSON)
    (row,) = rows(engine).values()
    assert (row.best_dlp_mgy_cm, row.is_void, row.rule, row.counted_report_ids) == (None, True, "voided", [])
    assert sums_of(engine, "P") == {}
    again = replace(exam[0], sop_instance_uid="1.7.other", orthanc_instance_id="other")
    arrive(engine, [again], Random(1))
    (row,) = rows(engine).values()
    assert (row.best_dlp_mgy_cm, row.is_void) == (None, True)


def test_an_event_that_comes_later_counts_in_an_exam_that_was_voided_before(engine: Engine) -> None:
    exam = stored([ct_report("r", {"1.9.1": 100.0})], 1, "P")
    arrive(engine, exam, Random(1))
    with transaction(engine) as connection:
        acts.void(connection, key(exam), None, PERSON)
    arrive(engine, stored([ct_report("s", {"1.9.1": 100.0, "1.9.2": 50.0}, day=1)], 1, "P"), Random(1))
    (row,) = rows(engine).values()
    assert (row.best_dlp_mgy_cm, row.is_void) == (50.0, False)


def test_a_report_that_a_person_chose_counts_before_later_ones_without_a_doubt(engine: Engine) -> None:
    reports = [ct_report("right", {"1.9.1": 100.0}), ct_report("wrong", {"1.9.1": 900.0}, day=1)]
    exam = stored(reports, 1, "P")
    arrive(engine, exam, Random(1))
    (row,) = rows(engine).values()
    assert (row.best_dlp_mgy_cm, "dlp_mgy_cm:reports_disagree" in row.doubts) == (900.0, True)
    said = next(one for one in row.doubt_evidence if one["name"] == "reports_disagree")["said"]
    assert {one["value"] for one in said} == {100.0, 900.0}
    with transaction(engine) as connection:
        acts.count(connection, key(exam), exam[0].orthanc_instance_id, PERSON)
    (row,) = rows(engine).values()
    assert (row.best_dlp_mgy_cm, row.doubts) == (100.0, [])
    assert {one["rule"] for one in row.decisions} == {"chosen", "overruled"}
    arrive(engine, stored([ct_report("later", {"1.9.1": 800.0}, day=2)], 1, "P"), Random(1))
    (row,) = rows(engine).values()
    assert row.best_dlp_mgy_cm == 100.0


def test_of_two_chosen_reports_of_one_event_the_one_that_was_chosen_last_counts(engine: Engine) -> None:
    exam = stored([ct_report("one", {"1.9.1": 100.0}), ct_report("two", {"1.9.1": 900.0}, day=1)], 1, "P")
    arrive(engine, exam, Random(1))
    for one, dlp in ((exam[1], 900.0), (exam[0], 100.0), (exam[1], 900.0)):
        with transaction(engine) as connection:
            acts.count(connection, key(exam), one.orthanc_instance_id, PERSON)
        (row,) = rows(engine).values()
        assert row.best_dlp_mgy_cm == dlp


def test_an_exam_of_another_patient_is_in_that_ones_sums_after_a_correction_too(engine: Engine) -> None:
    exam = stored([ct_report("r", {"1.9.1": 100.0})], 1, "Anna")
    other = stored([ct_report("s", {"1.9.2": 30.0})], 2, "Berta")
    arrive(engine, [*exam, *other], Random(1))
    with transaction(engine) as connection:
        acts.move_to_patient(connection, key(exam), "Berta", None, PERSON)
    assert sums_of(engine, "Anna") == {}
    assert sums_of(engine, "Berta") == {("dlp_total_mgy_cm", BODY): 130.0}
    new = [made_of(exam[0], patient_id="Clara")]
    arrive(engine, new, Random(1))
    gone(engine, exam)
    assert sums_of(engine, "Clara") == {}
    assert sums_of(engine, "Berta") == {("dlp_total_mgy_cm", BODY): 130.0}


def test_what_has_no_event_uid_is_kept_by_its_object_through_corrections(engine: Engine) -> None:
    exam = stored([replace(ct_report("r", {}), totals={"dlp_total_mgy_cm": 100.0})], 1, "P")
    other = stored([ct_report("s", {"1.9.2": 30.0})], 2, "Q")
    arrive(engine, [*exam, *other], Random(1))
    with transaction(engine) as connection:
        done = acts.move(connection, key(exam), exam[0].orthanc_instance_id, key(other), PERSON)
    assert dlp_of(engine, other[0].orthanc_study_id) == 130.0
    new = [made_of(exam[0], sop_instance_uid="1.8")]
    arrive(engine, new, Random(1))
    assert dlp_of(engine, other[0].orthanc_study_id) == 130.0
    assert dlp_of(engine, "N") is None
    with transaction(engine) as connection:
        acts.undo(connection, done.id, PERSON)
    assert (dlp_of(engine, other[0].orthanc_study_id), dlp_of(engine, "N")) == (30.0, 100.0)


def test_a_study_without_dose_gets_one_under_its_own_name(engine: Engine) -> None:
    from tests.index_support import write_study

    with engine.begin() as connection:
        write_study(connection, 5, study_instance_uid="1.2.5", patient_id="Emma", patient_name="Em^Ma")
    exam = stored([ct_report("r", {"1.9.1": 100.0})], 1, "Anna")
    arrive(engine, exam, Random(1))
    to = StudyKey(orthanc_study_id="study-00005", study_instance_uid="1.2.5")
    with transaction(engine) as connection:
        with pytest.raises(RequestConflict):
            acts.move(connection, key(exam), None, to, PERSON, name="merge")
        done = acts.move(connection, key(exam), None, to, PERSON)
    found = rows(engine)
    assert (found["study-00005"].patient_id, found["study-00005"].best_dlp_mgy_cm) == ("Emma", 100.0)
    assert found["Anna 1"].replaced_by == "study-00005"
    assert (sums_of(engine, "Anna"), sums_of(engine, "Emma")) == ({}, {("dlp_total_mgy_cm", BODY): 100.0})
    with transaction(engine) as connection:
        acts.undo(connection, done.id, PERSON)
    assert rows(engine).keys() == {"Anna 1"}


def test_what_cannot_be_decided_is_said(engine: Engine) -> None:
    exam = stored([ct_report("r", {"1.9.1": 100.0})], 1, "P")
    arrive(engine, exam, Random(1))
    unknown = StudyKey(orthanc_study_id="x", study_instance_uid="y")
    image = replace(ct_report("i", {"1.9.7": 1.0}), is_report=False)
    arrive(engine, stored([image], 1, "P"), Random(1))
    with transaction(engine) as connection:
        for error, decide in (
            (NotFound, lambda: acts.void(connection, key(exam), "nothing", PERSON)),
            (
                NotFound,
                lambda: acts.void(connection, unknown, None, PERSON),
            ),
            (RequestConflict, lambda: acts.move(connection, key(exam), None, key(exam), PERSON)),
            (NotFound, lambda: acts.move_to_patient(connection, key(exam), "nobody", None, PERSON)),
            (InvalidRequest, lambda: acts.count(connection, key(exam), "P 1 i", PERSON)),
            (NotFound, lambda: acts.undo(connection, 999, PERSON)),
        ):
            with pytest.raises(error):
                decide()
        done = acts.void(connection, key(exam), None, PERSON)
        undone = acts.undo(connection, done.id, PERSON)
        for one in (done, undone):
            with pytest.raises(RequestConflict):
                acts.undo(connection, one.id, PERSON)
        assert [one.undone_by for one in acts_of(connection, "P 1", kinds="dose.")] == [None, undone.id]


def test_the_database_keeps_what_was_decided(engine: Engine) -> None:
    exam = stored([ct_report("r", {"1.9.1": 100.0})], 1, "P")
    arrive(engine, exam, Random(1))
    with transaction(engine) as connection:
        acts.void(connection, key(exam), None, PERSON)
    for change in (act.update().values(reason="another"), act.delete()):
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(change)


def test_a_moved_event_is_listed_once_and_found_where_it_counts(engine: Engine) -> None:
    exam = stored([ct_report("r", {"1.9.1": 100.0}), ct_report("s", {"1.9.2": 300.0}, day=1)], 1, "P")
    other = stored([ct_report("t", {"1.9.3": 30.0})], 2, "Q")
    arrive(engine, [*exam, *other], Random(1))
    big = DoseStudyFilter(of_event={next(one for one in OF_EVENT if one.column == "dlp_mgy_cm"): Limits(250.0, 400.0)})
    for source, places in ((exam[1].orthanc_instance_id, "PQQ"), (None, "QQQ")):
        with transaction(engine) as connection:
            acts.move(connection, key(exam), source, key(other), PERSON)
            events = connection.execute(select_events(connection, DoseStudyFilter())).all()
            assert sorted((one.irradiation_event_uid, one.patient_id) for one in events) == [
                (f"1.9.{n}", place) for n, place in zip((1, 2, 3), places, strict=True)
            ]
            found = connection.execute(select_studies_with_dose(connection, big)).all()
            assert [one.patient_id for one in found if one.replaced_by is None] == ["Q"]


def test_a_decision_stands_on_every_exam_that_it_holds_for_and_is_taken_back_there(engine: Engine) -> None:
    exam = stored([ct_report("r", {"1.9.1": 100.0})], 1, "P")
    other = stored([ct_report("s", {"1.9.2": 30.0})], 2, "Q")
    arrive(engine, [*exam, *other], Random(1))
    with transaction(engine) as connection:
        done = acts.move(connection, key(exam), None, key(other), PERSON)
    new = [made_of(exam[0])]
    arrive(engine, new, Random(1))
    gone(engine, exam)
    with transaction(engine) as connection:
        for one in (exam, other, new):
            assert [act.id for act in acts.concerning(connection, key(one))] == [done.id]
        acts.undo(connection, done.id, PERSON)
        assert acts.concerning(connection, key(other)) == []
        assert len(acts.concerning(connection, key(exam))) == 2
    assert (dlp_of(engine, "Q 2"), dlp_of(engine, "N")) == (30.0, 100.0)


def test_what_is_so_already_is_not_decided_again(engine: Engine) -> None:
    exam = stored([ct_report("r", {"1.9.1": 100.0})], 1, "P")
    arrive(engine, exam, Random(1))
    source = exam[0].orthanc_instance_id
    with transaction(engine) as connection:
        with pytest.raises(RequestConflict):
            acts.move_to_patient(connection, key(exam), "P", None, PERSON)
        with pytest.raises(NotFound):
            acts.move_to_patient(connection, key(exam), "P", "nobody", PERSON)
        acts.count(connection, key(exam), source, PERSON)
        with pytest.raises(RequestConflict):
            acts.count(connection, key(exam), source, PERSON)
        acts.void(connection, key(exam), None, PERSON)
        with pytest.raises(RequestConflict):
            acts.void(connection, key(exam), source, PERSON)


def test_what_was_moved_already_is_not_moved_there_again(engine: Engine) -> None:
    exam = stored([ct_report("r", {"1.9.1": 100.0})], 1, "P")
    other = stored([ct_report("o", {"1.9.3": 30.0})], 2, "P")
    for one in (exam, other):
        arrive(engine, one, Random(1))
    with transaction(engine) as connection:
        moved = acts.move(connection, key(exam), None, key(other), PERSON)
        for name in ("move", "merge"):
            with pytest.raises(RequestConflict):
                acts.move(connection, key(exam), None, key(other), PERSON, name=name)
        acts.undo(connection, moved.id, PERSON)
        acts.move(connection, key(exam), None, key(other), PERSON)  # what was taken back is none
        acts.void(connection, key(exam), None, PERSON)
        acts.move(connection, key(exam), None, key(other), PERSON)  # and neither is what was overruled
    assert dlp_of(engine, "P 2") == 130.0


def test_of_a_chosen_report_and_a_fuller_one_the_chosen_one_is_all(engine: Engine) -> None:
    exam = stored([ct_report("few", {"1.9.1": 100.0}), ct_report("all", {"1.9.1": 90.0, "1.9.2": 50.0}, day=1)], 1, "P")
    arrive(engine, exam, Random(1))
    assert dlp_of(engine, "P 1") == 140.0
    with transaction(engine) as connection:
        acts.count(connection, key(exam), exam[0].orthanc_instance_id, PERSON)
    assert dlp_of(engine, "P 1") == 100.0
