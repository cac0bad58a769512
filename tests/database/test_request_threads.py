"""Requests follow each other on the same threads: nothing of one is there for the next, whoever asked for it."""

from __future__ import annotations

import base64
import random

import pytest
from flask import g
from sqlalchemy import Engine, text

from tests.servers import ROOT
from tests.unit.host.test_bridge import RecordedOutput
from tests.unit.web.web_support import make_services
from treegarth.access.actors import Permission
from treegarth.errors import NotFound
from treegarth.host.bridge import WsgiBridge
from treegarth.orthanc.client import OrthancAddress
from treegarth.settings import Settings, SignIn
from treegarth.web.app import create_app
from treegarth.web.call import Call
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Route

ROUNDS = 400


class Seen(Answer):
    """What a handler finds."""

    user: str | None
    language: str
    theme: str
    left: str | None
    timeout: str
    rows: int


@pytest.fixture
def bridge(engine: Engine) -> WsgiBridge:
    """One thread answers all, behind Orthanc's login."""
    services = make_services(ROOT / "web", settings=Settings(sign_in=SignIn.ORTHANC), engine=lambda: engine)

    def look(call: Call[None, None, None]) -> Seen:
        """Leaves behind whatever a request can, and fails where it is told to."""
        left = g.get("left")
        g.left = call.actor.name
        with services.database.begin() as connection:
            timeout = connection.execute(text("SHOW statement_timeout")).scalar_one()
            rows = connection.execute(
                text("SELECT count(*) FROM pg_class WHERE relname = 'of_one_request'")
            ).scalar_one()
            connection.execute(text("SET LOCAL statement_timeout = '7s'"))
            connection.execute(text("CREATE TEMPORARY TABLE of_one_request (x integer) ON COMMIT DROP"))
            if fails := call.http.headers.get("X-Fails"):
                raise NotFound("told to") if fails == "known" else RuntimeError("told to")
        return Seen(
            user=call.actor.name, language=call.language, theme=call.theme, left=left, timeout=timeout, rows=rows
        )

    route = Route(
        name="api.look", path=f"{API_PATH}/look", permission=Permission.SIGNED_IN, handler=look, summary="", answer=Seen
    )
    return WsgiBridge(create_app([route], services), OrthancAddress(url="http://127.0.0.1:9"), threads=1)


def test_nothing_of_one_request_is_there_for_the_next(bridge: WsgiBridge, engine: Engine) -> None:
    chance = random.Random(1)
    for _ in range(ROUNDS):
        user, language, theme = (
            chance.choice(["kim", "lee", None]),
            chance.choice(["ko", "en"]),
            chance.choice(["dark", "light", None]),
        )
        headers = {"accept-language": language}
        if user:
            headers["authorization"] = "Basic " + base64.b64encode(f"{user}:secret".encode()).decode()
        if theme:
            headers["cookie"] = f"treegarth_theme={theme}"
        fails = chance.choice([None, None, "known", "unforeseen"])
        if fails:
            headers["x-fails"] = fails
        output = RecordedOutput()
        bridge(output, f"{API_PATH}/look", method="GET", headers=headers, get={})
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined] # of a QueuePool
        expected = {None: 200, "known": 404, "unforeseen": 500}[fails] if user else 401
        assert output.status == expected
        if expected == 200:
            seen = Seen.model_validate_json(output.body)
            assert (seen.user, seen.left, seen.timeout, seen.rows) == (user, None, "0", 0)
            assert (seen.language, seen.theme) == (language, theme or "auto")
