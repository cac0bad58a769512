"""The documentation names everything there is: each setting and each command has its heading."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path

import json5
import pytest
from pydantic import BaseModel
from pydantic.alias_generators import to_pascal

from treegarth.command_line import EXIT_CODES, make_parser
from treegarth.commands.exit_codes import ExitCode
from treegarth.settings import Settings, environment_name

ROOT = Path(__file__).parents[2]
SETTINGS = [to_pascal(name) for name in Settings.model_fields]


def headings(page: str) -> dict[str, str]:
    """The sections of a page of docs/: heading → text."""
    parts = re.split(r"^## (.+)$", (ROOT / "docs" / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands(parser: argparse.ArgumentParser, prefix: str) -> Iterator[str]:
    """Every command that can be given, with its words: `treegarth dose read`."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for group in groups:
        for name, inner in group.choices.items():
            yield from commands(inner, f"{prefix} {name}")
    if not groups:
        yield prefix


def test_every_setting_has_its_heading_and_no_heading_is_left_over() -> None:
    assert list(headings("settings.md")) == SETTINGS


@pytest.mark.parametrize("key", SETTINGS)
def test_a_settings_section_names_its_environment_variable_and_its_default(key: str) -> None:
    section = headings("settings.md")[key]
    assert f"`{environment_name(key)}`" in section
    field = next(field for name, field in Settings.model_fields.items() if to_pascal(name) == key)
    if isinstance(field.default, BaseModel):
        assert "Default: " in section
        for name, inner in type(field.default).model_fields.items():
            assert re.search(rf"^\| `{to_pascal(name)}` \| .*\| .+ \|$", section, flags=re.MULTILINE), name
            if isinstance(inner.default, tuple | bool):
                default = json.dumps(list(inner.default) if isinstance(inner.default, tuple) else inner.default)
                assert f"| `{to_pascal(name)}` | `{default}` |" in section
    elif field.default is None:
        assert "Default: " in section
    else:
        default = json.dumps(list(field.default) if isinstance(field.default, tuple) else field.default)
        assert f"Default `{default}`" in section


@pytest.mark.parametrize("key", SETTINGS)
def test_the_example_configuration_shows_every_setting(key: str) -> None:
    assert f'"{key}":' in (ROOT / "orthanc.json").read_text(encoding="utf-8")


def test_the_example_configuration_is_one_that_its_commented_lines_fit() -> None:
    text = (ROOT / "orthanc.json").read_text(encoding="utf-8")
    section = text[text.index('"Treegarth": {') :]
    uncommented = re.sub(r"^(\s*)// (\"\w+\": )", r"\1\2", section, flags=re.MULTILINE)
    uncommented = re.sub(r'("SignIn": "none")', r"\1,", uncommented)
    shown = json5.loads("{" + uncommented)["Treegarth"]
    assert list(shown) == SETTINGS
    Settings.model_validate(shown, by_name=False)


def test_every_command_has_its_heading_and_no_heading_is_left_over() -> None:
    assert sorted(headings("commands.md")) == sorted(commands(make_parser(), "treegarth"))


@pytest.mark.parametrize("code", ExitCode, ids=lambda code: code.name)
def test_every_exit_code_means_the_same_in_the_help_and_on_the_page(code: ExitCode) -> None:
    found = re.search(rf"^  {code.value}  (.+)$", EXIT_CODES, flags=re.MULTILINE)
    assert found
    assert f"| {code.value} | {found[1]} |" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")


def test_every_file_that_architecture_names_is_there() -> None:
    files = {str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts}
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+\.(?:py|md|css|js|json|toml|sh|lua|yml))`", text))
    assert len(named) > 50  # else nothing was read
    there = {name for name in named if any(f"/{one}".endswith(f"/{name.removeprefix('../')}") for one in files)}
    assert named == there
