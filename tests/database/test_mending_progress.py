"""How far the reading of stale series is: it survives interruptions, and the system page shows it in both languages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import cast

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, update

from tests.index_support import write_study
from tests.unit.web.web_support import make_services
from tests.works import latest_of
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.archive.ingest.batch import BatchWriter
from treegarth.features.archive.ingest.mender import Mender, StaleHints
from treegarth.features.archive.store.stale_series import count_stale, stale_series
from treegarth.features.archive.works import MENDING
from treegarth.index.tables import instance, series
from treegarth.work import store as works

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


def interrupted(engine: Engine, *, total: int, done: int) -> int:
    """The number of one that was ended after two seconds."""
    with transaction(engine) as connection:
        work = works.start(connection, MENDING.name, by=None, now=NOON, total=total, is_asked=False)
        works.note_progress(connection, work.id, done=done, working_s=2.0, now=NOON)
    return work.id


def mend(engine: Engine, until: Callable[[], bool]) -> None:
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
    while not until() and monotonic() < deadline:
        sleep(0.05)
    mender.stop()
    thread.join()


@pytest.mark.parametrize("left", [0, 1, 4])
def test_one_that_was_interrupted_goes_on_where_it_was_and_comes_to_its_end(engine: Engine, left: int) -> None:
    make_stale(engine, left)
    number = interrupted(engine, total=6, done=6 - left)
    mend(engine, lambda: not latest_of(engine, MENDING).is_running)
    work = latest_of(engine, MENDING)
    assert (work.id, work.state, work.done, work.total) == (number, "done", 6, 6)
    assert work.working_s >= 2.0
    with transaction(engine) as connection:
        assert count_stale(connection) == 0


def test_a_few_are_read_without_a_word_and_many_are_a_long_work(engine: Engine) -> None:
    def none_is_stale() -> bool:
        with transaction(engine) as connection:
            return count_stale(connection) == 0

    make_stale(engine, 3)
    mend(engine, none_is_stale)
    with transaction(engine) as connection:
        assert works.latest(connection, MENDING.name) is None
    make_stale_again(engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("treegarth.features.archive.ingest.mender._CHUNK", 2)
        mend(engine, lambda: none_is_stale() and not latest_of(engine, MENDING).is_running)
    work = latest_of(engine, MENDING)
    assert (work.state, work.done, work.total, work.is_asked) == ("done", 3, 3, False)


def make_stale_again(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(update(series).values(is_stale=True))


@pytest.mark.parametrize(("language", "words"), [("en", "1,500 of 4,000 series"), ("ko", "시리즈 4,000개 중 1,500")])
def test_the_system_page_shows_it_while_it_goes_on(
    engine: Engine, client: FlaskClient, language: str, words: str
) -> None:
    assert "Index read anew" not in client.get("/treegarth/system").text
    with transaction(engine) as connection:
        work = works.start(connection, MENDING.name, by=None, now=NOON, total=4000, is_asked=False)
        works.note_progress(connection, work.id, done=1500, working_s=60.0, now=NOON)
    page = client.get(f"/treegarth/system?lang={language}").text
    assert f"<span>{words}</span>" in page
    assert "<span>25" in page or ">초당 25" in page  # a second
    refused = client.post(f"/treegarth/work/{work.id}/stop", headers={"Sec-Fetch-Site": "same-origin"})
    assert refused.status_code == 409
    with transaction(engine) as connection:
        works.note_progress(connection, work.id, done=4000, working_s=99.0, now=NOON, is_done=True)
    assert words not in client.get(f"/treegarth/system?lang={language}").text
