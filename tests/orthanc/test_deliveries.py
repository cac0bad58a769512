"""Deliveries to real DICOM nodes: what is sent arrives, and is shown to have arrived."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import pytest
import requests

from tests.delivery_scp import DeliveryScp, Manners
from tests.delivery_support import dicom_settings, ledger_of
from tests.orthanc.conftest import ServerFactory
from tests.orthanc.test_workers import worker_of
from tests.servers import OrthancServer, store
from tests.studies import small_studies
from treegarth.features.deliveries.windows import WEEKDAYS

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
        ledger.wait_until(node, {("confirmed", "find"): 40}, timeout_s=180)
        assert scp.received() == dict.fromkeys((one.sop_instance_uid for one in ledger.objects(node)), 1)


@pytest.mark.soak
def test_a_node_with_bad_manners_has_every_object_in_the_end_and_delays_nobody(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    manners = Manners(refuses=0.1, aborts=0.05, stalls=0.01, out_of_resources=0.1, stall_s=8)
    server = filled(new_server, tmp_path, studies=2, series=2, instances=20)
    with (
        ledger_of(server) as ledger,
        DeliveryScp(tmp_path / "bad", manners, seed=5) as bad,
        DeliveryScp(tmp_path / "good") as good,
    ):
        troubled = ledger.add(dicom_settings("bad", bad.start().port, timeout_s=2))
        healthy = ledger.add(dicom_settings("good", good.start().port))
        ledger.request([troubled, healthy])
        ledger.wait_until(healthy, {("confirmed", "find"): 80}, timeout_s=90)
        ledger.wait_until(troubled, {("confirmed", "find"): 80}, timeout_s=180)
        rows = ledger.objects(troubled)
        assert {one.sop_instance_uid for one in rows} == bad.kept()
        assert max(good.received().values()) == 1
        kept = Counter(one["sop_instance_uid"] for one in bad.stores() if one["kept"])
        assert max(kept.values()) == 1, "an object that it had was sent again"
        assert max(one.attempts for one in rows) < 8


@pytest.mark.soak
def test_what_a_node_lost_after_it_took_it_is_sent_again_and_nothing_is_confirmed_untruly(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = filled(new_server, tmp_path, studies=1, series=2, instances=15)
    with ledger_of(server) as ledger, DeliveryScp(tmp_path / "node", Manners(loses=0.5)) as scp:
        node = ledger.add(dicom_settings("node", scp.start().port))
        ledger.request([node])
        deadline = monotonic() + 150
        while not any(state == "confirmed" for state, _ in ledger.states(node)) and monotonic() < deadline:
            sleep(0.2)
        ledger.age(node, minutes=3)  # as if it had listed nothing for so long
        ledger.wait_until(node, {("confirmed", "find"): 30}, timeout_s=180, each=lambda: ledger.age(node, minutes=3))
        assert {one.sop_instance_uid for one in ledger.objects(node)} == scp.kept()


def test_a_storage_commitment_is_the_proof_where_the_node_gives_it(new_server: ServerFactory, tmp_path: Path) -> None:
    server = filled(new_server, tmp_path, studies=1, series=1, instances=10)
    manners = Manners(
        answers_commitment=True, answers_find=False, commit_to=("127.0.0.1", server.dicom_port, "TREEGARTH")
    )
    with ledger_of(server) as ledger, DeliveryScp(tmp_path / "node", manners) as scp:
        node = ledger.add(dicom_settings("node", scp.start().port, proof="commitment"))
        ledger.request([node], proof="commitment")
        ledger.wait_until(node, {("confirmed", "commitment"): 10})
        assert max(scp.received().values()) == 1


@pytest.mark.soak
def test_a_node_that_can_be_asked_nothing_leaves_the_status_as_proof_and_gets_each_object_once(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = filled(new_server, tmp_path, studies=1, series=1, instances=20)
    with ledger_of(server) as ledger, DeliveryScp(tmp_path / "node", Manners(answers_find=False)) as scp:
        node = ledger.add(dicom_settings("node", scp.start().port))
        ledger.request([node])
        ledger.wait_until(node, {("sent", "status"): 20})
        assert max(scp.received().values()) == 1


def test_a_node_that_is_down_costs_no_attempts_and_its_alternate_takes_over(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = filled(new_server, tmp_path, studies=1, series=1, instances=10)
    with (
        ledger_of(server) as ledger,
        DeliveryScp(tmp_path / "node") as scp,
        DeliveryScp(tmp_path / "other", aet="OTHER") as other,
    ):
        stand_in = ledger.add(dicom_settings("other", other.start().port, ae_title="OTHER"))
        lonely = ledger.add(dicom_settings("lonely", scp.port))
        helped = ledger.add(dicom_settings("helped", scp.port, alternate="other"))
        ledger.request([lonely, helped])
        ledger.wait_until_down(helped)
        ledger.wait_until(helped, {("confirmed", "find"): 10}, timeout_s=180)
        assert {one.via for one in ledger.objects(helped)} == {stand_in}
        assert max(one.attempts for one in ledger.objects(lonely)) <= 1
        scp.start()
        ledger.wait_until(lonely, {("confirmed", "find"): 10}, timeout_s=180)
        assert len(scp.received()) == 10


@pytest.mark.soak
def test_a_node_is_sent_to_over_as_many_associations_as_it_may_be_and_only_in_its_hours(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = filled(new_server, tmp_path, studies=1, series=1, instances=110)
    later = WEEKDAYS[(datetime.now(UTC).weekday() + 3) % 7]
    closed = {"days": [later], "begin": "00:00", "end": "24:00"}
    with ledger_of(server) as ledger, DeliveryScp(tmp_path / "node", Manners(delay_s=0.02)) as scp:
        port = scp.start().port
        wide = ledger.add(dicom_settings("wide", port, max_associations=2))
        shut = ledger.add(dicom_settings("shut", port, windows=[closed]))
        ledger.request([wide, shut])
        ledger.wait_until(wide, {("confirmed", "find"): 110})
        assert ledger.most_sends_at_once(wide) == 2
        assert (ledger.states(shut), ledger.sends(shut)) == ({("waiting", None): 110}, 0)
        opened = dicom_settings("shut", port, windows=[{"begin": "00:00", "end": "24:00"}])
        body = {"document": opened, "version": 1}
        requests.put(f"{server.api}/destinations/{shut}", json=body, timeout=120).raise_for_status()
        ledger.wait_until(shut, {("confirmed", "find"): 110})
