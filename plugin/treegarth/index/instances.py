"""What is known of a stored instance on its way into the index. Plain records, nothing that acts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from treegarth.dicom.headers import Header


class Level(StrEnum):
    """The four levels, as Orthanc's REST API spells their folders."""

    PATIENT = "patients"
    STUDY = "studies"
    SERIES = "series"
    INSTANCE = "instances"


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Who brought an instance. `kind` is Orthanc's InstanceOrigin (2 DICOM, 3 REST, 4 plugin, 5 Lua, 6 WebDAV)."""

    kind: int | None = None
    remote_ae_title: str | None = None
    called_ae_title: str | None = None
    remote_ip: str | None = None
    http_user: str | None = None
    uploader_id: int | None = None
    """Of the user of ours; `http_user` is the name."""
    session_id: int | None = None
    token_id: int | None = None

    def with_uploader(self, known: Origin) -> Origin:
        """The same, and who uploaded it as another report of the same store says: Orthanc itself does not know."""
        if self.http_user is not None or known.http_user is None:
            return self
        return replace(
            self,
            remote_ip=self.remote_ip or known.remote_ip,
            http_user=known.http_user,
            uploader_id=known.uploader_id,
            session_id=known.session_id,
            token_id=known.token_id,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredInstance:
    """An instance that Orthanc has stored, with the beginning of its file; `data` may be missing.

    `received_at` is when Orthanc received the object that it keeps; of one that it had already that is long before
    `reported_at`, when the plugin was told of it. Without `reported_at` the object was asked for, or has to be.
    """

    orthanc_instance_id: str
    data: bytes | None
    size_bytes: int
    received_at: datetime
    origin: Origin
    reported_at: datetime | None = None
    nesting: int | None = None
    """Levels of nested sequences where they are more than Orthanc is asked to read, else 0; None: not measured yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownStore:
    """Which of Orthanc's stores of an instance its row was made from."""

    received_at: datetime
    size_bytes: int
    header_checksum: int | None
    origin: Origin = Origin()


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedInstance:
    """An instance as the index takes it up; what followers of the index get to see.

    `header_checksum` is of the bytes that its header was read from. `is_stored_again`: the index had it with others.
    `is_known`: it had this very store, and reads it once more for its parents: nothing arrived.
    """

    orthanc_patient_id: str
    orthanc_study_id: str
    orthanc_series_id: str
    orthanc_instance_id: str
    header: Header
    size_bytes: int
    received_at: datetime
    origin: Origin
    nesting_depth: int | None = None
    """Levels of nested sequences, of an object that Orthanc cannot be asked to read; None of every other."""
    header_checksum: int | None = None
    is_stored_again: bool = False
    is_known: bool = False

    @property
    def study_instance_uid(self) -> str:
        return self.header.study_instance_uid

    @property
    def sop_instance_uid(self) -> str:
        return self.header.sop_instance_uid

    @property
    def sop_class_uid(self) -> str | None:
        return self.header.sop_class_uid

    @property
    def modality(self) -> str | None:
        return self.header.modality

    @property
    def image_type(self) -> tuple[str, ...] | None:
        return self.header.image_type

    @property
    def number_of_frames(self) -> int | None:
        return self.header.number_of_frames


@dataclass(frozen=True, kw_only=True, slots=True)
class RemovedInstance:
    """An instance that was taken out of the index, with what the index knew of it."""

    orthanc_patient_id: str
    orthanc_study_id: str
    orthanc_series_id: str
    orthanc_instance_id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str | None
    modality: str | None
    patient_id: str | None
    remote_ae_title: str | None
    size_bytes: int
    received_at: datetime
