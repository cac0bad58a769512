"""The kinds of destinations, each in one place: its name, its form, who sends to it and brings back, what it can prove.

What its address must be stands in `addresses.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from treegarth.features.deliveries.address_parts import DEFAULT_LAYOUT
from treegarth.features.deliveries.addresses import Kind
from treegarth.features.deliveries.model import Proof
from treegarth.phrases import N_


@dataclass(frozen=True, kw_only=True)
class AddressInput:
    """One field of an address."""

    name: str
    label: str  # a msgid
    kind: Literal["text", "number", "truth", "secret"] = "text"
    hint: str = ""  # a msgid
    example: str = ""
    default: str = ""
    is_wide: bool = False


@dataclass(frozen=True, kw_only=True)
class DestinationKind:
    """One kind. Sender and retriever are named as `module:class` below this feature: some load much."""

    label: str  # msgids, as the hint
    hint: str
    inputs: tuple[AddressInput, ...]
    sender: str
    retriever: str
    listed: Proof = Proof.STORED
    """What it proves that the destination, when it is asked, has the object."""


_URL = AddressInput(name="url", label=N_("Address (URL)"), example="https://pacs.example.org/dicom-web", is_wide=True)
_LOGIN = (
    AddressInput(name="user", label=N_("User")),
    AddressInput(name="password", label=N_("Password"), kind="secret"),
)
_VERIFY = AddressInput(
    name="verify",
    label=N_("Certificate"),
    default="true",
    hint=N_("true: checked; or the path of the certificates of the authorities that are trusted"),
)

KINDS: Mapping[Kind, DestinationKind] = {
    Kind.DICOM: DestinationKind(
        label=N_("DICOM node"),
        hint=N_("C-STORE to an AE title, by Orthanc"),
        sender="senders.dicom:DicomSender",
        retriever="retrieval:DicomRetriever",
        listed=Proof.FIND,
        inputs=(
            AddressInput(name="ae_title", label=N_("AE title"), example="NMDOSE"),
            AddressInput(name="host", label=N_("Host"), example="10.0.0.7"),
            AddressInput(name="port", label=N_("Port"), kind="number", default="104"),
            AddressInput(
                name="local_ae_title", label=N_("Called by"), hint=N_("our AE title towards it; Orthanc's own if empty")
            ),
            AddressInput(name="timeout_s", label=N_("Timeout in seconds"), kind="number", default="60"),
            AddressInput(
                name="tls", label=N_("TLS"), kind="truth", hint=N_("with the certificates of Orthanc's configuration")
            ),
        ),
    ),
    Kind.DICOMWEB: DestinationKind(
        label=N_("DICOMweb server"),
        hint=N_("STOW-RS over HTTP"),
        sender="senders.dicomweb:DicomwebSender",
        retriever="retrieval:DicomwebRetriever",
        listed=Proof.QIDO,
        inputs=(_URL, *_LOGIN, AddressInput(name="token", label=N_("Bearer token"), kind="secret"), _VERIFY),
    ),
    Kind.PEER: DestinationKind(
        label=N_("Orthanc peer"),
        hint=N_("another Orthanc, by its REST API"),
        sender="senders.peer:PeerSender",
        retriever="retrieval:PeerRetriever",
        inputs=(
            AddressInput(
                name="url", label=N_("Address (URL)"), example="https://research.example.org:8042", is_wide=True
            ),
            *_LOGIN,
            _VERIFY,
        ),
    ),
    Kind.FOLDER: DestinationKind(
        label=N_("Folder"),
        hint=N_("files with readable names below a folder of the settings"),
        sender="senders.folder:FolderSender",
        retriever="retrieval:FolderRetriever",
        inputs=(
            AddressInput(name="path", label=N_("Folder"), example="/srv/dose", is_wide=True),
            AddressInput(
                name="layout",
                label=N_("Folders and names below it"),
                default=DEFAULT_LAYOUT,
                is_wide=True,
                hint=N_("DICOM keywords in braces are replaced by the object's own values"),
            ),
        ),
    ),
    Kind.S3: DestinationKind(
        label=N_("S3 bucket"),
        hint=N_("Amazon S3, or a server that speaks like it"),
        sender="senders.s3:S3Sender",
        retriever="retrieval_s3:S3Retriever",
        inputs=(
            AddressInput(
                name="endpoint_url",
                label=N_("Server (URL)"),
                example="https://s3.example.org",
                hint=N_("that of Amazon if empty"),
                is_wide=True,
            ),
            AddressInput(name="bucket", label=N_("Bucket")),
            AddressInput(name="prefix", label=N_("Prefix of the names"), example="pacs/"),
            AddressInput(name="region", label=N_("Region")),
            AddressInput(name="access_key_id", label=N_("Access key")),
            AddressInput(name="secret_access_key", label=N_("Secret of the key"), kind="secret"),
            _VERIFY,
        ),
    ),
}
