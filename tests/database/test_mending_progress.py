"""How far the reading of stale series is: it survives interruptions, and the system page shows it in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import cast

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update

from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.archive.ingest.batch import BatchWriter
from treegarth.features.archive.ingest.mender import Mender, StaleHints
from treegarth.features.archive.store.stale_series import (
    Mending,
    begin_mending,
    count_stale,
    is_unfinished,
    last_mending,
    save_mending,
    stale_series,
)
from treegarth.index.tables import instance, series

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def make_stale(engine: Engine, count: int) -> None:
    with transaction(engine) as connection:
        for number in range(count):
            write_study(connection, number)
        connection.execute(update(series).values(is_stale=True))


def test_stale_series_come_one_after_the_other_with_the_first_of_their_objects(engine: Engine) -> None:
    make_stale(engine, 3)
    with transaction(engine) as connection:
        assert [
            (one.orthanc_series_id, one.orthanc_instance_id) for one in stale_series(connection, after="", limit=2)
        ] == [
            ("series-00000", "instance-00000-1"),
            ("series-00001", "instance-00001-1"),
        ]
        assert len(stale_series(connection, after="series-00001", limit=2)) == 1
        connection.execute(update(series).where(series.c.orthanc_series_id == "series-00002").values(instance_count=0))
        assert count_stale(connection) == 2  # of what has objects


class Writer:
    """Reads what it is given at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def write_from_orthanc(self, identifiers: Sequence[str], *, anew: bool) -> int:
        assert anew
        with transaction(self._engine) as connection:
            mine = series.c.orthanc_series_id.in_(
                select(instance.c.orthanc_series_id).where(instance.c.orthanc_instance_id.in_(identifiers))
            )
            connection.execute(update(series).where(mine).values(is_stale=False))
        return len(identifiers)


@pytest.mark.parametrize("left", [0, 1])
def test_one_that_was_interrupted_near_its_end_comes_to_it(engine: Engine, left: int) -> None:
    make_stale(engine, left)
    with transaction(engine) as connection:
        save_mending(connection, begin_mending(connection, NOON), left=left, is_done=False, now=NOON)
    mender = Mender(
        engine=engine,
        writer=cast(BatchWriter, Writer(engine)),
        hints=StaleHints(),
        clock=lambda: NOON,
        interval_s=60,
        is_busy=lambda: False,
    )
    thread = Thread(target=mender.run)
    thread.start()
    deadline = monotonic() + 20
    while is_unfinished_now(engine) and monotonic() < deadline:
        sleep(0.05)
    mender.stop()
    thread.join()
    assert not is_unfinished_now(engine)
    with transaction(engine) as connection:
        assert count_stale(connection) == 0


def is_unfinished_now(engine: Engine) -> bool:
    with transaction(engine) as connection:
        return is_unfinished(connection)


def test_after_an_interruption_it_goes_on_where_it_was(engine: Engine) -> None:
    make_stale(engine, 4)
    with transaction(engine) as connection:
        progress = begin_mending(connection, NOON)
        save_mending(connection, progress, left=3, is_done=False, now=NOON + timedelta(seconds=2))
        connection.execute(update(series).where(series.c.orthanc_series_id == "series-00000").values(is_stale=False))
        again = begin_mending(connection, NOON + timedelta(days=1))
        assert (again.started_at, again.total, again.left, again.done) == (NOON, 4, 3, 1)
        half = save_mending(connection, again, left=1, is_done=False, now=NOON + timedelta(days=1, seconds=4))
        assert (half.per_second, half.seconds_left) == (0.5, 2)
        save_mending(connection, half, left=0, is_done=True, now=NOON + timedelta(days=2))
        last = last_mending(connection)
        assert isinstance(last, Mending)
        assert (last.finished_at, last.left) == (NOON + timedelta(days=2), 0)
        assert begin_mending(connection, NOON + timedelta(days=3)).started_at == NOON + timedelta(days=3)


@pytest.mark.parametrize(("language", "words"), [("en", "1,500 of 4,000 series"), ("ko", "시리즈 4,000개 중 1,500개")])
def test_the_system_page_shows_it_while_it_goes_on(
    engine: Engine, client: FlaskClient, language: str, words: str
) -> None:
    assert "series</span>" not in client.get("/treegarth/system").text
    with transaction(engine) as connection:
        progress = Mending(
            started_at=NOON, finished_at=None, total=4000, resumed_at=NOON, left_then=4000, saved_at=NOON, left=4000
        )
        progress = save_mending(connection, progress, left=2500, is_done=False, now=NOON + timedelta(seconds=60))
    page = client.get(f"/treegarth/system?lang={language}").text
    assert f"<span>{words}</span>" in page
    assert "<span>25" in page or ">초당 25" in page  # a second
    with transaction(engine) as connection:
        save_mending(connection, progress, left=0, is_done=True, now=NOON + timedelta(seconds=99))
    assert words not in client.get(f"/treegarth/system?lang={language}").text
