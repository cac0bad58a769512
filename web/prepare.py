"""Put what the pages load into web/vendor: htmx, ECharts, axe-core (for tests), OHIF. Uses the standard library only.

Run as `python3 web/prepare.py`. A second run with nothing changed returns at once and needs no network. The new folder
is built beside the old one and takes its place only when complete, so a broken preparation never reaches a browser.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import prepare_ohif
from prepare_ohif import PreparationFailed

WEB = Path(__file__).resolve().parent
VENDOR = WEB / "vendor"
STAMP = "stamp.json"
DOWNLOADS = WEB.parent / ".cache" / "npm"
INPUTS = ("package.json", "package-lock.json", "prepare.py", "prepare_ohif.py")
NPM_SECONDS = 900  # 50 MB on a slow line; beyond this the line is dead


@dataclass(frozen=True, kw_only=True)
class VendoredFile:
    """One file of an npm package and its name in the vendor folder."""

    package: str
    source: str
    name: str


VENDORED_FILES = (
    VendoredFile(package="htmx.org", source="dist/htmx.min.js", name="htmx.min.js"),
    VendoredFile(package="htmx.org", source="LICENSE", name="licenses/htmx.txt"),
    VendoredFile(package="echarts", source="dist/echarts.min.js", name="echarts.min.js"),
    VendoredFile(package="echarts", source="LICENSE", name="licenses/echarts.txt"),
    VendoredFile(package="echarts", source="NOTICE", name="licenses/echarts-notice.txt"),
    VendoredFile(package="zrender", source="LICENSE", name="licenses/zrender.txt"),
    VendoredFile(package="axe-core", source="axe.min.js", name="axe.min.js"),
    VendoredFile(package="axe-core", source="LICENSE", name="licenses/axe-core.txt"),
)


def main(arguments: list[str]) -> int:
    """Exit status: 0 when web/vendor is complete, 1 with one sentence when it could not be made.

    With `--is-prepared` only look.
    """
    if "--is-prepared" in arguments:
        return 0 if is_prepared(VENDOR, stamp_of(WEB)) else 1
    lock_file = WEB.parent / ".cache" / "prepare.lock"
    lock_file.parent.mkdir(exist_ok=True)
    with lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` at once: the second waits and finds it done
        stamp = stamp_of(WEB)
        if is_prepared(VENDOR, stamp):
            return 0
        try:
            prepare(stamp)
        except PreparationFailed as error:
            print(f"The browser packages could not be prepared: {error}", file=sys.stderr)
            return 1
    return 0


def stamp_of(web: Path) -> dict[str, str]:
    """What decides the content of the vendor folder: the pinned OHIF and a hash of each input file."""
    hashes = {name: hashlib.sha256((web / name).read_bytes()).hexdigest() for name in INPUTS}
    return {"ohif": prepare_ohif.VERSION, **hashes}


def is_prepared(vendor: Path, stamp: dict[str, str]) -> bool:
    try:
        return bool(json.loads((vendor / STAMP).read_text(encoding="utf-8")) == stamp)
    except (FileNotFoundError, ValueError):
        return False


def prepare(stamp: dict[str, str]) -> None:
    """Build the vendor folder anew and swap it in.

    Raises PreparationFailed; the folder that was there stays as it was.
    """
    run_npm("ci", "--no-audit", "--no-fund")
    tarball = fetch_ohif()
    with tempfile.TemporaryDirectory(prefix="vendor-", dir=WEB.parent / ".cache") as work:
        new = Path(work, "new")
        copy_vendored_files(new)
        prepare_ohif.prepare(tarball, new / "ohif")
        (new / STAMP).write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
        if VENDOR.exists():
            VENDOR.rename(Path(work, "old"))
        new.rename(VENDOR)


def copy_vendored_files(vendor: Path) -> None:
    for file in VENDORED_FILES:
        source = WEB / "node_modules" / file.package / file.source
        if not source.is_file():
            raise PreparationFailed(f"the npm package {file.package} has no {file.source}; was it upgraded?")
        target = vendor / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def fetch_ohif() -> Path:
    """The tarball of the pinned OHIF, from an earlier download where its checksum is right."""
    tarball = DOWNLOADS / prepare_ohif.TARBALL
    if not tarball.exists():
        DOWNLOADS.mkdir(parents=True, exist_ok=True)
        run_npm("pack", prepare_ohif.PACKAGE, "--silent", "--pack-destination", str(DOWNLOADS))
    try:
        prepare_ohif.check_integrity(tarball)
    except PreparationFailed:
        tarball.unlink(missing_ok=True)
        raise
    return tarball


def run_npm(*arguments: str) -> None:
    """Run npm in web/; its own words go to this process's standard output (a log, as the installer calls it)."""
    command = ["npm", *arguments]
    try:
        done = subprocess.run(
            command, cwd=WEB, timeout=NPM_SECONDS, check=False, stdin=subprocess.DEVNULL, stdout=sys.stdout.fileno(),
            stderr=subprocess.STDOUT, env={**os.environ, "npm_config_update_notifier": "false"},
        )  # fmt: skip
    except FileNotFoundError:
        raise PreparationFailed("npm is not installed (Debian: apt-get install nodejs npm).") from None
    except subprocess.TimeoutExpired:
        raise PreparationFailed(f"`{' '.join(command)}` did not end within {NPM_SECONDS} s.") from None
    if done.returncode != 0:
        raise PreparationFailed(f"`{' '.join(command)}` failed; is the npm registry reachable?")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
