"""Secrets and certificates are read where the settings list them, and nowhere else by whatever way."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.places import gate
from treegarth.errors import PlaceRefused, SettingsRefused


@dataclass(frozen=True)
class At:
    """A secret's place."""

    environment: str | None = None
    file: Path | None = None


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """A listed folder with a secret; another secret stands beside the folder."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "pacs").write_text("s3cret\n", encoding="utf-8")
    (tmp_path / "outside").write_text("the machine's", encoding="utf-8")
    return tmp_path / "secrets"


def read(path: Path | str, *listed: Path) -> str:
    return gate(SecretFiles=[str(one) for one in listed]).secret(At(file=Path(path)))


def test_a_secret_is_read_from_a_listed_file_or_folder_or_variable(secrets: Path) -> None:
    assert read(secrets / "pacs", secrets) == "s3cret"
    assert read(secrets / "pacs", secrets / "pacs") == "s3cret"
    assert gate(environment={"PACS": "from there"}).secret(At(environment="PACS")) == "from there"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/etc/shadow", "/proc/self/environ", "/proc/1/environ", "/dev/stdin", "{}/../outside"]
)
def test_no_other_file_is(secrets: Path, path: str) -> None:
    with pytest.raises(PlaceRefused, match=r"Treegarth\.DestinationPlaces\.SecretFiles"):
        read(path.format(secrets), secrets)


def test_a_link_that_leads_out_is_no_way_to_another(secrets: Path) -> None:
    (secrets / "file").symlink_to(secrets.parent / "outside")
    (secrets / "folder").symlink_to(secrets.parent)
    for path in (secrets / "file", secrets / "folder" / "outside"):
        with pytest.raises(PlaceRefused, match=r"leads out of what Treegarth\.DestinationPlaces\.SecretFiles lists"):
            read(path, secrets)


def test_a_link_that_stays_inside_is_followed_as_containers_have_them(secrets: Path) -> None:
    (secrets / "..2026").mkdir()
    (secrets / "..2026" / "token").write_text("t", encoding="utf-8")
    (secrets / "..data").symlink_to("..2026")
    (secrets / "token").symlink_to("..data/token")
    assert read(secrets / "token", secrets) == "t"
    (secrets.parent / "run").symlink_to(secrets)  # the listed folder may be a link itself: the administrator wrote it
    assert read(secrets.parent / "run" / "token", secrets.parent / "run") == "t"


def test_what_is_no_secret_is_said_and_holds_nobody_up(secrets: Path) -> None:
    os.mkfifo(secrets / "pipe")
    (secrets / "large").write_bytes(b"x" * 100_000)
    (secrets / "binary").write_bytes(b"\xff\xfe")
    for name, said in {
        "pipe": "no regular file",
        "large": "too large",
        "binary": "no text in UTF-8",
        "absent": "No such file",
        ".": "no regular file",
    }.items():
        with pytest.raises(SettingsRefused, match=said):
            read(secrets / name, secrets)


def test_a_variable_that_is_not_listed_is_not_read() -> None:
    with pytest.raises(PlaceRefused, match="SecretEnvironment"):
        gate(environment={"ORTHANC_PASSWORD": "x"}, SecretEnvironment=["PACS_*"]).secret(
            At(environment="ORTHANC_PASSWORD")
        )
    with pytest.raises(SettingsRefused, match="PACS_TOKEN"):
        gate(SecretEnvironment=["PACS_*"]).secret(At(environment="PACS_TOKEN"))


def test_certificates_are_trusted_where_they_are_listed(secrets: Path) -> None:
    def verify(path: Path | bool, **given: Any) -> bool | str:
        return gate(**given).certificates(path)

    assert verify(True) is True
    assert verify(False) is False
    assert verify(secrets / "pacs", CertificateFiles=[str(secrets)]) == str(secrets / "pacs")
    with pytest.raises(PlaceRefused, match="CertificateFiles"):
        verify(secrets / "pacs")
    with pytest.raises(SettingsRefused, match="not there"):
        verify(secrets / "absent", CertificateFiles=[str(secrets)])


def test_a_gate_does_not_show_the_environment() -> None:
    assert "hunter2" not in repr(gate(environment={"SECRET": "hunter2"}))
