"""A cluster's files and the settings it runs with: make one, check one. Starts no server.

<folder>/            0700, of whoever starts Treegarth
    password         0600, of the database's superuser
    token            tells our server's process from others
    port             the last one, taken again where it is free
    start.lock       held while somebody starts or stops the server
    running.lock     held by the server and all its children as long as they live
    startup.log      what the server said before its own log began
    cluster/         0700, of the account that runs the server: data/ and data/log/
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from treegarth.database.embedded.account import Account
from treegarth.database.embedded.binaries import Binaries
from treegarth.errors import EmbeddedServerFailed

SUPERUSER = "treegarth"
INITDB_TIMEOUT_S = 120

# For a dose index on a machine that it shares with Orthanc. What is not named keeps PostgreSQL's default
# (fsync, synchronous_commit and full_page_writes on: a stored row stays stored).
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "192MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "wal_level": "minimal",  # nobody replicates from it; a site that wants that brings its own server
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "wal_compression": "on",
    "min_wal_size": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",  # solid state
    "jit": "off",  # our queries are short, compiling them takes longer than running them
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql-%a.log",  # a week of files, each begun anew
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
    "log_line_prefix": "%m [%p] %a ",
    "log_error_verbosity": "terse",  # a DETAIL names values: patients
    "log_parameter_max_length": "0",
    "log_checkpoints": "off",
}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The files of one embedded database."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "cluster"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def startup_log(self) -> Path:
        return self.folder / "startup.log"

    def password(self) -> str:
        return self._kept("password", lambda: secrets.token_urlsafe(32))

    def token(self) -> str:
        return self._kept("token", lambda: f"treegarth-{secrets.token_hex(8)}")

    def last_port(self) -> int | None:
        try:
            return int((self.folder / "port").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def remember_port(self, port: int) -> None:
        write_private(self.folder / "port", f"{port}\n")

    def make_folder(self) -> None:
        """Raises EmbeddedServerFailed where the folder cannot be ours alone."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = self.folder.stat().st_uid
            if owner not in (os.geteuid(), 0) and os.geteuid() != 0:
                raise EmbeddedServerFailed(f"The folder {self.folder} belongs to another user; choose another one.")
            self.folder.chmod(0o700)
        except OSError as error:
            raise EmbeddedServerFailed(
                f"The database's folder {self.folder} cannot be used: {error.strerror}. "
                "Treegarth.DataDirectory must name a folder that Orthanc's user may write."
            ) from error

    def ensure(self, binaries: Binaries, account: Account) -> None:
        """Make the cluster where there is none. One that is there keeps its version; another major is refused."""
        for remainder in self.folder.glob("unfinished-*"):  # of an initdb that was killed
            shutil.rmtree(remainder, ignore_errors=True)
        if not self.home.exists():
            self._initialise(binaries, account)
        found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != str(binaries.major):
            raise EmbeddedServerFailed(
                f"The database in {self.folder} was made by PostgreSQL {found}, installed is {binaries.major}. Nothing "
                "was changed. Export it with the Treegarth that made it (pg_dump), or install that version again."
            )

    def _initialise(self, binaries: Binaries, account: Account) -> None:
        """initdb in a folder that gets its name only when all is written: an interrupted one is never mistaken."""
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self.folder))
        try:
            password = unfinished / "password"
            write_private(password, self.password())
            account.take(password)
            account.take(unfinished)
            with opened_for(unfinished, account) as (reached, descriptors):
                command = [str(binaries.initdb), "-D", f"{reached}/data", "-U", SUPERUSER, "-E", "UTF8"]
                command += ["--locale-provider=builtin", "--locale=C.UTF-8", f"--pwfile={reached}/password"]
                command += ["--auth=scram-sha-256"]
                done = subprocess.run(
                    command,
                    cwd="/",
                    env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=INITDB_TIMEOUT_S,
                    start_new_session=True,
                    pass_fds=descriptors,
                    check=False,
                    **account.popen_arguments(),
                )
            if done.returncode != 0:
                raise EmbeddedServerFailed(f"initdb failed in {self.folder}:\n{last_lines(done.stdout)}")
            password.unlink()
            unfinished.rename(self.home)
            sync_folder(self.folder)
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedServerFailed(f"The database in {self.folder} could not be made: {error}.") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _kept(self, name: str, make: object) -> str:
        path = self.folder / name
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            if name == "password" and self.home.exists():
                raise EmbeddedServerFailed(
                    f"The password of the database in {self.folder} is gone (file {path}). Restore it from a backup."
                ) from None
            assert callable(make)
            write_private(path, value := make())
            return str(value)


@contextmanager
def opened_for(folder: Path, account: Account) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The name by which a child of that account reaches the folder, and the descriptors to pass to it.

    Root may keep its data below folders that nobody else can enter; rather than open those, the child gets an open
    descriptor of the folder itself and goes by /proc/self/fd.
    """
    if not account.switch:
        yield str(folder), ()
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Written beside its place with mode 0600 and renamed: never half there, never readable by others."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    os.rename(name, path)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def last_lines(text: str, count: int = 15) -> str:
    return "\n".join(text.strip().splitlines()[-count:])


def newest_log(cluster: Cluster) -> str:
    """The end of what the server wrote last; empty where it wrote nothing that we may read."""
    logs = [*(cluster.data / "log").glob("*.log"), cluster.startup_log]
    texts = []
    for path in sorted(logs, key=_changed_at):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)  # the account owns this folder, we may be root
        except OSError:
            continue
        with os.fdopen(descriptor, encoding="utf-8", errors="replace") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                texts.append(file.read())
    return last_lines("\n".join(text for text in texts if text.strip()))


def _changed_at(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0
