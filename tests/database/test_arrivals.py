"""What indexing leaves of a new object: its study and series arrive, and the series' origin is that object's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.engine import Engine

from tests.index_support import NOON
from tests.studies import small_studies
from treegarth.database.engine import transaction
from treegarth.dicom.headers import orthanc_identifiers, read_header
from treegarth.features.archive.store.batches import write_instances
from treegarth.features.archive.store.removal import remove, remove_empty
from treegarth.index.instances import IndexedInstance, Level, Origin
from treegarth.index.tables import arrival, instance, series

SCANNER = Origin(kind=2, remote_ae_title="CT1", called_ae_title="ORTHANC", remote_ip="10.0.0.1")
UPLOAD = Origin(kind=3, remote_ip="10.0.0.2", http_user="anna")


def indexed(path: Path, origin: Origin = SCANNER) -> IndexedInstance:
    header = read_header(path.read_bytes())
    found = orthanc_identifiers(header)
    return IndexedInstance(
        orthanc_patient_id=found.patient,
        orthanc_study_id=found.study,
        orthanc_series_id=found.series,
        orthanc_instance_id=found.instance,
        header=header,
        size_bytes=path.stat().st_size,
        received_at=NOON,
        origin=origin,
    )


def no_header(orthanc_instance_id: str) -> None:
    """These tests look at no header."""


def arrivals(connection: Connection) -> set[tuple[str, str]]:
    rows = connection.execute(select(arrival.c.orthanc_study_id, arrival.c.orthanc_series_id))
    return {(row.orthanc_study_id, row.orthanc_series_id) for row in rows}


def content_since(connection: Connection) -> datetime:
    found: datetime = connection.execute(select(instance.c.content_since)).scalar_one()
    return found


def origins(connection: Connection) -> list[tuple[object, ...]]:
    columns = ("origin", "remote_ae_title", "called_ae_title", "remote_ip", "http_user")
    return [tuple(row) for row in connection.execute(select(*(series.c[name] for name in columns)))]


def test_a_new_object_makes_its_study_and_its_series_arrive(engine: Engine, tmp_path: Path) -> None:
    instances = [indexed(path) for path in small_studies(tmp_path, studies=1, series=2, instances=2)]
    with transaction(engine) as connection:
        write_instances(connection, instances, no_header)
        expected = {(one.orthanc_study_id, key) for one in instances for key in (one.orthanc_series_id, "")}
        assert arrivals(connection) == expected


def test_an_object_counts_as_taken_up_when_it_is_new_or_stored_again_and_not_when_it_is_read_anew(
    engine: Engine, tmp_path: Path
) -> None:
    (read,) = (indexed(path) for path in small_studies(tmp_path, studies=1, series=1, instances=1))
    first, counted = replace(read, header_checksum=5), []
    for one in (first, first, replace(first, header_checksum=7)):
        taken_up: list[str] = []
        with transaction(engine) as connection:
            write_instances(connection, [one], no_header, on_stored=taken_up.extend)
        counted.append(len(taken_up))
    assert counted == [1, 0, 1]


def test_an_object_that_is_indexed_again_does_not_arrive(engine: Engine, tmp_path: Path) -> None:
    first, second = (indexed(path) for path in small_studies(tmp_path, studies=1, series=2, instances=1))
    with transaction(engine) as connection:
        write_instances(connection, [first], no_header)
        connection.execute(arrival.delete())
    with transaction(engine) as connection:
        write_instances(connection, [first], no_header)
        assert arrivals(connection) == set()
        write_instances(connection, [first, second], no_header)
        assert arrivals(connection) == {
            (first.orthanc_study_id, ""),
            (second.orthanc_study_id, second.orthanc_series_id),
        }


@pytest.mark.parametrize(
    "change", [{"size_bytes": 7}, {"header_checksum": 7}, {"received_at": datetime(2027, 1, 1, tzinfo=UTC)}], ids=str
)
def test_an_object_that_is_stored_again_arrives(engine: Engine, tmp_path: Path, change: dict[str, Any]) -> None:
    (read,) = (indexed(path) for path in small_studies(tmp_path, studies=1, series=1, instances=1))
    first = replace(read, header_checksum=5)
    with transaction(engine) as connection:
        write_instances(connection, [first], no_header)
        connection.execute(arrival.delete())
        before = content_since(connection)
    with transaction(engine) as connection:
        write_instances(connection, [replace(first, **change)], no_header)
        assert arrivals(connection) == {(first.orthanc_study_id, key) for key in (first.orthanc_series_id, "")}
        assert content_since(connection) > before


def test_what_is_read_anew_of_the_same_store_does_not_arrive(engine: Engine, tmp_path: Path) -> None:
    """Older versions knew no checksum, and the time by the clock of the plugin."""
    (first,) = (indexed(path) for path in small_studies(tmp_path, studies=1, series=1, instances=1))
    whole = first.received_at.replace(microsecond=0)
    with transaction(engine) as connection:
        older = replace(first, header_checksum=None, received_at=whole + timedelta(milliseconds=1700))
        write_instances(connection, [older], no_header)
        connection.execute(arrival.delete())
        before = content_since(connection)
    with transaction(engine) as connection:
        write_instances(connection, [replace(first, header_checksum=5, received_at=whole)], no_header)
        assert (arrivals(connection), content_since(connection)) == (set(), before)


def test_a_later_object_moves_the_arrival_on(engine: Engine, tmp_path: Path) -> None:
    first, second = (indexed(path) for path in small_studies(tmp_path, studies=1, series=1, instances=2))
    with transaction(engine) as connection:
        write_instances(connection, [first], no_header)
        connection.execute(arrival.update().values(last_arrived_at=arrival.c.last_arrived_at - timedelta(hours=1)))
        before = connection.execute(select(arrival.c.last_arrived_at)).scalars().all()
        write_instances(connection, [second], no_header)
        after = connection.execute(select(arrival.c.last_arrived_at)).scalars().all()
    assert min(after) > max(before)


def test_what_was_removed_does_not_arrive(engine: Engine, tmp_path: Path) -> None:
    first, second = (indexed(path) for path in small_studies(tmp_path, studies=1, series=2, instances=1))
    with transaction(engine) as connection:
        write_instances(connection, [first, second], no_header)
        remove_empty(connection, remove(connection, Level.SERIES, [second.orthanc_series_id]))
        assert arrivals(connection) == {
            (first.orthanc_study_id, ""),
            (first.orthanc_study_id, first.orthanc_series_id),
        }
        remove_empty(connection, remove(connection, Level.STUDY, [first.orthanc_study_id]))
        assert arrivals(connection) == set()


def test_a_series_has_the_whole_origin_of_the_object_that_was_indexed_last(engine: Engine, tmp_path: Path) -> None:
    paths = small_studies(tmp_path, studies=1, series=1, instances=2)
    sent, uploaded = indexed(paths[0]), indexed(paths[1], UPLOAD)
    with transaction(engine) as connection:
        write_instances(connection, [sent, uploaded], no_header)
        assert origins(connection) == [(3, None, None, "10.0.0.2", "anna")]
        write_instances(connection, [sent], no_header)
        assert origins(connection) == [(2, "CT1", "ORTHANC", "10.0.0.1", None)]
