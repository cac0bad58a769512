"""JPEG 2000 for a node that takes only what is uncompressed: Orthanc decodes it with its plugin GDCM."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt

from tests.delivery_support import dicom_settings, ledger_of
from tests.orthanc.conftest import ServerFactory
from tests.orthanc.test_deliveries import SENDING
from tests.servers import free_ports
from treegarth.commands.plugins import GDCM_PLUGIN, find_plugin

WITH_GDCM = ("libOrthancPython.so", f"{GDCM_PLUGIN}.so")
IMAGE = Path(str(get_testdata_file("JPEG2000.dcm", download=False)))


@contextmanager
def uncompressed_only(sop_class_uid: str) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """A node that takes a class in the uncompressed transfer syntaxes (PS3.5 A.1, A.2) alone: its port, and transfer
    syntax and size of the pixels of each that it got."""
    (port,) = free_ports(1)
    got: list[tuple[str, int]] = []
    lock = threading.Lock()

    def take(event: Any) -> int:
        with lock:
            got.append((str(event.context.transfer_syntax), len(event.dataset.PixelData)))
        return 0

    entity = AE("NODE")
    entity.add_supported_context(sop_class_uid, [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
    entity.add_supported_context("1.2.840.10008.1.1")
    node = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, take)])
    try:
        yield port, got
    finally:
        node.shutdown()


@pytest.mark.skipif(find_plugin(GDCM_PLUGIN) is None, reason="Orthanc's plugin GDCM is not installed")
def test_jpeg_2000_arrives_decoded_and_without_the_plugin_it_is_said_why_not(new_server: ServerFactory) -> None:
    image = pydicom.dcmread(IMAGE)
    assert image.file_meta.TransferSyntaxUID.name.startswith("JPEG 2000")
    size = image.Rows * image.Columns * image.BitsAllocated // 8
    for plugins, state in ((WITH_GDCM, "unproved"), (WITH_GDCM[:1], "given up")):
        server = new_server(f"server-{len(plugins)}", settings=SENDING, plugins=plugins).start()
        requests.post(f"{server.url}/instances", data=IMAGE.read_bytes(), timeout=120).raise_for_status()
        server.wait_until_idle()
        with ledger_of(server) as ledger, uncompressed_only(image.SOPClassUID) as (port, got):
            node = ledger.add(dicom_settings("node", port, max_attempts=1))
            assert ledger.request([node]) == 1
            ledger.announce()
            ledger.wait_until(node, {("sent", "status"): 1} if state == "unproved" else {("given up", None): 1})
            (item,) = server.get("deliveries")["items"]
            assert item["state"] == state
            if state == "unproved":
                assert got == [(ExplicitVRLittleEndian, size)]
            else:
                assert item["last_error"].startswith("The node takes such objects only as Implicit VR Little Endian")
                assert "without its plugin GDCM it decodes no JPEG 2000" in item["last_error"]
