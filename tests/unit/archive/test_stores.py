"""What Orthanc's report of a store means: it may be of what Orthanc keeps, or of what it threw away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.bad_objects import ct_image, in_syntax
from treegarth.dicom.headers import orthanc_identifiers, read_header
from treegarth.features.archive.ingest.stores import (
    Verdict,
    header_checksum,
    is_same_time,
    is_store_of,
    is_stored_again,
    judge,
    latest_clear,
    says_nothing_new,
)
from treegarth.index.instances import IndexedInstance, KnownStore, Origin, StoredInstance

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DATA = in_syntax(ct_image(1))
OTHER = in_syntax(ct_image(1, PatientName=None))


def report(
    data: bytes | None = DATA, *, kept_since_s: float = 0, at: datetime = NOON, size: int = 5000
) -> StoredInstance:
    """What the plugin says at a time, of an object that Orthanc keeps since so many seconds."""
    return StoredInstance(
        orthanc_instance_id="i",
        data=data,
        size_bytes=size,
        received_at=(at - timedelta(seconds=kept_since_s)).replace(microsecond=0),
        origin=Origin(),
        reported_at=at,
    )


def indexed(data: bytes = DATA, *, received_at: datetime = NOON, size: int = 5000) -> IndexedInstance:
    header = read_header(data)
    found = orthanc_identifiers(header)
    return IndexedInstance(
        orthanc_patient_id=found.patient,
        orthanc_study_id=found.study,
        orthanc_series_id=found.series,
        orthanc_instance_id=found.instance,
        header=header,
        size_bytes=size,
        received_at=received_at,
        origin=Origin(),
        header_checksum=header_checksum(data),
    )


def known(data: bytes | None = DATA, *, received_at: datetime = NOON, size: int = 5000) -> KnownStore:
    checksum = None if data is None else header_checksum(data)
    return KnownStore(received_at=received_at, size_bytes=size, header_checksum=checksum)


class TestWhetherReportsAreClear:
    """Only what was stored just now, with its header, is taken as it was reported."""

    def test_one_of_a_new_object_is(self) -> None:
        assert latest_clear([report()]) == report()

    def test_one_without_its_header_is_not(self) -> None:
        assert latest_clear([report(None)]) is None

    def test_one_of_an_object_that_is_kept_for_longer_is_not(self) -> None:
        assert latest_clear([report(kept_since_s=3)]) is None

    def test_one_that_orthanc_never_had_a_time_for_is_not(self) -> None:
        assert latest_clear([replace(report(), reported_at=None)]) is None

    def test_several_of_the_same_are(self) -> None:
        later = report(at=NOON + timedelta(seconds=1))
        assert latest_clear([report(), later]) == later

    def test_several_that_differ_are_not(self) -> None:
        assert latest_clear([report(), report(OTHER)]) is None
        assert latest_clear([report(), report(size=5001)]) is None


class TestWhatAClearReportMeans:
    """Given what the index has of the instance."""

    def test_a_new_instance_is_written(self) -> None:
        assert judge(indexed(), None) is Verdict.WRITE

    def test_the_same_in_the_same_second_is_skipped(self) -> None:
        assert judge(indexed(), known()) is Verdict.SKIP

    @pytest.mark.parametrize("other", [known(OTHER), known(size=1), known(None)], ids=["header", "size", "unknown"])
    def test_another_in_the_same_second_is_asked_about(self, other: KnownStore) -> None:
        """Orthanc may have refused it, or overwritten what it had: a second tells nothing."""
        assert judge(indexed(), other) is Verdict.ASK

    def test_a_later_store_is_written_whatever_it_says(self) -> None:
        assert judge(indexed(), known(received_at=NOON - timedelta(seconds=1))) is Verdict.WRITE
        assert judge(indexed(), known(OTHER, received_at=NOON - timedelta(days=1))) is Verdict.WRITE

    def test_an_earlier_store_than_the_index_has_is_asked_about(self) -> None:
        """A clock was set back, or another process has written what came after it."""
        assert judge(indexed(), known(received_at=NOON + timedelta(seconds=1))) is Verdict.ASK


class TestWhatAnUnclearReportMeans:
    """Whether Orthanc need not be asked, for the index has what it keeps."""

    def test_a_duplicate_of_an_old_object_says_nothing_new_whatever_it_holds(self) -> None:
        kept = known(received_at=NOON - timedelta(days=3))
        for data in (DATA, OTHER, None):
            assert says_nothing_new(report(data, kept_since_s=3 * 86400), kept)

    def test_a_duplicate_after_some_seconds_says_nothing_new_where_it_is_the_same(self) -> None:
        kept = known(received_at=NOON - timedelta(seconds=5))
        assert says_nothing_new(report(kept_since_s=5), kept)
        assert not says_nothing_new(report(OTHER, kept_since_s=5), kept)
        assert not says_nothing_new(report(None, kept_since_s=5), kept)

    def test_an_object_that_the_index_lacks_or_has_of_another_store_is_asked_about(self) -> None:
        assert not says_nothing_new(report(kept_since_s=3600), None)
        assert not says_nothing_new(report(kept_since_s=3600), known(received_at=NOON))

    def test_what_an_older_version_wrote_by_its_own_clock_is_of_the_same_store(self) -> None:
        earlier = NOON - timedelta(hours=1)
        assert says_nothing_new(
            report(kept_since_s=3600), known(None, received_at=earlier.replace(microsecond=700_000))
        )


def test_times_of_whole_seconds_are_compared_exactly_others_by_two_seconds() -> None:
    by_clock = NOON.replace(microsecond=1)
    assert is_same_time(NOON, known(received_at=NOON))
    assert not is_same_time(NOON + timedelta(seconds=1), known(received_at=NOON))
    assert is_same_time(NOON - timedelta(seconds=1), known(received_at=by_clock))
    assert not is_same_time(NOON - timedelta(seconds=3), known(received_at=by_clock))


def test_a_store_is_another_one_by_its_time_or_its_size() -> None:
    assert is_store_of(report(None), known())
    assert not is_store_of(report(None, size=4999), known())
    assert not is_store_of(report(None, at=NOON + timedelta(seconds=1)), known())


def test_only_another_header_makes_an_object_stored_again() -> None:
    assert not is_stored_again(indexed(), None)
    assert not is_stored_again(indexed(received_at=NOON + timedelta(hours=1)), known())
    assert is_stored_again(indexed(OTHER), known())
    assert is_stored_again(
        indexed(), known(None, received_at=NOON - timedelta(hours=1))
    )  # of which nothing else is known
    assert not is_stored_again(indexed(), known(None))


def test_a_checksum_tells_every_byte_and_fits_into_a_bigint() -> None:
    found = {header_checksum(DATA[:place] + bytes([DATA[place] ^ 1]) + DATA[place + 1 :]) for place in range(len(DATA))}
    assert len(found) == len(DATA)
    assert all(-(2**63) <= one < 2**63 for one in found | {header_checksum(b""), header_checksum(b"\xff" * 10_000)})
