"""Nothing leads out of a folder that destinations write to, and what is written is for its group alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import gate
from treegarth.errors import PlaceRefused, SettingsRefused
from treegarth.outgoing.confined import ConfinedFolder


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A listed folder; beside it is one that is not."""
    for name in ("listed", "outside"):
        (tmp_path / name).mkdir()
    return tmp_path / "listed"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folders_have_their_modes_whatever_the_umask(listed: Path, umask: None) -> None:
    with gate(listed).folder(listed / "a" / "b") as folder, folder.create("x.dcm") as file:
        file.write(b"x")
    assert [mode(listed / one) for one in ("a", "a/b", "a/b/x.dcm")] == [0o750, 0o750, 0o640]


def test_the_modes_of_what_was_there_stay(listed: Path) -> None:
    (listed / "a").mkdir(mode=0o700)
    gate(listed).folder(listed / "a" / "b").close()
    assert mode(listed / "a") == 0o700


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "a\0b", "../x"])
def test_a_name_is_the_name_of_one_file(listed: Path, name: str) -> None:
    with ConfinedFolder.open(listed) as folder:
        for use in (folder.create, folder.read, folder.subfolder, folder.remove):
            with pytest.raises(OSError):
                use(name)
    assert sorted(listed.parent.rglob("*")) == [listed, listed.parent / "outside"]


def test_no_link_is_followed_neither_to_a_folder_nor_to_a_file(listed: Path) -> None:
    outside = listed.parent / "outside"
    (outside / "theirs.dcm").write_bytes(b"theirs")
    (listed / "link").symlink_to(outside)
    (listed / "inner").symlink_to("link")
    (listed / "x.dcm").symlink_to(outside / "theirs.dcm")
    (listed / "new.dcm").symlink_to(outside / "new.dcm")
    with ConfinedFolder.open(listed) as folder, folder.create("own") as own:
        own.write(b"ours")
        for name in ("link", "inner"):
            with pytest.raises(OSError, match="symbolic links"):
                folder.below([name, "deeper"], make=True)
        for name in ("x.dcm", "new.dcm"):
            with pytest.raises(OSError, match="symbolic links"):
                folder.read(name)
            assert folder.take(name, folder, "own") is False
        assert list(folder.files("none")) != []
    assert sorted(outside.iterdir()) == [outside / "theirs.dcm"]
    assert (outside / "theirs.dcm").read_bytes() == b"theirs"
    with pytest.raises(OSError, match="symbolic links"):
        gate(listed).folder(listed / "link" / "deeper")


def test_a_folder_that_is_exchanged_for_a_link_while_it_is_open_is_no_way_out(listed: Path) -> None:
    outside = listed.parent / "outside"
    with ConfinedFolder.open(listed) as folder, folder.subfolder("a", make=True) as inner:
        (listed / "a").rename(listed / "was-a")
        (listed / "a").symlink_to(outside)
        inner.create("x.dcm").close()
        with pytest.raises(OSError, match="symbolic links"):
            folder.below(["a"])
    assert list(outside.iterdir()) == []
    assert (listed / "was-a" / "x.dcm").exists()


def test_a_pipe_in_a_files_place_holds_nobody_up(listed: Path) -> None:
    os.mkfifo(listed / "x.dcm")
    with ConfinedFolder.open(listed) as folder, pytest.raises(OSError, match="no regular file"):
        folder.read("x.dcm")


def test_a_name_is_taken_once(listed: Path) -> None:
    with ConfinedFolder.open(listed) as folder:
        for name, content in (("one", b"1"), ("two", b"2")):
            with folder.create(name) as file:
                file.write(content)
        assert folder.take("x.dcm", folder, "one") is True
        assert folder.take("x.dcm", folder, "two") is False
        with folder.read("x.dcm") as file:
            assert file.read() == b"1"


def test_where_there_are_no_hard_links_an_empty_file_holds_the_name(
    listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    with ConfinedFolder.open(listed) as folder, folder.create("one") as file:
        file.write(b"1")
        file.flush()
        assert folder.take("x.dcm", folder, "one") is True
        assert (listed / "x.dcm").read_bytes() == b""
        assert folder.take("x.dcm", folder, "one") is False
        folder.replace("x.dcm", folder, "one")
    assert (listed / "x.dcm").read_bytes() == b"1"


def test_files_are_found_in_order_without_links_and_without_the_folder_that_is_left_out(listed: Path) -> None:
    for name in ("b/2.dcm", "a/1.dcm", ".skipped/3.dcm"):
        (listed / name).parent.mkdir()
        (listed / name).write_bytes(name.encode())
    (listed / "out").symlink_to(listed.parent / "outside")
    (listed.parent / "outside" / "4.dcm").write_bytes(b"outside")
    (listed / "a" / "5.dcm").symlink_to(listed.parent / "outside" / "4.dcm")
    with ConfinedFolder.open(listed) as folder:
        assert [file.read() for file in folder.files(".skipped")] == [b"a/1.dcm", b"b/2.dcm"]


def test_a_folder_that_is_not_listed_or_not_there_is_refused_in_words(listed: Path) -> None:
    with pytest.raises(PlaceRefused, match=r"DestinationPlaces\.Folders"):
        gate(listed).folder(listed.parent / "outside")
    with pytest.raises(
        SettingsRefused, match=r"absent, which Treegarth\.DestinationPlaces\.Folders lists, cannot be opened"
    ):
        gate(listed.parent / "absent").folder(listed.parent / "absent" / "x")
    assert not (listed.parent / "absent").exists()
