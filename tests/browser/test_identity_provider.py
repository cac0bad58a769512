"""Sign-in, sign-out and rotated keys with a certified identity provider, npm's oidc-provider, in a real browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.lying_provider import made_key
from tests.servers import OrthancServer, free_ports

FOLDER = Path(__file__).resolve().parents[1] / "oidc_provider"
INSTALLED = Path(__file__).resolve().parents[2] / ".cache" / "oidc-provider"
CLIENT, SECRET = "treegarth", "of a test"


@pytest.fixture(scope="module")
def installed() -> Path:
    """The folder with the provider and its packages, as its lock file pins them; fetched once."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("there is no node and npm on this machine")
    lock = (FOLDER / "package-lock.json").read_text(encoding="utf-8")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copyfile(FOLDER / name, INSTALLED / name)
    stamp = INSTALLED / "stamp"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != lock:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=INSTALLED, check=True, timeout=300, capture_output=True)
        stamp.write_text(lock, encoding="utf-8")
    return INSTALLED


@contextmanager
def provider(folder: Path, server: OrthancServer, port: int, kid: str) -> Iterator[None]:
    """It runs with one new key."""
    told = {
        "port": port,
        "client": CLIENT,
        "secret": SECRET,
        "redirect": f"{server.base_url}/sign-in/oidc/callback",
        "signedOut": f"{server.base_url}/sign-in",
        "keys": [made_key(kid).as_dict(private=True)],
    }
    command = ["node", "provider.mjs", json.dumps(told)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            while (line := process.stdout.readline()) and line != b"listens\n":
                pass
            assert line, "oidc-provider ended"
            yield
        finally:
            process.terminate()


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[OrthancServer]:
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    made = OrthancServer(tmp_path / "server")
    assert made.treegarth is not None
    made.treegarth |= {
        "SignIn": "oidc",
        "PublicUrl": made.url,
        "Oidc": {
            "Issuer": f"http://127.0.0.1:{port}",
            "ClientId": CLIENT,
            "ClientSecret": {"File": str(tmp_path / "secret")},
            "Name": "Hospital",
            "Roles": {"dose-team": ["physicist"]},
        },
    }
    made.start()
    yield made
    assert made.stop() == 0
    assert made.error_lines() == []


def sign_in(page: Page, server: OrthancServer, name: str) -> None:
    page.goto(f"{server.base_url}/studies")
    page.get_by_role("link", name="Sign in with Hospital").click()
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "whatever")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{server.base_url}/studies")


def test_people_sign_in_there_and_out_of_both_and_again_with_new_keys(
    installed: Path, server: OrthancServer, port: int, browser: Browser
) -> None:
    with provider(installed, server, port, "one"):
        context = browser.new_context(locale="en")
        page = context.new_page()
        sign_in(page, server, "ada")
        assert page.locator("a.user").inner_text().strip() == "ada"
        cookies = {one["name"]: one for one in context.cookies()}
        assert cookies["treegarth_session"]["sameSite"] == "Lax"
        assert cookies["treegarth_session"]["httpOnly"] is True
        assert "treegarth_provider" not in cookies
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"http://127.0.0.1:{port}/session/end?**")
        page.get_by_role("button", name="Yes, sign me out").click()
        page.wait_for_url(f"{server.base_url}/sign-in*")
        page.goto(f"{server.base_url}/studies")
        page.get_by_role("link", name="Sign in with Hospital").click()
        assert page.locator("input[name=login]").is_visible()  # it has forgotten its own session
        context.close()
    with provider(installed, server, port, "two"):
        context = browser.new_context(locale="en")
        page = context.new_page()
        sign_in(page, server, "bob")
        assert page.locator("a.user").inner_text().strip() == "bob"
        context.close()
