"""What is registered with Orthanc outlives everything of ours: the plugin must not be the last who lets go of it."""

from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any
from weakref import ReferenceType, ref

import pytest

from treegarth.host.chained_scripts import CHANGES, KINDS, REST, SharedCallbacks


class ForgetfulOrthanc(SimpleNamespace):
    """Registers as Orthanc does, and holds nothing."""

    def __init__(self) -> None:
        super().__init__(ReceivedInstanceAction=SimpleNamespace(KEEP_AS_IS=0, MODIFY=1, DISCARD=2))
        self.given: list[ReferenceType[Any]] = []
        for name in (*KINDS, REST):
            setattr(self, name, lambda *given: self.given.append(ref(given[-1])))


def alive(orthanc: ForgetfulOrthanc) -> list[bool]:
    gc.collect()
    return [given() is not None for given in orthanc.given]


@pytest.mark.parametrize("name", KINDS)
def test_a_callback_is_kept_for_good(name: str) -> None:
    orthanc = ForgetfulOrthanc()
    SharedCallbacks(orthanc).add(name, lambda *_: None)
    assert alive(orthanc) == [True]


def test_a_route_is_kept_for_good() -> None:
    orthanc = ForgetfulOrthanc()
    SharedCallbacks(orthanc).serve("/a", lambda *_: None, lambda _: True)
    assert alive(orthanc) == [True]


def test_what_a_chained_script_registers_is_kept_for_good() -> None:
    orthanc = ForgetfulOrthanc()
    with SharedCallbacks(orthanc).lent():
        getattr(orthanc, REST)("/b", lambda *_: None)
        getattr(orthanc, CHANGES)(lambda *_: None)
    getattr(orthanc, CHANGES)(lambda *_: None)  # later, by itself
    assert alive(orthanc) == [True, True, True]
