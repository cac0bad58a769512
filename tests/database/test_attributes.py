"""Which object speaks for a series, a study and a patient; what follows when it is stored again, or goes."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from pydicom.dataset import Dataset
from sqlalchemy import Engine, Table, event, null, select, update

from tests.bad_objects import ct_image, in_syntax
from tests.index_support import search_studies
from treegarth.assembly import FEATURES
from treegarth.database.engine import transaction
from treegarth.dicom.headers import orthanc_identifiers, read_header
from treegarth.features.archive.ingest import batch
from treegarth.features.archive.ingest.batch import BatchWriter
from treegarth.features.archive.ingest.stores import header_checksum
from treegarth.features.archive.search_model import StudyFilter
from treegarth.features.archive.store import removal, stale_series
from treegarth.index import parents
from treegarth.index.follower import IndexFollower
from treegarth.index.instances import IndexedInstance, Level, Origin, StoredInstance
from treegarth.index.tables import instance, patient, series, study
from treegarth.orthanc.client import OrthancAddress, OrthancClient

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_SECONDS = count(1)
LEFT_OUT = {"indexed_at", "content_since", "first_received_at"}


class NobodyWaits:
    """Hints that reach no worker."""

    def announce(self, task: str, **_: Any) -> None:
        """There is none."""


def writer(engine: Engine) -> BatchWriter:
    """A writer whose Orthanc does not answer: who asks it, fails."""
    return BatchWriter(
        engine=engine,
        orthanc=OrthancClient(OrthancAddress(url="http://127.0.0.1:9"), pause_s=0),
        followers=[one.follower(NobodyWaits()) for one in FEATURES if one.follower is not None],
        clock=lambda: NOON,
    )


def image(series_number: int = 1, number: int = 1, *, study_number: int = 1, **values: Any) -> Dataset:
    """A CT image of patient 1; `values` by keyword."""
    made = ct_image(study_number, PatientID="P1")
    made.SeriesInstanceUID = f"{made.StudyInstanceUID}.{series_number}"
    made.SOPInstanceUID = f"{made.SeriesInstanceUID}.{number}"
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def stored(dataset: Dataset, *, at: datetime | None = None) -> StoredInstance:
    """As the plugin reports it: each a second after the one before, unless it says when."""
    data = in_syntax(dataset)
    received_at = at or NOON + timedelta(seconds=next(_SECONDS))
    return StoredInstance(
        orthanc_instance_id=identifier(dataset),
        data=data,
        size_bytes=len(data),
        received_at=received_at,
        origin=Origin(kind=2, remote_ae_title="CT1"),
        reported_at=received_at,
    )


def identifier(dataset: Dataset, level: str = "instance") -> str:
    return str(getattr(orthanc_identifiers(read_header(in_syntax(dataset))), level))


def rows(engine: Engine, table: Table) -> dict[str, dict[str, Any]]:
    with engine.connect() as connection:
        found = [row._asdict() for row in connection.execute(select(table))]
    (key,) = table.primary_key.columns.keys()
    return {row[key]: {name: value for name, value in row.items() if name not in LEFT_OUT} for row in found}


def only(engine: Engine, table: Table) -> dict[str, Any]:
    (row,) = rows(engine, table).values()
    return row


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Those that are executed meanwhile."""
    found: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def by_identifier(*datasets: Dataset) -> list[Dataset]:
    return sorted(datasets, key=identifier)


def test_a_batch_of_new_objects_costs_thirteen_statements_and_no_request(engine: Engine) -> None:
    write = writer(engine).write_new
    write([stored(image(9))])  # what is prepared at first
    for numbers in (range(1, 40), range(40, 90)):
        with statements(engine) as found:
            write([stored(image(number % 3, number)) for number in numbers])
        assert len(found) == 13, found  # one of them asks for what the site says of character sets
    assert only(engine, study)["instance_count"] == 90


def test_what_orthanc_reports_again_costs_no_request_and_changes_nothing(engine: Engine) -> None:
    write = writer(engine).write_new
    objects = [stored(image(1, number)) for number in range(5)]
    write([*objects, *objects])
    before = [rows(engine, table) for table in (patient, study, series, instance)]
    other = [stored(image(1, number, PatientName="Else")) for number in range(5)]
    for again in (objects, other):
        for later_s in (0, 1, 5, 3600):
            if again is other and later_s < 3600:
                continue  # whether Orthanc refused it within seconds, only Orthanc knows
            write(
                [
                    StoredInstance(
                        orthanc_instance_id=kept.orthanc_instance_id,
                        data=one.data,
                        size_bytes=one.size_bytes,
                        received_at=kept.received_at,
                        origin=one.origin,
                        reported_at=kept.received_at + timedelta(seconds=later_s),
                    )
                    for one, kept in zip(again, objects, strict=True)
                ]
            )
    assert [rows(engine, table) for table in (patient, study, series, instance)] == before


def test_in_whatever_order_and_batches_objects_arrive_the_index_is_the_same(engine: Engine) -> None:
    chance = random.Random(5)
    values = {
        "StudyDescription": ("A", "B", None),
        "PatientName": ("One", "Two", None),
        "StudyDate": ("20260101", "20260202", None),
        "SeriesDescription": ("S", "T", None),
        "Modality": ("CT", "MR"),
        "BodyPartExamined": ("CHEST", None),
    }
    objects = [
        stored(
            image(one, number, study_number=which, **{word: chance.choice(some) for word, some in values.items()}),
        )
        for which in (1, 2)
        for one in (1, 2, 3)
        for number in range(4)
    ]
    seen = []
    for _ in range(15):
        chance.shuffle(objects)
        rest = list(objects)
        while rest:
            size = chance.randint(1, len(rest))
            writer(engine).write_new(rest[:size])
            rest = rest[size:]
        seen.append([rows(engine, table) for table in (patient, study, series, instance)])
        with transaction(engine) as connection:
            removed = removal.remove(connection, Level.PATIENT, [identifier(image(), "patient")])
            removal.remove_empty(connection, removed)
    assert len(seen[0][3]) == 24
    assert all(one == seen[0] for one in seen)


def test_a_series_says_what_its_first_object_says_and_nothing_of_others(engine: Engine) -> None:
    first, second = by_identifier(image(1, 1), image(1, 2))
    first.SeriesDescription, second.SeriesDescription = None, "of the second"
    first.StationName, second.StationName = "of the first", None
    for order in ([first, second], [second, first]):
        for one in order:
            writer(engine).write_new([stored(one)])
        row = only(engine, series)
        assert (row["series_description"], row["station_name"]) == (None, "of the first")
        assert row["header_orthanc_instance_id"] == identifier(first)
        assert row["header"]["00081010"] == {"vr": "SH", "Value": ["of the first"]}


@pytest.mark.parametrize("emptied", ["", None])
def test_what_an_object_stored_again_does_not_say_any_more_leaves_every_level(
    engine: Engine, emptied: str | None
) -> None:
    named = image(PatientName="Doe^Jane", StudyDescription="Head", SeriesDescription="Axial")
    writer(engine).write_new([stored(named)])
    again = image(StudyDescription=emptied, SeriesDescription=emptied)
    again.PatientName = emptied
    if emptied is None:
        del again.PatientName, again.StudyDescription, again.SeriesDescription
    writer(engine).write_new([stored(again)])
    for table in (patient, study):
        assert only(engine, table)["patient_name"] is None
    row = only(engine, series)
    assert (row["series_description"], row["study_attributes"]["study_description"]) == (None, None)
    assert "Doe" not in str(row["header"])
    assert only(engine, study)["study_description"] is None
    with engine.connect() as connection:
        assert search_studies(connection, StudyFilter(text="doe")).items == []
        assert search_studies(connection, StudyFilter(text="head")).items == []


def test_a_study_has_what_any_of_its_series_says_the_first_of_them_first(engine: Engine) -> None:
    one, two = sorted((image(1), image(2)), key=lambda each: identifier(each, "series"))
    one.StudyDescription, two.StudyDescription = "", "said by the second alone"
    one.AccessionNumber, two.AccessionNumber = "A1", "A2"
    writer(engine).write_new([stored(two), stored(one)])
    row = only(engine, study)
    assert (row["study_description"], row["accession_number"]) == ("said by the second alone", "A1")


def test_a_patient_has_what_the_newest_study_says(engine: Engine) -> None:
    old = image(study_number=1, StudyDate="20100101", PatientName="Maiden^Jane", PatientSex="F")
    new = image(study_number=2, StudyDate="20240101", PatientName="Married^Jane", PatientSex="")
    for order in ([old, new], [new, old]):
        for one in order:
            writer(engine).write_new([stored(one)])
        row = only(engine, patient)
        assert (row["patient_name"], row["patient_sex"]) == ("Married^Jane", "F")
    with transaction(engine) as connection:
        removal.remove_empty(connection, removal.remove(connection, Level.STUDY, [identifier(new, "study")]))
    assert only(engine, patient)["patient_name"] == "Maiden^Jane"


def test_a_series_that_loses_the_object_that_spoke_for_it_is_stale_until_the_next_one_was_read(engine: Engine) -> None:
    objects = by_identifier(*(image(1, number, SeriesDescription=f"of {number}") for number in (1, 2, 3)))
    first, second, third = (stored(one) for one in objects)
    writer(engine).write_new([first, second, third])
    with transaction(engine) as connection:
        removal.remove(connection, Level.INSTANCE, [first.orthanc_instance_id])
        (found,) = stale_series.stale_series(connection, after="", limit=5)
        assert (found.orthanc_instance_id, stale_series.count_stale(connection)) == (second.orthanc_instance_id, 1)
    assert only(engine, series)["header_orthanc_instance_id"] is None
    last = image(1, 4, SeriesDescription="of a later one")
    while identifier(last) < second.orthanc_instance_id:
        last.SOPInstanceUID += "1"
    writer(engine).write_new([stored(last)])  # which is not the first
    assert only(engine, series)["is_stale"]
    again = stored(objects[1], at=NOON + timedelta(days=1))
    writer(engine).write_new([again])
    row = only(engine, series)
    assert (row["is_stale"], row["series_description"]) == (False, objects[1].SeriesDescription)
    with engine.connect() as connection:
        assert stale_series.count_stale(connection) == 0


def test_a_series_has_the_origin_of_the_object_received_last_of_those_that_are_there(engine: Engine) -> None:
    early, late = stored(image(1, 1)), stored(image(1, 2))
    late = StoredInstance(
        orthanc_instance_id=late.orthanc_instance_id,
        data=late.data,
        size_bytes=late.size_bytes,
        received_at=late.received_at,
        origin=Origin(kind=3, http_user="anna"),
        reported_at=late.reported_at,
    )
    writer(engine).write_new([late])
    writer(engine).write_new([early])
    assert only(engine, series)["http_user"] == "anna"
    with transaction(engine) as connection:
        removal.remove(connection, Level.INSTANCE, [late.orthanc_instance_id])
    row = only(engine, series)
    assert (row["http_user"], row["remote_ae_title"]) == (None, "CT1")


UPLOADED = Origin(kind=3, remote_ip="10.0.0.7", http_user="Ada", uploader_id=5, session_id=7)
BY_ORTHANC = Origin(kind=3, remote_ip="10.0.0.7", http_user="a name that was typed")


def asked_of(monkeypatch: pytest.MonkeyPatch, one: StoredInstance) -> None:
    """What Orthanc answers to whoever asks it for instances."""
    monkeypatch.setattr(batch, "stores_of_orthanc", lambda orthanc, identifiers, now: {one.orthanc_instance_id: one})
    monkeypatch.setattr(batch, "with_header", lambda orthanc, item: item)


def uploaders(engine: Engine) -> list[tuple[Any, ...]]:
    """Of the object and of its series."""
    row, its_series = only(engine, instance), only(engine, series)
    return [(row["http_user"], row["uploader_id"], row["session_id"], row["remote_ip"]), its_series["http_user"]]


def test_what_is_read_anew_keeps_its_uploader_whom_orthanc_does_not_know(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = dataclasses.replace(stored(image()), origin=UPLOADED)
    write = dataclasses.replace(writer(engine), by_orthanc_users=False)
    write.write_new([one])
    asked_of(monkeypatch, dataclasses.replace(one, origin=BY_ORTHANC, reported_at=None))
    write.write_from_orthanc([one.orthanc_instance_id], anew=True)
    assert uploaders(engine) == [("Ada", 5, 7, "10.0.0.7"), "Ada"]


def test_an_object_that_another_stored_again_has_the_other_uploader(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = dataclasses.replace(stored(image()), origin=UPLOADED)
    write = dataclasses.replace(writer(engine), by_orthanc_users=False)
    write.write_new([one])
    later = one.received_at + timedelta(minutes=1)
    asked_of(monkeypatch, dataclasses.replace(one, origin=Origin(kind=2), received_at=later, reported_at=None))
    write.write_from_orthanc([one.orthanc_instance_id], anew=True)
    assert uploaders(engine) == [(None, None, None, None), None]


def test_an_object_whose_bytes_were_not_handed_on_has_its_uploader(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large document, or one of many that piled up: Orthanc is asked for it."""
    one = dataclasses.replace(stored(image()), origin=UPLOADED)
    asked_of(monkeypatch, dataclasses.replace(one, origin=BY_ORTHANC, reported_at=None))
    write = dataclasses.replace(writer(engine), by_orthanc_users=False)
    write.write_new([dataclasses.replace(one, data=None)])
    assert uploaders(engine) == [("Ada", 5, 7, "10.0.0.7"), "Ada"]


def test_a_report_that_comes_after_the_index_asked_orthanc_says_who_uploaded_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = dataclasses.replace(stored(image()), origin=UPLOADED)
    asked_of(monkeypatch, dataclasses.replace(one, origin=BY_ORTHANC, reported_at=None))
    write = dataclasses.replace(writer(engine), by_orthanc_users=False)
    write.write_from_orthanc([one.orthanc_instance_id])
    assert uploaders(engine) == [(None, None, None, "10.0.0.7"), None]
    write.write_new([one])
    assert uploaders(engine) == [("Ada", 5, 7, "10.0.0.7"), "Ada"]


def test_a_series_of_which_all_was_pruned_says_nothing_while_others_have_objects(engine: Engine) -> None:
    gone, kept = image(1, StudyDescription="said by what was pruned"), image(2, StudyDescription="")
    writer(engine).write_new([stored(gone), stored(kept)])
    with transaction(engine) as connection:
        removed = removal.remove(connection, Level.INSTANCE, [identifier(gone)])
        parents.note_pruned(connection, {identifier(gone, "series"): (1, 1000)})
        removal.remove_empty(connection, removed)
    row = only(engine, study)
    assert (row["study_description"], row["pruned_instance_count"], row["series_count"]) == (None, 1, 2)
    with transaction(engine) as connection:
        removed = removal.remove(connection, Level.INSTANCE, [identifier(kept)])
        parents.note_pruned(connection, {identifier(kept, "series"): (1, 1000)})
        removal.remove_empty(connection, removed)
    assert only(engine, study)["study_description"] == "said by what was pruned"
    with engine.connect() as connection:
        assert stale_series.count_stale(connection) == 0  # there is no object to read


def test_an_object_that_comes_back_to_a_series_without_any_speaks_for_it(engine: Engine) -> None:
    first, second = by_identifier(image(1, 1, SeriesDescription="before"), image(1, 2, SeriesDescription="before"))
    writer(engine).write_new([stored(first), stored(second)])
    with transaction(engine) as connection:
        removed = removal.remove(connection, Level.INSTANCE, [identifier(first), identifier(second)])
        parents.note_pruned(connection, {identifier(first, "series"): (2, 1000)})
        removal.remove_empty(connection, removed)
    second.SeriesDescription = "after"
    writer(engine).write_new([stored(second)])
    row = only(engine, series)
    assert (row["series_description"], row["is_stale"]) == ("after", False)


def test_a_study_of_an_older_version_keeps_its_words_until_all_its_series_were_read(engine: Engine) -> None:
    """Such series do not keep what they say of their study; each is stale."""
    one, two = stored(image(1, StudyDescription="")), stored(image(2, StudyDescription=""))
    writer(engine).write_new([one, two])
    with transaction(engine) as connection:
        connection.execute(update(series).values(study_attributes=null(), is_stale=True))
        connection.execute(update(study).values(study_description="of long ago", accession_number="old"))
    later = image(3, StudyDescription="", AccessionNumber="new")
    writer(engine).write_new([stored(later)])
    row = only(engine, study)
    assert (row["study_description"], row["accession_number"]) == ("of long ago", "new")
    for which in (1, 2):
        writer(engine).write_new([stored(image(which, StudyDescription=""))])
    assert only(engine, study)["study_description"] is None


@pytest.mark.parametrize("is_of_older_version", [False, True])
def test_an_object_that_is_read_once_more_for_its_series_did_not_arrive(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, is_of_older_version: bool
) -> None:
    """Else one that was deleted just before would stand in the ledger as here again."""
    arrived: list[str] = []

    class Ledger(IndexFollower):
        def indexed(self, connection: Any, instances: Sequence[IndexedInstance], at: datetime) -> None:
            arrived.extend(one.orthanc_instance_id for one in instances if not one.is_known)

    one = stored(image())
    monkeypatch.setattr(batch, "stores_of_orthanc", lambda orthanc, identifiers, now: {one.orthanc_instance_id: one})
    monkeypatch.setattr(batch, "with_header", lambda orthanc, item: item)
    write = dataclasses.replace(writer(engine), followers=[Ledger()])
    write.write_from_orthanc([one.orthanc_instance_id])
    if is_of_older_version:
        with transaction(engine) as connection:
            connection.execute(update(instance).values(header_checksum=null()))
    assert write.write_from_orthanc([one.orthanc_instance_id], anew=True) == 1
    assert arrived == [one.orthanc_instance_id]  # the first time alone
    one = dataclasses.replace(one, received_at=one.received_at + timedelta(minutes=1))
    write.write_from_orthanc([one.orthanc_instance_id], anew=True)
    assert len(arrived) == 2  # deleted and stored once more


def test_only_what_was_stored_again_with_another_header_is_said_to_be(engine: Engine) -> None:
    noted: list[tuple[bool, bool]] = []

    class Noting(IndexFollower):
        def indexed(self, connection: Any, instances: Sequence[IndexedInstance], at: datetime) -> None:
            noted.extend((one.is_stored_again, one.is_known) for one in instances)

    made = image()
    write = BatchWriter(
        engine=engine,
        orthanc=OrthancClient(OrthancAddress(url="http://127.0.0.1:9"), pause_s=0),
        followers=[Noting()],
        clock=lambda: NOON,
    ).write_new
    write([stored(made)])
    write([stored(made)])  # the same, overwritten
    made.PatientName = "Else"
    write([stored(made)])
    assert noted == [(False, False), (False, False), (True, False)]
    assert rows(engine, instance)[identifier(made)]["header_checksum"] == header_checksum(in_syntax(made))
