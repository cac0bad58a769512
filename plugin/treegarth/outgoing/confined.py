"""A folder out of which nothing leads: every part of a path is opened by itself, from its folder, and no link is
followed. So there is no moment between a look at a path and its use at which somebody could exchange a part of it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

FILE_MODE, FOLDER_MODE = 0o640, 0o750
"""Whatever the process's umask: readable to the group that the listed folder was given to, and to nobody else."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_WITHOUT_MODES = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})  # FAT and some shares have none


class ConfinedFolder:
    """An open folder. Names given to it are names in it: a path, `.` or `..` is refused."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> ConfinedFolder:
        """A folder whose path is trusted: links in it are followed. Raises OSError."""
        return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))

    def __enter__(self) -> ConfinedFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        os.close(self._descriptor)

    def below(self, names: Sequence[str], *, make: bool = False) -> ConfinedFolder:
        """The folder at the end of these names, or this one once more. Raises OSError."""
        folder = ConfinedFolder(os.dup(self._descriptor))
        for name in names:
            with folder:
                deeper = folder.subfolder(name, make=make)
            folder = deeper
        return folder

    def subfolder(self, name: str, *, make: bool = False) -> ConfinedFolder:
        """The folder of this name in it. Raises OSError."""
        made = make and self._made(name)
        try:
            descriptor = os.open(_single(name), _FOLDER, dir_fd=self._descriptor)
        except NotADirectoryError as error:  # Linux says this of a link, too
            raise (_a_link() if self._is_link(name) else error) from error
        if made:
            _set_mode(descriptor, FOLDER_MODE)
        return ConfinedFolder(descriptor)

    def create(self, name: str) -> BinaryIO:
        """A new file, to be written and read. Raises FileExistsError, OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(_single(name), flags, 0o600, dir_fd=self._descriptor)
        _set_mode(descriptor, FILE_MODE)
        return os.fdopen(descriptor, "w+b")

    def read(self, name: str) -> BinaryIO:
        """A regular file. Raises FileNotFoundError, OSError for a link and whatever else is no file."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(_single(name), flags, dir_fd=self._descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is no regular file")
        return os.fdopen(descriptor, "rb")

    def take(self, name: str, source: ConfinedFolder, own: str) -> bool:
        """Give a file of another folder this name as well, if nobody has it; whether it was free. Raises OSError.

        Where there are no hard links (FAT, many shares) an empty file holds the name.
        """
        try:
            os.link(
                own,
                _single(name),
                src_dir_fd=source._descriptor,
                dst_dir_fd=self._descriptor,
                follow_symlinks=False,
            )
        except FileExistsError:
            return False
        except OSError:
            try:
                self.create(name).close()
            except FileExistsError:
                return False
        return True

    def replace(self, name: str, source: ConfinedFolder, own: str) -> None:
        """Move a file of another folder to this name, instead of what has it. Raises OSError."""
        os.replace(own, _single(name), src_dir_fd=source._descriptor, dst_dir_fd=self._descriptor)

    def remove(self, name: str) -> None:
        """Raises OSError."""
        os.unlink(_single(name), dir_fd=self._descriptor)

    def modified_at(self, name: str) -> float:
        """When it was last written, in seconds since 1970. Raises OSError."""
        return os.stat(_single(name), dir_fd=self._descriptor, follow_symlinks=False).st_mtime

    def names(self) -> list[str]:
        """Of everything in it. Raises OSError."""
        return sorted(os.listdir(self._descriptor))

    def files(self, without: str) -> Iterator[BinaryIO]:
        """Every regular file in it and below, but for folders named `without`, in the order of their names."""
        for _, folders, names, descriptor in os.fwalk(dir_fd=self._descriptor, follow_symlinks=False):
            folders[:] = sorted(name for name in folders if name != without)
            folder = ConfinedFolder(descriptor)
            for name in sorted(names):
                with suppress(OSError), folder.read(name) as file:
                    yield file

    def sync(self) -> None:
        """Make new names in it durable; some network file systems cannot."""
        with suppress(OSError):
            os.fsync(self._descriptor)

    def _made(self, name: str) -> bool:
        """Whether it was not there before."""
        try:
            os.mkdir(_single(name), 0o700, dir_fd=self._descriptor)
        except FileExistsError:
            return False
        return True

    def _is_link(self, name: str) -> bool:
        return stat.S_ISLNK(os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mode)


def _single(name: str) -> str:
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise OSError(errno.EINVAL, "it is not the name of one file")
    return name


def _a_link() -> OSError:
    return OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def _set_mode(descriptor: int, mode: int) -> None:
    """Closes what cannot have it. Raises OSError."""
    try:
        os.fchmod(descriptor, mode)
    except OSError as error:
        if error.errno not in _WITHOUT_MODES:
            os.close(descriptor)
            raise
