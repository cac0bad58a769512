"""Pushing goes over real associations of another process, under the devices' own AE titles."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from pynetdicom import AE, AllStoragePresentationContexts, evt

from treegarth.demo.examinations import Extent
from treegarth.demo.hospital_day import hospital_day
from treegarth.demo.push import Archive, push
from treegarth.errors import PushFailed

TINY = Extent(slices=0.1, detail=0.0625)
DAY = date(2026, 5, 4)
SUCCESS, REFUSED = 0x0000, 0xA700


@contextmanager
def archive_that_answers(status: int) -> Iterator[tuple[Archive, list[tuple[str, str]]]]:
    """A storage provider on a free port; it notes (calling AE title, SOP instance UID) of each object."""
    received: list[tuple[str, str]] = []

    def store(event: evt.Event) -> int:
        received.append((event.assoc.requestor.ae_title, event.request.AffectedSOPInstanceUID))
        return status

    entity = AE("ARCHIVE")
    entity.supported_contexts = AllStoragePresentationContexts
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)])
    try:
        yield Archive(ae_title="ARCHIVE", dicom_port=server.socket.getsockname()[1]), received
    finally:
        server.shutdown()


def test_every_object_arrives_once_from_its_own_device() -> None:
    with archive_that_answers(SUCCESS) as (archive, received):
        expected = push(hospital_day(1, DAY, extent=TINY), archive)
    built = list(hospital_day(1, DAY, extent=TINY))
    sent = [(study.calling_ae_title, dataset.SOPInstanceUID) for study in built for dataset in study.datasets]
    assert Counter(received) == Counter(sent)
    assert expected == [study.expected for study in built]
    assert {"CTSCANNER1", "CTSCANNER2", "PETCT1", "ANGIO1", "MAMMO1", "MRSCANNER1"} <= {title for title, _ in received}


def test_a_refused_object_is_told_with_its_device() -> None:
    with archive_that_answers(REFUSED) as (archive, _), pytest.raises(PushFailed, match="CTSCANNER1 could not send"):
        push(hospital_day(1, DAY, extent=TINY), archive)


def test_a_port_where_nobody_listens_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(PushFailed, match=rf"to ARCHIVE at 127\.0\.0\.1:{port}"):
            push(hospital_day(1, DAY, extent=TINY), Archive(ae_title="ARCHIVE", dicom_port=port))


def test_an_archive_that_never_answers_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        archive = Archive(ae_title="ARCHIVE", dicom_port=silent.getsockname()[1])
        with pytest.raises(PushFailed, match="was still sending"):
            push(hospital_day(1, DAY, extent=TINY), archive, association_timeout_s=1.0)


def test_a_missing_storescu_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(PushFailed, match="dcmtk"):
        push([], Archive(ae_title="ARCHIVE", dicom_port=1))
