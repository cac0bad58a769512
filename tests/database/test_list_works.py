"""Files of many rows, and what is done with every row that the filters leave: as long works, in any list."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, select

from tests.index_support import write_study
from tests.retention_support import table
from tests.unit.web.web_support import make_services
from tests.works import runner
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.settings import Settings
from treegarth.web.listing import Listing
from treegarth.work import lists, store
from treegarth.work.kinds import Block, Outside, Report, Within
from treegarth.work.list_kinds import ACTING, EXPORTING
from treegarth.work.store import ClaimedWork

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
STUDIES = 7
LATER = datetime.now(UTC) + timedelta(days=36_500)
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    with transaction(engine) as connection:
        for number in range(STUDIES):
            write_study(connection, number)
        connection.execute(
            table("destination").insert().values(name="FAR", kind="peer", address={"url": "http://10.0.0.9:8042"})
        )
    return make_application(make_services(ROOT / "web", engine=lambda: engine)).test_client()  # type: ignore[attr-defined]


def work_on(engine: Engine, *, kill_after: int | None = None) -> None:
    """As a worker does; killed in the block after so many."""
    whole, done = house(Settings()), 0

    def export(work: ClaimedWork, report: Report) -> Block:
        return lists.write_file(
            whole.listing(work.given["list"]), engine, ZoneInfo("Asia/Seoul"), work, report, whole.lent.search()
        )

    def act(connection: Connection, work: ClaimedWork, now: datetime) -> Block:
        nonlocal done
        (action,) = (one for one in whole.row_actions().every if one.name == work.given["action"])
        listing = whole.listing(work.given["list"])
        block = lists.act_on_next(connection, listing, action, work, now, ZoneInfo("Asia/Seoul"), whole.lent.search())
        done += 1
        if kill_after is not None and done > kill_after:
            raise Killed
        return block

    carries = {EXPORTING.name: Outside(act=export), ACTING.name: Within(block=act)}
    runner(engine, lambda: LATER, [EXPORTING, ACTING], carries).work()


def post(client: FlaskClient, path: str, body: dict[str, Any], status: int = 202) -> Any:
    answer = client.post(f"{API}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_a_file_of_every_row_is_the_same_as_that_which_is_answered_at_once(client: FlaskClient, engine: Engine) -> None:
    for wanted in ("csv", "xlsx", "parquet"):
        work = post(client, f"studies/export/{wanted}", {"sort": "patient_id"})
        assert post(client, f"studies/export/{wanted}", {"sort": "patient_id"})["id"] == work["id"]
        work_on(engine)
        done = client.get(f"{API}/work/{work['id']}").get_json()
        assert (done["state"], done["done"], done["total"]) == ("done", STUDIES, STUDIES)
        assert done["result_name"].endswith(f".{wanted}")
        made = client.get(f"{API}/work/{work['id']}/file").data
        at_once = client.get(f"{API}/studies/export/{wanted}?sort=patient_id").data
        assert rows_of(made, wanted) == rows_of(at_once, wanted)


def rows_of(content: bytes, wanted: str) -> list[Any]:
    if wanted == "csv":
        return list(csv.reader(StringIO(content.decode("utf-8-sig"))))
    if wanted == "xlsx":
        with ZipFile(BytesIO(content)) as book:  # but for when it was made
            return [book.read(name) for name in book.namelist() if not name.startswith("docProps")]
    from pyarrow.parquet import read_table

    return list(read_table(BytesIO(content)).to_pylist())


def test_a_large_csv_is_kept_packed(client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LARGEST_PLAIN", 10)
    made = [post(client, f"studies/export/{wanted}", {}) for wanted in ("csv", "parquet")]
    work_on(engine)
    packed, as_it_is = (client.get(f"{API}/work/{work['id']}") for work in made)
    assert [one.get_json()["result_name"].partition(".")[2] for one in (packed, as_it_is)] == ["csv.gz", "parquet"]
    kept = client.get(f"{API}/work/{made[0]['id']}/file").data
    assert gzip.decompress(kept) == client.get(f"{API}/studies/export/csv").data


def test_a_file_says_what_the_filters_left_and_is_begun_anew_after_a_kill(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = post(client, "studies/export/csv", {"patient_id": "P1*"})
    with monkeypatch.context() as patch:
        patch.setattr(lists, "keep_file", kills)
        with pytest.raises(Killed):
            work_on(engine)
    with transaction(engine) as connection:
        assert store.read(connection, work["id"]).is_running
        store.put_off(connection, work["id"], LATER)  # the end of its lease
    work_on(engine)
    lines = client.get(f"{API}/work/{work['id']}/file").text.splitlines()
    assert len(lines) == 1 + len(client.get(f"{API}/studies?patient_id=P1*").get_json()["items"])


def kills(*_: Any, **__: Any) -> None:
    raise Killed


def test_of_too_many_rows_no_file_is_answered_at_once(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treegarth.web.listing.LARGEST_FILE", STUDIES - 1)
    answer = client.get(f"{API}/studies/export/csv")
    assert (answer.status_code, "long work" in answer.get_json()["detail"]) == (409, True)
    monkeypatch.setattr("treegarth.web.listing.COUNTED", STUDIES - 1)
    page = client.get("/treegarth/studies").text
    assert 'action="/treegarth/studies/export"' in page
    form = {"format": "csv", "here": "patient_id=P1*"}
    answer = client.post("/treegarth/studies/export", data=form, headers=FROM_HERE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/treegarth/work/1")
    work_on(engine)
    assert 'href="/treegarth/work/1/file"' in client.get("/treegarth/work/1").text
    assert client.get("/treegarth/work/1/file").data.startswith(b"\xef\xbb\xbf")  # for a spreadsheet


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_every_row_is_acted_on_once_whatever_kills_it(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch, blocks: int
) -> None:
    monkeypatch.setattr(lists, "ROWS_OF_A_BLOCK", 3)
    body = {"action": "hold", "kind": "teaching", "reason": "a rare case", "query": {}}
    work = post(client, "studies/act-on-all", body)
    with pytest.raises(Killed):
        work_on(engine, kill_after=blocks)
    work_on(engine)
    done = client.get(f"{API}/work/{work['id']}").get_json()
    assert (done["state"], done["done"], done["total"], done["counts"]) == ("done", STUDIES, STUDIES, {"left": 0})
    with connect(engine) as connection:
        assert len(connection.execute(select(table("hold").c.orthanc_study_id)).all()) == STUDIES
    again = post(client, "studies/act-on-all", body)
    work_on(engine)
    assert client.get(f"{API}/work/{again['id']}").get_json()["counts"] == {"left": STUDIES}


def test_from_a_page_it_takes_what_the_filters_leave(
    client: FlaskClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("treegarth.web.listing.ROWS_ON_A_PAGE", 3)
    monkeypatch.setattr(Listing.rows, "__kwdefaults__", {"sort": None, "limit": 3, "cursor": None})
    assert "all that the filters leave: 7 studies" in client.get("/treegarth/studies").text
    form = {"action": "send", "destination": "1", "every": "true", "here": "patient_id=nobody"}
    answer = client.post("/treegarth/studies/act", data=form, headers=FROM_HERE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/treegarth/work/1")
    assert "<p>Send · Studies</p>" in client.get("/treegarth/work/1").text
    answer = client.post("/treegarth/studies/act", data={**form, "here": ""}, headers=FROM_HERE)
    work_on(engine)
    with connect(engine) as connection:
        sent = set(connection.execute(select(table("delivery_object").c.orthanc_study_id)).scalars())
        assert len(sent) == STUDIES
        assert store.read(connection, 1).done == 0
    refused = client.post("/treegarth/studies/act", data={"action": "send", "destination": "1"}, headers=FROM_HERE)
    assert (refused.status_code, "Choose a row first." in refused.text) == (400, True)


def test_what_is_not_known_is_refused_before_anything_starts(client: FlaskClient) -> None:
    hold = {"action": "hold", "kind": "teaching", "reason": "x"}
    assert post(client, "studies/act-on-all", {**hold, "query": {"no": "such"}}, 400)["errors"]
    assert post(client, "studies/act-on-all", {"action": "hold", "query": {}}, 400)["errors"]
    assert post(client, "studies/act-on-all", {"action": "other", "query": {}}, 400)["errors"]
    assert post(client, "studies/export/csv", {"no": "such"}, 400)["errors"]
    assert client.get(f"{API}/work").get_json()["items"] == []
