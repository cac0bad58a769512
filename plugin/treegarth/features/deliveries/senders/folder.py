"""Write objects into a folder: under a readable path, whole or not at all, and read back before they count as there.

Nothing leads out of the folder: every part of a path is opened from the one before, and no link is followed. What is
written is a DICOM file from its first byte and has a name that says so.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePosixPath
from time import time
from typing import IO, BinaryIO

from treegarth.dicom.headers import Header, orthanc_identifiers, read_header
from treegarth.errors import NotFound, SettingsRefused, UnreadableObject
from treegarth.features.deliveries.addresses import FolderAddress
from treegarth.features.deliveries.layout import marked, path_of
from treegarth.features.deliveries.model import DeliveryObject, Outcome, Proof
from treegarth.features.deliveries.senders.file_format import as_file
from treegarth.features.deliveries.senders.object_bytes import CHUNK_BYTES, Form, copy_object, fetched
from treegarth.features.deliveries.senders.outcomes import gone, outcome
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable, EchoResult, PlainSender
from treegarth.orthanc.client import OrthancClient
from treegarth.outgoing.confined import ConfinedFolder
from treegarth.outgoing.gate import Gate
from treegarth.phrases import P_

INCOMING = ".treegarth-incoming"  # below the folder, so that a rename does not cross file systems
_PART = ".part"
_HEADER_BYTES = 1 << 20
_READS_DIFFERENTLY = P_("What was written there reads differently.")
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ESTALE, errno.ENOTCONN})
_NO_FILE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.ENXIO})  # nothing, a link, a pipe
_ABANDONED_AFTER_S = 24 * 3600.0

logger = logging.getLogger(__name__)


class FolderSender(PlainSender):
    """Writes into one folder. Several may at once."""

    def __init__(self, address: FolderAddress, orthanc: OrthancClient, gate: Gate) -> None:
        self._path = address.path
        self._layout = address.layout
        self._orthanc = orthanc
        self._gate = gate

    def send(self, objects: Sequence[DeliveryObject], recorded: Callable[[str], None]) -> list[Outcome]:
        """One after the other; where the folder itself fails the rest is not tried. Raises DestinationUnreachable."""
        outcomes: list[Outcome] = []
        with self._opened() as root:
            for place, one in enumerate(objects):
                try:
                    outcomes.append(self._write(root, one))
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
        with self._opened() as root:
            try:
                return {one.orthanc_instance_id for one in objects if self._is_there(root, one)}
            except OSError as error:
                raise DestinationUnreachable(_failure(error)) from error

    def echo(self) -> EchoResult:
        """Whether a file can be written there by this process."""
        try:
            with (
                self._opened() as root,
                root.subfolder(INCOMING, make=True) as incoming,
                _new_file(incoming) as (_, file),
            ):
                file.write(b"treegarth")
                file.seek(0)
                if file.read() != b"treegarth":
                    return EchoResult(answers=False, reason=_READS_DIFFERENTLY)
        except DestinationUnreachable as error:
            return EchoResult(answers=False, reason=error.sentence)
        except OSError as error:
            return EchoResult(answers=False, reason=_failure(error))
        said = P_("folder %(path)s", path=str(self._path))
        return EchoResult(answers=True, said=said, can_find=True, can_commit=False)

    def settle(self, objects: Sequence[DeliveryObject], open_jobs: Collection[str]) -> None:
        """Remove what writers that were killed have left; one that is at work is younger than a day."""
        with suppress(OSError, DestinationUnreachable), self._opened() as root, root.subfolder(INCOMING) as incoming:
            for name in incoming.names():
                with suppress(OSError):  # it is gone already
                    if name.endswith(_PART) and time() - incoming.modified_at(name) > _ABANDONED_AFTER_S:
                        incoming.remove(name)

    @contextmanager
    def _opened(self) -> Iterator[ConfinedFolder]:
        """The folder, made where it is not there. Raises DestinationUnreachable where it cannot be used at all."""
        try:
            root = self._gate.folder(self._path)
        except SettingsRefused as error:
            raise DestinationUnreachable(error.sentence) from error
        except OSError as error:
            raise DestinationUnreachable(_failure(error)) from error
        with root:
            yield root

    def _write(self, root: ConfinedFolder, one: DeliveryObject) -> Outcome:
        with root.subfolder(INCOMING, make=True) as incoming, _new_file(incoming) as (name, file):
            try:
                _, digest = copy_object(self._orthanc, one.orthanc_instance_id, file, as_file)
                header = _header(file)
            except NotFound:
                return gone(one)
            except UnreadableObject as error:
                return outcome(one, False, reason=error.sentence)
            file.flush()
            os.fsync(file.fileno())
            for path in self._paths(header, one):
                with root.below(path.parent.parts, make=True) as folder:
                    if not _takes(folder, path.name, one.orthanc_instance_id, incoming, name):
                        continue
                    if _digest(folder, path.name) != digest:
                        return outcome(one, False, reason=_READS_DIFFERENTLY)
                    return outcome(one, True, proof=Proof.STORED)
        raise FileExistsError(errno.EEXIST, "other objects have its names")

    def _paths(self, header: Header, one: DeliveryObject) -> Iterator[PurePosixPath]:
        """Where the object may stand below the folder: its name, then marked ones."""
        plain = path_of(header, self._layout)
        yield plain
        yield marked(plain, one.orthanc_instance_id[:8])
        yield marked(plain, one.orthanc_instance_id)

    def _is_there(self, root: ConfinedFolder, one: DeliveryObject) -> bool:
        try:
            with fetched(self._orthanc, one.orthanc_instance_id, expected_bytes=one.size_bytes, form=as_file) as given:
                header, digest = _header(given.file), given.sha256
        except (NotFound, UnreadableObject):
            return False
        return any(_digest_below(root, path) == digest for path in self._paths(header, one))


@contextmanager
def _new_file(folder: ConfinedFolder) -> Iterator[tuple[str, BinaryIO]]:
    """A file of this process alone, and its name; nothing is left of it at the end."""
    name = f"{secrets.token_hex(12)}{_PART}"
    with folder.create(name) as file:
        try:
            yield name, file
        finally:
            with suppress(FileNotFoundError):
                folder.remove(name)


def _takes(folder: ConfinedFolder, name: str, instance: str, incoming: ConfinedFolder, own: str) -> bool:
    """Give the new file its name where nobody has it, or the same object. Another's name is never taken."""
    if not folder.take(name, incoming, own) and _instance_in(folder, name) != instance:
        return False
    folder.replace(name, incoming, own)
    folder.sync()
    return True


def _instance_in(folder: ConfinedFolder, name: str) -> str | None:
    """Whose file it is, by Orthanc's identifier; of an empty one, whose writer was killed, it is nobody's. Links and
    whatever else is no file are somebody's, too."""
    try:
        with folder.read(name) as file:
            return orthanc_identifiers(_header(file)).instance
    except UnreadableObject:
        logger.warning("A file that is no DICOM object has a name that a delivery wanted; another name is taken.")
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
    return None


def _digest_below(root: ConfinedFolder, path: PurePosixPath) -> bytes | None:
    """Of what stands at a path, taken as a file of PS3.10: its beginning need not be ours. None: no object does."""
    try:
        with root.below(path.parent.parts) as folder:
            return _digest(folder, path.name, as_file)
    except UnreadableObject:
        return None
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        return None


def _digest(folder: ConfinedFolder, name: str, form: Form = iter) -> bytes:
    digest = hashlib.sha256()
    with folder.read(name) as file:
        for piece in form(iter(lambda: file.read(CHUNK_BYTES), b"")):
            digest.update(piece)
    return digest.digest()


def _header(file: IO[bytes]) -> Header:
    """From the file's beginning, or from all of it where that is not enough (a deflated data set)."""
    file.seek(0)
    beginning = file.read(_HEADER_BYTES)
    try:
        return read_header(beginning)
    except UnreadableObject:
        rest = file.read()
        if not rest:
            raise
        return read_header(beginning + rest)


def _failure(error: OSError) -> str:
    """Why the folder failed, without a path: that can hold a patient's name."""
    if error.errno == errno.ELOOP:
        return P_("A link stands in the folder where a folder should be: destinations follow none.")
    said = os.strerror(error.errno) if error.errno else type(error).__name__
    return P_("The folder cannot be used: %(error)s.", error=said)
