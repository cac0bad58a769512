"""The messages between the plugin in Orthanc and the indexer process, as bytes. Pure.

A frame is a kind, a small JSON text about it, and raw bytes: `<kind:u8> <length of JSON:u32> <length of bytes:u32>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import Any, Protocol

_head = Struct("<BII")


class FrameKind(IntEnum):
    STORED = 1  # an instance was stored; the bytes are its header, or nothing where they did not fit
    DELETED = 2  # Orthanc no longer has a resource
    RECONCILE = 3  # a person asks for a comparison now
    PAUSE = 4  # nothing follows for a while: what came before makes a batch


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    kind: FrameKind
    about: Mapping[str, Any]
    data: bytes = b""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


def encode_frame(frame: Frame) -> bytes:
    """The frame as bytes for the pipe."""
    about = json.dumps(frame.about, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join((_head.pack(frame.kind, len(about), len(frame.data)), about, frame.data))


def read_frame(stream: Readable) -> Frame | None:
    """The next frame of a blocking stream; None at its end, also where it ends inside a frame."""
    head = stream.read(_head.size)
    if not head or len(head) < _head.size:
        return None
    kind, about_length, data_length = _head.unpack(head)
    about, data = stream.read(about_length) or b"", stream.read(data_length) if data_length else b""
    if len(about) < about_length or len(data or b"") < data_length:
        return None
    return Frame(kind=FrameKind(kind), about=json.loads(about), data=data or b"")
