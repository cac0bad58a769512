"""What ARCHITECTURE.md shows of a kind of long work does all that it says, as it stands there."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, insert, select

from tests.unit.web.web_support import make_services
from tests.works import runner
from treegarth.assembly import house
from treegarth.feature import House
from treegarth.settings import Settings
from treegarth.web.app import create_app
from treegarth.work.runner import Runner

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
DOSES = 250
LATER = datetime.now(UTC) + timedelta(days=36_500)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def made(engine: Engine) -> dict[str, Any]:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## Long work, from its declaration")[1]
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code
    assert len([line for line in code[1].splitlines() if line.strip()]) <= 60
    made: dict[str, Any] = {"__name__": "rounding"}
    exec(compile(code[1], "ARCHITECTURE.md", "exec", dont_inherit=True), made)
    made["rounded"].metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(made["rounded"]), [{"dose": 1 + n / 20} for n in range(DOSES)])
    return made


@pytest.fixture
def whole(made: dict[str, Any]) -> House:
    own = house(Settings())
    return replace(own, features=[*own.features, made["FEATURE"]])


@pytest.fixture
def client(engine: Engine, whole: House) -> FlaskClient:
    services = make_services(ROOT / "web", engine=lambda: engine)
    return create_app(whole.routes(), services, parts=whole.parts()).test_client()


def worker(engine: Engine, made: dict[str, Any], *, dies: bool = False) -> Runner:
    (carried,) = made["FEATURE"].carries(None, None).items()
    name, carry = carried

    def block(*given: Any) -> Any:
        done = carry.block(*given)
        if dies and given[1].done:
            raise Killed
        return done

    return runner(engine, lambda: LATER, [made["ROUNDING"]], {name: replace(carry, block=block)})


def test_it_runs_to_its_end_through_a_kill_and_its_page_tells_how_far_it_is(
    engine: Engine, client: FlaskClient, made: dict[str, Any]
) -> None:
    work = client.post(f"{API}/rounding")
    assert (work.status_code, work.get_json()["total"]) == (202, DOSES)
    one = f"{API}/work/{work.get_json()['id']}"
    with pytest.raises(Killed):
        worker(engine, made, dies=True).work()
    assert client.get(one).get_json()["done"] == 100
    page = client.get("/treegarth/work/1").text
    assert "Doses rounded" in page
    assert "100 of 250 doses" in page
    assert client.post("/treegarth/work/1/stop", headers=SAME_ORIGIN).status_code == 303
    assert not worker(engine, made).block()
    assert client.post(f"{one}/resume").get_json()["state"] == "running"
    worker(engine, made).work()
    done = client.get(one).get_json()
    with engine.connect() as connection:
        doses = list(connection.execute(select(made["rounded"].c.dose)).scalars())
    assert all(dose == round(dose, 1) for dose in doses)
    assert (done["state"], done["done"], done["counts"]) == ("done", DOSES, {"changed": 125})
    assert "Doses rounded" in client.get("/treegarth/work").text
