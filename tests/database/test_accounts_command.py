"""`treegarth users` and `treegarth tokens` against a real database, as a shell calls them."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from treegarth.access.one_time_codes import new_key
from treegarth.access.passwords import Argon2id
from treegarth.access.second_step_store import begin_app, confirm_app
from treegarth.access.store import find_user, password_of, read_snapshot, read_tokens
from treegarth.command_line import main
from treegarth.database.engine import DatabaseAddress


@pytest.fixture
def site(database_address: DatabaseAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECRET", database_address.password or "")
    section = {"Database": database_address.url, "DatabasePassword": {"Environment": "SECRET"}, "SignIn": "treegarth"}
    file = tmp_path / "orthanc.json"
    file.write_text(json.dumps({"Treegarth": section}), encoding="utf-8")
    return file


def test_the_first_administrator_is_made_by_the_command(
    site: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(site)]
    assert main(["users", "list", *config]) == 0
    assert "treegarth users add NAME --role administrator" in capsys.readouterr().out
    assert main(["users", "add", "root", "--role", "administrator", "--full-name", "Root", *config]) == 0
    said = capsys.readouterr().out
    (password,) = re.findall(r"first sign-in: (\S+)", said)
    with engine.connect() as connection:
        kept = password_of(connection, "root")
    assert kept is not None
    assert kept.must_change
    assert Argon2id().fits(password, kept.password_hash)
    assert main(["users", "list", *config]) == 0
    assert re.fullmatch(r"root  new  never +administrator\n", capsys.readouterr().out)
    assert main(["users", "roles", "root", "nurse", *config]) == 1
    assert "Somebody must remain an administrator" in capsys.readouterr().err
    assert main(["users", "off", "root", *config]) == 1
    assert main(["users", "add", "ROOT", *config]) == 1
    assert main(["users", "off", "nobody", *config]) == 1


def test_a_lost_app_is_taken_off_by_the_command(site: Path, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    config, now = ["--config", str(site)], datetime(2026, 11, 30, tzinfo=UTC)
    assert main(["users", "add", "root", "--role", "administrator", *config]) == 0
    with engine.begin() as connection:
        user = find_user(connection, "root")
        assert user is not None
        begin_app(connection, user.id, new_key(), now)
        assert confirm_app(connection, user.id, 1, now, [b"1"])
    for said in ("root signs in by the password alone.", "root had no second step."):
        capsys.readouterr()
        assert main(["users", "second-step-off", "root", *config]) == 0
        assert capsys.readouterr().out == f"{said}\n"


def test_a_user_is_changed_by_the_command(
    site: Path, engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ["--config", str(site)]
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough word\n"))
    assert main(["users", "add", "anna", "--role", "nurse", "--password-stdin", *config]) == 0
    assert "Password" not in capsys.readouterr().out
    assert main(["users", "roles", "anna", "physicist", "researcher", *config]) == 0
    assert main(["users", "off", "anna", *config]) == 0
    with engine.connect() as connection:
        anna = find_user(connection, "anna")
    assert anna is not None
    assert (anna.roles, anna.is_on) == (["physicist", "researcher"], False)
    assert main(["users", "on", "anna", *config]) == 0
    assert main(["users", "end-sessions", "anna", *config]) == 0
    assert "0 sessions ended" in capsys.readouterr().out
    assert main(["users", "password", "anna", *config]) == 0
    assert "first sign-in: " in capsys.readouterr().out


def test_a_token_is_made_and_taken_back_by_the_command(
    site: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["--config", str(site)]
    main(["users", "add", "gateway", "--role", "service", *config])
    assert main(["tokens", "add", "gateway", "--for", "room 2", "--may", "fly", *config]) == 1
    assert main(["tokens", "add", "gateway", "--for", "room 2", "--may", "upload", "--days", "900", *config]) == 1
    capsys.readouterr()
    assert main(["tokens", "add", "gateway", "--for", "room 2", "--may", "upload", *config]) == 0
    (secret,) = re.findall(r"said only now: (tg_\S+)", capsys.readouterr().out)
    with engine.connect() as connection:
        user = find_user(connection, "gateway")
        assert user is not None
        (token,) = read_tokens(connection, user.id)
        assert read_snapshot(connection, token.created_at).by_token(secret, token.created_at) is not None
    assert main(["tokens", "revoke", str(token.id), *config]) == 0
    assert main(["tokens", "list", *config]) == 0
    assert "revoked" in capsys.readouterr().out
    assert main(["tokens", "revoke", "999999", *config]) == 1


def test_where_orthanc_has_the_passwords_none_is_made(
    site: Path, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    site.write_text(site.read_text(encoding="utf-8").replace('"treegarth"', '"orthanc"'), encoding="utf-8")
    config = ["--config", str(site)]
    assert main(["users", "add", "alice", "--role", "administrator", *config]) == 0
    assert "Password" not in capsys.readouterr().out
    assert main(["users", "password", "alice", *config]) == 1
    assert main(["tokens", "add", "alice", "--for", "x", "--may", "upload", *config]) == 1
    with engine.connect() as connection:
        assert password_of(connection, "alice") is None
