"""`treegarth rules import` and `export` against a real database."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from treegarth.commands.configuration import Configuration
from treegarth.commands.rules import export_command, import_command
from treegarth.database.engine import DatabaseAddress
from treegarth.errors import MachineNotReady

TEXT = """\
# 주석
- name: one
  when: by hand
  do: [label: x]
  on: true
"""


def test_rules_go_in_and_come_out_as_they_were_written(
    database_address: DatabaseAddress, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    section = {"Database": database_address.url, "DatabasePassword": {"Environment": "SECRET"}}
    configuration = Configuration(source=tmp_path, values={"Treegarth": section})
    environment = {"SECRET": database_address.password or ""}
    file = tmp_path / "rules.yaml"
    file.write_text(TEXT, encoding="utf-8")

    def run(*, dry_run: bool = False) -> tuple[int, str]:
        output = io.StringIO()
        return import_command(configuration, environment, file, dry_run=dry_run, output=output), output.getvalue()

    assert run(dry_run=True) == (0, "created  on  one\nNothing was changed: this was a dry run.\n")
    assert run() == (0, "created  on  one\n")
    assert run() == (0, "same     on  one\n")
    file.write_text(TEXT.replace("label", "lable"), encoding="utf-8")
    assert run() == (1, "")
    assert "rules[0].do[0].lable: is no action." in capsys.readouterr().err
    output = io.StringIO()
    assert export_command(configuration, environment, output) == 0
    assert output.getvalue() == TEXT
    file.unlink()
    with pytest.raises(MachineNotReady, match="cannot be read"):
        run()
