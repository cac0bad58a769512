"""What the guard of Orthanc's addresses is told. What it makes of that: tests/orthanc/test_request_guard.py."""

from __future__ import annotations

import json
from typing import Any

import pytest

from treegarth.host.request_guard import tell_guard
from treegarth.reach import reach_of
from treegarth.settings import read_settings


def told(section: dict[str, Any], *, scripts_serve: bool = False) -> dict[str, Any]:
    environment: dict[str, str] = {}
    settings = read_settings(section, {})
    reach = reach_of(settings.public_url, settings.allowed_origins, {})
    tell_guard(environment, settings, reach, scripts_serve=scripts_serve)
    (value,) = environment.values()
    found = json.loads(value)
    assert isinstance(found, dict)
    return found


def test_with_a_login_it_knows_every_name_and_no_other_site() -> None:
    assert told({}) == {
        "AllowedOrigins": [],
        "PublicOrigin": None,
        "Hosts": [],
        "AnyHost": True,
        "OwnPaths": ["/treegarth"],
        "ScriptsServe": False,
    }


def test_without_a_login_it_knows_the_names_of_the_settings() -> None:
    section = {"SignIn": "none", "PublicUrl": "https://pacs.example.org:444/", "OrthancUrl": "http://Inner:8042"}
    found = told({**section, "AllowedOrigins": ["https://viewer.example.org/"]})
    assert (found["AnyHost"], found["Hosts"]) == (False, ["inner", "pacs.example.org"])
    assert found["PublicOrigin"] == "https://pacs.example.org:444"
    assert found["AllowedOrigins"] == ["https://viewer.example.org"]


@pytest.mark.parametrize("path", ["pacs", "studies", "patients/a"])
def test_below_the_path_of_public_url_it_leaves_out_only_what_we_answer(path: str) -> None:
    found = told({"PublicUrl": f"https://www.example.org/{path}"})["OwnPaths"]
    assert {"/treegarth", f"/{path}/treegarth", f"/{path}/app"} <= set(found)
    assert f"/{path}" not in found


def test_it_is_told_where_scripts_of_the_site_answer() -> None:
    assert told({}, scripts_serve=True)["ScriptsServe"] is True
