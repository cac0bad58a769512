"""Checks of Orthanc itself: its program, its plugins and the keys of its configuration that Treegarth depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from treegarth.commands.configuration import Configuration
from treegarth.commands.findings import Finding, note, ok, problem
from treegarth.commands.plugins import (
    DICOMWEB_PLUGIN,
    GDCM_PLUGIN,
    PACKAGES,
    PYTHON_PLUGIN,
    find_orthanc,
    find_plugin,
    has_callback,
    orthanc_version,
    python_mismatch,
    python_of_plugin,
)
from treegarth.errors import MachineNotReady, SettingsRefused
from treegarth.host.chained_scripts import ADMISSION
from treegarth.host.orthanc_checks import OrthancFacts, orthanc_checks

OLDEST_ORTHANC = (1, 10, 1)  # Debian 12's
ENTRY = "orthanc_entry.py"


def check_orthanc(configuration: Configuration, environment: Mapping[str, str]) -> Iterator[Finding]:
    version: str | None = None
    try:
        version = orthanc_version(find_orthanc())
    except MachineNotReady as error:
        yield note(f"{error} (Fine where only workers run.)")
    else:
        yield check_version(version)
    yield from check_plugins(configuration)
    yield from check_script(configuration)
    yield from check_lua_scripts(configuration)
    yield from check_keys(configuration, numbers_of(version), is_reached_by_https(configuration, environment))


def numbers_of(version: str | None) -> tuple[int, ...] | None:
    """1.10.1 as (1, 10, 1); None of a development version."""
    return tuple(int(part) for part in (version or "").split(".") if part.isdecimal()) or None


def check_version(version: str | None) -> Finding:
    numbers = numbers_of(version)
    if numbers and numbers < OLDEST_ORTHANC:
        oldest = ".".join(map(str, OLDEST_ORTHANC))
        return problem(
            f"Orthanc {version} is older than {oldest}, the oldest that Treegarth was tried with. Upgrade it."
        )
    return ok(f"Orthanc {version or '(a development version)'}.")


def check_plugins(configuration: Configuration) -> Iterator[Finding]:
    given = configuration.values.get("Plugins", [])
    places = [configuration.folder / str(place) for place in given]
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
        if not has_callback(python_plugin, ADMISSION):
            yield note(
                f"{python_plugin} cannot refuse a C-STORE: objects nested so deep that Orthanc ends when they "
                "are looked at are stored. Plugin 4.0 and later can."
            )
    if find_plugin(DICOMWEB_PLUGIN, places) is None:
        yield problem(missing_plugin(DICOMWEB_PLUGIN, "without it the viewer shows no images"))
    elif configuration.values.get("DicomWeb", {}).get("Enable", True) is False:
        yield problem('"DicomWeb": {"Enable": false} keeps images from the viewer. Set it to true.')
    else:
        yield ok("DICOMweb serves the viewer.")
    if gdcm := find_plugin(GDCM_PLUGIN, places):
        yield note(
            f"{gdcm} decodes JPEG 2000 for nodes that do not take it. On Debian 12 a request over DICOMweb or REST "
            "that asks for such an object in another transfer syntax ends Orthanc (docs/orthanc-limits.md)."
        )


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


def check_lua_scripts(configuration: Configuration) -> Iterator[Finding]:
    given = configuration.values.get("LuaScripts")
    for script in given if isinstance(given, list) else []:
        place = configuration.folder / str(script)
        if not place.is_file():
            yield problem(f'"LuaScripts" names {place}, which is not there; Orthanc refuses to start. Correct it.')


def is_reached_by_https(configuration: Configuration, environment: Mapping[str, str]) -> bool:
    """Whether `PublicUrl` says so; not where the settings are refused, which others say."""
    try:
        return (configuration.settings(environment).public_url or "").startswith("https://")
    except SettingsRefused:
        return False


def check_keys(
    configuration: Configuration, version: tuple[int, ...] | None, is_reached_by_https: bool
) -> Iterator[Finding]:
    """What the system page's self-check says of Orthanc's keys, and what keeps Treegarth from starting."""
    values = configuration.values
    if values.get("HttpServerEnabled", True) is False:
        yield problem('"HttpServerEnabled" is false: pages, viewer and workers all come by HTTP. Set it to true.')
    facts = OrthancFacts(
        values=values, folder=configuration.folder, version=version, is_reached_by_https=is_reached_by_https
    )
    levels = {"ok": ok, "warning": note, "problem": problem}
    for check in orthanc_checks(facts):
        yield levels[check.state](check.sentence)
