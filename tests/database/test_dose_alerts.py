"""Alerts fire once for each level and exam, or patient and window; what is no longer so says so, and stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text, update
from sqlalchemy.exc import DBAPIError

from tests.dose_alerts import (
    AUTHOR,
    DLP,
    MISSING,
    NOW,
    OUTLIER,
    REPEAT,
    SUM,
    TELLING,
    again,
    arrive,
    change_study,
    correct,
    counts_nowhere,
    ct,
    found,
    level,
    look,
    told,
)
from tests.dose_statistics import MadeExam, keep, name_of_exams
from treegarth.documents.store import Author
from treegarth.errors import RequestConflict
from treegarth.features.dose.alerts.service import look_at, look_at_due, sweep_missing
from treegarth.features.dose.alerts.store.alerts import exams_of, history_of
from treegarth.features.dose.alerts.store.due import note_changed, take_due
from treegarth.features.dose.alerts.store.levels import LEVELS, swept_at
from treegarth.features.dose.analysis.names.store.name_documents import STANDARD_NAMES
from treegarth.features.dose.analysis.tables import exam_dose
from treegarth.features.dose.registry.tables import dose_report, dose_undecided
from treegarth.features.rules.tables import notification

DAY = date(2026, 11, 1)


def days(count: int) -> date:
    return DAY + timedelta(days=count)


def history(engine: Engine, alert_id: int) -> list[str]:
    with engine.connect() as connection:
        return [one.act for one in reversed(history_of(connection, alert_id))]


def edit(engine: Engine, level_id: int, **changed: Any) -> None:
    with engine.begin() as connection:
        stored = LEVELS.read(connection, level_id)
        LEVELS.edit(connection, level_id, {**stored.document, **changed}, AUTHOR, since=None)
    look(engine)


# ---- one exam ----


def test_an_exam_above_a_level_makes_one_alert_and_one_at_the_limit_none(engine: Engine) -> None:
    number = level(engine, DLP)
    high = ct(1000.1)
    arrive(engine, high, ct(1000.0))
    (alert,) = found(engine)
    assert (alert.level_id, alert.kind, alert.orthanc_study_id) == (number, "exam", high.orthanc_study_id)
    assert (alert.value, alert.limit_value, alert.unit, alert.state) == (1000.1, 1000, "mGy·cm", "open")
    assert told(engine) == 1
    again(engine, high)
    assert len(found(engine)) == 1
    assert told(engine) == 1
    assert history(engine, alert.id) == ["fired"]


def test_a_limit_is_in_the_unit_that_is_shown(engine: Engine) -> None:
    level(engine, {"kind": "exam", "quantity": "dose_area_product_gy_m2", "above": 123})
    at = MadeExam(modality="XA", doses={"dose_area_product_gy_m2": 0.0123})
    above = MadeExam(modality="XA", doses={"dose_area_product_gy_m2": 0.01231})
    arrive(engine, at, above)
    (alert,) = found(engine)
    assert (alert.orthanc_study_id, alert.value, alert.unit) == (above.orthanc_study_id, 123.1, "Gy·cm²")


def test_a_level_is_of_a_modality_a_standard_name_and_ages(engine: Engine) -> None:
    level(engine, DLP, age_from=0, age_to=16, modality="CT")
    young, grown = ct(2000, age=15.9), ct(2000, age=16.0)
    arrive(engine, young, grown, ct(2000, age=None))
    assert [one.orthanc_study_id for one in found(engine)] == [young.orthanc_study_id]
    level(engine, DLP, name="standard", standard_name="ct CHEST")
    look(engine)
    assert len(found(engine)) == 1


def test_an_exam_of_before_the_first_day_makes_none(engine: Engine) -> None:
    level(engine, DLP, exams_from=str(DAY))
    arrive(engine, ct(2000, days(-1)))
    assert found(engine) == []
    arrive(engine, ct(2000, DAY))
    assert len(found(engine)) == 1


def test_a_level_without_a_day_is_of_exams_since_it_was_switched_on(engine: Engine) -> None:
    with engine.begin() as connection:
        made = LEVELS.create(connection, {"name": "today", **DLP}, AUTHOR)
    arrive(engine, ct(2000, NOW.date() - timedelta(days=1)))
    assert found(engine) == []
    arrive(engine, ct(2000, NOW.date()))
    assert len(found(engine)) == 1
    with engine.begin() as connection:
        LEVELS.switch(connection, made.id, AUTHOR, is_on=False)
    arrive(engine, ct(2000, NOW.date()))
    assert len(found(engine)) == 1


def test_what_no_patient_is_given_makes_no_alert_and_another_doubt_is_said(engine: Engine) -> None:
    level(engine, DLP)
    broken, differing = ct(9e6), ct(2000, doubted=("dlp_mgy_cm",))
    with engine.begin() as connection:
        keep(connection, [broken, differing])
        change_study(connection, broken, doubts=["dlp_mgy_cm:implausible"])
        note_changed(connection, [broken.orthanc_study_id, differing.orthanc_study_id])
    look(engine)
    (alert,) = found(engine)
    assert alert.orthanc_study_id == differing.orthanc_study_id
    assert alert.is_doubted


def test_a_dose_that_is_corrected_ends_the_alert_and_comes_back_without_telling_again(engine: Engine) -> None:
    level(engine, DLP)
    exam = ct(2000)
    arrive(engine, exam)
    correct(engine, exam, 900)
    (alert,) = found(engine)
    assert (alert.state, alert.holds) == ("ended", False)
    with engine.connect() as connection:
        assert connection.execute(select(notification.c.state)).scalar_one() == "sent"  # nothing new at the bell
    correct(engine, exam, 3000)
    (alert,) = found(engine)
    assert (alert.state, alert.value) == ("open", 3000)
    assert told(engine) == 1
    assert history(engine, alert.id) == ["fired", "ended", "again"]


@pytest.mark.parametrize("gone", [{"is_void": True}, {"not_patient": "phantom"}, {"replaced_by": "elsewhere"}])
def test_an_exam_that_counts_no_more_ends_its_alert(engine: Engine, gone: dict[str, Any]) -> None:
    level(engine, DLP)
    exam = ct(2000)
    arrive(engine, exam)
    with engine.begin() as connection:
        counts_nowhere(connection, exam, **gone)
    look(engine)
    assert [one.state for one in found(engine)] == ["ended"]


def test_an_exam_whose_patient_id_was_corrected_keeps_its_alert(engine: Engine) -> None:
    """Orthanc makes another study of it; the dose counts there."""
    level(engine, DLP)
    before, after = ct(2000), ct(2000)
    arrive(engine, before)
    with engine.begin() as connection:
        keep(connection, [after])
        counts_nowhere(connection, before, replaced_by=after.orthanc_study_id)
        note_changed(connection, [after.orthanc_study_id])
    look(engine)
    (alert,) = found(engine)
    assert (alert.orthanc_study_id, alert.state) == (after.orthanc_study_id, "open")
    assert told(engine) == 1
    assert "moved" in history(engine, alert.id)


def share_an_object(connection: Connection, *orthanc_study_ids: str) -> None:
    for one in orthanc_study_ids:
        same = {"sop_instance_uid": "1.2.3", "study_instance_uid": "1.2", "orthanc_series_id": "series"}
        which = {"orthanc_instance_id": f"of {one}", "orthanc_study_id": one, "sop_class_uid": "1.2.840"}
        connection.execute(dose_report.insert().values(**same, **which, state="read"))


def test_an_exam_is_not_looked_at_while_one_that_shares_something_is_decided(engine: Engine) -> None:
    level(engine, DLP)
    exam, alone = ct(2000), ct(3000)
    with engine.begin() as connection:
        share_an_object(connection, exam.orthanc_study_id, "other")
        connection.execute(dose_undecided.insert().values(orthanc_study_id="other"))
    arrive(engine, exam, alone)
    assert [one.orthanc_study_id for one in found(engine)] == [alone.orthanc_study_id]
    with engine.begin() as connection:
        connection.execute(dose_undecided.delete())
    look(engine)
    assert len(found(engine)) == 2


def test_an_exam_that_is_changed_while_it_waits_is_looked_at_as_it_is_then(engine: Engine) -> None:
    level(engine, DLP)
    exam = ct(900)
    with engine.begin() as connection:
        keep(connection, [exam])
        note_changed(connection, [exam.orthanc_study_id])
    with engine.begin() as deciding:
        rows = exam_dose.c.orthanc_study_id == exam.orthanc_study_id
        deciding.execute(update(exam_dose).where(rows, exam_dose.c.quantity == "dlp_mgy_cm").values(value=2000))
        note_changed(deciding, [exam.orthanc_study_id])
        look(engine)
    look(engine)
    assert [one.value for one in found(engine)] == [2000]


def test_a_level_that_is_set_while_exams_are_looked_at_waits_and_sees_them_again(engine: Engine) -> None:
    level(engine, DLP, above=5000)
    exam = ct(2000)
    with engine.begin() as connection:
        keep(connection, [exam])
        note_changed(connection, [exam.orthanc_study_id])
    with ThreadPoolExecutor(1) as another:
        with engine.begin() as looking:
            LEVELS.hold(looking)
            (taken,) = take_due(looking, NOW, limit=1)
            setting = another.submit(level, engine, DLP, name="lower")
            with pytest.raises(TimeoutError):
                setting.result(timeout=0.3)
            look_at(looking, [taken], TELLING, NOW)
        lower = setting.result(timeout=120)
    look(engine)
    assert [one.level_id for one in found(engine)] == [lower]


def test_what_changes_is_looked_at_before_what_a_level_asks_for(engine: Engine) -> None:
    old, new = ct(2000), ct(2000)
    with engine.begin() as connection:
        keep(connection, [old, new])
    level(engine, DLP)
    with engine.begin() as connection:
        note_changed(connection, [new.orthanc_study_id])
    assert look_at_due(engine, TELLING, lambda: NOW, limit=1) == 1
    assert [one.orthanc_study_id for one in found(engine)] == [new.orthanc_study_id]
    look(engine)
    assert len(found(engine)) == 2


def test_a_level_that_is_set_makes_no_alerts_of_what_lay_there_without_a_day(engine: Engine) -> None:
    with engine.begin() as connection:
        keep(connection, [MadeExam(doses={"dlp_mgy_cm": 2000}, study_date=None), ct(2000)])
    level(engine, DLP)
    look(engine)
    assert len(found(engine)) == 1


def test_an_exam_that_is_named_later_makes_the_alert_of_a_level_of_its_name(engine: Engine) -> None:
    level(engine, DLP, standard_name="CT chest")
    arrive(engine, ct(2000), ct(2000, name="Head"))
    assert found(engine) == []
    rules = [{"study_description": "Chest"}]
    with engine.begin() as connection:
        STANDARD_NAMES.create(connection, {"name": "CT chest", "modality": "CT", "rules": rules}, AUTHOR)
    look(engine)
    assert len(found(engine)) == 1


@pytest.mark.parametrize("changed", [{"quantity": "ctdi_vol_max_mgy"}, {"kind": "outlier", "percentile": 95}])
def test_a_level_keeps_its_kind_and_its_quantity(engine: Engine, changed: dict[str, Any]) -> None:
    number = level(engine, DLP)
    with pytest.raises(RequestConflict, match="Set another level"):
        edit(engine, number, **changed)


def test_a_first_day_that_a_level_no_longer_says_holds_no_more(engine: Engine) -> None:
    number = level(engine, DLP, exams_from="2026-01-01")
    with engine.begin() as connection:
        kept = LEVELS.read(connection, number).document
        said = {key: value for key, value in kept.items() if key != "exams_from"}
        assert LEVELS.edit(connection, number, said, AUTHOR, since=None).exams_from == NOW.date()
        later = Author(name=None, now=NOW + timedelta(days=3))
        renamed = LEVELS.edit(connection, number, {**said, "name": "other"}, later, since=None)
        assert renamed.exams_from == NOW.date()


def test_an_alert_that_goes_on_as_another_exams_is_not_ended_by_who_read_it_before(engine: Engine) -> None:
    number = level(engine, DLP)
    before, after = ct(2000), ct(2000)
    arrive(engine, before)
    with engine.begin() as connection:
        keep(connection, [after])
        counts_nowhere(connection, before, replaced_by=after.orthanc_study_id)
    with ThreadPoolExecutor(1) as another:
        with engine.begin() as first:
            look_at(first, [after.orthanc_study_id], TELLING, NOW)
            second = another.submit(look, engine)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)
        second.result(timeout=120)
    (alert,) = found(engine, level_id=number)
    assert (alert.orthanc_study_id, alert.state) == (after.orthanc_study_id, "open")
    assert "ended" not in history(engine, alert.id)


def test_one_level_that_fails_leaves_the_other_levels_of_missing_dose(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from treegarth.features.dose.alerts import service

    broken, fine = level(engine, MISSING, name="broken"), level(engine, MISSING, name="fine")
    sweep = service._sweep

    def fails(work: Any) -> None:
        if work.level.id == broken:
            raise ValueError("broken")
        sweep(work)

    monkeypatch.setattr(service, "_sweep", fails)
    sweep_missing(engine, TELLING, NOW)
    with engine.connect() as connection:
        assert [swept_at(connection, one) for one in (broken, fine)] == [None, NOW]


def test_a_new_version_of_a_level_does_not_fire_again(engine: Engine) -> None:
    number = level(engine, DLP)
    exam, lower = ct(2000), ct(800)
    arrive(engine, exam, lower)
    edit(engine, number, reason="in other words", name="high DLP")
    assert len(found(engine)) == 1
    assert found(engine)[0].level_name == "high DLP"
    edit(engine, number, above=700)
    assert [one.orthanc_study_id for one in found(engine)] == [exam.orthanc_study_id, lower.orthanc_study_id]
    assert told(engine) == 2
    edit(engine, number, above=1500)
    assert [one.state for one in found(engine)] == ["open", "ended"]


def test_a_level_that_was_removed_still_ends_what_is_no_longer_so(engine: Engine) -> None:
    number = level(engine, DLP)
    exam = ct(2000)
    arrive(engine, exam)
    with engine.begin() as connection:
        LEVELS.remove(connection, number, AUTHOR)
    arrive(engine, ct(5000))
    assert [one.state for one in found(engine)] == ["open"]
    correct(engine, exam, 10)
    assert [one.state for one in found(engine)] == ["ended"]


def test_two_workers_at_once_make_one_alert(engine: Engine) -> None:
    level(engine, DLP)
    level(engine, SUM)
    exams = [ct(2000, patient_id="P1") for _ in range(20)]
    with engine.begin() as connection:
        keep(connection, exams)
        note_changed(connection, [one.orthanc_study_id for one in exams])
    with ThreadPoolExecutor(4) as workers:
        jobs = [workers.submit(look_at_due, engine, TELLING, lambda: NOW, limit=3) for _ in range(16)]
        assert sum(one.result() for one in jobs) == 20
    assert len(found(engine, kind="exam")) == 20
    assert len(found(engine, kind="cumulative")) == 1
    assert told(engine) == 21


def test_an_exam_that_cannot_be_looked_at_waits_and_holds_up_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from treegarth.features.dose.alerts import service

    level(engine, DLP)
    broken, fine = ct(2000), ct(3000)
    look_at = service.look_at

    def fails(connection: Any, ids: list[str], *rest: Any) -> None:
        if broken.orthanc_study_id in ids:
            raise ValueError("broken")
        look_at(connection, ids, *rest)

    monkeypatch.setattr(service, "look_at", fails)
    arrive(engine, broken, fine)
    assert [one.orthanc_study_id for one in found(engine)] == [fine.orthanc_study_id]
    monkeypatch.setattr(service, "look_at", look_at)
    assert look_at_due(engine, TELLING, lambda: NOW) == 0
    assert look_at_due(engine, TELLING, lambda: NOW + timedelta(minutes=1)) == 1
    assert len(found(engine)) == 2


def test_what_was_done_about_an_alert_cannot_be_changed(engine: Engine) -> None:
    level(engine, DLP)
    arrive(engine, ct(2000))
    for statement in ("UPDATE dose_alert_history SET reason = 'x'", "DELETE FROM dose_alert_history"):
        with pytest.raises(DBAPIError, match="is kept"), engine.begin() as connection:
            connection.execute(text(statement))


# ---- sums of a patient ----


def test_the_sum_of_a_window_counts_its_first_and_its_last_day(engine: Engine) -> None:
    level(engine, SUM)
    arrive(engine, ct(600, DAY, patient_id="edge"), ct(600, days(29), patient_id="edge"))
    (alert,) = found(engine)
    assert (alert.value, alert.exam_count, alert.details) == (1200, 2, {"window_days": 30})
    arrive(engine, ct(600, DAY, patient_id="apart"), ct(600, days(30), patient_id="apart"))
    assert len(found(engine)) == 1


def test_a_patient_is_told_of_once_in_a_window_and_again_in_the_next(engine: Engine) -> None:
    level(engine, SUM, exams_from="2026-01-01")
    first, second = ct(600, DAY, patient_id="P"), ct(600, days(1), patient_id="P")
    arrive(engine, first, second)
    third = ct(300, days(2), patient_id="P")
    arrive(engine, third)
    again(engine, first, second, third)
    (alert,) = found(engine)
    assert (alert.value, alert.exam_count, alert.orthanc_study_id) == (1500, 3, second.orthanc_study_id)
    assert told(engine) == 1
    arrive(engine, ct(1100, days(40), patient_id="P"))
    assert [one.value for one in found(engine)] == [1500, 1100]
    assert told(engine) == 2


def test_an_earlier_exam_that_comes_late_makes_no_second_alert(engine: Engine) -> None:
    level(engine, SUM)
    arrive(engine, ct(600, days(5), patient_id="P"), ct(600, days(6), patient_id="P"))
    arrive(engine, ct(600, days(1), patient_id="P"))
    (alert,) = found(engine)
    assert (alert.value, told(engine)) == (1800, 1)


def test_sums_are_of_one_patient_and_issuer(engine: Engine) -> None:
    level(engine, SUM)
    one, other = ct(600, patient_id="P"), ct(600, patient_id="P")
    with engine.begin() as connection:
        keep(connection, [one, other])
        change_study(connection, other, issuer_of_patient_id="another hospital")
        note_changed(connection, [one.orthanc_study_id, other.orthanc_study_id])
    look(engine)
    assert found(engine) == []


def test_an_exam_that_is_moved_to_another_patient_ends_one_sum_and_makes_another(engine: Engine) -> None:
    level(engine, SUM)
    exams = [ct(600, days(n), patient_id="A") for n in range(2)]
    arrive(engine, *exams, ct(600, days(1), patient_id="B"))
    (alert,) = found(engine)
    with engine.begin() as connection:
        change_study(connection, exams[1], patient_id="B")
        note_changed(connection, [exams[1].orthanc_study_id])
    look(engine)
    of_a, of_b = found(engine)
    assert (of_a.id, of_a.state, of_b.state, of_b.value) == (alert.id, "ended", "open", 1200)
    assert told(engine) == 2


def test_the_alert_of_a_patient_goes_on_after_a_merge(engine: Engine) -> None:
    level(engine, SUM)
    exams = [ct(600, days(n), patient_id="A") for n in range(2)]
    arrive(engine, *exams)
    with engine.begin() as connection:
        for exam in exams:
            change_study(connection, exam, patient_id="B")
        note_changed(connection, [one.orthanc_study_id for one in exams])
    look(engine)
    (alert,) = found(engine)
    assert (alert.state, alert.value, told(engine)) == ("open", 1200, 1)
    assert history(engine, alert.id) == ["fired", "moved"]


def test_the_alert_of_a_patient_goes_on_where_orthanc_made_other_studies_of_the_exams(engine: Engine) -> None:
    level(engine, SUM)
    before = [ct(600, days(n), patient_id="A") for n in range(2)]
    arrive(engine, *before)
    for old in before:  # one after the other, as Orthanc does it: in between the sum is below the level
        new = ct(600, old.study_date or DAY, patient_id="B")
        with engine.begin() as connection:
            keep(connection, [new])
            counts_nowhere(connection, old, replaced_by=new.orthanc_study_id)
            note_changed(connection, [new.orthanc_study_id])
        look(engine)
    (alert,) = found(engine)
    assert (alert.state, alert.value, told(engine)) == ("open", 1200, 1)
    with engine.connect() as connection:
        now = {one.orthanc_study_id for one in exams_of(connection, alert.id)}
    assert not now & {one.orthanc_study_id for one in before}


def test_an_alert_that_goes_on_as_another_patients_is_not_ended(engine: Engine) -> None:
    """One exam of two is another patient's: the alert is about the exam that made it."""
    level(engine, SUM)
    first, second = (ct(600, days(n), patient_id="A") for n in range(2))
    arrive(engine, first, second)
    new = ct(600, days(1), patient_id="B")
    with engine.begin() as connection:
        keep(connection, [new, ct(600, DAY, patient_id="B")])
        counts_nowhere(connection, second, replaced_by=new.orthanc_study_id)
        note_changed(connection, [new.orthanc_study_id])
    look(engine)
    (alert,) = found(engine)
    assert (alert.orthanc_study_id, alert.state, alert.value) == (new.orthanc_study_id, "open", 1200)
    assert history(engine, alert.id) == ["fired", "moved"]


# ---- repeats ----


def test_repeats_are_exams_of_one_name_within_some_hours(engine: Engine) -> None:
    level(engine, REPEAT)
    arrive(
        engine,
        ct(1, DAY, patient_id="P", study_time=time(9)),
        ct(1, days(1), patient_id="P", study_time=time(9)),
        ct(1, days(1), patient_id="P", study_time=time(9), name="Head"),
        ct(1, DAY, patient_id="Q", study_time=time(9)),
        ct(1, days(1), patient_id="Q", study_time=time(9, 1)),
        ct(1, DAY, patient_id="R", study_time=None),
        ct(1, DAY, patient_id="R", study_time=None),
    )
    (alert,) = found(engine)
    assert (alert.value, alert.limit_value, alert.grouped_by) == (2, 2, "CT Chest")
    arrive(engine, ct(1, days(1), patient_id="P", study_time=time(9, 30)))
    assert [one.value for one in found(engine)] == [2]
    assert told(engine) == 1


def test_repeats_of_two_modalities_that_begin_at_one_exam_are_two_alerts(engine: Engine) -> None:
    level(engine, REPEAT)
    both = [ct(1, DAY, patient_id="P", study_time=time(hour)) for hour in (9, 10)]
    arrive(engine, *both)
    with engine.begin() as connection:
        pet = name_of_exams(connection, "Chest", "PT")
        rows = select(exam_dose).where(exam_dose.c.quantity == "irradiation_event_count")
        for row in connection.execute(rows).mappings().all():
            connection.execute(exam_dose.insert().values(**{**row, "modality": "PT", "exam_name_id": pet}))
    again(engine, *both)
    assert [(one.grouped_by, one.state) for one in found(engine)] == [("CT Chest", "open"), ("PT Chest", "open")]


# ---- outliers ----


def test_an_outlier_is_above_the_fence_of_its_name(engine: Engine) -> None:
    """Of 100, 110, 120, 130, 140 the quartiles are 110 and 130: the fence is 130 + 1.5 times 20. With 160 they are
    112.5 and 137.5: it is 175."""
    level(engine, OUTLIER)
    arrive(engine, *(ct(dlp, DAY) for dlp in (100, 110, 120, 130, 140)))
    at, above = ct(160, days(1)), ct(175.1, days(2))
    arrive(engine, at)
    assert found(engine) == []
    arrive(engine, above, ct(500, days(2), name="Head"))
    (alert,) = found(engine)
    assert alert.orthanc_study_id == above.orthanc_study_id
    assert (alert.details["others"], alert.limit_value) == (6, 175)
    arrive(engine, *(ct(1000, days(1)) for _ in range(10)))
    again(engine, above)
    assert [one.limit_value for one in found(engine) if one.id == alert.id] == [175]
    assert [one.state for one in found(engine) if one.id == alert.id] == ["open"]


def test_there_is_no_fence_where_half_of_the_others_are_equal(engine: Engine) -> None:
    """Of 100, 100, 100, 100, 110 the quartiles are both 100: every other dose would be above whatever the factor."""
    level(engine, OUTLIER)
    arrive(engine, *(ct(dlp, DAY) for dlp in (100, 100, 100, 100, 110)))
    arrive(engine, ct(160, days(1)))
    assert found(engine) == []


def test_an_outlier_whose_patient_id_was_corrected_stays_at_the_bell(engine: Engine) -> None:
    level(engine, OUTLIER)
    arrive(engine, *(ct(dlp, DAY) for dlp in (100, 110, 120, 130, 140)))
    before, after = ct(500, days(1)), ct(500, days(1))
    arrive(engine, before)
    with engine.begin() as connection:
        keep(connection, [after])
        counts_nowhere(connection, before, replaced_by=after.orthanc_study_id)
        note_changed(connection, [after.orthanc_study_id])
    look(engine)
    (alert,) = found(engine)
    assert (alert.orthanc_study_id, alert.state) == (after.orthanc_study_id, "open")
    assert history(engine, alert.id) == ["fired", "moved"]


def test_an_outlier_by_percentile_is_compared_with_others_of_its_phantom_without_doubts(engine: Engine) -> None:
    level(engine, {**OUTLIER, "percentile": 90, "iqr_factor": None})
    arrive(engine, *(ct(dlp, DAY) for dlp in (10, 20, 30, 40, 50)))
    arrive(engine, *(ct(1e4, DAY, phantom="head") for _ in range(3)), ct(1e5, DAY, doubted=("dlp_mgy_cm",)))
    before = len(found(engine))
    arrive(engine, ct(46, days(1)))
    assert len(found(engine)) == before
    arrive(engine, ct(48.1, days(1)))
    (alert,) = found(engine)[before:]
    assert (alert.value, alert.limit_value) == (48.1, pytest.approx(48))


def test_a_window_reaches_back_no_further_than_the_calendar(engine: Engine) -> None:
    level(engine, SUM, window_days=36_500)
    arrive(engine, ct(600, date(1, 1, 2), patient_id="P"), ct(600, patient_id="P"))
    assert found(engine) == []
    arrive(engine, ct(600, days(1), patient_id="P"))
    assert [one.value for one in found(engine)] == [1200]
