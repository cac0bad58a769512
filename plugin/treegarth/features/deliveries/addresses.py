"""The kinds of destinations, and what each needs to be reached. Pure validation: connects to nothing.

A secret never stands in an address. It is named by its place, `{"environment": "NAME"}` or `{"file": "/path"}`, and is
looked up by the worker that sends. Whether the site lets a place be used is not decided here but in `refusals.py`: a
destination that was set before its settings stays readable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, TypeAlias

from pydantic import Field, field_validator, model_validator

from treegarth.features.deliveries.address_parts import (
    DEFAULT_LAYOUT,
    LAYOUT_KEYWORDS,
    AeTitle,
    Certificates,
    GuardedSecret,
    HostName,
    Part,
    TargetFolder,
    Text,
    WebAddress,
    secret,
)
from treegarth.phrases import N_
from treegarth.web.forms import Shown

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[\t -~]{0,4000}")


class Kind(StrEnum):
    """How a destination takes objects."""

    DICOM = "dicom"  # C-STORE, by Orthanc
    DICOMWEB = "dicomweb"  # STOW-RS (PS3.18 10.5)
    PEER = "peer"  # another Orthanc's REST API
    FOLDER = "folder"  # files in a folder of the worker's machine
    S3 = "s3"  # a bucket of S3 or of what speaks like it


_VERIFY = Shown(
    N_("Certificate"), N_("true: checked; or the path of the certificates of the authorities that are trusted")
)


class DicomAddress(Part):
    """A DICOM node that takes objects by C-STORE."""

    ae_title: Annotated[AeTitle, Shown(N_("AE title"), example="NMDOSE")]
    """Its AE title."""
    host: Annotated[HostName, Shown(N_("Host"), example="10.0.0.7")]
    """Its name or address."""
    port: Annotated[int, Shown(N_("Port"), begins="104")] = Field(ge=1, le=65535)
    """Its port, usually 104 or 11112."""
    local_ae_title: Annotated[
        AeTitle | None, Shown(N_("Called by"), N_("our AE title towards it; Orthanc's own if empty"))
    ] = None
    """The AE title to call with; Orthanc's own if not given."""
    timeout_s: Annotated[int, Shown(N_("Timeout in seconds"))] = Field(default=60, ge=1, le=3600)
    """Seconds without an answer after which it counts as not answering."""
    tls: Annotated[bool, Shown(N_("TLS"), N_("with the certificates of Orthanc's configuration"))] = False
    """Whether to speak TLS, with the certificates of Orthanc's configuration."""


class _WebLogin(Part):
    url: Annotated[WebAddress, Shown(N_("Address (URL)"), example="https://pacs.example.org/dicom-web", is_wide=True)]
    """Its root."""
    user: Annotated[Text | None, Shown(N_("User"))] = Field(default=None, max_length=200)
    """The user of HTTP Basic."""
    password: Annotated[GuardedSecret | None, secret(N_("Password"))] = None
    """The place of the user's password."""
    verify: Annotated[Certificates, _VERIFY] = True
    """Whether to check its certificate: `true`, or the path of the authorities' certificates."""

    @model_validator(mode="after")
    def _user_with_password(self) -> _WebLogin:
        if (self.user is None) != (self.password is None):
            raise ValueError("must have both user and password, or neither")
        return self


class DicomwebAddress(_WebLogin):
    """A DICOMweb server: objects are stored by STOW-RS and looked for by QIDO-RS below `url`."""

    token: Annotated[GuardedSecret | None, secret(N_("Bearer token"))] = None
    """The place of a bearer token, instead of user and password."""
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Further HTTP headers that are no secrets."""

    @field_validator("headers")
    @classmethod
    def _headers_without_secrets(cls, value: dict[str, str]) -> dict[str, str]:
        for name, text in value.items():
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(text)):
                raise ValueError("must be names and values of HTTP headers")
            if name.lower() in ("authorization", "proxy-authorization", "cookie"):
                raise ValueError("must not hold a login: name the place of the password or of the token")
            if name.lower() in ("content-type", "content-length", "transfer-encoding", "host", "accept"):
                raise ValueError("must not hold what the request itself decides")
        return value

    @model_validator(mode="after")
    def _one_login(self) -> DicomwebAddress:
        if self.token is not None and self.user is not None:
            raise ValueError("must have a user or a token, not both")
        return self


class PeerAddress(_WebLogin):
    """Another Orthanc, by its REST API at `url`."""

    url: Annotated[WebAddress, Shown(N_("Address (URL)"), example="https://research.example.org:8042", is_wide=True)]
    """Its root."""


class FolderAddress(Part):
    """A folder that the workers can write to."""

    path: Annotated[TargetFolder, Shown(N_("Folder"), example="/srv/dose", is_wide=True)]
    """The folder; it is made where it is not there."""
    layout: Annotated[
        Text,
        Shown(
            N_("Folders and names below it"),
            N_("DICOM keywords in braces are replaced by the object's own values"),
            is_wide=True,
        ),
    ] = Field(default=DEFAULT_LAYOUT, max_length=500)
    """Folders and name of each object, with DICOM keywords of the index in braces."""

    @field_validator("path")
    @classmethod
    def _is_absolute(cls, value: Path) -> Path:
        if not value.is_absolute() or ".." in value.parts or len(value.parts) < 2:
            raise ValueError("must be an absolute path of a folder")
        return value

    @field_validator("layout")
    @classmethod
    def _is_layout(cls, value: str) -> str:
        unknown = [name for name in re.findall(r"{([^{}]*)}", value) if name not in LAYOUT_KEYWORDS]
        if unknown:
            known = ", ".join(sorted(LAYOUT_KEYWORDS))
            raise ValueError(f"must not name {', '.join(unknown)}: known are {known}")
        parts = PurePosixPath(value).parts
        if re.search(r"[{}\\\x00-\x1f]", re.sub(r"{\w+}", "", value)) or value.startswith("/") or ".." in parts:
            raise ValueError("must be a path of its own below the folder, with keywords in braces")
        return value


class S3Address(Part):
    """A bucket of S3, or of a server that speaks like it."""

    endpoint_url: Annotated[
        WebAddress | None,
        Shown(N_("Server (URL)"), N_("that of Amazon if empty"), "https://s3.example.org", is_wide=True),
    ] = None
    """The server's root; that of AWS if not given."""
    bucket: Annotated[str, Shown(N_("Bucket"))] = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$")
    """The bucket; it must be there."""
    prefix: Annotated[Text, Shown(N_("Prefix of the names"), example="pacs/")] = Field(
        default="", max_length=300, pattern=r"^([^/\s\x00-\x1f][^\x00-\x1f]*)?$"
    )
    """What the names of its objects begin with, such as `pacs/`."""
    region: Annotated[str | None, Shown(N_("Region"))] = Field(default=None, pattern=r"^[A-Za-z0-9-]{1,40}$")
    """The region."""
    access_key_id: Annotated[Text | None, Shown(N_("Access key"))] = Field(default=None, max_length=200)
    """The access key; without it boto3's own ways of finding one, where `DestinationPlaces.MachineLogin` lets it."""
    secret_access_key: Annotated[GuardedSecret | None, secret(N_("Secret of the key"))] = None
    """The place of its secret."""
    verify: Annotated[Certificates, _VERIFY] = True
    """Whether to check its certificate: `true`, or the path of the authorities' certificates."""

    @model_validator(mode="after")
    def _key_with_secret(self) -> S3Address:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("must have both access_key_id and secret_access_key, or neither")
        return self


Address: TypeAlias = DicomAddress | DicomwebAddress | PeerAddress | FolderAddress | S3Address
ADDRESSES: Mapping[Kind, type[Address]] = {
    Kind.DICOM: DicomAddress,
    Kind.DICOMWEB: DicomwebAddress,
    Kind.PEER: PeerAddress,
    Kind.FOLDER: FolderAddress,
    Kind.S3: S3Address,
}
