"""Passwords: the parameters of their hashes, and which new ones are taken."""

from __future__ import annotations

import pytest

from treegarth.access.passwords import MOST_LENGTH, NOBODYS, Argon2id, check_new_password
from treegarth.errors import InvalidRequest


def test_a_password_is_kept_as_argon2id_and_compared() -> None:
    hasher = Argon2id()
    made = hasher.hashed("correct horse 말")
    assert made.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert hasher.fits("correct horse 말", made)
    assert not hasher.fits("correct horse", made)
    assert not hasher.fits("x", "no hash")
    assert made != hasher.hashed("correct horse 말")
    assert not hasher.fits("x", NOBODYS)


@pytest.mark.parametrize(
    "password", ["", "short", "kimkimkimkim", "my name is Kim!", "aaaaaaaaaaaaaa", "x" * (MOST_LENGTH + 1)]
)
def test_a_new_one_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(InvalidRequest):
        check_new_password(password, "kim")


def test_a_long_one_is_taken_whatever_it_consists_of() -> None:
    for password in ("blue trees walk", "비밀번호는 아주 길다", "0123456789"):
        check_new_password(password, "kim")
