"""The set-up says in one sentence why it cannot go on. Each step runs in a copy, with the tools it calls replaced."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = (
    *("bash", "env", "sh", "cat", "cp", "cut", "dirname", "echo", "grep", "head", "mkdir", "mv", "rm", "sed"),
    *("sha256sum", "sort", "tail", "tee", "touch", "tr", "true", "xargs", "chmod"),
)
INSTALLED_BUT_ORTHANC = 'case "$*" in *orthanc*) exit 1 ;; *) echo installed ;; esac'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the set-up reads."""
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT / "docker" / "steps", copy / "docker" / "steps")
    shutil.copytree(ROOT / "web", copy / "web", ignore=shutil.ignore_patterns("vendor", "node_modules", "__pycache__"))
    for name in ("pyproject.toml", "requirements.lock", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    (copy / "plugin" / "treegarth").mkdir(parents=True)
    return copy


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """An empty folder for replaced programs. What else the steps may find stands as links in the folder beside it."""
    links, replaced = tmp_path / "links", tmp_path / "replaced"
    links.mkdir()
    replaced.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        (links / name).symlink_to(found)
    replace(replaced, "dpkg-query", INSTALLED_BUT_ORTHANC)
    replace(replaced, "npm", "exit 1")
    return replaced


def replace(tools: Path, name: str, script: str) -> None:
    assert not (tools / name).is_symlink()  # writing through a link would replace the machine's own program
    (tools / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (tools / name).chmod(0o755)


def run(checkout: Path, tools: Path, step: str, *arguments: str, **environment: str) -> str:
    """What a step says on the screen when it gives up."""
    inherited: Mapping[str, str] = {**os.environ, "PATH": f"{tools}:{tools.parent / 'links'}", **environment}
    done = subprocess.run(
        [checkout / "docker" / "steps" / step, *arguments], env=inherited, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_missing_packages_without_sudo_are_named(checkout: Path, tools: Path) -> None:
    replace(tools, "id", "echo 1000")
    sentence = run(checkout, tools, "packages.sh", "runtime")
    assert "there is no sudo: run `apt-get install orthanc orthanc-python orthanc-dicomweb` as root" in sentence


def test_sudo_without_a_terminal_to_ask_at_says_so(checkout: Path, tools: Path) -> None:
    replace(tools, "id", "echo 1000")
    replace(tools, "sudo", "exit 1")
    assert "sudo wants a password" in run(checkout, tools, "packages.sh", "runtime")


def test_unreachable_mirrors_are_told_from_other_failures(checkout: Path, tools: Path) -> None:
    replace(tools, "sudo", '[ "$1" != -n ] || shift; exec "$@"')
    replace(tools, "id", "echo 1000")
    replace(tools, "rm", "exit 0")  # the policy that is taken away belongs to this machine
    replace(tools, "tee", "exec cat")
    replace(tools, "chmod", "exit 0")
    replace(tools, "apt-get", "echo Could not resolve host; exit 100")
    assert "mirrors of this machine cannot be reached" in run(checkout, tools, "packages.sh", "runtime")
    replace(tools, "apt-get", "echo E: Broken packages; exit 100")
    assert "apt-get could not install orthanc" in run(checkout, tools, "packages.sh", "runtime")


def test_no_service_that_the_packages_bring_is_started(checkout: Path, tools: Path) -> None:
    policy = tools.parent / "policy-rc.d"
    replace(tools, "id", "echo 0")
    replace(tools, "rm", "exit 0")  # it is looked at when all is over
    replace(tools, "apt-get", "exit 100")
    run(checkout, tools, "packages.sh", "test", POLICY_RC_D=str(policy))
    for service, code in (("orthanc", 101), ("nginx", 101), ("caddy.service", 101), ("ssh", 0), ("postgresql", 0)):
        assert subprocess.run([policy, service, "start"], timeout=10, check=False).returncode == code, service


def test_an_unreachable_npm_registry_is_one_sentence(checkout: Path, tools: Path) -> None:
    replace(tools, "npm", "echo npm error code ENOTFOUND; exit 1")
    assert "the npm registry cannot be reached" in run(checkout, tools, "web.sh")


def test_a_viewer_with_another_checksum_is_refused_and_not_kept(checkout: Path, tools: Path) -> None:
    replace(
        tools, "npm", 'if [ "$1" = pack ]; then for to in "$@"; do :; done; echo x > "$to/ohif-app-3.12.10.tgz"; fi'
    )
    sentence = run(checkout, tools, "web.sh")
    assert "has the checksum sha512-" in sentence
    assert list((checkout / ".cache" / "npm").iterdir()) == []
    assert not (checkout / "web" / "vendor").exists()


def write_wheel(folder: Path, name: str, *, requires: str | None = None) -> str:
    """An empty package that pip can install; its checksum as the lock file writes it."""
    path, metadata = folder / f"{name}-99.0-py3-none-any.whl", f"{name}-99.0.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.0\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{metadata}/METADATA", about + (f"Requires-Dist: {requires}\n" if requires else ""))
        wheel.writestr(f"{metadata}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{metadata}/RECORD", "")
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def install_from(wheels: Path, checkout: Path, tools: Path, locked: Mapping[str, str]) -> str:
    """What the set-up says when its lock file holds these checksums and pip knows the wheels of that folder only."""
    blocks = (f"{name}==99.0 \\\n    --hash={checksum}\n" for name, checksum in locked.items())
    (checkout / "requirements.lock").write_text("".join(blocks), encoding="utf-8")
    return run(
        checkout, tools, "python.sh", "runtime",
        PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels),
    )  # fmt: skip


def test_a_python_package_with_another_checksum_is_refused(checkout: Path, tools: Path, tmp_path: Path) -> None:
    locked = {name: write_wheel(tmp_path, name) for name in ("setuptools", "flask")}
    sentence = install_from(tmp_path, checkout, tools, {**locked, "flask": f"sha256:{64 * '0'}"})
    assert "a Python package is not the one that requirements.lock names" in sentence
    assert not list(checkout.glob(".venv/lib/*/site-packages/flask-*"))


def test_a_python_package_that_is_not_locked_is_not_installed(checkout: Path, tools: Path, tmp_path: Path) -> None:
    locked = {
        "setuptools": write_wheel(tmp_path, "setuptools"),
        "flask": write_wheel(tmp_path, "flask", requires="click"),
    }
    write_wheel(tmp_path, "click")
    assert "pip could not install Treegarth" in install_from(tmp_path, checkout, tools, locked)
    assert "all requirements must have their versions pinned" in (checkout / ".cache/log/pip.log").read_text("utf-8")
    assert not list(checkout.glob(".venv/lib/*/site-packages/click-*"))


@pytest.mark.parametrize("step", ["compat.sh", "fresh.sh"])
def test_another_debian_needs_root_and_a_known_name(checkout: Path, tools: Path, step: str) -> None:
    replace(tools, "id", "echo 1000")
    assert "there is no sudo: run it as root" in run(checkout, tools, step, DEBIAN="13")
    replace(tools, "id", "echo 0")
    assert 'DEBIAN is 12, 13 or sid, not "11"' in run(checkout, tools, step, DEBIAN="11")


def test_what_the_configuration_of_pip_names_is_there_in_another_debian(checkout: Path, tmp_path: Path) -> None:
    """Its own files, the files that they name, and folders of packages."""
    named, tree = tmp_path / "named", tmp_path / "tree"
    (named / "wheels").mkdir(parents=True)
    (tree / "etc/apt/apt.conf.d").mkdir(parents=True)
    (named / "constraints.txt").write_text("flask<4\n", encoding="utf-8")
    settings = f"constraint = {named}/constraints.txt\nfind-links = {named}/wheels\nindex-url = https://a.test/simple\n"
    (named / "pip.conf").write_text(f"[global]\n{settings}", encoding="utf-8")
    (checkout / ".venv").symlink_to(sys.prefix)
    script = '. docker/steps/speak.sh; . docker/steps/debian_tree.sh; copy_network_configuration "$0"; pip_paths'
    listed = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script, tree], cwd=checkout, capture_output=True, text=True, check=True,
        timeout=60, env={**os.environ, "PIP_CONFIG_FILE": str(named / "pip.conf")},
    )  # fmt: skip
    assert f"{named}/wheels" in listed.stdout.splitlines()  # a folder is mounted, not copied
    copied = tree / named.relative_to("/")
    assert sorted(path.name for path in copied.iterdir()) == ["constraints.txt", "pip.conf"]
    assert (copied / "constraints.txt").read_text(encoding="utf-8") == "flask<4\n"


def test_an_unreachable_package_index_is_one_sentence(checkout: Path, tools: Path) -> None:
    sentence = run(
        checkout, tools, "python.sh", "runtime",
        PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="", PIP_INDEX_URL="http://127.0.0.1:1/", PIP_RETRIES="0",
    )  # fmt: skip
    assert "pip could not reach its package index" in sentence
    assert not (checkout / ".venv" / "treegarth.stamp").exists()
