"""What addresses of destinations are made of: web addresses, AE titles, places of secrets, layouts' keywords. Pure.

What names a place of the machine or of the network has a type that says so (`Guarded`): by it the settings'
`DestinationPlaces` are asked, whichever kind of destination has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from treegarth.described import FromOutside
from treegarth.dicom.headers import TAGS
from treegarth.limits import LONGEST_TEXT, is_storable
from treegarth.phrases import N_
from treegarth.web.forms import Shown

DEFAULT_LAYOUT = (
    "{PatientID}/{StudyDate} {StudyDescription}/{SeriesNumber} {Modality} {SeriesDescription}/{SOPInstanceUID}.dcm"
)
_KEYWORD_PARTS = {"id": "ID", "uid": "UID", "sop": "SOP"}


def keyword_of(column: str) -> str:
    """The DICOM keyword of one of the index's columns: `sop_instance_uid` → `SOPInstanceUID`."""
    return "".join(_KEYWORD_PARTS.get(part, part.capitalize()) for part in column.split("_"))


LAYOUT_KEYWORDS: Mapping[str, str] = {
    keyword_of(column): column for column in TAGS if column not in ("image_type", "specific_character_set")
}


def _storable(value: str) -> str:
    if not is_storable(value):
        raise ValueError("must be text without NUL and without half characters")
    return value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        named = False
    if not named or parts.scheme not in ("http", "https") or parts.username or parts.password or "?" in value:
        raise ValueError("must be like https://host:8042/path, without user, password and question mark")
    return value.rstrip("/")


def _ae_title(value: str) -> str:
    """PS3.5 6.2: at most 16 characters of the default repertoire without backslash; spaces at the ends mean nothing."""
    if not re.fullmatch(r"(?=.*[^ ])[ -\[\]-~]{1,16}", value):
        raise ValueError("must be an AE title: 1 to 16 plain characters")
    return value.strip()


def _storable_path(value: Path) -> Path:
    if not is_storable(text := str(value)) or len(text) > LONGEST_TEXT:
        raise ValueError("must be a path of at most 1000 characters, without NUL")
    return value


class Guarded(Enum):
    """What kind of place a field names, which the settings must allow."""

    FOLDER = auto()  # files are written there
    CERTIFICATES = auto()  # a file is read and trusted
    SECRET = auto()  # a file or variable is read and sent
    WEB = auto()  # is connected to
    HOST = auto()  # is connected to, at the port beside it


Text = Annotated[str, AfterValidator(_storable)]  # what PostgreSQL can keep; give it a max_length
WebAddress = Annotated[Text, Field(max_length=LONGEST_TEXT), AfterValidator(_web_address), Guarded.WEB]
AeTitle = Annotated[str, AfterValidator(_ae_title)]
HostName = Annotated[
    str, AfterValidator(_storable), Field(min_length=1, max_length=253, pattern=r"^[^\s/@]+$"), Guarded.HOST
]
TargetFolder = Annotated[Path, AfterValidator(_storable_path), Guarded.FOLDER]
Certificates = Annotated[bool | Annotated[Path, AfterValidator(_storable_path)], Guarded.CERTIFICATES]


class Part(FromOutside):
    """Base of what a person sets: frozen, and a name that nobody knows is an error."""


class SecretPlace(Part):
    """Where a secret is to be found: exactly one of the two."""

    environment: Text | None = Field(default=None, max_length=200, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The name of an environment variable of Orthanc, or of the worker."""
    file: Annotated[Path, AfterValidator(_storable_path)] | None = None
    """The path of a file whose whole content it is."""

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretPlace:
        if (self.environment is None) == (self.file is None):
            raise ValueError('must be either {"environment": "NAME"} or {"file": "/path"}')
        return self


GuardedSecret = Annotated[SecretPlace, Guarded.SECRET]


def secret(label: str) -> Shown:
    """How a form shows the place of a secret; `label` is a msgid."""
    places = {"environment": N_("environment variable"), "file": N_("file")}
    return Shown(label, N_("only its place is kept here, never the secret"), choices=places)
