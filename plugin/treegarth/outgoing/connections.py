"""Connections that go nowhere but where the settings allow. What a name means is asked once, each of its addresses is
judged, and the connection goes to one that was: a name that means another address a moment later changes nothing.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from treegarth.addresses import IpAddress, plain_host
from treegarth.errors import PlaceRefused
from treegarth.places import DestinationPlaces

PoolClasses = dict[str, type[urllib3.HTTPConnectionPool]]
_LOCALHOST = (ip_address("127.0.0.1"), ip_address("::1"))


def addresses_of(host: str, port: int) -> list[IpAddress]:
    """What the host's name means now, in the system's order. Raises socket.gaierror where nobody knows it."""
    return _asked(host, port, 0)


def written_addresses(host: str, port: int) -> list[IpAddress]:
    """What a host means without asking anybody: an address in whatever form (127.1, 0x7f000001), or this machine's own
    name (RFC 6761 6.3). Of any other name nothing."""
    plain = plain_host(host)
    if plain == "localhost" or plain.endswith(".localhost"):
        return list(_LOCALHOST)
    try:
        return _asked(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        return []


def allowed_addresses(places: DestinationPlaces, host: str, port: int) -> list[IpAddress]:
    """Those of the host's addresses that may be connected to: one at least. Raises PlaceRefused, socket.gaierror."""
    allowed: list[IpAddress] = []
    refused: PlaceRefused | None = None
    for address in addresses_of(host, port):
        try:
            places.check_address(host, port, address)
            allowed.append(address)
        except PlaceRefused as error:
            refused = refused or error
    if refused is not None and not allowed:
        raise refused
    return allowed


def _asked(host: str, port: int, flags: int) -> list[IpAddress]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError as error:  # no name at all: a part of it is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from error
    return list(dict.fromkeys(ip_address(str(entry[4][0])) for entry in found))


class _Guarded(HTTPConnection):
    """Opens its socket only where `places` allow. Everything above it, TLS and the name that it checks, stays."""

    places: DestinationPlaces

    def _new_conn(self) -> socket.socket:
        """As HTTPConnection's own, to the judged addresses one after the other. Raises PlaceRefused."""
        try:
            addresses = allowed_addresses(self.places, self._dns_host, self.port or self.default_port)
            opened = self._connected(addresses)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"Connection to {self.host} timed out.") from error
        except OSError as error:
            raise NewConnectionError(self, f"Failed to establish a new connection: {error}") from error
        sys.audit("http.client.connect", self, self.host, self.port)
        return opened

    def _connected(self, addresses: Sequence[IpAddress]) -> socket.socket:
        failed: OSError | None = None
        for address in addresses:
            try:
                return create_connection(
                    (str(address), self.port or self.default_port),
                    self.timeout,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                failed = error
        raise failed or OSError("no address")


def guarded_pools(
    places: DestinationPlaces,
    http: type[urllib3.HTTPConnectionPool] = urllib3.HTTPConnectionPool,
    https: type[urllib3.HTTPConnectionPool] = urllib3.HTTPSConnectionPool,
) -> PoolClasses:
    """What a urllib3.PoolManager takes as `pool_classes_by_scheme` so that each of its connections is guarded."""

    def guarded(pool: type[urllib3.HTTPConnectionPool]) -> type[urllib3.HTTPConnectionPool]:
        connection: Any = type("GuardedConnection", (_Guarded, pool.ConnectionCls), {"places": places})
        return type("GuardedPool", (pool,), {"ConnectionCls": connection})

    return {"http": guarded(http), "https": guarded(https)}


class GuardedAdapter(HTTPAdapter):
    """For a requests.Session, whose every request, also after a redirect, goes only where `places` allow.

    Raises PlaceRefused from the request itself. Uses no proxy: whom a proxy connects to nobody here could judge.
    """

    def __init__(self, places: DestinationPlaces, **given: Any) -> None:
        self._places = places
        super().__init__(**given)

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named)
        self.poolmanager.pool_classes_by_scheme = guarded_pools(self._places)

    def proxy_manager_for(self, proxy: str, **given: Any) -> urllib3.ProxyManager:
        raise PlaceRefused("No proxy is used for destinations.")
