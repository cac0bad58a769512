"""Orthanc's callbacks: copy what is needed and return. Never talks to PostgreSQL or to Orthanc's REST API.

While OnStoredInstance runs, every store of the server waits; while the C-STORE filter runs, every other C-STORE does.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import get_ident
from time import perf_counter, time
from typing import Any

from treegarth.dicom.depth import DEEPEST_NESTING, nesting_beyond
from treegarth.dicom.encoding import NotPlain
from treegarth.dicom.raw_elements import header_end, read_raw_elements
from treegarth.host.chained_scripts import ADMISSION, CHANGES, STORED, SharedCallbacks
from treegarth.host.feed import IndexerFeed, deleted_frame, stored_frame
from treegarth.host.uploads import Uploader

# Above this an object without pixel data is not copied whole; the indexer reads it from Orthanc.
_LARGEST_WITHOUT_PIXELS = 8 * 2**20
_LEVELS = ("patients", "studies", "series", "instances")  # orthanc.ResourceType 0 to 3
_BY_DICOM = 2  # orthanc.InstanceOrigin.DICOM_PROTOCOL
_SUCCESS, _CANNOT_UNDERSTAND = 0x0000, 0xC000  # PS3.4 Table B.2-1
_SOP_CLASS_UID = 0x00080016

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Admitted:
    """What the filter saw of an object that is stored next on the same thread: to copy it twice would cost as much as
    all the rest."""

    size: int
    beginning: bytes
    spent_s: float


class Dispatcher:
    """Treegarth's own change and store callbacks, and its filter of objects that come by C-STORE where the plugin has
    one. `transcodes`: Orthanc stores another encoding than it was sent. `uploader`: who uploads an object of this
    origin, address and size, where people sign in. `by_orthanc_users`: Orthanc has checked the name that it keeps."""

    def __init__(
        self,
        orthanc: Any,
        feed: IndexerFeed,
        shared: SharedCallbacks,
        *,
        transcodes: bool,
        uploader: Callable[[int, str | None, int], Uploader | None] | None = None,
        by_orthanc_users: bool = True,
        told: Callable[[Mapping[str, Any]], None] = lambda about: None,
    ) -> None:
        """`told` is called with what is known of each stored object; it must not wait."""
        self._feed, self._told = feed, told
        self._uploader = uploader
        self._deleted = orthanc.ChangeType.DELETED
        self._metadata_names = [
            *("RemoteAET", "CalledAET", "RemoteIP", "ReceptionDate"),
            *(("HttpUsername",) if by_orthanc_users else ()),
        ]
        self._transcodes = transcodes
        self._is_filtering = shared.has(ADMISSION)
        self._admitted: dict[int, _Admitted] = {}  # by thread
        self.durations_s: deque[float] = deque(maxlen=4096)
        self.refused_nested = 0
        if self._is_filtering:
            shared.add(ADMISSION, self._admit)
        shared.add(STORED, self._stored)
        shared.add(CHANGES, self._changed)

    def _admit(self, instance: Any) -> int:
        """The status of a C-STORE: an object that would kill Orthanc when it is looked at is not understood."""
        begin = perf_counter()
        try:
            data: bytes = instance.GetInstanceData()
            depth = nesting_beyond(data)
            if depth is not None:
                self._refuse(instance, data, depth)
                return _CANNOT_UNDERSTAND
            self._admitted[get_ident()] = _Admitted(
                size=len(data), beginning=_beginning(data), spent_s=perf_counter() - begin
            )
        except Exception:
            logger.exception("An object's nesting could not be measured; it is stored.")
        return _SUCCESS

    def _refuse(self, instance: Any, data: bytes, depth: int) -> None:
        self.refused_nested += 1
        logger.warning(
            "Refused an object of SOP class %s from %r: its sequences are nested %d deep (at most %d).",
            _sop_class_uid(data),
            str(instance.GetInstanceRemoteAet())[:16],
            depth,
            DEEPEST_NESTING,
        )

    def _stored(self, instance: Any, orthanc_instance_id: str) -> None:
        begin, before = perf_counter(), 0.0
        try:
            about = self._about(instance, orthanc_instance_id)
            admitted = self._taken(about)
            if admitted is not None:
                beginning, before, about["nesting"] = admitted.beginning, admitted.spent_s, 0
            else:
                data = instance.GetInstanceData()
                beginning = _beginning(data)
                if 0 < len(beginning) < len(data):  # the indexer does not see what lies behind pixels
                    about["nesting"] = nesting_beyond(data) or 0
            self._feed.put(stored_frame(about, beginning))
            self._told(about)
        except Exception:
            logger.exception("A stored instance was not handed to the indexer; the reconciler will find it.")
        self.durations_s.append(before + perf_counter() - begin)

    def _taken(self, about: dict[str, Any]) -> _Admitted | None:
        """What the filter saw of this object; None where it came another way, or is stored otherwise than it came."""
        if about["origin"] != _BY_DICOM:
            return None
        admitted = self._admitted.pop(get_ident(), None)
        if admitted is None or self._transcodes or admitted.size != about["size"]:
            return None
        return admitted

    def _changed(self, change: int, level: int, orthanc_id: str) -> None:
        try:
            if change == self._deleted and level < len(_LEVELS):
                self._feed.put(deleted_frame(_LEVELS[level], orthanc_id))
        except Exception:
            logger.exception("A deletion was not handed to the indexer; the reconciler will find it.")

    def _about(self, instance: Any, orthanc_instance_id: str) -> dict[str, Any]:
        about: dict[str, Any] = {
            "id": orthanc_instance_id,
            "size": instance.GetInstanceSize(),
            "origin": int(instance.GetInstanceOrigin()),
            "at": time(),
        }
        for name in self._metadata_names:
            if instance.HasInstanceMetadata(name):
                about[name] = instance.GetInstanceMetadata(name)
        if self._uploader is not None:
            uploader = self._uploader(about["origin"], about.get("RemoteIP"), about["size"])
            if uploader is not None:
                about["uploader"] = uploader.about()
        return about


def _beginning(data: bytes) -> bytes:
    end = header_end(data)
    if end is not None:
        return data[:end]
    return data if len(data) <= _LARGEST_WITHOUT_PIXELS else b""


def _sop_class_uid(data: bytes) -> str:
    """For a log: nothing else of the object."""
    try:
        found = read_raw_elements(data, {_SOP_CLASS_UID}).values.get(_SOP_CLASS_UID, b"")
    except NotPlain:
        found = b""
    return "".join(letter for letter in found.decode("ascii", "replace")[:64] if letter in "0123456789.") or "unknown"
