"""Known traps of running Python inside Orthanc, and whether this installation stands in one of them.

Decided once at start, from the configuration and the interpreter, but for what grows; shown on the system page.
"""

from __future__ import annotations

import locale
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from treegarth.dicom.depth import DEEPEST_NESTING
from treegarth.host.chained_scripts import ADMISSION
from treegarth.host.orthanc_checks import DEBIAN_12, FIRST_WITH_HTTPS, OrthancFacts, orthanc_checks
from treegarth.phrases import N_, P_
from treegarth.settings import Settings, SignIn
from treegarth.web.services import SelfCheck

KEPT_OF_A_REQUEST_BYTES = 998
"""Measured over 100,000 requests on plugin 4.0, whose filter forgets to give back what it was asked with."""
RESTART_AT_BYTES = 512_000_000


def self_checks(
    settings: Settings, configuration: Mapping[str, Any], orthanc: Any, folder: Path
) -> tuple[SelfCheck, ...]:
    """One finding a trap. Relative paths of the configuration begin in `folder`."""
    older = not orthanc.CheckVersionAdvanced(*FIRST_WITH_HTTPS, 0)
    facts = OrthancFacts(
        values=configuration,
        folder=folder,
        version=DEBIAN_12 if older else None,
        is_reached_by_https=(settings.public_url or "").startswith("https://"),
    )
    return (
        _access(settings),
        _chained_scripts(settings),
        _encoding(),
        _nesting(orthanc),
        _fewest_features(orthanc),
        *orthanc_checks(facts),
    )


def _access(settings: Settings) -> SelfCheck:
    if settings.sign_in is SignIn.ORTHANC:
        return SelfCheck(name=N_("Access"), state="ok", sentence=P_("Orthanc asks every user to log in."))
    if settings.sign_in.by_session:
        return SelfCheck(name=N_("Access"), state="ok", sentence=P_("Everybody signs in to Treegarth."))
    return SelfCheck(
        name=N_("Access"), state="ok", sentence=P_("Only this machine can reach the server; there is no login.")
    )


def _chained_scripts(settings: Settings) -> SelfCheck:
    """Orthanc's SDK calls from Python hold the interpreter lock, and wait for stores that wait for it."""
    guilty = [path.name for path in settings.chained_scripts if "orthanc.RestApi" in _text(path)]
    if guilty:
        return SelfCheck(
            name=N_("Deadlocks"),
            state="warning",
            sentence=P_(
                "%(scripts)s calls orthanc.RestApi…, which can stop Orthanc for good while objects arrive. "
                "Call Orthanc over HTTP instead.",
                scripts=", ".join(guilty),
            ),
        )
    return SelfCheck(
        name=N_("Deadlocks"), state="ok", sentence=P_("No script calls Orthanc's REST API through the SDK.")
    )


def memory_of_requests(count: int, *, forgets: bool) -> SelfCheck:
    """What the gate's plugin has kept of so many requests."""
    kept = count * KEPT_OF_A_REQUEST_BYTES if forgets else 0
    if not kept:
        return SelfCheck(
            name=N_("Memory of requests"),
            state="ok",
            sentence=P_("Orthanc's Python plugin keeps nothing of a request."),
        )
    values = {"count": count, "megabytes": round(kept / 1e6)}
    return SelfCheck(
        name=N_("Memory of requests"),
        state="warning" if kept >= RESTART_AT_BYTES else "ok",
        sentence=P_(
            "Orthanc's Python plugin has kept %(megabytes)s MB of %(count)s requests, and frees it when Orthanc ends: "
            "restart Orthanc at a quiet time. Plugin 5.0 and newer keep nothing.",
            **values,
        )
        if kept >= RESTART_AT_BYTES
        else P_(
            "Orthanc's Python plugin has kept %(megabytes)s MB of %(count)s requests; from 512 MB on restart Orthanc. "
            "Plugin 5.0 and newer keep nothing.",
            **values,
        ),
    )


def _encoding() -> SelfCheck:
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") == "utf8" and sys.getfilesystemencoding().lower() == "utf-8":
        return SelfCheck(name=N_("Encoding"), state="ok", sentence=P_("Python reads and writes UTF-8."))
    return SelfCheck(
        name=N_("Encoding"),
        state="warning",
        sentence=P_(
            "Python's default encoding is %(encoding)s: chained scripts that open files without naming an encoding "
            "will fail on Korean text. Start Orthanc with LANG=C.UTF-8.",
            encoding=encoding,
        ),
    )


def _nesting(orthanc: Any) -> SelfCheck:
    """An object with some 46 levels of sequences ends Orthanc as soon as somebody looks at it."""
    if hasattr(orthanc, ADMISSION):
        return SelfCheck(
            name=N_("Nested objects"),
            state="ok",
            sentence=P_("What comes by C-STORE nested deeper than %(limit)s is refused.", limit=DEEPEST_NESTING),
        )
    return SelfCheck(
        name=N_("Nested objects"),
        state="warning",
        sentence=P_(
            "This Python plugin cannot refuse a C-STORE: anybody who may send can store an object nested so deep that "
            "Orthanc ends when it is looked at. Use plugin 4.0 or later with Orthanc 1.10 or later."
        ),
    )


def _fewest_features(orthanc: Any) -> SelfCheck:
    absent = [
        word
        for word, function in ((P_("labels"), "LoadDicomInstance"), (P_("audit log"), "EmitAuditLog"))
        if not hasattr(orthanc, function)
    ]
    some = P_("This Orthanc has no %(features)s; nothing here needs them.", features=tuple(absent))
    return SelfCheck(name=N_("Orthanc's features"), state="ok", sentence=some if absent else P_("All there."))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
