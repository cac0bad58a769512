"""requirements.lock pins each Python package for each Python that Treegarth knows, with the checksums of its files."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
STEPS = ROOT / "docker" / "steps"
TEXT = (ROOT / "requirements.lock").read_text(encoding="utf-8")
HEADING = "# What the tests and checks need in addition."
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
NAME = r"[a-z0-9]+(?:-[a-z0-9]+)*"
LINE = re.compile(rf"#.*|{NAME}==[0-9][\w.+!]*(?: ; [\w.<>=!'() ]+)? \\|    --hash=sha256:[0-9a-f]{{64}}(?: \\)?|")


@dataclass(frozen=True, kw_only=True)
class Locked:
    """A requirement of the lock file: one version of a package, the environments that it is for, its checksums."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> Version:
        (pin,) = self.requirement.specifier
        return Version(pin.version)


def read_part(text: str) -> list[Locked]:
    return [
        Locked(requirement=Requirement(block[0]), hashes=tuple(re.findall(r"--hash=(\S+)", block[1])))
        for block in re.findall(rf"^({NAME}==.*?) \\\n((?:    --hash=.*\n)*)", text, re.MULTILINE)
    ]


FOR_A_SERVER, FOR_TESTS = (read_part(part) for part in TEXT.partition(HEADING)[::2])


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def environment(python: str) -> dict[str, str]:
    return {"python_version": python, "python_full_version": f"{python}.99", "sys_platform": "linux", "extra": ""}


def is_for(requirement: Requirement, python: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(environment(python))


def locked_versions(part: list[Locked], name: str, python: str) -> list[Version]:
    wanted = canonicalize_name(name)
    return [one.version for one in part if one.name == wanted and is_for(one.requirement, python)]


def misfits(requirements: list[str], part: list[Locked], python: str) -> Iterator[str]:
    for requirement in map(Requirement, requirements):
        if is_for(requirement, python):
            found = locked_versions(part, requirement.name, python)
            if len(found) != 1 or not requirement.specifier.contains(found[0]):
                yield f"{requirement} is locked to {[str(version) for version in found]}"


@pytest.mark.parametrize("python", PYTHONS)
def test_what_a_server_needs_is_locked_inside_its_range(python: str) -> None:
    read = pyproject()
    needed = read["build-system"]["requires"] + read["project"]["dependencies"]
    assert list(misfits(needed, FOR_A_SERVER, python)) == []


@pytest.mark.parametrize("python", PYTHONS)
def test_what_the_tests_need_is_locked_inside_its_range(python: str) -> None:
    needed = pyproject()["project"]["optional-dependencies"]["dev"]
    assert list(misfits(needed, FOR_A_SERVER + FOR_TESTS, python)) == []


@pytest.mark.parametrize("python", PYTHONS)
def test_each_package_is_locked_once_for_a_python(python: str) -> None:
    names = [one.name for one in FOR_A_SERVER + FOR_TESTS if is_for(one.requirement, python)]
    assert sorted(names) == sorted(set(names))


def test_the_two_parts_share_nothing() -> None:
    assert {one.name for one in FOR_A_SERVER} & {one.name for one in FOR_TESTS} == set()


def test_each_requirement_has_checksums() -> None:
    assert [one.name for one in FOR_A_SERVER + FOR_TESTS if not one.hashes] == []
    assert len(re.findall(r"^\w", TEXT, re.MULTILINE)) == len(FOR_A_SERVER + FOR_TESTS)


def test_the_file_names_no_address_and_holds_nothing_else() -> None:
    assert [line for line in TEXT.splitlines() if not LINE.fullmatch(line)] == []
    assert "://" not in TEXT


def test_the_steps_know_the_heading_that_parts_the_file() -> None:
    assert f"tests_heading='{HEADING}'" in (STEPS / "speak.sh").read_text(encoding="utf-8")
    assert TEXT.count(HEADING) == 1


def test_the_lock_is_for_the_pythons_that_the_set_up_accepts() -> None:
    assert f"    {' | '.join(PYTHONS)}) ;;" in (STEPS / "python.sh").read_text(encoding="utf-8")
    accepted = SpecifierSet(pyproject()["project"]["requires-python"])
    assert PYTHONS[0] in accepted
    assert "3.10" not in accepted


def test_a_python_without_wheels_for_highdicom_goes_without_it() -> None:
    with_highdicom = [python for python in PYTHONS if locked_versions(FOR_A_SERVER, "highdicom", python)]
    assert with_highdicom == ["3.11", "3.12", "3.13"]


def test_no_module_needs_a_package_that_some_python_goes_without() -> None:
    """It may import one inside a function, which says what is missing where it is."""
    needed = map(Requirement, pyproject()["project"]["dependencies"])
    absent = {one.name for one in needed if not all(is_for(one, python) for python in PYTHONS)}
    assert absent == {"highdicom"}
    imports = {
        f"{path.relative_to(ROOT)}:{node.lineno}": name
        for path in (ROOT / "plugin").rglob("*.py")
        for node in run_on_import(ast.parse(path.read_text(encoding="utf-8")))
        for name in imported_packages(node)
    }
    assert "pydicom" in imports.values()
    assert {place: name for place, name in imports.items() if name in absent} == {}


def run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: all but the insides of functions and what only type checkers see."""
    yield node
    for child in ast.iter_child_nodes(node):
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not is_for_types:
            yield from run_on_import(child)


def imported_packages(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name.partition(".")[0] for name in node.names]
    return [(node.module or "").partition(".")[0]] if isinstance(node, ast.ImportFrom) else []
