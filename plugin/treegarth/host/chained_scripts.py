"""Share Orthanc's callbacks between Treegarth and a site's own scripts (`ChainedScripts`).

Orthanc takes one callback of each kind. Here every kind that Treegarth registers itself can have several: all are
called, in the order of their registration, and `KINDS` says how their answers become the one that Orthanc gets. What
Orthanc makes of a callback that fails stays what it is without Treegarth.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

Callback: TypeAlias = Callable[..., Any]
Join: TypeAlias = Callable[[Any, Sequence[Callback]], Callback]
"""Makes one callback of several; the first argument is the module `orthanc`."""

REST = "RegisterRestCallback"
CHANGES = "RegisterOnChangeCallback"
STORED = "RegisterOnStoredInstanceCallback"
REQUESTS = "RegisterIncomingHttpRequestFilter"
ADMISSION = "RegisterIncomingCStoreInstanceFilter"
FINDS = "RegisterFindCallback"

logger = logging.getLogger(__name__)


_given_to_orthanc: list[object] = []


def _for_good(register: Callback) -> Callback:
    """The same, and what is registered is never freed.

    At its end the plugin (7.1) lets go of callbacks without Python's lock. Freeing one there corrupts Orthanc's memory,
    and with Python 3.14 that ends Orthanc by SIGSEGV. What has another reference is not freed.
    """

    def registered(*given: Any) -> None:
        _given_to_orthanc.extend(given)
        register(*given)

    return registered


class SharedCallbacks:
    """Owns Orthanc's registrations. Which of them there are depends on the plugin: it is asked, not its version."""

    def __init__(self, orthanc: Any) -> None:
        self._orthanc = orthanc
        self._register: dict[str, Callback] = {
            name: _for_good(getattr(orthanc, name)) for name in (*KINDS, REST) if hasattr(orthanc, name)
        }
        self._callbacks: dict[str, list[Callback]] = {}
        self._routes: list[tuple[re.Pattern[str], Callback]] = []
        self.scripts_serve = False  # whether a site's scripts have routes of their own

    def has(self, name: str) -> bool:
        """Whether this Orthanc's plugin knows the kind of callback."""
        return name in self._register

    def add(self, name: str, callback: Callback) -> None:
        """Have it called beside those that are there already."""
        if name not in self._callbacks:
            self._callbacks[name] = []
            self._register[name](KINDS[name](self._orthanc, self._callbacks[name]))
        self._callbacks[name].append(callback)

    def serve(self, pattern: str, callback: Callback, is_ours: Callable[[str], bool]) -> None:
        """Register a route whose addresses, but for those that are ours, the routes of a site's scripts may answer.

        One request has one answer: Orthanc asks the first route that fits, and ours is registered first.
        """

        def answer(output: Any, uri: str, **request: Any) -> Any:
            for fits, theirs in self._routes:
                if (found := fits.fullmatch(uri)) and not is_ours(uri):
                    return theirs(output, uri, **{**request, "groups": found.groups()})
            return callback(output, uri, **request)

        self._register[REST](pattern, answer)

    def answer_finds(self, callback: Callback) -> bool:
        """Have it answer each C-FIND; False where a site's script does already. Orthanc takes one alone."""
        if not hasattr(self._orthanc, FINDS):
            return False
        try:
            _for_good(getattr(self._orthanc, FINDS))(callback)
        except Exception as error:  # each version of the plugin raises another one
            logger.warning("C-FIND is not answered from the index: %s", error)
            return False
        return True

    @contextmanager
    def lent(self) -> Iterator[None]:
        """While this lasts, what is registered with the module `orthanc` joins what is shared here."""
        for name in self._register:
            setattr(self._orthanc, name, self._add_route if name == REST else self._adding(name))
        try:
            yield
        finally:
            for name, register in self._register.items():
                setattr(self._orthanc, name, register)

    def _adding(self, name: str) -> Callable[[Callback], None]:
        return lambda callback: self.add(name, callback)

    def _add_route(self, pattern: str, callback: Callback) -> None:
        self.scripts_serve = True
        try:
            self._routes.append((re.compile(pattern), callback))
        except re.error:  # in Orthanc's dialect alone: such a route still answers what lies beside ours
            logger.warning("The route %s of a chained script is none that could answer beside Treegarth's.", pattern)
        self._register[REST](pattern, callback)


def _tell_all(_orthanc: Any, callbacks: Sequence[Callback]) -> Callback:
    """Nobody is asked for an answer, and who fails keeps it from nobody."""

    def told(*arguments: Any, **named: Any) -> None:
        for callback in callbacks:
            try:
                callback(*arguments, **named)
            except Exception:
                logger.exception("The callback %s failed.", _name(callback))

    return told


def _first_refusal(is_accepted: Callable[[Any], bool]) -> Join:
    """All are asked, and Orthanc hears of the first that does not accept. Who fails does not: its exception is handed
    on when all were asked, and Orthanc refuses for it as it would without us (plugin 4.0: 0xA700, or HTTP 500)."""

    def join(_orthanc: Any, callbacks: Sequence[Callback]) -> Callback:
        def asked(*arguments: Any, **named: Any) -> Any:
            answers = [_answer(callback, arguments, named) for callback in callbacks]
            for answer in answers:
                if isinstance(answer, _Failed):
                    raise answer.error
                if not is_accepted(answer):
                    return answer
            return answers[-1]

        return asked

    return join


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


def _answer(callback: Callback, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    try:
        return callback(*arguments, **named)
    except Exception as error:
        logger.exception("The callback %s failed, which refuses what it was asked for.", _name(callback))
        return _Failed(error)


def _one_after_another(orthanc: Any, callbacks: Sequence[Callback]) -> Callback:
    """Each gets what the one before has made of the object. One that discards it holds; Orthanc keeps an object as it
    is where its callback fails."""

    def received(dicom: bytes, origin: int) -> tuple[int, bytes | None]:
        action = orthanc.ReceivedInstanceAction
        is_discarded, is_modified = False, False
        for callback in callbacks:
            try:
                said, changed = callback(dicom, origin)
            except Exception:
                logger.exception("The callback %s failed.", _name(callback))
                continue
            is_discarded |= said == action.DISCARD
            if said == action.MODIFY:
                dicom, is_modified = changed, True
        if is_discarded:
            return action.DISCARD, None
        return (action.MODIFY, dicom) if is_modified else (action.KEEP_AS_IS, None)

    return received


def _name(callback: Callback) -> str:
    return str(getattr(callback, "__qualname__", callback))


KINDS: Mapping[str, Join] = {
    CHANGES: _tell_all,
    STORED: _tell_all,
    ADMISSION: _first_refusal(lambda answer: isinstance(answer, int) and answer == 0),  # else: the DIMSE status
    REQUESTS: _first_refusal(lambda answer: answer is True),
    "RegisterReceivedInstanceCallback": _one_after_another,
}
"""How the answers of several callbacks of a kind become one. `RegisterRestCallback` is shared by `serve`."""
