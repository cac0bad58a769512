"""References that Orthanc's plugin forgets are learnt from one request, and given back for every other."""

from __future__ import annotations

import ctypes
import secrets
import sys
from collections.abc import Callable
from typing import Any

import pytest

from treegarth.host.forgotten_references import ForgottenReferences

forget = ctypes.pythonapi.Py_IncRef
forget.argtypes = [ctypes.py_object]
forget.restype = None


def request() -> dict[str, Any]:
    """The parts of a request as Orthanc makes them: no text of it is shared with anybody."""
    return {
        "method": f"method {secrets.token_hex()}",
        "groups": (secrets.token_hex(),),
        "get": {"name": secrets.token_hex()},
        "headers": {"host": secrets.token_hex(), "accept": secrets.token_hex()},
        "body": secrets.token_bytes(100),
    }


def everything(parts: dict[str, Any]) -> list[Any]:
    return [*parts.values(), *parts["get"].values(), *parts["headers"].values()]


def forget_each(parts: list[Any]) -> None:
    for part in parts:
        forget(part)


def answered(references: ForgottenReferences, forgotten: Callable[[dict[str, Any]], list[Any]]) -> list[int]:
    """How many references each part of a request has more after it than before Orthanc forgot some."""
    parts = request()
    kept = everything(parts)
    before = [sys.getrefcount(part) for part in kept]
    forget_each(forgotten(parts))
    references.give_back(parts)
    after = [sys.getrefcount(part) for part in kept]
    return [now - once for now, once in zip(after, before, strict=True)]


@pytest.mark.parametrize(
    "forgotten",
    [
        pytest.param(everything, id="all of them, as plugin 4.0 does"),
        pytest.param(lambda parts: [parts["body"]], id="the body"),
        pytest.param(lambda parts: [*parts["headers"].values()], id="the values of the headers"),
        pytest.param(lambda parts: [], id="none, as plugin 7.1 does"),
    ],
)
def test_what_one_request_forgot_is_given_back_for_the_next(forgotten: Callable[[dict[str, Any]], list[Any]]) -> None:
    references = ForgottenReferences()
    probed = request()
    forget_each(forgotten(probed))
    references.learn(probed)
    assert probed == {}
    assert answered(references, forgotten) == [0] * 8


def test_nothing_is_given_back_before_it_was_learnt() -> None:
    assert answered(ForgottenReferences(), lambda parts: [parts["body"]]) == [0, 0, 0, 0, 1, 0, 0, 0]


def test_what_is_held_more_than_once_is_not_understood_and_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("treegarth.host.forgotten_references._LEARN_WITHIN_S", 0.1)
    references = ForgottenReferences()
    probed = request()
    forget(probed["body"])
    forget(probed["body"])
    held = probed["headers"]["host"]  # one of two values
    references.learn(probed)
    assert references.kinds == frozenset()
    assert held
