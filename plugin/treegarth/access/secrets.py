"""Secrets that a browser or a program shows us: made here once, kept only as their digest. Pure but for the dice."""

from __future__ import annotations

import secrets
from hashlib import sha256

TOKEN_BEGINNING = "tg_"
_BYTES = 32
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that is taken for another one when it is read aloud or copied from paper."""


def new_secret() -> str:
    """256 bits, for a cookie."""
    return secrets.token_urlsafe(_BYTES)


def new_token() -> str:
    """The same for a program; how it begins lets scanners for leaked secrets find it."""
    return TOKEN_BEGINNING + new_secret()


def new_password() -> str:
    """One to begin with, to be told and typed once: four times four letters, 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


def digest_of(secret: str) -> bytes:
    """What is kept of a secret. It is as long as its digest and drawn by lot, so that no slow hash is needed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
