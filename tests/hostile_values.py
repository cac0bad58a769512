"""Values that a request may hold and no program likes: by the kind of field that they are meant for. Deterministic."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

LONG = "x" * 65_536
TEXTS = (
    *("", "%00", "a%00b", "%ff", "%C0%80", "%ED%A0%80", "%EF%BF%BF", "%F4%8F%BF%BF", "%E2%80%AE", "%E3%85%8E"),
    *(".", "..", "%2E%2E", "..%2F..%2Fetc%2Fpasswd", "%2F", "%5C", "%25", "%252F", "%25s%25(x)d", "%0d%0aX-A:%20b"),
    *("'%22;--", "%3Cscript%3E", "%7B%7B7*7%7D%7D", "%2A" * 400, "%3F" * 400, "%5B" * 700, "%25" * 300, "a,,%20,b"),
    *("1.2.3", "0", "null", "-1", "999999999999999999999"),
)
"""Of an address, escaped as they stand in it."""
ODD_TEXTS = (
    *("", "%00", "%ff", "%ED%A0%80", "%EF%BC%91", "%C2%B2", "9" * 5000, "..", "%5B" * 700, "%7B%22a%22:1e400%7D", "-1"),
    *(
        "c.0.0.0",
        "remove%20c." + "9" * 30,
        "remove-action%20%C2%B2",
        "remove-row%20windows.%C2%B2",
        "show-text",
        "x" * 9000,
    ),
)
"""Of a form whose fields a page reads itself: fewer, for there are many such fields."""
NUMBERS = (
    *("", "0", "-1", "1", "999999", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808"),
    *("9" * 30, "9" * 5000, "-" + "9" * 30, "1e400", "-1e400", "1e308", "1e-400", "3.4028235E%2B38", "nan", "inf"),
    *("-inf", "1.5", "0x10", "1_000", "%EF%BC%91", "%C2%B2", "%D9%A1", "%201", "%2B1", "%00", "%ff", "true", "x"),
)
DAYS = (
    *("", "0001-01-01", "9999-12-31", "10000-01-01", "-001-01-01", "0000-00-00", "2026-02-30", "infinity", "today"),
    *("20261120", "2026-11-20T00:00:00", "2026-11-20%00", "%ff", "0", "9" * 400, "1e9", "2026-11-%D9%A2%D9%A0"),
)
MOMENTS = (
    *("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00%2B23:59", "2026-01-01T00:00:00Z", "2026-01-01", "infinity"),
    *("1e20", "9" * 30, "-62135596800", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00%2B15:59:59", "%00", ""),
)
CHOICES = ("", "%00", "%ff", "x", "CT", "0", "true", LONG)
TRUTHS = ("", "2", "maybe", "%00", "%ff", "TRUE", "on", "null")
DEEP = (10, 64, 65, 700, 4_000, 100_000)


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


CURSORS = (
    *("", "x", "%00", "%ff", "=", "AAAA", "%ED%95%9C", LONG, *(_cursor("[" * deep) for deep in (10, 700, 3_000))),
    *(_cursor(text) for text in ("null", "[]", '["ledger", 1e400]', "\0", "\0\0\0", "studies newest\0+\0-", "{}")),
    *(_cursor(f"{name}\0+{'9' * 40}") for name in ("ledger", "holds", "tasks failed", "dose reports")),
)


def kinds(annotation: Any) -> set[str]:
    """What a field takes: number, text, choice, truth, day, moment, list, object."""
    if annotation is NoneType:
        return set()
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kinds(inner[0])
    if origin in (Union, UnionType):
        return {kind for one in inner for kind in kinds(one)}
    if origin is Literal:
        return {"choice"}
    if origin in (list, tuple, Sequence):
        return {"list"}
    if origin in (dict, Mapping):
        return {"object"}
    if isinstance(annotation, type):
        for kind, types in _KINDS.items():
            if issubclass(annotation, types):
                return {kind}
    return {"text"}


_KINDS: dict[str, tuple[type, ...]] = {  # in this order: an Enum of texts is a str, a bool an int, a datetime a date
    "choice": (Enum,),
    "truth": (bool,),
    "number": (int, float),
    "moment": (datetime,),
    "day": (date,),
    "time": (time,),
    "object": (BaseModel, dict),
    "list": (list, tuple),
    "text": (str,),
}


def in_address(name: str, annotation: Any) -> tuple[str, ...]:
    """Hostile values of a field that stands in an address, escaped."""
    if name == "cursor":
        return CURSORS
    found = [value for kind in sorted(kinds(annotation)) for value in _OF_KIND.get(kind, TEXTS)]
    return tuple(dict.fromkeys([*found, LONG[:4_000]]))


_OF_KIND = {"number": NUMBERS, "day": DAYS, "moment": MOMENTS, "choice": CHOICES, "truth": TRUTHS}
JSON_VALUES = (
    *("null", "true", "0", "-1", "1.5", '""', '"x"', "[]", "{}", "[[]]", '{"":{}}', "[null]", '["x"]', "2147483648"),
    *("9223372036854775808", "9" * 400, "9" * 5_000, "-" + "9" * 400, "1e400", "-1e400", "NaN", "-Infinity", "1e-999"),
    *('"\\u0000"', '"\\ud800"', '"\\udc00x"', '["\\u0000"]', '{"\\u0000":1}', '{"\\ud800":1}', '{"a":1,"a":2}'),
    *('"9999-12-31T23:59:59-23:59"', '"0001-01-01T00:00:00+23:59"', '"2026-11-20T00:00:00Z"', '"infinity"', "1e20"),
    *('"/\\u0000"', '"\\u00b2"', '"\u0661"', '"../.."', '"{"', '"*"', "[" + ",".join(["1"] * 20_000) + "]"),
    *("[" * deep + "]" * deep for deep in (10, 60, 700)),
    *('{"a":' * deep + "1" + "}" * deep for deep in (10, 60, 700)),
    f'"{LONG}"',
)
"""As they stand in a body."""
WRONG_TYPES = (
    *(
        "null",
        "true",
        "1",
        "-1.5",
        "9" * 19,
        "1e300",
        '""',
        '"x"',
        '"\\u00b2"',
        "[]",
        "[[]]",
        "[{}]",
        "{}",
        '{"best":1}',
    ),
    *(
        f'"{"9" * 400} GB"',
        '"' + "9" * 5_000 + '"',
        '"x\\u2028"',
        '["x","x"]',
        "[" * 40 + "]" * 40,
        '{"not":' * 40 + "1" + "}" * 40,
    ),
)
"""For the places inside of a document."""
BODIES = (
    *(b"", b"{", b"[", b"]", b"null", b"1", b'"x"', b"[]", b"{}", b"\xff", b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b"nul"),
    *('{"a":1}'.encode(coding) for coding in ("utf-16", "utf-16-le", "utf-32", "utf-32-be")),
    *(b"[" * deep for deep in DEEP),
    *(b"[" * deep + b"]" * deep for deep in DEEP),
    *(b'{"a":' * deep for deep in DEEP),
    *(b'"' + b'\\"' * 200_000, b'"' + b"[" * 5_000 + b'"', b'["\\", ' + b"[" * 600, b'{"a": "\xed\xa0\x80"}', b"\0"),
    *(b"-", b"1" * 100_000, b'{"a":1e999999}', b"Infinity", b'{"":"\\ud800"}', b"// x\n{}", b"x" * 1_100_000),
)
"""Whole bodies."""
