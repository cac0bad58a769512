"""Write objects into a folder: under a readable path, whole or not at all, and read back before they count as there."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from time import time

from treegarth.dicom.headers import Header, orthanc_identifiers, read_header
from treegarth.errors import NotFound, UnreadableObject
from treegarth.features.routing.destinations import FolderAddress
from treegarth.features.routing.layout import marked, path_of
from treegarth.features.routing.model import DeliveryObject, Outcome, Proof
from treegarth.features.routing.senders.fetching import copy_object
from treegarth.features.routing.senders.outcomes import gone, outcome
from treegarth.features.routing.sending import DestinationUnreachable, EchoResult, PlainSender
from treegarth.host.orthanc_client import OrthancClient
from treegarth.phrases import P_

INCOMING = ".treegarth-incoming"  # below the folder, so that a rename does not cross file systems
_HEADER_BYTES = 1 << 20
_READS_DIFFERENTLY = P_("What was written there reads differently.")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE, errno.ENOTCONN})
_ABANDONED_AFTER_S = 24 * 3600.0

logger = logging.getLogger(__name__)


class FolderSender(PlainSender):
    """Writes into one folder. Several may at once."""

    def __init__(self, address: FolderAddress, orthanc: OrthancClient, environment: Mapping[str, str]) -> None:
        self._root = address.path
        self._layout = address.layout
        self._orthanc = orthanc

    def send(self, objects: Sequence[DeliveryObject], recorded: Callable[[str], None]) -> list[Outcome]:
        """One after the other; where the folder itself fails the rest is not tried. Raises DestinationUnreachable."""
        self._prepare()
        outcomes: list[Outcome] = []
        for place, one in enumerate(objects):
            try:
                outcomes.append(self._write(one))
            except OSError as error:
                if error.errno in _NO_ROOM and not outcomes:
                    raise DestinationUnreachable(_failure(error)) from error
                outcomes.append(outcome(one, False, reason=_failure(error)))
                if error.errno in _NO_ROOM:
                    rest = objects[place + 1 :]
                    outcomes.extend(outcome(other, False, reason=_failure(error), begun=False) for other in rest)
                    break
        return outcomes

    def find(self, objects: Sequence[DeliveryObject]) -> set[str] | None:
        """Those whose file is there with the bytes that Orthanc has. Raises DestinationUnreachable."""
        self._prepare()
        try:
            return {one.orthanc_instance_id for one in objects if self._is_there(one)}
        except OSError as error:
            raise DestinationUnreachable(_failure(error)) from error

    def echo(self) -> EchoResult:
        """Whether a file can be written there by this process."""
        try:
            self._prepare()
            with self._incoming() as temporary:
                temporary.write_bytes(b"treegarth")
                if temporary.read_bytes() != b"treegarth":
                    return EchoResult(answers=False, reason=_READS_DIFFERENTLY)
        except DestinationUnreachable as error:
            return EchoResult(answers=False, reason=error.sentence)
        except OSError as error:
            return EchoResult(answers=False, reason=_failure(error))
        said = P_("folder %(path)s", path=str(self._root))
        return EchoResult(answers=True, said=said, can_find=True, can_commit=False)

    def settle(self, objects: Sequence[DeliveryObject], open_jobs: Collection[str]) -> None:
        """Remove what writers that were killed have left; one that is at work is younger than a day."""
        for path in (self._root / INCOMING).glob("*.part"):
            with suppress(OSError):  # it is gone already, or this folder is not there today
                if time() - path.stat().st_mtime > _ABANDONED_AFTER_S:
                    path.unlink()

    def _prepare(self) -> None:
        """Raises DestinationUnreachable where the folder cannot be written to at all."""
        try:
            (self._root / INCOMING).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DestinationUnreachable(_failure(error)) from error

    def _write(self, one: DeliveryObject) -> Outcome:
        with self._incoming() as temporary:
            try:
                size, digest = self._fetch(one, temporary)
            except NotFound:
                return gone(one)
            try:
                header = _header(temporary)
            except UnreadableObject as error:
                return outcome(one, False, reason=error.sentence)
            path = self._place(temporary, header, one)
        if path.stat().st_size != size or _sha256(path) != digest:
            return outcome(one, False, reason=_READS_DIFFERENTLY)
        return outcome(one, True, proof=Proof.STORED)

    def _fetch(self, one: DeliveryObject, path: Path) -> tuple[int, bytes]:
        with path.open("wb") as file:
            size, digest = copy_object(self._orthanc, one.orthanc_instance_id, file)
            file.flush()
            os.fsync(file.fileno())
        return size, digest

    def _place(self, temporary: Path, header: Header, one: DeliveryObject) -> Path:
        """Give the file its name. Another object's name is never taken: this one's is marked then."""
        for path in self._paths(header, one):
            path.parent.mkdir(parents=True, exist_ok=True)
            if _take(path, temporary) or _instance_in(path) == one.orthanc_instance_id:
                os.replace(temporary, path)
                _sync_folder(path.parent)
                return path
        raise FileExistsError(errno.EEXIST, "other objects have its names")

    def _paths(self, header: Header, one: DeliveryObject) -> Iterator[Path]:
        """Where the object may stand: its name, then marked ones."""
        plain = path_of(header, self._layout)
        yield self._confined(plain)
        yield self._confined(marked(plain, one.orthanc_instance_id[:8]))
        yield self._confined(marked(plain, one.orthanc_instance_id))

    def _confined(self, relative: PurePosixPath) -> Path:
        """Below the folder, also where a link inside it leads out."""
        path = self._root / relative
        if not path.parent.resolve().is_relative_to(self._root.resolve()):
            raise PermissionError(errno.EPERM, "a link leads out of the folder")
        return path

    def _is_there(self, one: DeliveryObject) -> bool:
        with self._incoming() as temporary:
            try:
                size, digest = self._fetch(one, temporary)
                header = _header(temporary)
            except (NotFound, UnreadableObject):
                return False
        found = (path for path in self._paths(header, one) if path.is_file() and path.stat().st_size == size)
        return any(_sha256(path) == digest for path in found)

    @contextmanager
    def _incoming(self) -> Iterator[Path]:
        """A temporary file's path, below the folder; nothing is left of it at the end."""
        path = self._root / INCOMING / f"{secrets.token_hex(12)}.part"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def _take(path: Path, temporary: Path) -> bool:
    """Take a name that nobody has, so that nobody takes it meanwhile; whether it was free."""
    try:
        os.link(temporary, path)
        return True
    except FileExistsError:
        return False
    except OSError:  # no hard links there (FAT, many shares): an empty file holds the name
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            return False
        return True


def _instance_in(path: Path) -> str | None:
    """Whose file it is, by Orthanc's identifier; of an empty one, whose writer was killed, it is nobody's."""
    try:
        return orthanc_identifiers(_header(path)).instance
    except UnreadableObject:
        logger.warning("A file that is no DICOM object has a name that a delivery wanted; another name is taken.")
        return None


def _header(path: Path) -> Header:
    """From the file's beginning, or from all of it where that is not enough (a deflated data set)."""
    with path.open("rb") as file:
        beginning = file.read(_HEADER_BYTES)
        try:
            return read_header(beginning)
        except UnreadableObject:
            rest = file.read()
            if not rest:
                raise
            return read_header(beginning + rest)


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder durable."""
    with suppress(OSError):  # some network file systems sync no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _failure(error: OSError) -> str:
    """Why the folder failed, without a path: that can hold a patient's name."""
    said = os.strerror(error.errno) if error.errno else type(error).__name__
    return P_("The folder cannot be used: %(error)s.", error=said)
