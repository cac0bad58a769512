"""Long work of a made-up kind: every effect once whatever ends it, stopped and resumed, tried again, with its file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, text

from tests.unit.web.web_support import make_services
from tests.works import latest_of, runner
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.errors import DatabaseUnavailable, RequestConflict, TreegarthError
from treegarth.features.dose.registry.works import REREADING
from treegarth.phrases import P_
from treegarth.work import store
from treegarth.work.kinds import Block, Outside, Report, Within, WorkKind
from treegarth.work.runner import GIVES_WAY, Runner
from treegarth.work.store import ClaimedWork, LongWork

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)
COUNTING = WorkKind(name="test.counting", title="Counting", explained="Counts.", unit=("%(num)s row", "%(num)s rows"))
FAR = WorkKind(
    name="test.far", title="Far", explained="Asks.", unit=("%(num)s row", "%(num)s rows"), waits_for_others=True
)
ROWS = 10


class Killed(BaseException):
    """The process ends here."""


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def effects(engine: Engine) -> Callable[[], list[int]]:
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE effect (row integer)"))

    def read() -> list[int]:
        with connect(engine) as connection:
            return list(connection.execute(text("SELECT row FROM effect ORDER BY row")).scalars())

    return read


def write(connection: Connection, row: int) -> None:
    connection.execute(text("INSERT INTO effect VALUES (:row)"), {"row": row})


def count_two(connection: Connection, work: ClaimedWork, now: datetime) -> Block:
    first = work.place or 0
    for row in range(first, first + 2):
        write(connection, row)
    ends = "done" if first + 2 >= ROWS else None
    return Block(done=2, counts={"blocks": 1}, place=first + 2, ends=ends)


def start(engine: Engine, kind: WorkKind = COUNTING, subject: str = "") -> LongWork:
    with transaction(engine) as connection:
        return store.start(connection, kind.name, subject=subject, by="anna", now=NOON, total=ROWS)


def counting(engine: Engine, clock: Clock) -> Runner:
    return runner(engine, clock, [COUNTING], {COUNTING.name: Within(block=count_two)})


@pytest.mark.parametrize("block", range(ROWS // 2))
def test_killed_in_any_block_it_goes_on_and_each_effect_is_there_once(
    engine: Engine, clock: Clock, effects: Callable[[], list[int]], block: int
) -> None:
    def dies(connection: Connection, work: ClaimedWork, now: datetime) -> Block:
        done = count_two(connection, work, now)
        if work.place == (2 * block or None):
            raise Killed
        return done

    number = start(engine).id
    with pytest.raises(Killed):
        runner(engine, clock, [COUNTING], {COUNTING.name: Within(block=dies)}).work()
    assert effects() == list(range(2 * block))
    counting(engine, clock).work()
    assert effects() == list(range(ROWS))
    work = latest_of(engine, COUNTING)
    assert (work.id, work.state, work.done, work.total) == (number, "done", ROWS, ROWS)
    assert work.counts == {"blocks": ROWS // 2}
    assert work.finished_at == NOON


def test_two_of_a_kind_and_subject_do_not_run_at_once(engine: Engine, clock: Clock) -> None:
    assert start(engine).id == start(engine).id
    assert start(engine, subject="another").id != start(engine).id


def test_several_take_turns(engine: Engine, clock: Clock, effects: Callable[[], list[int]]) -> None:
    first, second = start(engine), start(engine, subject="another")
    for _ in range(2):
        clock.now += timedelta(seconds=1)
        assert counting(engine, clock).block()
    with connect(engine) as connection:
        assert [store.read(connection, one.id).done for one in (first, second)] == [2, 2]


def test_stopped_it_keeps_what_it_did_and_goes_on_from_there(
    engine: Engine, clock: Clock, effects: Callable[[], list[int]]
) -> None:
    number = start(engine).id
    counting(engine, clock).block()
    with transaction(engine) as connection:
        store.stop(connection, number, by="bert", now=NOON)
    assert not counting(engine, clock).block()
    work = latest_of(engine, COUNTING)
    assert (work.state, work.stopped_by, work.done) == ("stopped", "bert", 2)
    with transaction(engine) as connection, pytest.raises(RequestConflict, match="does not run any more"):
        store.stop(connection, number, by="bert", now=NOON)
    with transaction(engine) as connection:
        assert store.resume(connection, number, NOON).stopped_by is None
        assert store.resume(connection, number, NOON).state == "running"  # pressed twice
    counting(engine, clock).work()
    assert effects() == list(range(ROWS))
    with transaction(engine) as connection, pytest.raises(RequestConflict, match="start another one"):
        store.resume(connection, number, NOON)


def test_a_stopped_one_does_not_go_on_beside_another(engine: Engine, clock: Clock) -> None:
    number = start(engine).id
    with transaction(engine) as connection:
        store.stop(connection, number, by=None, now=NOON)
    start(engine)
    with transaction(engine) as connection, pytest.raises(RequestConflict, match="runs already"):
        store.resume(connection, number, NOON)


def test_a_block_that_fails_is_tried_again_ever_later_and_then_a_person_decides(
    engine: Engine, clock: Clock, effects: Callable[[], list[int]]
) -> None:
    def fails(connection: Connection, work: ClaimedWork, now: datetime) -> Block:
        count_two(connection, work, now)
        raise TreegarthError(P_("no paper"))

    number = start(engine).id
    failing = runner(engine, clock, [COUNTING], {COUNTING.name: Within(block=fails)})
    for attempts in range(1, 9):
        assert failing.block()
        assert not failing.block()  # its turn is later
        work = latest_of(engine, COUNTING)
        assert (work.attempts, work.last_error) == (attempts, "no paper")
        clock.now += timedelta(hours=1)
    assert work.state == "failed"
    assert effects() == []
    with transaction(engine) as connection:
        store.resume(connection, number, clock.now)
    counting(engine, clock).work()
    assert (effects(), latest_of(engine, COUNTING).last_error) == (list(range(ROWS)), None)


def test_a_mistake_in_a_block_stops_no_worker_and_is_said(engine: Engine, clock: Clock) -> None:
    def is_wrong(connection: Connection, work: ClaimedWork, now: datetime) -> Block:
        raise ZeroDivisionError

    start(engine)
    assert runner(engine, clock, [COUNTING], {COUNTING.name: Within(block=is_wrong)}).block()
    assert latest_of(engine, COUNTING).last_error == "ZeroDivisionError; see the log."


def test_a_block_that_the_database_has_no_time_for_is_no_failure(engine: Engine, clock: Clock) -> None:
    def gives_way(connection: Connection, work: ClaimedWork, now: datetime) -> Block:
        raise DatabaseUnavailable

    start(engine)
    giving_way = runner(engine, clock, [COUNTING], {COUNTING.name: Within(block=gives_way)})
    assert giving_way.block()
    assert not giving_way.block()
    work = latest_of(engine, COUNTING)
    assert (work.attempts, work.next_attempt_at) == (0, NOON + GIVES_WAY)


def test_what_talks_to_others_is_under_a_lease_and_killed_is_taken_up_after_it(engine: Engine, clock: Clock) -> None:
    asked: list[int] = []

    def ask(work: ClaimedWork, report: Report) -> Block:
        for row in range(ROWS):
            asked.append(row)
            report(row + 1, ROWS)
            if len(asked) == 3:
                raise Killed
        return Block(done=ROWS, ends="done")

    start(engine, FAR)
    asking = runner(engine, clock, [FAR], {FAR.name: Outside(act=ask, lease=timedelta(minutes=1))})
    with pytest.raises(Killed):
        asking.work()
    assert latest_of(engine, FAR).done == 3
    assert not asking.block()
    clock.now += timedelta(minutes=1)
    assert asking.block()
    assert asked == [0, 1, 2, *range(ROWS)]
    assert latest_of(engine, FAR).state == "done"


def test_one_that_is_stopped_in_its_block_ends_at_its_next_report(engine: Engine, clock: Clock) -> None:
    asked: list[int] = []
    number = start(engine, FAR).id

    def ask(work: ClaimedWork, report: Report) -> Block:
        for row in range(ROWS):
            asked.append(row)
            if row == 4:
                with transaction(engine) as connection:
                    store.stop(connection, number, by=None, now=NOON)
            report(row + 1, None)
        raise AssertionError("it was stopped")

    assert runner(engine, clock, [FAR], {FAR.name: Outside(act=ask)}).block()
    work = latest_of(engine, FAR)
    assert (asked, work.state, work.done) == ([0, 1, 2, 3, 4], "stopped", 4)


def test_one_that_is_stopped_in_its_last_report_goes_on_behind_its_block(engine: Engine, clock: Clock) -> None:
    number = start(engine, FAR).id
    begun: list[int] = []

    def ask(work: ClaimedWork, report: Report) -> Block:
        begun.append(work.place or 0)
        if len(begun) == 1:
            with transaction(engine) as connection:
                store.stop(connection, number, by=None, now=NOON)
        return Block(done=5, place=begun[-1] + 5, ends="done" if begun[-1] == 5 else None)

    asking = runner(engine, clock, [FAR], {FAR.name: Outside(act=ask)})
    asking.work()
    work = latest_of(engine, FAR)
    assert (work.state, work.done) == ("stopped", 5)
    with transaction(engine) as connection:
        store.resume(connection, number, NOON)
    asking.work()
    assert begun == [0, 5]
    work = latest_of(engine, FAR)
    assert (work.state, work.done) == ("done", ROWS)


def test_its_file_is_there_until_its_time_is_over(engine: Engine) -> None:
    number = start(engine).id
    with transaction(engine) as connection:
        store.keep_file(connection, number, [b"one", b"two"], name="rows.csv", until=NOON + timedelta(days=7))
    with connect(engine) as connection:
        assert b"".join(store.read_file(connection, number)) == b"onetwo"
    with transaction(engine) as connection:
        assert store.forget_old_files(connection, NOON) == 0
        assert store.forget_old_files(connection, NOON + timedelta(days=7)) == 1
    with connect(engine) as connection:
        assert list(store.read_file(connection, number)) == []
        assert store.read(connection, number).result_name is None


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def test_its_page_says_who_how_far_and_stops_it(client: FlaskClient, engine: Engine) -> None:
    number = start(engine, REREADING).id
    page = client.get(f"/treegarth/work/{number}").text
    assert "Reading every dose again" in page
    assert "0 of 10 instances" in page
    assert "Asked by anna" in page
    from_here = {"Sec-Fetch-Site": "same-origin"}
    answer = client.post(f"/treegarth/work/{number}/stop", headers=from_here)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/treegarth/work/{number}")
    assert "Stopped by someone without a login" in client.get(f"/treegarth/work/{number}").text
    assert client.post(f"/treegarth/work/{number}/resume", headers=from_here).status_code == 303
    assert latest_of(engine, REREADING).is_running
    client.set_cookie("treegarth_language", "ko", path="/treegarth/")
    assert "인스턴스 10개 중 0" in client.get(f"/treegarth/work/{number}").text


def test_one_that_fails_is_told_among_the_findings_about_health(client: FlaskClient, engine: Engine) -> None:
    def is_told() -> bool:
        return "1 long work fails" in client.get("/treegarth/system").text

    number = start(engine, REREADING).id
    for attempts in range(4):
        with transaction(engine) as connection:
            store.note_failure(connection, number, "no paper", attempts=attempts, again_at=NOON, now=NOON)
        assert is_told() == (attempts >= 3)
    with transaction(engine) as connection:
        store.note_failure(connection, number, "no paper", attempts=8, again_at=None, now=NOON)
    assert is_told()
    assert "a worker begins" not in client.get(f"/treegarth/work/{number}").text
    start(engine, REREADING)
    assert not is_told()


def test_programs_list_stop_and_resume_it_and_get_its_file(client: FlaskClient, engine: Engine) -> None:
    number = start(engine, REREADING).id
    one = f"/treegarth/api/v1/work/{number}"
    assert client.get("/treegarth/api/v1/work").get_json()["items"] == [client.get(one).get_json()]
    assert client.get(f"{one}/file").status_code == 404
    with transaction(engine) as connection:
        store.keep_file(connection, number, [b"one", b"two"], name="rows.csv", until=NOON)
    answer = client.get(f"{one}/file")
    assert (answer.data, answer.headers["Content-Disposition"]) == (b"onetwo", 'attachment; filename="rows.csv"')
    assert client.post(f"{one}/stop").get_json()["state"] == "stopped"
    assert client.post(f"{one}/stop").status_code == 409
    assert client.post(f"{one}/resume").get_json()["state"] == "running"
    assert client.get("/treegarth/api/v1/work/99").status_code == 404
    assert client.post("/treegarth/api/v1/work/99/stop").status_code == 404
