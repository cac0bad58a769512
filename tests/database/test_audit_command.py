"""`treegarth audit erase` against a real database, as a shell calls it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from tests.index_support import write_study
from treegarth.audit.chain import SigningKey
from treegarth.audit.model import Event, EventOutcome, Way, What
from treegarth.audit.store import append
from treegarth.audit.tables import audit_event
from treegarth.command_line import main
from treegarth.database.engine import DatabaseAddress

KEY = "0123456789abcdef" * 4
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def test_a_patient_is_erased_and_the_trail_says_that_and_verifies(
    database_address: DatabaseAddress,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SECRET", database_address.password or "")
    monkeypatch.setenv("AUDIT_KEY", KEY)
    section = {"Database": database_address.url, "DatabasePassword": {"Environment": "SECRET"}, "SignIn": "treegarth"}
    configuration = tmp_path / "orthanc.json"
    configuration.write_text(json.dumps({"Treegarth": section | {"AuditKey": {"Environment": "AUDIT_KEY"}}}))
    viewed = {"what": What.VIEW, "outcome": EventOutcome.DONE, "at": NOON, "way": Way.PAGE, "actor": "anna"}
    events = [
        ("1", Event(**viewed, path="/a", patients=("P1",))),
        ("2", Event(**viewed, path="/b", studies=("1.2.840.99999.1.1",))),  # of P1, as the index knows
        ("3", Event(**viewed, path="/c", patients=("P2",))),
    ]
    with engine.begin() as connection:
        write_study(connection, 1, patient_id="P1")
        append(connection, "a:8042", events, SigningKey(secret=KEY.encode()), NOON)
    config = ["--config", str(configuration)]

    assert main(["audit", "erase", "--patient-id", "P1", *config]) == 0
    assert capsys.readouterr().out == "2 events do not tell any more whom they were about.\n"
    assert main(["audit", "erase", "--patient-id", "P1", *config]) == 0
    assert capsys.readouterr().out.startswith("0 events")
    assert main(["audit", "verify", *config]) == 0
    assert "2 identities erased" in capsys.readouterr().out

    told = audit_event.c
    with engine.connect() as connection:
        rows = connection.execute(select(told.what, told.path, told.patients, told.count).order_by(told.id)).all()
    assert [tuple(row) for row in rows] == [
        ("view", None, None, 1),
        ("view", None, None, 1),
        ("view", "/c", ["P2"], 1),
        ("erase", "", [], 2),
    ]
