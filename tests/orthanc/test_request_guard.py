"""On all of Orthanc's addresses: a page of another site gets nothing and changes nothing, and nothing is forgotten."""

from __future__ import annotations

from time import sleep

import requests

from tests.orthanc.conftest import ServerFactory
from tests.servers import OrthancServer, resident_bytes

EVIL = {"Origin": "https://evil.example.net", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def test_another_sites_page_is_refused_everywhere_and_counted(server: OrthancServer) -> None:
    for method, path in (
        ("POST", "/tools/execute-script"),
        ("POST", "/tools/reset"),
        ("DELETE", "/patients/none"),
        ("PUT", "/modalities/node"),
        ("GET", "/system"),
        ("GET", "/treegarth/api/v1/health"),
    ):
        answer = requests.request(method, server.url + path, headers=EVIL, timeout=10)
        assert (answer.status_code, answer.content) == (403, b""), path
    assert requests.get(f"{server.url}/app/explorer.html", headers=LINK, timeout=10).status_code == 200
    assert requests.get(f"{server.url}/system", headers={"Host": "evil.example.net"}, timeout=10).status_code == 403
    assert server.orthanc("system")["ApiVersion"] > 0
    assert server.get("status")["requests_refused"] == 7


def test_it_can_be_switched_off(new_server: ServerFactory) -> None:
    server = new_server(treegarth={"GuardOrthanc": False}).start()
    assert requests.get(f"{server.url}/system", headers=EVIL, timeout=10).status_code == 200
    assert "GuardOrthanc" in requests.get(f"{server.base_url}/system", timeout=10).text


def test_what_orthanc_asks_is_given_back(server: OrthancServer) -> None:
    """Plugin 4.0 forgets 0.7 kB of each request that a filter is asked about: 60,000 would stay as 40 MB."""
    sleep(6)  # learnt in the first seconds
    with requests.Session() as session:
        for number in range(9_000):
            if number == 3_000:
                before = resident_bytes(server.pid)
            session.get(f"{server.url}/system", timeout=10)
    assert (resident_bytes(server.pid) - before) / 6_000 < 300
