"""Treegarth starts where it may, refuses where it must with sentences that say what to do, and knows its users."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.orthanc.conftest import ServerFactory
from tests.servers import OrthancServer

USERS = {"AuthenticationEnabled": True, "RegisteredUsers": {"physicist": "a-password"}}


def refusal(server: OrthancServer) -> str:
    """What Orthanc logs when Treegarth refuses to start."""
    server.start(wait=False)
    assert server.process is not None
    assert server.process.wait(120) == 255
    lines = [line for line in server.log_text().splitlines() if "Treegarth refuses to start" in line]
    return "\n".join(line.split("refuses to start: ")[1] for line in lines)


def test_every_wrong_setting_is_named_at_once(new_server: ServerFactory) -> None:
    said = refusal(new_server(treegarth={"SignIn": "production", "Workers": -1, "Wrokers": 2}))
    assert 'Treegarth.SignIn = "production"' in said
    assert "'none', 'orthanc', 'treegarth' or 'oidc'" in said
    assert "Treegarth.Workers = -1" in said
    assert "Treegarth.Wrokers is not a setting" in said


def test_a_server_and_its_children_run_on_the_packages_of_the_tests(new_server: ServerFactory) -> None:
    """Which is .venv, or the venv of the newest packages."""
    server = new_server().start()
    packages = re.findall(r" (/\S+/site-packages)/", Path(f"/proc/{server.pid}/maps").read_text(encoding="utf-8"))
    assert set(packages) == {sysconfig.get_path("purelib")}
    listed = ["pgrep", "--parent", str(server.pid), "--list-full", "--full", "treegarth.roles"]
    children = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {line.split()[1] for line in children} == {f"{sys.prefix}/bin/python"}


def test_an_environment_variable_wins_over_the_configuration(new_server: ServerFactory) -> None:
    assert "Treegarth.Workers = 1000" in refusal(new_server(environment={"TREEGARTH_WORKERS": "1000"}))


@pytest.mark.parametrize(
    ("section", "settings", "expected"),
    [
        ({"SignIn": "orthanc"}, {}, 'SignIn "orthanc" needs Orthanc\'s login'),
        ({"SignIn": "orthanc"}, {"AuthenticationEnabled": True}, 'SignIn "orthanc" needs Orthanc\'s login'),
        (
            {"SignIn": "none"},
            {"RemoteAccessAllowed": True, "AuthenticationEnabled": False},
            'SignIn "none" lets everybody in',
        ),
        (
            {"SignIn": "none", "PublicUrl": "https://pacs.example.org/"},
            {},
            '"PublicUrl" says that others reach this server',
        ),
        (
            {"SignIn": "none", "Database": "postgresql://u@h/d", "DatabasePassword": {"Environment": "NOT_SET_HERE"}},
            {},
            "The environment variable NOT_SET_HERE",
        ),
    ],
)
def test_a_site_that_would_be_open_or_incomplete_does_not_start(
    new_server: ServerFactory, section: dict[str, Any], settings: dict[str, Any], expected: str
) -> None:
    assert expected in refusal(new_server(treegarth=section, settings=settings))


def test_in_prod_orthanc_lets_nobody_in_without_a_login(new_server: ServerFactory) -> None:
    server = new_server(treegarth={"SignIn": "orthanc"}, settings=USERS)
    server.start(wait=False)
    server.wait_until_ready(login=("physicist", "a-password"))
    assert requests.get(f"{server.base_url}/studies", timeout=120).status_code == 401
    assert requests.get(f"{server.api}/studies", timeout=120).status_code == 401
    page = requests.get(f"{server.base_url}/", auth=("physicist", "a-password"), timeout=120)
    assert page.status_code == 200
    assert "physicist" in page.text  # who is logged in is shown


def test_a_page_of_another_site_cannot_act_here(new_server: ServerFactory) -> None:
    server = new_server().start()
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert requests.post(f"{server.api}/reconcile", headers=evil, timeout=120).status_code == 403
    assert requests.post(f"{server.api}/reconcile", timeout=120).status_code < 300
    rebound = requests.get(f"{server.api}/studies", headers={"Host": "evil.example"}, timeout=120)
    assert rebound.status_code in (400, 403, 421)


def test_no_secret_reaches_the_log_or_a_command_line(new_server: ServerFactory) -> None:
    server = new_server().start()
    password = (server.folder / "treegarth/postgresql/password").read_text(encoding="ascii").strip()
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not [command for command in commands if password.encode() in command]
    assert password not in server.log_text()
