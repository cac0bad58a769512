"""What modalities and REST clients push is indexed; what Orthanc deletes leaves the index; lost events are repaired."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from pathlib import Path
from time import sleep

import pytest
import requests

from tests.load import bench_instances
from tests.orthanc.conftest import ServerFactory, rounds
from tests.servers import OrthancServer, begin_to_store, store
from tests.studies import small_studies


def index_of(server: OrthancServer) -> dict[str, int]:
    """Instances a study, as the API tells, over all pages."""
    found, cursor = {}, None
    while True:
        page = server.get("studies", limit=50, **({"cursor": cursor} if cursor else {}))
        found.update({item["study_instance_uid"]: item["instance_count"] for item in page["items"]})
        cursor = page["next"]
        if cursor is None:
            return found


def archive_of(server: OrthancServer) -> dict[str, int]:
    """The same, as Orthanc tells."""
    studies = server.orthanc("studies", expand="")
    return {
        study["MainDicomTags"]["StudyInstanceUID"]: server.orthanc(f"studies/{study['ID']}/statistics")[
            "CountInstances"
        ]
        for study in studies
    }


def assert_index_is_archive(server: OrthancServer, timeout_s: float = 180) -> None:
    """The index holds just what Orthanc holds: identifiers and counts, at every level."""
    server.wait_until_idle(timeout_s)
    assert index_of(server) == {uid: int(count) for uid, count in archive_of(server).items()}
    instances = set(server.orthanc("instances"))
    indexed = set()
    for uid in index_of(server):
        for series in server.get(f"studies/{uid}")["series"]:
            page = server.get(f"studies/{uid}/series/{series['series_instance_uid']}/instances", limit=1000)
            indexed |= {item["orthanc_instance_id"] for item in page["items"]}
    assert indexed == instances


def test_what_is_stored_over_dicom_is_indexed_with_its_origin(server: OrthancServer, tmp_path: Path) -> None:
    small_studies(tmp_path / "ct", studies=2, series=2, instances=3)
    store(server, tmp_path / "ct", calling="CTSCANNER1")

    assert_index_is_archive(server)
    study = server.get("studies")["items"][0]
    assert (study["series_count"], study["instance_count"], study["modalities"]) == (2, 6, ["CT"])
    series = server.get(f"studies/{study['study_instance_uid']}")["series"][0]
    item = server.get(f"studies/{study['study_instance_uid']}/series/{series['series_instance_uid']}/instances")[
        "items"
    ][0]
    assert (item["remote_ae_title"], item["remote_ip"], item["http_user"]) == ("CTSCANNER1", "127.0.0.1", None)
    assert item["size_bytes"] == server.orthanc(f"instances/{item['orthanc_instance_id']}")["FileSize"]


def test_an_object_sent_again_is_counted_once(server: OrthancServer, tmp_path: Path) -> None:
    small_studies(tmp_path / "ct", studies=1, series=1, instances=5)
    for _ in range(3):
        store(server, tmp_path / "ct")
    assert_index_is_archive(server)
    assert server.get("status")["indexed_instances"] == 5


def test_an_overwritten_instance_is_indexed_anew(new_server: ServerFactory, tmp_path: Path) -> None:
    server = new_server(settings={"OverwriteInstances": True}).start()
    (path,) = small_studies(tmp_path / "ct", studies=1, series=1, instances=1)
    store(server, path)
    server.wait_until_idle()
    before = server.get("studies")["items"][0]["study_description"]
    path.write_bytes(path.read_bytes().replace(before.encode(), b"X" * len(before)))
    store(server, path)
    server.wait_until_idle()
    assert_index_is_archive(server)
    assert server.get("studies")["items"][0]["study_description"] == "X" * len(before)


def test_deletions_leave_the_index_level_by_level(server: OrthancServer, tmp_path: Path) -> None:
    small_studies(tmp_path / "ct", studies=3, series=2, instances=4)
    store(server, tmp_path / "ct")
    server.wait_until_idle()
    first, second, _ = server.orthanc("studies")
    requests.delete(f"{server.url}/studies/{first}", timeout=120).raise_for_status()
    series = server.orthanc(f"studies/{second}")["Series"][0]
    requests.delete(f"{server.url}/series/{series}", timeout=120).raise_for_status()
    instance = server.orthanc(f"studies/{second}/instances")[0]["ID"]
    requests.delete(f"{server.url}/instances/{instance}", timeout=120).raise_for_status()
    assert_index_is_archive(server)
    assert server.get("status")["indexed_instances"] == 8 + 3


def test_what_was_deleted_while_the_plugin_was_away_leaves_the_index(new_server: ServerFactory, tmp_path: Path) -> None:
    small_studies(tmp_path / "ct", studies=4, series=1, instances=3)
    server = new_server().start()
    store(server, tmp_path / "ct")
    server.wait_until_idle()
    assert server.stop() == 0
    bare = new_server(treegarth=None)  # the same archive without the plugin
    bare.start()
    for study in bare.orthanc("studies")[:2]:
        requests.delete(f"{bare.url}/studies/{study}", timeout=120).raise_for_status()
    small_studies(tmp_path / "more", studies=1, series=1, instances=4, seed=1)
    store(bare, tmp_path / "more")
    assert bare.stop() == 0
    server.start()
    assert_index_is_archive(server)
    assert len(index_of(server)) == 3


def test_a_full_archive_is_back_filled_when_treegarth_arrives(new_server: ServerFactory, tmp_path: Path) -> None:
    small_studies(tmp_path / "ct", studies=5, series=2, instances=20)
    bare = new_server(treegarth=None)
    bare.start()
    store(bare, tmp_path / "ct", calling="OLDSCANNER")
    assert bare.stop() == 0
    server = new_server().start()
    assert_index_is_archive(server)
    uid = next(iter(index_of(server)))
    series = server.get(f"studies/{uid}")["series"][0]["series_instance_uid"]
    item = server.get(f"studies/{uid}/series/{series}/instances")["items"][0]
    assert item["remote_ae_title"] == "OLDSCANNER"  # from Orthanc's own metadata


def test_nothing_is_lost_when_orthanc_is_killed_during_ingest(new_server: ServerFactory, tmp_path: Path) -> None:
    chance, server = random.Random(7), new_server()
    for number in range(rounds(2, 20)):
        server.start()
        folder = tmp_path / f"round{number}"
        small_studies(folder, studies=6, series=2, instances=25, seed=number)
        sender = begin_to_store(server, folder)
        sleep(chance.uniform(0.1, 1.2))
        server.kill()
        sender.wait(120)
    server.start()
    assert_index_is_archive(server, timeout_s=180)


def test_storing_goes_on_while_the_database_is_silent(server: OrthancServer, tmp_path: Path) -> None:
    """PostgreSQL stands still for a while: no store is refused, and all is there soon after."""
    small_studies(tmp_path / "ct", studies=4, series=2, instances=25)
    postmaster = int((server.folder / "treegarth/postgresql/cluster/data/postmaster.pid").read_text().split()[0])
    subprocess.run(["pkill", "-STOP", "-P", str(postmaster)], check=False)
    os.kill(postmaster, signal.SIGSTOP)
    try:
        store(server, tmp_path / "ct", timeout_s=180)
        assert len(server.orthanc("instances")) == 200
        sleep(rounds(4, 30))
        assert requests.get(f"{server.api}/health", timeout=120).status_code == 503
    finally:
        os.kill(postmaster, signal.SIGCONT)
        subprocess.run(["pkill", "-CONT", "-P", str(postmaster)], check=False)
    assert_index_is_archive(server, timeout_s=180)


def test_storing_goes_on_while_the_database_is_killed(server: OrthancServer, tmp_path: Path) -> None:
    small_studies(tmp_path / "ct", studies=4, series=2, instances=25)
    sender = begin_to_store(server, tmp_path / "ct")
    postmaster = int((server.folder / "treegarth/postgresql/cluster/data/postmaster.pid").read_text().split()[0])
    sleep(0.3)
    os.kill(postmaster, signal.SIGKILL)
    assert sender.wait(120) == 0
    assert_index_is_archive(server, timeout_s=180)
    server.log.write_text("")  # that the database died is an error, and is in the log as one


@pytest.mark.soak
def test_a_killed_indexer_is_replaced_and_loses_nothing(server: OrthancServer, tmp_path: Path) -> None:
    small_studies(tmp_path / "ct", studies=4, series=2, instances=50)
    sender = begin_to_store(server, tmp_path / "ct")
    kill = ["pkill", "-KILL", "-P", str(server.pid), "-f", "treegarth.roles indexer"]
    codes = []
    for _ in range(2):
        sleep(0.5)
        codes.append(subprocess.run(kill, check=False).returncode)
    assert 0 in codes, "no indexer was there to be killed"
    assert sender.wait(120) == 0
    assert_index_is_archive(server, timeout_s=180)


@pytest.mark.soak
def test_a_small_queue_drops_headers_but_no_instance(new_server: ServerFactory, tmp_path: Path) -> None:
    """Where headers do not fit into memory only identifiers wait, and the indexer asks Orthanc for the rest."""
    server = new_server(treegarth={"QueueMegabytes": 1}).start()
    indexer = subprocess.run(
        ["pgrep", "-P", str(server.pid), "-f", "treegarth.roles indexer"], capture_output=True, text=True, check=True
    ).stdout.split()[0]
    bench_instances(400, tmp_path / "ct", side=16)  # headers of some 9 kB
    os.kill(int(indexer), signal.SIGSTOP)
    try:
        store(server, tmp_path / "ct")
    finally:
        os.kill(int(indexer), signal.SIGCONT)
    assert_index_is_archive(server)
    assert server.get("status")["dropped_headers"] > 0
