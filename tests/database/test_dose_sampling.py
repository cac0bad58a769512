"""Which images of a series are read: the same few whatever happens meanwhile, each once, when the series is at rest."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import Engine

from tests.dose_builder import as_file, ct_dose_report
from tests.dose_image_builder import ct_image
from tests.dose_registry_support import Archive, Instance, index, note, read, states
from tests.works import dose_runner, latest_of
from treegarth.database.engine import connect, transaction
from treegarth.features.dose.registry.candidates import SAMPLED_SOURCES
from treegarth.features.dose.registry.service import (
    choose_samples,
    follow_deleted,
    next_series_due,
)
from treegarth.features.dose.registry.store import samples
from treegarth.features.dose.registry.store.queue import count_sources, count_waiting
from treegarth.features.dose.registry.store.reread_walk import start_reread
from treegarth.features.dose.registry.tables import dose_report, dose_sampling, dose_study, irradiation_event
from treegarth.features.dose.registry.works import REREADING

NOW = datetime(2024, 3, 1, 12, 0, tzinfo=UTC) + timedelta(days=36_500)
CT = sorted(SAMPLED_SOURCES)[1]


def images(*numbers: int, study: str = "1.2.3") -> list[Instance]:
    return [
        Instance(f"{study}i{n}", f"{study}.{n}", study_instance_uid=study, sop_class_uid=CT, modality="CT")
        for n in numbers
    ]


def arrive(engine: Engine, *instances: Instance) -> None:
    index(engine, *instances)
    note(engine, *instances)


def archive(*instances: Instance) -> Archive:
    return Archive(
        **{one.orthanc_instance_id: as_file(ct_image(one.sop_instance_uid, study_instance_uid=one.study_instance_uid))
           for one in instances}
    )  # fmt: skip


def test_an_arriving_series_is_marked_and_waited_for_but_none_of_its_images_is_noted(engine: Engine) -> None:
    arrive(engine, *images(3, 1, 2))
    assert states(engine) == {}
    with connect(engine) as connection:
        assert (count_waiting(connection), count_sources(connection).waiting) == (1, 1)
    assert choose_samples(engine, limit=5, clock=lambda: datetime.now(UTC)) == 0
    assert choose_samples(engine, limit=5, clock=lambda: datetime.now(UTC) + samples.REST) == 1
    assert states(engine) == {"1.2.3i1": "unread", "1.2.3i2": "unread"}
    assert next_series_due(engine) is None


def test_an_image_that_is_read_once_more_for_its_series_is_no_arrival(engine: Engine) -> None:
    arrive(engine, *(replace(one, is_known=True) for one in images(1, 2)))
    assert next_series_due(engine) is None


def test_each_arrival_puts_the_choice_off_but_not_for_ever(engine: Engine) -> None:
    def due_at_after(first_arrival: timedelta) -> timedelta:
        with transaction(engine) as connection:
            connection.execute(update(dose_sampling).values(first_at=datetime.now(UTC) - first_arrival))
        arrive(engine, *images(2))
        due_at = next_series_due(engine)
        assert due_at is not None
        return due_at - datetime.now(UTC)

    arrive(engine, *images(1))
    assert timedelta(seconds=2) < due_at_after(timedelta(seconds=10)) <= samples.REST
    assert due_at_after(samples.LONGEST_WAIT) < timedelta(0)


def test_each_chosen_image_is_read_once_whatever_is_indexed_again(engine: Engine) -> None:
    series = images(*range(1, 8))
    files = archive(*series)
    arrive(engine, *series[2:])
    read(engine, files, NOW)
    arrive(engine, *series)
    read(engine, files, NOW)
    note(engine, *series)
    read(engine, files, NOW)
    assert files.asked == ["1.2.3i3", "1.2.3i4", "1.2.3i1", "1.2.3i2"]
    assert states(engine) == {"1.2.3i1": "read", "1.2.3i2": "read"}


def test_a_displaced_image_leaves_the_dose_of_its_study(engine: Engine) -> None:
    first, second, third = images(1, 2, 3)
    arrive(engine, second, third)
    read(engine, archive(second, third), NOW)
    arrive(engine, first)
    choose_samples(engine, limit=1, clock=lambda: NOW)
    with connect(engine) as connection:
        assert connection.execute(select(dose_study.c.counted_report_ids)).scalar_one() == ["1.2.3i2"]


def test_a_series_that_was_deleted_before_it_was_chosen_leaves_nothing(engine: Engine) -> None:
    note(engine, *images(1, 2))
    assert choose_samples(engine, limit=5, clock=lambda: NOW) == 1
    assert states(engine) == {}


def test_several_workers_share_the_series_and_one_that_dies_leaves_its_own_to_others(engine: Engine) -> None:
    every = [image for number in range(12) for image in images(1, 2, 3, study=f"1.2.{number}")]
    arrive(engine, *every)

    def die() -> None:
        with transaction(engine) as connection:
            assert samples.choose_next(connection, NOW) is not None
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    assert states(engine) == {}
    with ThreadPoolExecutor(4) as workers:
        done = list(workers.map(lambda _: choose_samples(engine, limit=50, clock=lambda: NOW), range(4)))
    assert sum(done) == 12
    assert sorted(states(engine)) == sorted(
        one.orthanc_instance_id for one in every if not one.sop_instance_uid.endswith(".3")
    )


def test_an_image_that_arrives_while_its_series_is_chosen_from_is_not_missed(engine: Engine) -> None:
    first, second, third = images(1, 2, 3)
    arrive(engine, second, third)
    with transaction(engine) as connection:
        assert samples.choose_next(connection, NOW) is not None
        arriving = Thread(target=arrive, args=(engine, first))
        arriving.start()
        arriving.join(0.3)
        assert arriving.is_alive()
    arriving.join(10)
    choose_samples(engine, limit=5, clock=lambda: NOW)
    assert sorted(states(engine)) == ["1.2.3i1", "1.2.3i2"]


class TestASourceThatIsIndexedAgain:
    """A dose report, read, and then noted once more."""

    report = Instance("r", "1.2.3.9", received_at=datetime(2024, 3, 1, 12, 0, 0, 700_000, tzinfo=UTC))

    def state_after(self, engine: Engine, again: Instance) -> tuple[str, int]:
        note(engine, self.report)
        read(engine, Archive(r=as_file(ct_dose_report())), NOW)
        note(engine, again)
        with connect(engine) as connection:
            row = connection.execute(select(dose_report.c.state, dose_report.c.stored_count)).one()
        return row.state, row.stored_count

    def test_with_the_time_that_orthanc_says_it_is_left_as_it_is(self, engine: Engine) -> None:
        again = replace(self.report, received_at=self.report.received_at.replace(microsecond=0))
        assert self.state_after(engine, again) == ("read", 1)

    def test_with_the_same_content_it_is_left_as_it_is_whenever_it_was_stored(self, engine: Engine) -> None:
        self.report = replace(self.report, header_checksum=7)
        later = replace(self.report, received_at=self.report.received_at + timedelta(days=1))
        assert self.state_after(engine, later) == ("read", 1)

    def test_with_other_content_in_the_same_second_it_is_read_again(self, engine: Engine) -> None:
        self.report = replace(self.report, header_checksum=7)
        assert self.state_after(engine, replace(self.report, header_checksum=8)) == ("unread", 2)

    def test_as_an_object_of_another_kind_it_is_no_source_any_more(self, engine: Engine) -> None:
        """What was read of it goes, and its study has no dose."""
        picture = "1.2.840.10008.5.1.4.1.1.7.4"
        note(engine, self.report)
        read(engine, Archive(r=as_file(ct_dose_report())), NOW)
        with connect(engine) as connection:
            assert connection.execute(select(dose_study.c.orthanc_study_id)).scalars().all() == ["study 1.2.3"]
        note(engine, replace(self.report, sop_class_uid=picture, is_stored_again=True))
        with connect(engine) as connection:
            for table in (dose_report, irradiation_event, dose_study):
                assert connection.execute(select(table)).all() == []

    def test_of_another_size_it_is_read_again(self, engine: Engine) -> None:
        assert self.state_after(engine, replace(self.report, size_bytes=1001)) == ("unread", 2)

    def test_of_a_later_store_it_is_read_again(self, engine: Engine) -> None:
        later = self.report.received_at + timedelta(seconds=3)
        assert self.state_after(engine, replace(self.report, received_at=later)) == ("unread", 2)

    def test_after_it_was_deleted_it_is_read_again(self, engine: Engine) -> None:
        assert self.state_after(engine, self.report) == ("read", 1)
        with transaction(engine) as connection:
            follow_deleted(connection, ["r"], NOW)
        note(engine, self.report)
        assert states(engine) == {"r": "unread"}

    def test_of_which_an_older_version_noted_no_store_it_is_read_again(self, engine: Engine) -> None:
        note(engine, self.report)
        with transaction(engine) as connection:
            connection.execute(update(dose_report).values(received_at=None, state="read"))
        note(engine, self.report)
        assert states(engine) == {"r": "unread"}


def test_a_re_reading_reads_the_chosen_images_again_and_chooses_where_nothing_was_chosen(engine: Engine) -> None:
    chosen, never = images(1, 2, 3), images(1, 2, 3, study="1.2.4")
    arrive(engine, *chosen)
    index(engine, *never)
    files = archive(*chosen, *never)
    read(engine, files, NOW)
    files.asked.clear()
    with transaction(engine) as connection:
        start_reread(connection, None, NOW)
    dose_runner(engine, lambda: NOW).work()
    progress = latest_of(engine, REREADING)
    assert progress.counts == {"noted": 2}
    assert progress.waits_for == "all are noted; sources that wait to be read: 3"
    read(engine, files, NOW)
    dose_runner(engine, lambda: NOW + timedelta(minutes=1)).work()
    assert sorted(files.asked) == ["1.2.3i1", "1.2.3i2", "1.2.4i1", "1.2.4i2"]
    assert latest_of(engine, REREADING).state == "done"
