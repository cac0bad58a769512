"""JPEG 2000 for a node that takes only what is uncompressed: Orthanc decodes it with Debian's plugin GDCM."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage

from tests.delivery_support import dicom_settings, ledger_of
from tests.orthanc.conftest import ServerFactory
from tests.orthanc.test_deliveries import SENDING
from tests.servers import OrthancServer, free_ports
from tests.studies import small_studies
from treegarth.commands.plugins import GDCM_PLUGIN, find_plugin

WITH_GDCM = ("libOrthancPython.so", f"{GDCM_PLUGIN}.so")


@contextmanager
def uncompressed_only() -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """A node that accepts CT images in the two uncompressed transfer syntaxes (PS3.5 A.1, A.2) alone: its port, and the
    transfer syntax and pixels of each that it got."""
    (port,) = free_ports(1)
    got: list[tuple[str, bytes]] = []
    lock = threading.Lock()

    def take(event: Any) -> int:
        with lock:
            got.append((str(event.context.transfer_syntax), bytes(event.dataset.PixelData)))
        return 0

    entity = AE("NODE")
    entity.add_supported_context(CTImageStorage, [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
    entity.add_supported_context("1.2.840.10008.1.1")
    node = entity.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_C_STORE, take)])
    try:
        yield port, got
    finally:
        node.shutdown()


def compressed(server: OrthancServer, folder: Path) -> bytes:
    """Have a server with GDCM make JPEG 2000 of a CT image, in the file `jpeg2000.dcm`; the pixels before."""
    (image,) = small_studies(folder / "made", studies=1, series=1, instances=1)
    number = requests.post(f"{server.url}/instances", data=image.read_bytes(), timeout=30).json()["ID"]
    asked = {"Transcode": JPEG2000Lossless, "Keep": ["SOPInstanceUID"], "Force": True}
    answer = requests.post(f"{server.url}/instances/{number}/modify", json=asked, timeout=30)
    answer.raise_for_status()
    (folder / "jpeg2000.dcm").write_bytes(answer.content)
    assert pydicom.dcmread(folder / "jpeg2000.dcm").file_meta.TransferSyntaxUID == JPEG2000Lossless
    return bytes(pydicom.dcmread(image).PixelData)


@pytest.mark.skipif(find_plugin(GDCM_PLUGIN) is None, reason="Orthanc's plugin GDCM is not installed")
def test_jpeg_2000_arrives_decoded_and_without_the_plugin_it_is_said_why_not(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    maker = new_server("maker", treegarth=None, plugins=(f"{GDCM_PLUGIN}.so",)).start()
    original = compressed(maker, tmp_path)
    for plugins, state in ((WITH_GDCM, "unproved"), (WITH_GDCM[:1], "given up")):
        server = new_server(f"server-{len(plugins)}", settings=SENDING, plugins=plugins).start()
        content = (tmp_path / "jpeg2000.dcm").read_bytes()
        requests.post(f"{server.url}/instances", data=content, timeout=30).raise_for_status()
        server.wait_until_idle()
        with ledger_of(server) as ledger, uncompressed_only() as (port, got):
            node = ledger.add(dicom_settings("node", port, max_attempts=1))
            assert ledger.request([node]) == 1
            ledger.announce()
            ledger.wait_until(node, {("sent", "status"): 1} if state == "unproved" else {("given up", None): 1})
            (item,) = server.get("deliveries")["items"]
            assert item["state"] == state
            if state == "unproved":
                assert got == [(ExplicitVRLittleEndian, original)]
            else:
                assert item["last_error"].startswith("The node takes such objects only as Implicit VR Little Endian")
                assert "JPEG 2000 Image Compression (Lossless Only): without its plugin GDCM" in item["last_error"]
