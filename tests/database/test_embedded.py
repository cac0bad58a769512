"""The embedded PostgreSQL: private, robust against every way of being killed, and never in anybody's way."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from treegarth.database.embedded import EmbeddedServer
from treegarth.database.embedded.account import account_for
from treegarth.database.embedded.binaries import PARTS, Binaries, find_binaries, reachable_binaries
from treegarth.database.engine import DatabaseAddress, connect, create_engine
from treegarth.errors import EmbeddedServerFailed

START = (
    "import sys; from pathlib import Path; from treegarth.database.embedded import EmbeddedServer; "
    "server = EmbeddedServer(Path(sys.argv[1])); print(server.start().url, flush=True); sys.stdin.read()"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server that is not started yet, in a folder that nobody else may enter."""
    server = EmbeddedServer(tmp_path / "treegarth" / "postgresql", settings={"shared_buffers": "32MB"})
    yield server
    server.stop()


def start_elsewhere(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def process_id(server: EmbeddedServer) -> int:
    return int((server.folder / "cluster/data/postmaster.pid").read_text().splitlines()[0])


def rows(address: DatabaseAddress, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(address.conninfo()) as connection:
        return connection.execute(query.encode()).fetchall()


def test_it_starts_and_is_made_for_every_script(server: EmbeddedServer) -> None:
    engine = create_engine(server.start())
    with connect(engine) as connection:
        answer = connection.exec_driver_sql(
            "SELECT current_database(), encoding, datlocprovider, datlocale, lower('É홍') FROM pg_database "
            "WHERE datname = current_database()"
        ).one()
    engine.dispose()
    assert answer == ("treegarth", 6, "b", "C.UTF-8", "é홍")
    assert server.is_running()


def test_nobody_gets_in_without_the_password(server: EmbeddedServer) -> None:
    address = server.start()
    for password in ("", "wrong"):
        other = DatabaseAddress(url=address.url, password=password)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(other.conninfo(), passfile="/dev/null")
    assert "password" not in repr(address)
    assert rows(address, "SHOW listen_addresses") == [("127.0.0.1",)]
    assert rows(address, "SHOW unix_socket_directories") == [("",)]
    rules = rows(address, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert rules == [("scram-sha-256",)]


def test_no_permission_outside_its_folder_changes(server: EmbeddedServer, tmp_path: Path) -> None:
    outside = [tmp_path, *tmp_path.parents, *find_binaries().root.parents]
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in outside]
    server.start()
    assert [(path, path.stat().st_mode, path.stat().st_uid) for path in outside] == before
    assert server.folder.stat().st_mode & 0o777 == 0o700
    assert (server.folder / "password").stat().st_mode & 0o777 == 0o600
    assert (server.folder / "password").stat().st_uid == os.geteuid()


def test_it_outlives_a_kill_of_its_owner_and_the_next_start_takes_it_over(server: EmbeddedServer) -> None:
    owner = start_elsewhere(server.folder)
    assert owner.stdout is not None
    url = owner.stdout.readline().strip()
    owner.kill()
    owner.communicate()
    before = process_id(server)
    assert server.start().url == url
    assert process_id(server) == before


def test_a_killed_server_recovers_what_was_committed(server: EmbeddedServer) -> None:
    address = server.start()
    with psycopg.connect(address.conninfo()) as connection:
        connection.execute("CREATE TABLE public.kept AS SELECT 42 AS answer")
    os.kill(process_id(server), signal.SIGKILL)
    again = server.start()
    assert again == address
    assert rows(again, "SELECT answer FROM public.kept") == [(42,)]


def test_a_pid_file_that_names_a_stranger_harms_nobody(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    stranger = subprocess.Popen(["/bin/sleep", "60"])
    pid_file = server.folder / "cluster/data/postmaster.pid"
    pid_file.write_text(f"{stranger.pid}\n/elsewhere\n1\n5432\n")
    assert not server.is_running()
    server.stop()
    server.start()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_two_starters_at_once_get_the_same_server(server: EmbeddedServer) -> None:
    starters = [start_elsewhere(server.folder) for _ in range(2)]
    urls = {starter.stdout.readline().strip() for starter in starters if starter.stdout}
    for starter in starters:
        starter.communicate()
        assert starter.returncode == 0
    assert urls == {server.start().url}


def test_an_interrupted_initdb_is_begun_anew(server: EmbeddedServer) -> None:
    starter = start_elsewhere(server.folder)
    deadline = time.monotonic() + 30
    while not list(server.folder.glob("unfinished-*/data/base")) and time.monotonic() < deadline:
        time.sleep(0.005)
    starter.kill()
    starter.communicate()
    assert not (server.folder / "cluster").exists()
    assert rows(server.start(), "SELECT 1") == [(1,)]


def test_a_cluster_of_another_postgresql_is_refused_unharmed(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    version = server.folder / "cluster/data/PG_VERSION"
    right = version.read_text()
    version.write_text("17\n")
    with pytest.raises(EmbeddedServerFailed, match="made by PostgreSQL 17, installed is 18"):
        server.start()
    version.write_text(right)
    assert rows(server.start(), "SELECT 1") == [(1,)]


def test_stop_takes_no_longer_than_it_may(server: EmbeddedServer) -> None:
    server.start()
    os.kill(process_id(server), signal.SIGSTOP)  # deaf to everything but SIGKILL
    began = time.monotonic()
    server.stop(timeout_s=2)
    assert time.monotonic() - began < 2.5
    assert not server.is_running()
    assert rows(server.start(), "SELECT 1") == [(1,)]


def test_stop_does_not_wait_for_clients(server: EmbeddedServer) -> None:
    address = server.start()
    client = psycopg.connect(address.conninfo())
    client.execute("SELECT 1")
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 3
    assert not server.is_running()
    client.close()


def test_the_port_stays_the_same_while_it_can(server: EmbeddedServer) -> None:
    first = server.start().url
    server.stop()
    assert server.start().url == first
    server.stop()
    with socket.create_server(("127.0.0.1", int(first.rsplit(":", 1)[1].split("/")[0]))):
        assert server.start().url != first


def test_it_has_a_session_of_its_own_and_none_of_our_sockets(server: EmbeddedServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.set_inheritable(True)
        server.start()
        inode = os.fstat(listening.fileno()).st_ino
    postmaster = process_id(server)
    assert os.getsid(postmaster) == postmaster
    links = [os.readlink(link) for link in Path(f"/proc/{postmaster}/fd").iterdir()]
    assert f"socket:[{inode}]" not in links


def test_a_failure_tells_the_servers_last_words(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "postgresql", settings={"work_mem": "plenty"})
    with pytest.raises(EmbeddedServerFailed, match='invalid value for parameter "work_mem": "plenty"'):
        server.start()


def test_a_changed_password_is_noticed_at_once(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.folder / "password").write_text("another")
    began = time.monotonic()
    with pytest.raises(EmbeddedServerFailed, match="password authentication failed"):
        server.start()
    assert time.monotonic() - began < 20
    assert not server.is_running()


def test_a_server_of_another_container_keeps_the_folder_to_itself(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    with open(server.folder / "running.lock") as lock:  # as an unseen process of another container would hold it
        deadline = time.monotonic() + 5
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:  # the stopped server's log writer goes last
                assert time.monotonic() < deadline
                time.sleep(0.05)
        with pytest.raises(EmbeddedServerFailed, match="perhaps in another container"):
            server.start(timeout_s=1)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(EmbeddedServerFailed, match="file/postgresql cannot be used: Not a directory"):
        EmbeddedServer(tmp_path / "file" / "postgresql").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes to another account")
class TestAsRoot:
    def test_the_server_runs_as_its_own_account_that_owns_the_cluster_only(self, server: EmbeddedServer) -> None:
        server.start()
        account = pwd.getpwnam("treegarth-db")
        assert Path(f"/proc/{process_id(server)}").stat().st_uid == account.pw_uid
        owners = {path.name: path.stat().st_uid for path in server.folder.iterdir()}
        assert owners.pop("cluster") == account.pw_uid
        assert set(owners.values()) == {0}
        assert account.pw_shell.endswith("nologin")

    def test_programs_in_a_closed_folder_are_copied_once(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        closed = tmp_path / "closed"
        for part in PARTS:
            source = find_binaries().root / part
            (closed / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, closed / part) if source.is_dir() else shutil.copy2(source, closed / part)
        account = account_for(tmp_path / "no cluster yet")
        with tempfile.TemporaryDirectory() as open_to_all:
            os.chmod(open_to_all, 0o755)
            installed = Binaries(root=closed, major=18)
            copy = reachable_binaries(account, installed=installed, copies=Path(open_to_all))
            assert copy.root.parent == Path(open_to_all)
            made_at = copy.postgres.stat().st_ctime_ns
            assert copy.postgres.stat().st_uid == 0
            assert reachable_binaries(account, installed=installed, copies=Path(open_to_all)) == copy
            assert copy.postgres.stat().st_ctime_ns == made_at
            assert [path.name for path in Path(open_to_all).iterdir()] == [copy.root.name]

    def test_an_ordinary_user_runs_it_as_themselves(self) -> None:
        nobody = pwd.getpwnam("nobody")
        become = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        probe = subprocess.run([sys.executable, "-c", "import treegarth"], check=False, capture_output=True, **become)
        if probe.returncode != 0:
            pytest.skip("the checkout is closed to ordinary users")
        folder = Path(tempfile.mkdtemp())
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        server = EmbeddedServer(folder / "postgresql")
        try:
            done = subprocess.run(
                [sys.executable, "-c", START, str(server.folder)],
                input="",
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
                **become,
            )
            assert Path(f"/proc/{process_id(server)}").stat().st_uid == nobody.pw_uid
            assert server.start().url == done.stdout.strip()  # root takes over what belongs to somebody else
            server.stop()
            assert server.start().url == done.stdout.strip()
            assert Path(f"/proc/{process_id(server)}").stat().st_uid == nobody.pw_uid
        finally:
            server.stop()
            shutil.rmtree(folder)

    def test_a_cluster_of_another_user_is_refused_to_an_ordinary_one(self) -> None:
        code = (
            "import os, sys; from pathlib import Path; from treegarth.database.embedded.account import account_for; "
            "os.setgid(65534); os.setuid(65534); account_for(Path(sys.argv[1]))"
        )
        with tempfile.TemporaryDirectory() as reachable:
            os.chmod(reachable, 0o755)
            cluster = Path(reachable) / "cluster"
            cluster.mkdir()
            done = subprocess.run(
                [sys.executable, "-c", code, str(cluster)], capture_output=True, text=True, check=False
            )
        assert "belongs to the user root" in done.stderr
