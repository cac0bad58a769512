"""Pruning with a real Orthanc and real nodes: nothing goes that is not proved elsewhere, and it comes back whole."""

from __future__ import annotations

import hashlib
import os
import random
import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import requests
from pydicom import dcmread

from tests.delivery_scp import DeliveryScp, Manners
from tests.delivery_support import dicom_settings, ledger_of
from tests.orthanc.conftest import ServerFactory, rounds
from tests.orthanc.test_workers import worker_of
from tests.servers import OrthancServer, store
from tests.studies import small_studies
from treegarth.demo.attributes import write
from treegarth.demo.examinations import Extent
from treegarth.demo.hospital_day import hospital_day
from treegarth.features.retention.store.facts import DOSE_REPORTS

QUICK = {"treegarth": {"StableSeconds": 1}, "settings": {"SaveJobs": False, "ConcurrentJobs": 4}}
AT_ONCE = {"minimum age": "0 minutes", "grace": "0 minutes", "rate": 100_000, "ask twice above": "100 %"}


def ask(server: OrthancServer, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    answer = requests.request(method, f"{server.api}/retention/{path}", json=body, timeout=120)
    assert answer.status_code < 300, answer.text
    return answer.json()


def wait_for(what: str, is_so: Callable[[], object], timeout_s: float = 180) -> None:
    deadline = monotonic() + timeout_s
    while not is_so():
        assert monotonic() < deadline, f"not so after {timeout_s} s: {what}"
        sleep(0.3)


def make_policy(server: OrthancServer, **given: Any) -> int:
    document = {"name": "prune", "why": "a test", "keep": "nothing", "proof": "none", **AT_ONCE, **given}
    return int(ask(server, "POST", "policies", {"document": document})["id"])


def switch_on(server: OrthancServer, policy_id: int, count: int) -> None:
    """When nothing speaks against so many objects any more: they have come to rest, and their dose was read."""
    path = f"preview?policy_id={policy_id}"
    wait_for(f"{count} may go", lambda: ask(server, "GET", path)["today"]["instance_count"] == count)
    ask(server, "PUT", f"policies/{policy_id}/state", {"is_on": True, "typed_count": count, "only_copy_may_go": True})


def digests(server: OrthancServer) -> dict[str, str]:
    """What pixels each instance has."""
    return {
        one: hashlib.sha256(requests.get(f"{server.url}/instances/{one}/frames/0/raw", timeout=120).content).hexdigest()
        for one in server.orthanc("instances")
    }


def test_what_a_node_has_is_pruned_stays_findable_and_is_brought_back(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    server = new_server(**QUICK).start()
    knows = {"us": ["TREEGARTH", "127.0.0.1", server.dicom_port]}
    node_settings = {
        "DicomAet": "NODE",
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True,
        "DicomModalities": knows,
    }
    node = new_server("node", treegarth=None, settings=node_settings).start()
    small_studies(tmp_path / "ct", studies=2, series=1, instances=4)
    store(server, tmp_path / "ct")
    server.wait_until_idle()
    before = digests(server)
    with ledger_of(server) as ledger:
        number = ledger.add(dicom_settings("LONGTERM", node.dicom_port))
        ledger.request([number])
        ledger.wait_until(number, {("confirmed", "find"): 8})
    lost = node.orthanc("instances")[0]  # the node loses one: that one must stay
    requests.delete(f"{node.url}/instances/{lost}", timeout=120).raise_for_status()

    policy = make_policy(server, proof={"at": "LONGTERM", "within": "1 day"})
    switch_on(server, policy, 8)
    wait_for("seven are gone", lambda: server.orthanc("instances") == [lost])
    server.wait_until_idle()
    studies = server.get("studies")["items"]
    assert sorted((one["instance_count"], one["pruned_instance_count"]) for one in studies) == [(0, 4), (1, 3)]
    entries = ask(server, "GET", "ledger/objects?state=deleted&limit=100")["items"]
    assert {one["orthanc_instance_id"] for one in entries} == set(before) - {lost}
    assert {one["proof"][0]["kind"] for one in entries} == {"find"}
    ask(server, "PUT", f"policies/{policy}/state", {"is_on": False})

    for uid in {one["study_instance_uid"] for one in studies}:
        entry = next(one for one in entries if one["study_instance_uid"] == uid)
        assert ask(server, "GET", f"ledger/{entry['id']}")["places"][0]["destination"] == "LONGTERM"
        ask(server, "POST", f"ledger/{entry['id']}/bring-back", {"scope": "study"})
    works = {"kind": "retention.bring_back"}
    wait_for("all is back", lambda: {one["state"] for one in server.get("work", **works)["items"]} == {"done"})
    server.wait_until_idle()
    assert digests(server) == before
    assert {(one["instance_count"], one["pruned_instance_count"]) for one in server.get("studies")["items"]} == {(4, 0)}
    assert all(one["returned_at"] for one in ask(server, "GET", "ledger/objects?limit=100")["items"])


def test_what_others_delete_stands_in_the_ledger_as_theirs(new_server: ServerFactory, tmp_path: Path) -> None:
    server = new_server(settings={"MaximumPatientCount": 2}).start()
    for seed in range(3):  # the third patient pushes the first one out
        small_studies(tmp_path / str(seed), studies=1, series=1, instances=2, seed=seed)
        store(server, tmp_path / str(seed))
        server.wait_until_idle()
    requests.delete(f"{server.url}/instances/{server.orthanc('instances')[0]}", timeout=120).raise_for_status()
    server.wait_until_idle()
    entries = ask(server, "GET", "ledger/objects")["items"]
    assert [(one["state"], one["policy_id"]) for one in entries] == [("deleted", None)] * 3
    assert len(server.get("studies")["items"]) == 2


@pytest.mark.parametrize("kind", ["folder", "peer", "dicomweb"])
def test_every_kind_of_destination_gives_back_what_it_has(new_server: ServerFactory, tmp_path: Path, kind: str) -> None:
    server = new_server(**QUICK).start()
    address: dict[str, Any] = {"path": str(tmp_path / "folder")}
    if kind != "folder":
        node = new_server("node", treegarth=None, plugins=("libOrthancDicomWeb.so",)).start()
        address = {"url": node.url if kind == "peer" else f"{node.url}/dicom-web"}
    small_studies(tmp_path / "ct", studies=1, series=1, instances=3)
    store(server, tmp_path / "ct")
    server.wait_until_idle()
    before = digests(server)
    with ledger_of(server) as ledger:
        number = ledger.add({"name": "COPIES", "kind": kind, "address": address})
        ledger.request([number])
        ledger.wait_until(number, {("confirmed", "qido" if kind == "dicomweb" else "stored"): 3})
    policy = make_policy(server, proof={"at": "COPIES", "within": "1 day"})
    switch_on(server, policy, 3)
    wait_for("all are gone", lambda: not server.orthanc("instances"))
    server.wait_until_idle()
    ask(server, "PUT", f"policies/{policy}/state", {"is_on": False})
    entry = ask(server, "GET", "ledger/objects")["items"][0]
    ask(server, "POST", f"ledger/{entry['id']}/bring-back", {"scope": "study"})
    wait_for("all are back", lambda: set(server.orthanc("instances")) == set(before))
    assert digests(server) == before


@pytest.mark.soak
def test_a_storm_of_deliveries_with_pruning_on_deletes_nothing_that_is_not_elsewhere(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    chance = random.Random(20261121)
    server = new_server(**QUICK).start()
    manners = Manners(loses=0.2, out_of_resources=0.05, aborts=0.02, answers_get=True)
    pixels = dict[str, bytes]()
    with DeliveryScp(tmp_path / "node", manners) as node:
        node.start()
        with ledger_of(server) as ledger:
            number = ledger.add(dicom_settings("LONGTERM", node.port))
        by_space = {"space": {"high": "0.002 MB", "low": "0.001 MB"}}
        policy = make_policy(server, proof={"at": "LONGTERM", "within": "1 day"}, **by_space)
        ask(server, "PUT", f"policies/{policy}/state", {"is_on": True, "typed_count": 0, "only_copy_may_go": True})
        for turn in range(rounds(1, 20)):
            pixels |= _one_storm(server, tmp_path / f"turn{turn}", number, chance, seed=turn)
        _settle(server)
        entries = _deleted(server)
        here = {one["MainDicomTags"]["SOPInstanceUID"] for one in server.orthanc("instances", expand="")}
        gone = set(pixels) - here
        assert gone, "nothing was pruned at all"
        assert gone <= set(entries), "an object went that the ledger does not have"
        places = {uid: (entries[uid]["study_instance_uid"], entries[uid]["series_instance_uid"]) for uid in gone}
        listed = set[str]().union(*(node.listed(*place) for place in set(places.values())))
        assert gone <= listed, "an object went that its destination does not name"
        for uid in chance.sample(sorted(gone), min(len(gone), 20)):
            assert node.retrieve(*places[uid], uid).PixelData == pixels[uid]
    assert server.stop() == 0  # here, for Orthanc's log has the errors of the node and of answers to a killed worker
    assert [line for line in server.error_lines() if "Treegarth" in line] == []


def _one_storm(
    server: OrthancServer, folder: Path, number: int, chance: random.Random, *, seed: int
) -> dict[str, bytes]:
    """Store, deliver, kill; the pixels of every object that was stored, by its SOP Instance UID."""
    small_studies(folder, studies=rounds(6, 25), series=1, instances=2, seed=seed + 100)
    store(server, folder)
    server.wait_until_idle(120)
    with ledger_of(server) as ledger:
        ledger.request([number])
    sleep(chance.uniform(5, 20))
    victim = chance.choice(["orthanc", "worker"])
    if victim == "worker":
        os.kill(worker_of(server), signal.SIGKILL)
    else:
        server.kill()
        server.start()
    with ledger_of(server) as ledger:
        ledger.age(number, minutes=10)
    stored = [dcmread(path) for path in folder.rglob("*.dcm")]
    return {str(one.SOPInstanceUID): one.PixelData for one in stored}


def _settle(server: OrthancServer) -> None:
    """Until the ledger has no intention left, something was deleted, and the index is what Orthanc has."""

    def is_settled() -> bool:
        intended = ask(server, "GET", "ledger/objects?state=intended")["items"]
        return not intended and bool(ask(server, "GET", "ledger/objects?state=deleted")["items"])

    wait_for("the ledger is settled", is_settled, 300)
    server.wait_until_idle(120)


def _deleted(server: OrthancServer) -> dict[str, dict[str, Any]]:
    """What the ledger says was deleted, each time by a policy, by SOP Instance UID."""
    found = dict[str, dict[str, Any]]()
    cursor: str | None = ""
    while cursor is not None:
        page = ask(server, "GET", f"ledger/objects?state=deleted&limit=1000&cursor={cursor}")
        assert all(one["policy_id"] for one in page["items"])
        found |= {one["sop_instance_uid"]: one for one in page["items"]}
        cursor = page["next"]
    return found


def dose_list(server: OrthancServer) -> list[dict[str, Any]]:
    items = server.get("dose/studies", limit=100)["items"]
    return [{key: one[key] for key in one if "deleted" not in key and "changed" not in key} for one in items]


def test_a_dose_only_policy_leaves_the_dose_objects_and_one_of_each_series(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    """CT with a page of its dose table, PET/CT, angiography, mammography, fluoroscopy, MR: a made-up day."""
    server = new_server(**QUICK).start()
    day = tmp_path / "day"
    day.mkdir()
    kept_series, kept_reports, images = set[str](), set[str](), set[str]()
    for built in hospital_day(7, date(2026, 5, 4), extent=Extent(slices=0.1, detail=0.1)):
        for number, dataset in enumerate(built.datasets):
            write(dataset, day / f"{built.study.study_instance_uid}.{number}.dcm")
            if str(dataset.SOPClassUID) in DOSE_REPORTS:
                kept_reports.add(str(dataset.SOPInstanceUID))
            else:
                images.add(str(dataset.SeriesInstanceUID))
            kept_series.add(str(dataset.SeriesInstanceUID))
    expected = len(kept_reports) + len(images)
    for one in sorted(day.iterdir()):
        requests.post(f"{server.url}/instances", data=one.read_bytes(), timeout=120).raise_for_status()
    server.wait_until_idle(120)
    policy = make_policy(server, keep="dose and one image per series")
    total = len(server.orthanc("instances"))
    path = f"preview?policy_id={policy}"
    wait_for("all dose is read", lambda: server.get("status")["dose_waiting"] == 0)
    wait_for(
        "all but what is kept may go",
        lambda: ask(server, "GET", path)["today"]["instance_count"] == total - expected,
    )
    wait_for("every size is measured", lambda: not server.get("dose/ssde", state="waiting")["items"])
    doses, studies = dose_list(server), server.get("studies", limit=100)["items"]
    switch_on(server, policy, total - expected)
    wait_for("what is kept is left", lambda: len(server.orthanc("instances")) == expected)
    server.wait_until_idle()
    assert len(server.orthanc("series")) == len(kept_series)
    assert kept_reports <= {one["MainDicomTags"]["SOPInstanceUID"] for one in server.orthanc("instances", expand="")}
    assert dose_list(server) == doses
    found = server.get("studies", limit=100)["items"]
    names = ("study_instance_uid", "modalities", "series_count")
    assert [[one[name] for name in names] for one in found] == [[one[name] for name in names] for one in studies]
    assert [one["instance_count"] + one["pruned_instance_count"] for one in found] == [
        one["instance_count"] for one in studies
    ]


@pytest.mark.parametrize("overwrites", [True, False], ids=["overwrites", "keeps the first"])
@pytest.mark.parametrize("kind", ["dicom", "peer"])
@pytest.mark.soak
def test_what_was_overwritten_after_its_delivery_stays_until_the_node_surely_has_it(
    new_server: ServerFactory, tmp_path: Path, kind: str, overwrites: bool
) -> None:
    """By DICOM the node names UIDs only, so its word is worth no more; as a peer it tells its checksum."""
    server = new_server(
        treegarth=QUICK["treegarth"], settings={**QUICK["settings"], "OverwriteInstances": True}
    ).start()
    settings = {"DicomAet": "NODE", "DicomAlwaysAllowFind": True, "OverwriteInstances": overwrites}
    node = new_server("node", treegarth=None, settings=settings).start()
    (path,) = small_studies(tmp_path / "ct", studies=1, series=1, instances=1)
    store(server, path)
    server.wait_until_idle()
    proved = {("confirmed", "find" if kind == "dicom" else "stored"): 1}
    with ledger_of(server) as ledger:
        peer = {"name": "LONGTERM", "kind": "peer", "address": {"url": node.url}}
        number = ledger.add(dicom_settings("LONGTERM", node.dicom_port) if kind == "dicom" else peer)
        ledger.request([number])
        ledger.wait_until(number, proved)
        policy = make_policy(server, proof={"at": "LONGTERM", "within": "1 day"})
        wait_for("it may go", lambda: _causes(server, policy) == set())
        sleep(1.1)  # Orthanc tells the time of a store in whole seconds
        changed = dcmread(path)
        changed.StudyDescription = "corrected"
        changed.save_as(path)
        store(server, path)
        wait_for("its proof is void", lambda: _causes(server, policy) == {"stored since"})
        ledger.request([number])  # as a rule does when its study is stable again
        goes = kind == "peer" and overwrites
        if kind == "dicom":
            ledger.wait_until(number, proved)
            causes = {"other content"}  # its word is not enough
        elif overwrites:
            causes = set()
        else:
            wait_for("the peer kept the first", lambda: ledger.objects(number)[0].last_error is not None)
            causes = {"proof missing", "delivery open"}
        wait_for("that is known", lambda: _causes(server, policy) == causes)
        ask(server, "PUT", f"policies/{policy}/state", {"is_on": True, "typed_count": int(goes)})
        wait_for("the policy looks", lambda: ask(server, "GET", f"policies/{policy}")["decided_at"] is not None)
        if goes:
            wait_for("the peer has it", lambda: server.orthanc("instances") == [])
            assert node.orthanc("studies", expand="")[0]["MainDicomTags"]["StudyDescription"] == "corrected"
        else:
            assert ask(server, "GET", "marked")["items"] == []
            assert len(server.orthanc("instances")) == 1


def _causes(server: OrthancServer, policy: int) -> set[str]:
    """Why the policy keeps the only object."""
    study = server.get("studies")["items"][0]["study_instance_uid"]
    (one,) = ask(server, "GET", f"reasons/{study}?policy_id={policy}")["items"]
    return {reason["cause"] for reason in one["against"]}
