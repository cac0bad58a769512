"""JSON from outside is read as Python reads it, or refused with one sentence: never by a crash, never in silence."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile_values import BODIES
from treegarth.limits import DEEPEST_NESTING, LARGEST_BIGINT, is_storable
from treegarth.strict_json import UnreadableJson, read_json

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_BIGINT, LARGEST_BIGINT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=30,
)


@given(value=VALUES, is_ascii=st.booleans())
def test_what_can_be_kept_is_read_as_it_was_written(value: Any, is_ascii: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=is_ascii).encode()) == value


@given(st.binary(max_size=60) | st.text('[]{}",:\\u0d8\0ntf1e-9', max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(UnreadableJson):
        assert is_storable(read_json(data))


@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_it_is_read_as_deep_as_the_limit_and_no_deeper(left: str, right: str) -> None:
    def nested(levels: int) -> bytes:
        return (left * levels + "1" + right * levels).encode()

    assert read_json(nested(DEEPEST_NESTING)) is not None
    with pytest.raises(UnreadableJson, match="nested deeper than 64 levels"):
        read_json(nested(DEEPEST_NESTING + 1))


def test_brackets_inside_of_texts_do_not_nest() -> None:
    text = "[" * 1000 + '\\"{' * 1000 + "\\"
    assert read_json(json.dumps([text, {text: 1}]).encode()) == [text, {text: 1}]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff", "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b"", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"NaN", "NaN is no number there"),
        (b"[-Infinity]", "-Infinity is no number there"),
        (b'{"a": 1, "b": 2, "a": 1}', "says “a” twice"),
        (b"9223372036854775808", "beyond 64 bits"),
        (b"9" * 5000, "beyond 64 bits"),
        (b"1e400", "not finite"),
        (b'"\\u0000"', "NUL"),
        (b'{"\\ud800": 1}', "half a character"),
    ],
)
def test_what_cannot_be_kept_is_named(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableJson, match=said):
        read_json(data)


def test_a_byte_order_mark_is_no_error() -> None:
    assert read_json(b"\xef\xbb\xbf[1]") == [1]


def test_a_small_stack_is_enough_for_whatever_is_sent() -> None:
    """Threads of an HTTP server may have 100 KB; JSON's own reader would need more for some hundred brackets."""
    seen: list[str] = []

    def read_all() -> None:
        for body in BODIES:
            try:
                read_json(body)
            except UnreadableJson as refused:
                seen.append(str(refused))

    before = threading.stack_size(128 * 1024)
    try:
        thread = threading.Thread(target=read_all)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert len(seen) > 30


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 500_000, b'"' * 1_000_001, b"{" * 1_000_000, b'{"a":' * 200_000])
def test_refusing_takes_no_longer_than_reading(body: bytes) -> None:
    begin = perf_counter()
    with pytest.raises(UnreadableJson):
        read_json(body)
    assert perf_counter() - begin < 2


def test_python_itself_would_fail_at_what_is_refused_here() -> None:
    with pytest.raises(RecursionError):
        json.loads("[" * 200_000)  # Python 3.13 goes ten thousand deep
