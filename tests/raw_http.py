"""Requests byte by byte: what no library would send."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from http.client import HTTPResponse
from typing import NamedTuple


class RawAnswer(NamedTuple):
    status: int
    body: bytes


def ask(
    port: int, method: str, target: bytes, headers: Sequence[tuple[bytes, bytes]] = (), body: bytes = b""
) -> RawAnswer:
    """The answer of a server of this machine. `Host` is the caller's to send. Raises OSError where none comes."""
    lines = [b"%s %s HTTP/1.1" % (method.encode(), target)]
    lines += [b"%s: %s" % header for header in headers]
    lines += [b"Content-Length: %d" % len(body)] if method in ("POST", "PUT") else []
    with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
        connection.sendall(b"\r\n".join((*lines, b"Connection: close", b"", body)))
        answer = HTTPResponse(connection, method=method)
        answer.begin()
        return RawAnswer(answer.status, answer.read())
