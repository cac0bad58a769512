"""Bind events to each other: each one's hash is over itself and the hash before it. Pure.

SHA-256 (FIPS 180-4) over canonical JSON: keys sorted, no blanks, UTF-8. What tells of a patient is in it only by its
digest under a salt of the row; salt and clear text can go while the chain still fits. Heads and anchors are signed
(HMAC, RFC 2104) with a key that the database does not have: whoever writes a whole chain anew cannot sign it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from treegarth.audit.model import IDENTITY, Event, moment_text

BEGINNING = bytes(32)
"""The hash before the first event of a chain."""
HASHED = ("what", "outcome", "way", "actor", "user_id", "session_id", "token_id", "address", "place", "status", "count")


@dataclass(frozen=True, kw_only=True)
class Link:
    """An event in its place in a chain."""

    server: str
    """Whose chain: each Orthanc has one of its own."""
    number: int
    """From 1, without gaps."""
    key: str
    """Of the event, wherever it waited: it is written once."""
    event: Event
    salt: bytes | None
    """None where the identity was taken away."""
    identity_digest: bytes
    hash: bytes


@dataclass(frozen=True, kw_only=True)
class Head:
    """The end of a chain, and the end of what was cut off at its beginning."""

    server: str
    number: int
    hash: bytes
    cut_number: int
    """The last number that was cut; 0: none."""
    cut_hash: bytes
    """Of that event: what the first one that is left is bound to."""
    key_name: str = ""
    signature: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A place of a chain that was signed when it was written."""

    server: str
    number: int
    hash: bytes
    at: datetime
    key_name: str
    signature: bytes


def canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def identity_digest(event: Event, salt: bytes) -> bytes:
    values = {name: getattr(event, name) for name in IDENTITY}
    return hashlib.sha256(salt + canonical(values)).digest()


def event_hash(before: bytes, server: str, number: int, key: str, event: Event, identity: bytes) -> bytes:
    """Of an event whose identity has this digest."""
    values = {name: getattr(event, name) for name in HASHED}
    values |= {
        "server": server,
        "number": number,
        "key": key,
        "at": moment_text(event.at),
        "until": moment_text(event.until) if event.until else None,
        "roles": list(event.roles),
        "identity": identity.hex(),
    }
    return hashlib.sha256(before + canonical(values)).digest()


def link(before: bytes, server: str, number: int, key: str, event: Event, salt: bytes) -> Link:
    """The event as the next of a chain."""
    identity = identity_digest(event, salt)
    return Link(
        server=server,
        number=number,
        key=key,
        event=event,
        salt=salt,
        identity_digest=identity,
        hash=event_hash(before, server, number, key, event, identity),
    )


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """The secret of a server; `name` tells keys apart and says nothing of them."""

    secret: bytes

    @property
    def name(self) -> str:
        return hashlib.sha256(b"treegarth audit key" + self.secret).hexdigest()[:12]

    def _signature(self, values: Mapping[str, Any]) -> bytes:
        return hmac.digest(self.secret, canonical(values), "sha256")

    def head(self, server: str, number: int, hash_: bytes, cut_number: int, cut_hash: bytes) -> Head:
        """Signed."""
        head = Head(server=server, number=number, hash=hash_, cut_number=cut_number, cut_hash=cut_hash)
        return Head(
            server=server,
            number=number,
            hash=hash_,
            cut_number=cut_number,
            cut_hash=cut_hash,
            key_name=self.name,
            signature=self._signature(_of_head(head)),
        )

    def anchor(self, server: str, number: int, hash_: bytes, at: datetime) -> Anchor:
        """Signed."""
        values = {"anchor": server, "number": number, "hash": hash_.hex(), "at": moment_text(at)}
        return Anchor(
            server=server, number=number, hash=hash_, at=at, key_name=self.name, signature=self._signature(values)
        )

    def signed_head(self, head: Head) -> bool:
        """Whether it is as this key signed it."""
        return hmac.compare_digest(head.signature, self._signature(_of_head(head)))

    def signed_anchor(self, anchor: Anchor) -> bool:
        made = self.anchor(anchor.server, anchor.number, anchor.hash, anchor.at)
        return hmac.compare_digest(made.signature, anchor.signature)


def _of_head(head: Head) -> Mapping[str, Any]:
    return {
        "head": head.server,
        "number": head.number,
        "hash": head.hash.hex(),
        "cut_number": head.cut_number,
        "cut_hash": head.cut_hash.hex(),
    }
