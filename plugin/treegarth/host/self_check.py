"""Known traps of running Python inside Orthanc, and whether this installation stands in one of them.

Decided once at start, from the configuration and the interpreter; shown on the system page.
"""

from __future__ import annotations

import locale
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from treegarth.settings import Mode, Settings
from treegarth.web.services import SelfCheck


def self_checks(settings: Settings, configuration: Mapping[str, Any], orthanc: Any) -> tuple[SelfCheck, ...]:
    """One finding a trap."""
    return (
        _access(settings, configuration),
        _chained_scripts(settings),
        _recycling(configuration),
        _encoding(),
        _http_threads(configuration),
        _overwriting(configuration),
        _fewest_features(orthanc),
    )


def _access(settings: Settings, configuration: Mapping[str, Any]) -> SelfCheck:
    if settings.mode is Mode.PROD:
        return SelfCheck(name="Access", state="ok", sentence="Orthanc asks every user to log in.")
    if configuration.get("RemoteAccessAllowed"):
        return SelfCheck(
            name="Access", state="problem", sentence="Other machines can see every patient without a login."
        )
    return SelfCheck(name="Access", state="ok", sentence="Only this machine can reach the server; there is no login.")


def _chained_scripts(settings: Settings) -> SelfCheck:
    """Orthanc's SDK calls from Python hold the interpreter lock, and wait for stores that wait for it."""
    guilty = [path.name for path in settings.chained_scripts if "orthanc.RestApi" in _text(path)]
    if guilty:
        return SelfCheck(
            name="Deadlocks",
            state="warning",
            sentence=f"{', '.join(guilty)} calls orthanc.RestApi…, which can stop Orthanc for good while objects"
            " arrive. Call Orthanc over HTTP instead.",
        )
    return SelfCheck(name="Deadlocks", state="ok", sentence="No script calls Orthanc's REST API through the SDK.")


def _recycling(configuration: Mapping[str, Any]) -> SelfCheck:
    limits = [key for key in ("MaximumStorageSize", "MaximumPatientCount") if configuration.get(key)]
    if limits and configuration.get("MaximumStorageMode", "Recycle") == "Recycle":
        return SelfCheck(
            name="Recycling",
            state="warning",
            sentence=f"{' and '.join(limits)}: at this limit Orthanc deletes the oldest patients by itself.",
        )
    return SelfCheck(name="Recycling", state="ok", sentence="Orthanc deletes nothing by itself.")


def _encoding() -> SelfCheck:
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") == "utf8" and sys.getfilesystemencoding().lower() == "utf-8":
        return SelfCheck(name="Encoding", state="ok", sentence="Python reads and writes UTF-8.")
    return SelfCheck(
        name="Encoding",
        state="warning",
        sentence=f"Python's default encoding is {encoding}: chained scripts that open files without naming an encoding"
        " will fail on Korean text. Start Orthanc with LANG=C.UTF-8.",
    )


def _http_threads(configuration: Mapping[str, Any]) -> SelfCheck:
    threads = int(configuration.get("HttpThreadsCount", 50))
    if threads < 10:
        return SelfCheck(
            name="HTTP threads",
            state="warning",
            sentence=f"HttpThreadsCount is {threads}; with fewer than 10 the viewer and the dashboard wait in line.",
        )
    return SelfCheck(name="HTTP threads", state="ok", sentence=f"Orthanc answers {threads} requests at once.")


def _overwriting(configuration: Mapping[str, Any]) -> SelfCheck:
    if configuration.get("OverwriteInstances", False) not in (False, "Never"):
        return SelfCheck(
            name="Overwriting",
            state="ok",
            sentence="An object sent again replaces the stored one, and is indexed again.",
        )
    return SelfCheck(name="Overwriting", state="ok", sentence="An object sent again is ignored; the first one stays.")


def _fewest_features(orthanc: Any) -> SelfCheck:
    absent = [
        word
        for word, function in (("labels", "LoadDicomInstance"), ("audit log", "EmitAuditLog"))
        if not hasattr(orthanc, function)
    ]
    sentence = f"This Orthanc has no {' and no '.join(absent)}; nothing here needs them." if absent else "All there."
    return SelfCheck(name="Orthanc's features", state="ok", sentence=sentence)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
