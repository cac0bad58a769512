"""The pattern that Orthanc matches paths by takes what is UTF-8 and nothing else."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from treegarth.web.paths import UTF8

ODD = [
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x80",
    b"\xe0\x80\x80",
    b"\xf0\x8f\xbf\xbf",
    b"\xc3",
]


def is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


PIECES = st.sampled_from([*ODD, b"a", "é".encode(), "한".encode(), "🩻".encode(), "\U0010ffff".encode()])


@given(st.binary(max_size=12) | st.lists(PIECES, max_size=4).map(b"".join))
def test_the_pattern_takes_utf_8_alone(data: bytes) -> None:
    assert bool(re.fullmatch(UTF8.encode(), data)) == is_utf8(data)


def test_each_odd_piece_is_none() -> None:
    assert not any(re.fullmatch(UTF8.encode(), piece) for piece in ODD)
