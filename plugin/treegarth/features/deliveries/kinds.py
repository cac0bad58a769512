"""The kinds of destinations, each in one place: its name, who sends to it and brings back, what it can prove.

What its address must be, and how a form shows it, stands in `addresses.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from treegarth.features.deliveries.addresses import Kind
from treegarth.features.deliveries.model import Proof
from treegarth.phrases import N_


@dataclass(frozen=True, kw_only=True)
class DestinationKind:
    """One kind. Sender and retriever are named as `module:class` below this feature: some load much."""

    label: str  # msgids, as the hint
    hint: str
    sender: str
    retriever: str
    listed: Proof = Proof.STORED
    """What it proves that the destination, when it is asked, has the object."""


KINDS: Mapping[Kind, DestinationKind] = {
    Kind.DICOM: DestinationKind(
        label=N_("DICOM node"),
        hint=N_("C-STORE to an AE title, by Orthanc"),
        sender="senders.dicom:DicomSender",
        retriever="retrieval:DicomRetriever",
        listed=Proof.FIND,
    ),
    Kind.DICOMWEB: DestinationKind(
        label=N_("DICOMweb server"),
        hint=N_("STOW-RS over HTTP"),
        sender="senders.dicomweb:DicomwebSender",
        retriever="retrieval:DicomwebRetriever",
        listed=Proof.QIDO,
    ),
    Kind.PEER: DestinationKind(
        label=N_("Orthanc peer"),
        hint=N_("another Orthanc, by its REST API"),
        sender="senders.peer:PeerSender",
        retriever="retrieval:PeerRetriever",
    ),
    Kind.FOLDER: DestinationKind(
        label=N_("Folder"),
        hint=N_("files with readable names below a folder of the settings"),
        sender="senders.folder:FolderSender",
        retriever="retrieval:FolderRetriever",
    ),
    Kind.S3: DestinationKind(
        label=N_("S3 bucket"),
        hint=N_("Amazon S3, or a server that speaks like it"),
        sender="senders.s3:S3Sender",
        retriever="retrieval_s3:S3Retriever",
    ),
}
