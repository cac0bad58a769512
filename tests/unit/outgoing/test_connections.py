"""Connections go only where the settings allow, whatever the address is called and whoever redirects to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from treegarth.errors import PlaceRefused
from treegarth.outgoing.connections import GuardedAdapter, allowed_addresses, written_addresses
from treegarth.places import DestinationPlaces

DISGUISES = [
    "127.0.0.1",
    "127.1",
    "2130706433",  # decimal
    "0x7f000001",  # hexadecimal
    "0x7f.0.0.1",
    "0177.0.0.1",  # octal
    "localhost",
    "LOCALHOST",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "[::]",
]


class Server:
    """What listens on this machine: how many connected, and where it redirects to."""

    def __init__(self) -> None:
        self.connections = 0
        self.redirects_to: str | None = None
        server = self

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                server.connections += 1
                super().setup()

            def do_GET(self) -> None:
                self.send_response(302 if server.redirects_to else 200)
                if server.redirects_to:
                    self.send_header("Location", server.redirects_to)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Not into the test's output."""

        self.listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self.listener.server_port)
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def make_server() -> Iterator[Any]:
    servers: list[Server] = []

    def make() -> Server:
        servers.append(Server())
        return servers[-1]

    yield make
    for one in servers:
        one.listener.shutdown()
        one.listener.server_close()


@pytest.fixture
def server(make_server: Any) -> Server:
    return make_server()  # type: ignore[no-any-return]


def places(*local: str, **others: Any) -> DestinationPlaces:
    return DestinationPlaces.model_validate({"LocalAddresses": local, **others})


def get(url: str, allowed: DestinationPlaces, **given: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("http://", GuardedAdapter(allowed))
        session.mount("https://", GuardedAdapter(allowed))
        return session.get(url, timeout=5, **given)


@pytest.mark.parametrize("host", DISGUISES)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_is_not_connected_to_whatever_it_is_called(server: Server, host: str, scheme: str) -> None:
    with pytest.raises(PlaceRefused):
        get(f"{scheme}://{host}:{server.port}/", places())
    assert server.connections == 0


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://2852039166/"],
)
def test_a_clouds_metadata_are_not_asked_for(url: str) -> None:
    with pytest.raises(PlaceRefused, match="LocalAddresses"):
        get(url, places())


def test_what_is_listed_is_reached_and_its_other_ports_are_not(server: Server, make_server: Any) -> None:
    allowed = places(f"127.0.0.1:{server.port}")
    assert get(f"http://127.0.0.1:{server.port}/", allowed).status_code == 200
    assert get(f"http://127.1:{server.port}/", allowed).status_code == 200
    other = make_server()
    with pytest.raises(PlaceRefused):
        get(f"http://127.0.0.1:{other.port}/", allowed)
    assert other.connections == 0


def test_a_name_that_means_this_machine_is_refused_like_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    meaning(monkeypatch, {"pacs.evil.test": ["127.0.0.1"]})
    with pytest.raises(PlaceRefused, match=r"pacs\.evil\.test is 127\.0\.0\.1"):
        get(f"http://pacs.evil.test:{server.port}/", places(Addresses=["pacs.evil.test"]))
    assert server.connections == 0


def test_of_a_name_with_several_meanings_only_those_that_may_are_connected_to(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    meaning(monkeypatch, {"pacs.test": ["169.254.169.254", "127.0.0.1"]})
    assert get(f"http://pacs.test:{server.port}/", places("127.0.0.1")).status_code == 200
    assert [str(one) for one in allowed_addresses(places("127.0.0.1"), "pacs.test", 80)] == ["127.0.0.1"]


def test_a_name_is_asked_once_and_another_meaning_a_moment_later_changes_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = meaning(monkeypatch, {"rebinding.test": ["127.0.0.2"]}, afterwards={"rebinding.test": ["127.0.0.1"]})
    with pytest.raises(requests.ConnectionError):  # nobody listens at the address that was judged
        get(f"http://rebinding.test:{server.port}/", places("127.0.0.2"))
    assert asked == ["rebinding.test"]
    assert server.connections == 0


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "http://169.254.169.254/"])
def test_a_redirect_is_judged_as_every_address(server: Server, make_server: Any, target: str) -> None:
    inner = make_server()
    server.redirects_to = target.format(port=inner.port)
    with pytest.raises(PlaceRefused):
        get(f"http://127.0.0.1:{server.port}/", places(f"127.0.0.1:{server.port}"), allow_redirects=True)
    assert (server.connections, inner.connections) == (1, 0)


def test_no_proxy_is_used(server: Server) -> None:
    with pytest.raises(PlaceRefused, match="No proxy"):
        get("http://pacs.test/", places("127.0.0.1"), proxies={"http": f"http://127.0.0.1:{server.port}"})
    assert server.connections == 0


@pytest.mark.parametrize("host", ["no-such-name.invalid", "a" * 70, "a..b"])
def test_a_name_that_nobody_knows_is_a_failed_connection(host: str) -> None:
    with pytest.raises(requests.RequestException):
        get(f"http://{host}:8042/", places())


def test_what_a_host_says_by_itself_is_known_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    for host in ("127.1", "0x7f000001", "2130706433"):
        assert [str(one) for one in written_addresses(host, 80)] == ["127.0.0.1"]
    assert [str(one) for one in written_addresses("x.localhost", 80)] == ["127.0.0.1", "::1"]
    assert written_addresses("pacs.example.org", 80) == []


def meaning(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, list[str]], afterwards: dict[str, list[str]] | None = None
) -> list[str]:
    """Let names mean these addresses, and from the second question on others; the names that were asked for."""
    real, asked = socket.getaddrinfo, []

    def known(host: str, port: int, *given: Any, **named: Any) -> list[Any]:
        if host not in names:
            return real(host, port, *given, **named)  # type: ignore[return-value]
        found = (afterwards or names)[host] if host in asked else names[host]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", known)
    return asked
