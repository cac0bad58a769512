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
from treegarth.web.languages import N_
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
        _jobs(configuration),
        _fewest_features(orthanc),
    )


def _access(settings: Settings, configuration: Mapping[str, Any]) -> SelfCheck:
    if settings.mode is Mode.PROD:
        return SelfCheck(name=N_("Access"), state="ok", sentence=N_("Orthanc asks every user to log in."))
    if configuration.get("RemoteAccessAllowed"):
        return SelfCheck(
            name=N_("Access"), state="problem", sentence=N_("Other machines can see every patient without a login.")
        )
    return SelfCheck(
        name=N_("Access"), state="ok", sentence=N_("Only this machine can reach the server; there is no login.")
    )


def _chained_scripts(settings: Settings) -> SelfCheck:
    """Orthanc's SDK calls from Python hold the interpreter lock, and wait for stores that wait for it."""
    guilty = [path.name for path in settings.chained_scripts if "orthanc.RestApi" in _text(path)]
    if guilty:
        return SelfCheck(
            name=N_("Deadlocks"),
            state="warning",
            sentence=N_(
                "%(scripts)s calls orthanc.RestApi…, which can stop Orthanc for good while objects arrive. "
                "Call Orthanc over HTTP instead."
            ),
            values={"scripts": ", ".join(guilty)},
        )
    return SelfCheck(
        name=N_("Deadlocks"), state="ok", sentence=N_("No script calls Orthanc's REST API through the SDK.")
    )


def _recycling(configuration: Mapping[str, Any]) -> SelfCheck:
    limits = [key for key in ("MaximumStorageSize", "MaximumPatientCount") if configuration.get(key)]
    if limits and configuration.get("MaximumStorageMode", "Recycle") == "Recycle":
        return SelfCheck(
            name=N_("Recycling"),
            state="warning",
            sentence=N_("%(limits)s: at this limit Orthanc deletes the oldest patients by itself."),
            values={"limits": ", ".join(limits)},
        )
    return SelfCheck(name=N_("Recycling"), state="ok", sentence=N_("Orthanc deletes nothing by itself."))


def _encoding() -> SelfCheck:
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") == "utf8" and sys.getfilesystemencoding().lower() == "utf-8":
        return SelfCheck(name=N_("Encoding"), state="ok", sentence=N_("Python reads and writes UTF-8."))
    return SelfCheck(
        name=N_("Encoding"),
        state="warning",
        sentence=N_(
            "Python's default encoding is %(encoding)s: chained scripts that open files without naming an encoding "
            "will fail on Korean text. Start Orthanc with LANG=C.UTF-8."
        ),
        values={"encoding": encoding},
    )


def _http_threads(configuration: Mapping[str, Any]) -> SelfCheck:
    threads = int(configuration.get("HttpThreadsCount", 50))
    if threads < 10:
        return SelfCheck(
            name=N_("HTTP threads"),
            state="warning",
            sentence=N_(
                "HttpThreadsCount is %(threads)s; with fewer than 10 the viewer and the dashboard wait in line."
            ),
            values={"threads": threads},
        )
    return SelfCheck(
        name=N_("HTTP threads"),
        state="ok",
        sentence=N_("Orthanc answers %(threads)s requests at once."),
        values={"threads": threads},
    )


def _overwriting(configuration: Mapping[str, Any]) -> SelfCheck:
    if configuration.get("OverwriteInstances", False) not in (False, "Never"):
        return SelfCheck(
            name=N_("Overwriting"),
            state="ok",
            sentence=N_("An object sent again replaces the stored one, and is indexed again."),
        )
    return SelfCheck(
        name=N_("Overwriting"), state="ok", sentence=N_("An object sent again is ignored; the first one stays.")
    )


def _jobs(configuration: Mapping[str, Any]) -> SelfCheck:
    """A killed Orthanc would go on with old jobs, and send again what the ledger of deliveries has confirmed."""
    if configuration.get("SaveJobs", True):
        return SelfCheck(
            name=N_("Jobs"),
            state="warning",
            sentence=N_(
                "Orthanc saves its jobs: after a crash it sends objects again that were confirmed. "
                'Set "SaveJobs": false; deliveries are resumed without it.'
            ),
        )
    return SelfCheck(name=N_("Jobs"), state="ok", sentence=N_("Orthanc saves no jobs; deliveries are resumed by us."))


def _fewest_features(orthanc: Any) -> SelfCheck:
    absent = [
        word
        for word, function in (("labels", "LoadDicomInstance"), ("audit log", "EmitAuditLog"))
        if not hasattr(orthanc, function)
    ]
    some, none = N_("This Orthanc has no %(features)s; nothing here needs them."), N_("All there.")
    features = ", ".join(absent)
    return SelfCheck(
        name=N_("Orthanc's features"), state="ok", sentence=some if absent else none, values={"features": features}
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
