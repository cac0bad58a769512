"""Start, take over and stop the embedded PostgreSQL of one folder. Knows nothing of Orthanc or of our tables."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from treegarth.database.embedded.account import SYSTEM_ACCOUNT, Account, account_for
from treegarth.database.embedded.binaries import Binaries, reachable_binaries
from treegarth.database.embedded.cluster import (
    SERVER_SETTINGS,
    SUPERUSER,
    Cluster,
    newest_log,
    opened_for,
)
from treegarth.database.embedded.process import ServerProcess, find_process
from treegarth.database.engine import DatabaseAddress
from treegarth.errors import EmbeddedServerFailed

logger = logging.getLogger(__name__)

DATABASE = "treegarth"
PORT_ATTEMPTS = 3
POLL_S = 0.05


class EmbeddedServer:
    """The PostgreSQL of one folder. Any number of these objects, in any process, may speak of the same server."""

    def __init__(
        self, folder: Path, *, settings: Mapping[str, str] | None = None, system_account: str = SYSTEM_ACCOUNT
    ) -> None:
        """`settings` are PostgreSQL's own, beyond or instead of SERVER_SETTINGS (tests turn fsync off)."""
        self.folder = folder.absolute()
        self._cluster = Cluster(folder=self.folder)
        self._settings = {**SERVER_SETTINGS, **(settings or {})}
        self._system_account = system_account
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, *, timeout_s: float = 60.0) -> DatabaseAddress:
        """The address of the running server, which is started, or taken over where it already runs.

        A recovery after a power cut counts into the timeout. Raises EmbeddedServerFailed with the server's last words.
        """
        deadline = time.monotonic() + timeout_s
        self._cluster.make_folder()
        try:
            with self._alone(deadline):
                account = account_for(self._cluster.home, system_account=self._system_account)
                port = self._take_over(deadline) or self._start_anew(account, deadline)
                self._ensure_database(port)
                self._cluster.remember_port(port)
        except (OSError, subprocess.SubprocessError) as error:  # a full disk, a container that lets nobody change user
            raise EmbeddedServerFailed(f"PostgreSQL in {self.folder} could not be started: {error}.") from error
        return self._address(port)

    def stop(self, *, timeout_s: float = 10.0) -> None:
        """End the server, whoever started it: politely, then at once (it recovers at its next start), then by force.

        Returns within the timeout, however busy the server is; does nothing where none runs.
        """
        deadline = time.monotonic() + timeout_s
        process = self._find()
        if process is None:
            return
        try:
            self._end(process, deadline)
        finally:
            process.close()
            self._reap()

    def running_address(self) -> DatabaseAddress | None:
        """The address of the server where it runs; starts nothing."""
        process = self._find()
        if process is None:
            return None
        process.close()
        return self._address(process.port)

    def is_running(self) -> bool:
        process = self._find()
        if process is None:
            return False
        process.close()
        return True

    def _find(self) -> ServerProcess | None:
        try:
            owner = self._cluster.data.stat().st_uid
        except OSError:
            return None
        return find_process(self._cluster.pid_file, user_id=owner, token=self._cluster.token())

    def _take_over(self, deadline: float) -> int | None:
        """The port of the server that already runs, if it lets us in; one that does not is ended."""
        process = self._find()
        if process is None:
            return None
        try:
            if self._answers(process, min(deadline, time.monotonic() + 15)):
                logger.info("Took over the running PostgreSQL (process %d, port %d).", process.process_id, process.port)
                return process.port
            logger.warning("The running PostgreSQL (process %d) does not answer; ending it.", process.process_id)
            self._end(process, min(deadline, time.monotonic() + 15))
        finally:
            process.close()
            self._reap()
        return None

    def _start_anew(self, account: Account, deadline: float) -> int:
        binaries = reachable_binaries(account)
        self._cluster.ensure(binaries, account)
        for attempt in range(PORT_ATTEMPTS):
            port = free_port(self._cluster.last_port() if attempt == 0 else None)
            with self._running_lock(deadline) as lock:
                self._cluster.pid_file.unlink(missing_ok=True)  # nobody holds the lock: it is stale
                child = self._launch(binaries, account, port, lock)
            if self._becomes_ready(child, port, deadline):
                self._child = child
                return port
            end_child(child)
            if time.monotonic() >= deadline:
                break
        raise EmbeddedServerFailed(f"PostgreSQL in {self.folder} did not start.\n{newest_log(self._cluster)}")

    def _launch(self, binaries: Binaries, account: Account, port: int, lock: int) -> subprocess.Popen[bytes]:
        """In its own session, so that a terminal's Ctrl-C is not for it, and without our open sockets."""
        settings = {**self._settings, "port": str(port), "cluster_name": self._cluster.token()}
        with opened_for(self._cluster.home, account) as (reached, descriptors), self._startup_log() as log:
            command = [str(binaries.postgres), "-D", f"{reached}/data"]
            command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
            return subprocess.Popen(
                command,
                cwd="/",
                env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(*descriptors, lock),
                **account.popen_arguments(),
            )

    def _becomes_ready(self, child: subprocess.Popen[bytes], port: int, deadline: float) -> bool:
        while child.poll() is None and time.monotonic() < deadline:
            refusal = self._refusal(port)
            if refusal is None:
                return True
            if "password authentication failed" in refusal:
                return False
            time.sleep(POLL_S)
        return False

    def _answers(self, process: ServerProcess, deadline: float) -> bool:
        while not process.has_ended(within_s=POLL_S) and time.monotonic() < deadline:
            refusal = self._refusal(process.port)
            if refusal is None:
                return True
            if "password authentication failed" in refusal:
                return False
        return False

    def _refusal(self, port: int) -> str | None:
        """Why a login with our password fails; None when it does not.

        SCRAM proves both sides: a stranger's server on that port cannot pass for ours, nor learn the password.
        """
        try:
            with self._connect(port):
                return None
        except psycopg.OperationalError as error:
            return str(error)

    def _connect(self, port: int) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=port,
            dbname="postgres",
            user=SUPERUSER,
            password=self._cluster.password(),
            require_auth="scram-sha-256",
            connect_timeout=3,
            autocommit=True,
        )

    def _ensure_database(self, port: int) -> None:
        try:
            with self._connect(port) as connection:
                if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.Error as error:
            raise EmbeddedServerFailed(f"The database in {self.folder} could not be made: {error}") from error

    def _address(self, port: int) -> DatabaseAddress:
        url = f"postgresql://{SUPERUSER}@127.0.0.1:{port}/{DATABASE}"
        return DatabaseAddress(url=url, password=self._cluster.password())

    def _end(self, process: ServerProcess, deadline: float) -> None:
        remaining = max(0.3, deadline - time.monotonic())
        steps = [(signal.SIGINT, 0.7), (signal.SIGQUIT, 0.2), (signal.SIGKILL, 0.1)]  # fast, immediate, none
        for number, share in steps:
            if number is signal.SIGKILL:
                process.kill_with_children()
            else:
                process.send(number)
            if process.has_ended(within_s=remaining * share):
                if number is not signal.SIGINT:
                    logger.warning("PostgreSQL (process %d) had to be ended by %s.", process.process_id, number.name)
                return

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    @contextmanager
    def _alone(self, deadline: float) -> Iterator[None]:
        """One starter at a time; the second finds the server running and takes it over."""
        with self._locked("start.lock", deadline, "somebody else has been starting it all the time"):
            yield

    @contextmanager
    def _running_lock(self, deadline: float) -> Iterator[int]:
        """Held on by the server that inherits it: while any process of an earlier one lives, no new one may start.

        That also keeps two containers, which do not see each other's processes, from running on one volume.
        """
        with self._locked("running.lock", deadline, "another server, perhaps in another container, uses it") as lock:
            yield lock

    @contextmanager
    def _locked(self, name: str, deadline: float, otherwise: str) -> Iterator[int]:
        descriptor = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= deadline:
                        raise EmbeddedServerFailed(f"The database in {self.folder} is locked: {otherwise}.") from None
                    time.sleep(POLL_S)
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _startup_log(self) -> Iterator[int]:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        descriptor = os.open(self._cluster.startup_log, flags, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def end_child(child: subprocess.Popen[bytes]) -> None:
    """End a server that did not become ready; whatever it wrote is recovered by the next start."""
    for number in (signal.SIGQUIT, signal.SIGKILL):
        if child.poll() is None:
            child.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                child.wait(3)


def free_port(wanted: int | None) -> int:
    """The wanted port where it is free, else any free one."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port or 0))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedServerFailed("No free TCP port is left on 127.0.0.1.")
