"""The account that the embedded PostgreSQL runs as, for it refuses to be root. Makes that account, nothing else."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from treegarth.errors import EmbeddedServerFailed

SYSTEM_ACCOUNT = "treegarth-db"


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who runs the server. `switch` is whether processes must change to it from root."""

    user_id: int
    group_id: int
    switch: bool

    def popen_arguments(self) -> dict[str, Any]:
        """What subprocess needs to run something as this account, with no other group."""
        if not self.switch:
            return {}
        return {"user": self.user_id, "group": self.group_id, "extra_groups": []}

    def take(self, path: Path) -> None:
        """Give a file or folder that we just made to this account."""
        if self.switch:
            os.chown(path, self.user_id, self.group_id, follow_symlinks=False)


def account_for(cluster: Path, *, system_account: str = SYSTEM_ACCOUNT) -> Account:
    """Ourselves; for root the owner of the existing cluster, else the system account, made where it is missing.

    Raises EmbeddedServerFailed where the cluster belongs to somebody whom we cannot become, or no account can be made.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise EmbeddedServerFailed(
                f"The database in {cluster} belongs to {_name(owner)}. Run Treegarth as the user who made it "
                "(root, if root did), or choose another data folder."
            )
        return Account(user_id=os.geteuid(), group_id=os.getegid(), switch=False)
    if owner:
        return Account(user_id=owner, group_id=cluster.stat().st_gid, switch=True)
    entry = _find(system_account) or _make(system_account)
    return Account(user_id=entry.pw_uid, group_id=entry.pw_gid, switch=True)


def _name(user_id: int | None) -> str:
    try:
        return f"the user {pwd.getpwuid(user_id or 0).pw_name}"
    except KeyError:
        return f"the user number {user_id}"


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make(name: str, which: Callable[..., str | None] = shutil.which) -> pwd.struct_passwd:
    useradd = which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    advice = f"Make it (useradd --system {name}), run Treegarth as an ordinary user, or set Treegarth.Database."
    if useradd is None:
        raise EmbeddedServerFailed(f"PostgreSQL does not run as root and there is no useradd to make {name}. {advice}")
    command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", "--comment", "Treegarth's database", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    entry = _find(name)  # another starter may have made it in the same moment
    if entry is None:
        raise EmbeddedServerFailed(f"The account {name} could not be made: {done.stderr.strip()} {advice}")
    return entry
