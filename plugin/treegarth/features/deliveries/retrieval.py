"""Get objects back from a destination into Orthanc: by C-MOVE to ourselves, by WADO-RS, as files of a peer, a folder or
a bucket.

What came back is looked at by whoever asked: these only say that they tried.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Sequence

import requests

from treegarth.dicom.depth import nesting_beyond
from treegarth.dicom.headers import orthanc_identifiers, read_header
from treegarth.errors import ObjectsKeptBack, OrthancRefused, UnreadableObject
from treegarth.features.deliveries.model import DeliveryObject
from treegarth.features.deliveries.senders.dicom import DicomSender
from treegarth.features.deliveries.senders.dicomweb import DicomwebSender, series_path
from treegarth.features.deliveries.senders.file_format import MOST_ADDED_BYTES
from treegarth.features.deliveries.senders.folder import INCOMING, FolderSender
from treegarth.features.deliveries.senders.peer import PeerSender
from treegarth.features.deliveries.senders.protocol import DestinationUnreachable, Retriever
from treegarth.features.deliveries.senders.remote_paths import as_part
from treegarth.features.deliveries.senders.web import failure
from treegarth.orthanc.client import OrthancClient
from treegarth.phrases import P_

MOVED_AT_ONCE = 100
_WADO = 'multipart/related; type="application/dicom"; transfer-syntax=*'


class DicomRetriever(DicomSender, Retriever):
    """By C-MOVE to Orthanc itself: the node must know its AE title and address."""

    def retrieve(self, objects: Sequence[DeliveryObject]) -> None:
        self._introduce()
        for begin in range(0, len(objects), MOVED_AT_ONCE):
            resources = [
                {
                    "StudyInstanceUID": one.study_instance_uid,
                    "SeriesInstanceUID": one.series_instance_uid,
                    "SOPInstanceUID": one.sop_instance_uid,
                }
                for one in objects[begin : begin + MOVED_AT_ONCE]
            ]
            body = {"Level": "Instance", "Resources": resources, "Timeout": self._address.timeout_s}
            try:
                self._orthanc.post(f"{self._path}/move", body, timeout_s=self._patience_s * len(resources))
            except OrthancRefused as error:
                why = P_("It does not move objects to us. %(why)s", why=error.sentence)
                raise DestinationUnreachable(why) from error


class Copying(Retriever):
    """Of destinations that hand out files: each is posted to Orthanc as it is, but for those that would end it."""

    _orthanc: OrthancClient

    @abstractmethod
    def files(self, objects: Sequence[DeliveryObject]) -> Iterator[bytes]:
        """The files of those of the objects that are there."""

    def retrieve(self, objects: Sequence[DeliveryObject]) -> None:
        kept_away = 0
        try:
            for content in self.files(objects):
                if nesting_beyond(content) is None:
                    self._orthanc.post("/instances", content)
                else:
                    kept_away += 1
        except requests.RequestException as error:
            raise DestinationUnreachable(failure(error)) from error
        except OSError as error:
            raise DestinationUnreachable(P_("It could not be read: %(kind)s.", kind=type(error).__name__)) from error
        if kept_away:
            raise ObjectsKeptBack(
                P_(
                    "%(count)s of its objects are nested so deep that Orthanc would end if they were uploaded.",
                    count=kept_away,
                )
            )


class PeerRetriever(PeerSender, Copying):
    def files(self, objects: Sequence[DeliveryObject]) -> Iterator[bytes]:
        for one in objects:
            answer = self._node.request("GET", f"/instances/{one.orthanc_instance_id}/file")
            if answer.status_code == 200:
                yield answer.content


class DicomwebRetriever(DicomwebSender, Copying):
    """WADO-RS of single instances (PS3.18 10.4)."""

    def files(self, objects: Sequence[DeliveryObject]) -> Iterator[bytes]:
        for one in objects:
            series = series_path(one.study_instance_uid, one.series_instance_uid)
            path = f"{series}/instances/{as_part(one.sop_instance_uid)}"
            answer = self._node.request("GET", path, headers={"Accept": _WADO})
            if answer.status_code == 200:
                yield from parts(answer.headers.get("Content-Type", ""), answer.content)


def parts(content_type: str, body: bytes) -> Iterator[bytes]:
    """The contents of a multipart body (RFC 2046 5.1.1)."""
    _, _, after = content_type.partition("boundary=")
    boundary = after.split(";")[0].strip().strip('"').encode("ascii", errors="replace")
    if not boundary:
        return
    for piece in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if piece.startswith(b"--"):
            return
        _, found, content = piece.partition(b"\r\n\r\n")
        if found:
            yield content


class FolderRetriever(FolderSender, Copying):
    """The layout may name values that the index no longer knows: files are told by their size and their header."""

    def files(self, objects: Sequence[DeliveryObject]) -> Iterator[bytes]:
        wanted = {one.orthanc_instance_id: one for one in objects}
        sizes = {one.size_bytes for one in objects}
        with self._opened() as root:
            for file in root.files(without=INCOMING):
                if not wanted:
                    return
                size = os.fstat(file.fileno()).st_size
                if not any(0 <= size - one <= MOST_ADDED_BYTES for one in sizes):
                    continue
                content = file.read()
                if (identifier := identifier_of(content)) in wanted:
                    del wanted[identifier]
                    yield content


def identifier_of(content: bytes) -> str | None:
    """Orthanc's identifier of the object in a file; None where it is none."""
    try:
        return orthanc_identifiers(read_header(content)).instance
    except UnreadableObject:
        return None
