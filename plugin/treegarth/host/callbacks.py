"""Orthanc's callbacks: copy what is needed and return. Never talks to PostgreSQL or to Orthanc's REST API.

Orthanc allows one registration of each callback, so this dispatcher owns them and calls a site's own scripts
(`ChainedScripts`) beside ours. While OnStoredInstance runs, every store of the server waits.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from time import perf_counter, time
from typing import Any

from treegarth.dicom.raw_elements import header_end
from treegarth.host.feed import IndexerFeed, deleted_frame, stored_frame

# Above this an object without pixel data is not copied whole; the indexer reads it from Orthanc.
_LARGEST_WITHOUT_PIXELS = 8 * 2**20
_LEVELS = ("patients", "studies", "series", "instances")  # orthanc.ResourceType 0 to 3

logger = logging.getLogger(__name__)


class Dispatcher:
    """Owns Orthanc's change and store callbacks, ours first, then those of chained scripts."""

    def __init__(self, orthanc: Any, feed: IndexerFeed) -> None:
        self._feed = feed
        self._deleted = orthanc.ChangeType.DELETED
        self._metadata_names = ("RemoteAET", "CalledAET", "RemoteIP", "HttpUsername", "ReceptionDate")
        self._on_change: list[Callable[[int, int, str], None]] = []
        self._on_stored: list[Callable[[Any, str], None]] = []
        self.durations_s: deque[float] = deque(maxlen=4096)
        orthanc.RegisterOnStoredInstanceCallback(self._stored)
        orthanc.RegisterOnChangeCallback(self._changed)

    def also_on_change(self, callback: Callable[[int, int, str], None]) -> None:
        self._on_change.append(callback)

    def also_on_stored(self, callback: Callable[[Any, str], None]) -> None:
        self._on_stored.append(callback)

    def _stored(self, instance: Any, orthanc_instance_id: str) -> None:
        begin = perf_counter()
        try:
            self._feed.put(stored_frame(self._about(instance, orthanc_instance_id), _beginning(instance)))
        except Exception:
            logger.exception("A stored instance was not handed to the indexer; the reconciler will find it.")
        self.durations_s.append(perf_counter() - begin)
        for callback in self._on_stored:
            _call(callback, instance, orthanc_instance_id)

    def _changed(self, change: int, level: int, orthanc_id: str) -> None:
        try:
            if change == self._deleted and level < len(_LEVELS):
                self._feed.put(deleted_frame(_LEVELS[level], orthanc_id))
        except Exception:
            logger.exception("A deletion was not handed to the indexer; the reconciler will find it.")
        for callback in self._on_change:
            _call(callback, change, level, orthanc_id)

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
        return about


def _beginning(instance: Any) -> bytes:
    data: bytes = instance.GetInstanceData()
    end = header_end(data)
    if end is not None:
        return data[:end]
    return data if len(data) <= _LARGEST_WITHOUT_PIXELS else b""


def _call(callback: Callable[..., None], *arguments: Any) -> None:
    try:
        callback(*arguments)
    except Exception:
        logger.exception("The callback %s failed.", getattr(callback, "__qualname__", callback))
