"""Deliveries to real DICOM nodes: what is sent arrives, and is shown to have arrived."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from time import sleep

from tests.delivery_scp import DeliveryScp, Manners
from tests.delivery_support import dicom_settings, ledger_of
from tests.orthanc.conftest import ServerFactory
from tests.orthanc.test_workers import worker_of
from tests.servers import OrthancServer, store
from tests.studies import small_studies

SENDING = {"SaveJobs": False, "ConcurrentJobs": 8}


def receiver_of(new_server: ServerFactory) -> OrthancServer:
    """Another Orthanc, without Treegarth."""
    return new_server("receiver", treegarth=None, settings={"DicomAet": "NODE", "DicomAlwaysAllowFind": True}).start()


def filled(new_server: ServerFactory, tmp_path: Path, *, studies: int, series: int, instances: int) -> OrthancServer:
    """A server that has indexed so many studies."""
    server = new_server(settings=SENDING).start()
    small_studies(tmp_path / "objects", studies=studies, series=series, instances=instances)
    store(server, tmp_path / "objects")
    server.wait_until_idle()
    return server


def test_objects_arrive_at_another_orthanc_and_are_found_there(new_server: ServerFactory, tmp_path: Path) -> None:
    server, receiver = filled(new_server, tmp_path, studies=2, series=2, instances=5), receiver_of(new_server)
    with ledger_of(server) as ledger:
        node = ledger.add(dicom_settings("node", receiver.dicom_port))
        assert ledger.request([node]) == 20
        ledger.wait_until(node, {("confirmed", "find"): 20})
        assert {one.attempts for one in ledger.objects(node)} == {1}
        assert ledger.request([node], rule_id=7) == 0
    assert set(server.orthanc("instances")) == set(receiver.orthanc("instances"))


def test_a_send_of_a_killed_worker_is_asked_about_and_only_the_rest_is_sent(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = filled(new_server, tmp_path, studies=1, series=1, instances=40)
    with ledger_of(server) as ledger, DeliveryScp(tmp_path / "node", Manners(delay_s=0.05)) as scp:
        node = ledger.add(dicom_settings("node", scp.start().port))
        ledger.request([node])
        scp.wait_for(10)
        os.kill(worker_of(server), signal.SIGKILL)
        ledger.wait_until(node, {("confirmed", "find"): 40}, timeout_s=90)
        assert scp.received() == dict.fromkeys((one.sop_instance_uid for one in ledger.objects(node)), 1)
        sleep(0.2)
