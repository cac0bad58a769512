"""Passwords as Argon2id (RFC 9106), with the parameters that OWASP's cheat sheet on storing passwords gives first:
46 MiB, one pass, one lane. About 50 ms of one processor, which is why a server does it in a child process."""

from __future__ import annotations

from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from treegarth.errors import InvalidRequest
from treegarth.phrases import N_, P_

LEAST_LENGTH = 10
MOST_LENGTH = 256
_HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1, type=Type.ID)
NOBODYS = _HASHER.hash("the password of a user who is not there")
"""What a password is compared with where there is no such user: to refuse one takes as long as the other."""


class Passwords(Protocol):
    """Who makes and compares the hashes."""

    def hashed(self, password: str) -> str:
        """What is kept of it."""

    def fits(self, password: str, password_hash: str) -> bool:
        """Whether the hash was made of this password."""


class Argon2id:
    """In this process."""

    def hashed(self, password: str) -> str:
        return _HASHER.hash(password)

    def fits(self, password: str, password_hash: str) -> bool:
        try:
            return _HASHER.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def check_new_password(password: str, user_name: str) -> None:
    """Long, not the name: NIST SP 800-63B, 5.1.1.2, asks for nothing else. Raises InvalidRequest with what is wrong."""
    if len(password) < LEAST_LENGTH:
        raise InvalidRequest(P_("A password has at least %(count)s characters.", count=LEAST_LENGTH))
    if len(password) > MOST_LENGTH:
        raise InvalidRequest(P_("A password has at most %(count)s characters.", count=MOST_LENGTH))
    if user_name.casefold() in password.casefold():
        raise InvalidRequest(N_("The password must not contain the user's name."))
    if len(set(password)) < 4:
        raise InvalidRequest(N_("The password repeats too few characters."))
