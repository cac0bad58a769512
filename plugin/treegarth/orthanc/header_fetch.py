"""Read the beginning of a stored file: its header without its pixels, and no more than it takes to find its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from treegarth.dicom.raw_elements import header_end

PIXEL_DATA_TAG = b"\xe0\x7f\x10\x00"
ENOUGH_WITHOUT_PIXELS = 64 * 2**20
"""Bytes; an object without pixel data is read whole up to here."""


class StreamSource(Protocol):
    """Gives a body piece by piece: the client of Orthanc."""

    def stream(self, path: str) -> AbstractContextManager[Iterator[bytes]]: ...


def read_beginning(orthanc: StreamSource, orthanc_instance_id: str, size: int | None = None) -> bytes:
    """The file up to its pixel data, or all of it where no pixel data is seen.

    With the file's size in bytes it ends just where the pixel data begins, without it perhaps a little later.
    Raises NotFound, OrthancRefused or OrthancUnavailable.
    """
    received = bytearray()
    seen = 0  # up to where no tag of pixel data begins
    with orthanc.stream(f"/instances/{orthanc_instance_id}/file") as chunks:
        for chunk in chunks:
            received += chunk
            if len(received) > ENOUGH_WITHOUT_PIXELS:
                break
            if PIXEL_DATA_TAG in received[seen:]:
                if size is None or header_end(bytes(received), size) is not None:
                    break
                seen = len(received)  # it was an icon's, or bytes that look like it
            else:
                seen = max(0, len(received) - len(PIXEL_DATA_TAG))
    data = bytes(received)
    end = header_end(data, size)
    return data if end is None else data[:end]
