"""Checks of Orthanc itself: its program, its plugins and the keys of its configuration that Treegarth depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from treegarth.commands.configuration import Configuration
from treegarth.commands.findings import Finding, note, ok, problem
from treegarth.commands.plugins import (
    DICOMWEB_PLUGIN,
    PACKAGES,
    PYTHON_PLUGIN,
    find_orthanc,
    find_plugin,
    orthanc_version,
    python_mismatch,
    python_of_plugin,
)
from treegarth.errors import MachineNotReady

OLDEST_ORTHANC = (1, 10, 1)  # Debian 12's
ENTRY = "orthanc_entry.py"


def check_orthanc(configuration: Configuration) -> Iterator[Finding]:
    yield from check_program()
    yield from check_plugins(configuration)
    yield from check_script(configuration)
    yield from check_keys(configuration.values)


def check_program() -> Iterator[Finding]:
    try:
        version = orthanc_version(find_orthanc())
    except MachineNotReady as error:
        yield note(f"{error} (Fine where only workers run.)")
        return
    numbers = tuple(int(part) for part in (version or "").split(".") if part.isdigit())
    if numbers and numbers < OLDEST_ORTHANC:
        oldest = ".".join(map(str, OLDEST_ORTHANC))
        yield problem(
            f"Orthanc {version} is older than {oldest}, the oldest that Treegarth was tried with. Upgrade it."
        )
    else:
        yield ok(f"Orthanc {version or '(a development version)'}.")


def check_plugins(configuration: Configuration) -> Iterator[Finding]:
    given = configuration.values.get("Plugins", [])
    folder = configuration.source if configuration.source.is_dir() else configuration.source.parent
    places = [folder / str(place) for place in given]
    for place in places:
        if not place.exists():
            yield problem(
                f'"Plugins" names {place}, which is not there; Orthanc refuses to start. Correct or remove it.'
            )
    python_plugin = find_plugin(PYTHON_PLUGIN, places)
    if python_plugin is None:
        yield problem(missing_plugin(PYTHON_PLUGIN, "without it Orthanc does not load Treegarth"))
    elif mismatch := python_mismatch(python_plugin):
        yield problem(mismatch)
    else:
        version = ".".join(map(str, python_of_plugin(python_plugin) or ("of an unknown version",)))
        yield ok(f"The Python plugin {python_plugin} embeds Python {version}, as this environment.")
    if find_plugin(DICOMWEB_PLUGIN, places) is None:
        yield problem(missing_plugin(DICOMWEB_PLUGIN, "without it the viewer shows no images"))
    elif configuration.values.get("DicomWeb", {}).get("Enable", True) is False:
        yield problem('"DicomWeb": {"Enable": false} keeps images from the viewer. Set it to true.')
    else:
        yield ok("DICOMweb serves the viewer.")


def missing_plugin(name: str, consequence: str) -> str:
    return f'No entry of "Plugins" holds {name}.so: {consequence}. On Debian: apt-get install {PACKAGES[name]}'


def check_script(configuration: Configuration) -> Iterator[Finding]:
    given = configuration.values.get("PythonScript")
    if given is None:
        yield problem(f'"PythonScript" is not set. Let it name {ENTRY} in the folder plugin of Treegarth.')
        return
    script = configuration.path("PythonScript", otherwise="")
    if not script.is_file():
        yield problem(f'"PythonScript" names {script}, which is not there; Orthanc refuses to start. Correct it.')
    elif script.name != ENTRY:
        yield problem(
            f'"PythonScript" names {script}, not Treegarth\'s {ENTRY}. Name that one, and your own script in '
            '"Treegarth": {"ChainedScripts": [...]}: it is called beside Treegarth.'
        )
    else:
        yield ok(f"Orthanc loads {script}.")


def check_keys(values: Mapping[str, Any]) -> Iterator[Finding]:
    """Keys of Orthanc with values that were seen to hurt; its defaults in brackets."""
    stable_age = number(values, "StableAge", 60)
    if stable_age < 5:
        yield problem(
            f'"StableAge" is {stable_age:g} s: a device that pauses longer has its study taken for complete. Set 60.'
        )
    elif stable_age > 900:
        yield note(
            f'"StableAge" is {stable_age:g} s: what waits for complete studies waits so long after the last object.'
        )
    if number(values, "HttpRequestTimeout", 30) == 0:
        yield problem(
            '"HttpRequestTimeout" is 0: clients that fell silent keep their threads until none is left. Set 60.'
        )
    if number(values, "HttpThreadsCount", 50) < 10:
        yield problem('"HttpThreadsCount" is below 10: the viewer alone needs that many at once. Set 50.')
    if values.get("HttpServerEnabled", True) is False:
        yield problem('"HttpServerEnabled" is false: pages, viewer and workers all come by HTTP. Set it to true.')
    if values.get("StoreDicom", True) is False:
        yield problem('"StoreDicom" is false: Orthanc forgets the objects, so neither dose nor images can be read.')
    if number(values, "MaximumStorageSize", 0) or number(values, "MaximumPatientCount", 0):
        yield note(
            '"MaximumStorageSize" or "MaximumPatientCount" is set: Orthanc deletes the oldest patients on its own, '
            "without asking Treegarth. The index follows."
        )


def number(values: Mapping[str, Any], key: str, otherwise: float) -> float:
    value = values.get(key, otherwise)
    return float(value) if isinstance(value, int | float) else otherwise
