"""Orthanc's program and plugins on this machine: where they are and which Python they bring. Starts nothing but
`Orthanc --version`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from treegarth.errors import MachineNotReady

PROGRAM_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/orthanc/bin"
PLUGIN_FOLDERS = tuple(
    Path(folder)
    for folder in (
        "/usr/share/orthanc/plugins",  # Debian, and the images of jodogne and orthancteam
        "/usr/share/orthanc/plugins-available",
        "/usr/lib/orthanc",
        "/usr/local/share/orthanc/plugins",
        "/opt/orthanc/plugins",
    )
)
PYTHON_PLUGIN = "libOrthancPython"
DICOMWEB_PLUGIN = "libOrthancDicomWeb"
GDCM_PLUGIN = "libOrthancGdcm"
"""Decodes JPEG 2000, for nodes that take only what is uncompressed; a danger elsewhere: docs/orthanc-limits.md."""
PACKAGES = {PYTHON_PLUGIN: "orthanc-python", DICOMWEB_PLUGIN: "orthanc-dicomweb", GDCM_PLUGIN: "orthanc-gdcm"}


def find_orthanc() -> Path:
    """The program. Raises MachineNotReady."""
    found = shutil.which("Orthanc", path=PROGRAM_FOLDERS) or shutil.which("Orthanc")
    if found is None:
        raise MachineNotReady("Orthanc is not installed. On Debian: apt-get install orthanc")
    return Path(found)


def orthanc_version(program: Path) -> str | None:
    """As it says itself, `1.10.1`; None where it says something else."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    found = re.match(r"\S*Orthanc (\S+)", done.stdout)
    return found[1] if found else None


def find_plugin(name: str, places: Iterable[Path] = PLUGIN_FOLDERS) -> Path | None:
    """The shared library of that name in these places, each a folder or a library itself."""
    pattern = re.compile(re.escape(name) + r"\.so(\.[0-9.]+)?")
    for place in places:
        for file in sorted(place.iterdir()) if place.is_dir() else [place]:
            if pattern.fullmatch(file.name) and file.is_file():
                return file
    return None


def needed_plugin(name: str) -> Path:
    """Raises MachineNotReady with the package that brings it."""
    found = find_plugin(name)
    if found is None:
        raise MachineNotReady(
            f"Orthanc's plugin {name}.so is in none of {', '.join(map(str, PLUGIN_FOLDERS))}. "
            f"On Debian: apt-get install {PACKAGES[name]}"
        )
    return found


def python_of_plugin(plugin: Path) -> tuple[int, int] | None:
    """The Python that it embeds, as its dynamic section names it: (3, 11)."""
    found = re.search(rb"libpython(\d)\.(\d+)\w*\.so", plugin.read_bytes())
    return (int(found[1]), int(found[2])) if found else None


def has_callback(plugin: Path, registration: str) -> bool:
    """Whether the Python plugin knows a kind of callback: its library holds the name that scripts call."""
    return registration.encode() in plugin.read_bytes()


def python_mismatch(plugin: Path) -> str | None:
    """What is wrong when Orthanc's Python cannot import what this environment holds; None when nothing is."""
    embedded = python_of_plugin(plugin)
    if embedded is None or embedded == sys.version_info[:2]:
        return None
    theirs, ours = ".".join(map(str, embedded)), ".".join(map(str, sys.version_info[:2]))
    return (
        f"Orthanc's plugin {plugin} embeds Python {theirs}, but Treegarth is installed for Python {ours}. "
        f"Make the virtual environment anew with python{theirs} (make clean, then make run)."
    )
