"""One object out of Orthanc, piece by piece, into memory where it is small and into a nameless file where it is not."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from mmap import ACCESS_READ, mmap
from typing import IO

import requests

from treegarth.dicom.depth import nesting_beyond
from treegarth.errors import OrthancUnavailable
from treegarth.orthanc.client import OrthancClient
from treegarth.phrases import P_

IN_MEMORY_BYTES = 8 << 20
CHUNK_BYTES = 1 << 20
Form = Callable[[Iterator[bytes]], Iterator[bytes]]  # what becomes of the bytes on their way


@dataclass(frozen=True, kw_only=True)
class FetchedObject:
    """A DICOM file, to be read from its beginning."""

    file: IO[bytes]
    size_bytes: int
    sha256: bytes

    def nesting_beyond(self) -> int | None:
        """How deep its sequences are nested, where that is more than an Orthanc reads."""
        if isinstance(self.file, BytesIO):
            return nesting_beyond(self.file.getvalue())
        with mmap(self.file.fileno(), 0, access=ACCESS_READ) as data:
            return nesting_beyond(data)


@contextmanager
def fetched(
    orthanc: OrthancClient, orthanc_instance_id: str, *, expected_bytes: int, form: Form = iter
) -> Iterator[FetchedObject]:
    """The file of an instance. Raises NotFound where it has left Orthanc, OrthancUnavailable, OrthancRefused, and what
    `form` raises."""
    with room_for(expected_bytes) as file:
        size, digest = copy_object(orthanc, orthanc_instance_id, file, form)
        file.seek(0)
        yield FetchedObject(file=file, size_bytes=size, sha256=digest)


@contextmanager
def room_for(expected_bytes: int) -> Iterator[IO[bytes]]:
    """A place for so many bytes that no other program sees and that is gone at the end."""
    with BytesIO() if expected_bytes <= IN_MEMORY_BYTES else tempfile.TemporaryFile(prefix="treegarth-") as file:
        yield file


def copy_object(
    orthanc: OrthancClient, orthanc_instance_id: str, file: IO[bytes], form: Form = iter
) -> tuple[int, bytes]:
    """Append the file of an instance; the size and the SHA-256 of what was appended."""
    digest, size = hashlib.sha256(), 0
    try:
        with orthanc.stream(f"/instances/{orthanc_instance_id}/file", chunk_bytes=CHUNK_BYTES) as pieces:
            for piece in form(pieces):
                digest.update(piece)
                size += len(piece)
                file.write(piece)
    except requests.RequestException as error:  # in the middle of the body
        broken = P_("Orthanc broke off a file: %(kind)s.", kind=type(error).__name__)
        raise OrthancUnavailable(broken) from error
    return size, digest.digest()
