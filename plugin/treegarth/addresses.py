"""Which addresses of the network may be connected to. Pure: an address as it was resolved and a site's rules in, a
decision out. Who connects asks with every address that a name has, at the moment of connecting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

# What clouds tell only their own machines, beside 169.254.169.254: AWS and Google by IPv6, Alibaba, Azure, Oracle.
_METADATA = frozenset(
    map(ip_address, ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
)
_BROADCAST = ip_address("255.255.255.255")
_THIS_NETWORK = ip_network("0.0.0.0/8")  # RFC 1122 3.2.1.3; Linux connects 0.0.0.0 to itself
_TRANSLATED = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"), ip_network("::/96"))  # RFC 6052, 8215, 4291
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?")
_PORTED = re.compile(r"(?P<place>\[[^\[\]]+\](/\d{1,3})?|[^:\[\]]+)(:(?P<port>\d{1,5}))?")


class Nearness(Enum):
    """How near an address is to this machine."""

    ELSEWHERE = auto()  # another machine's
    LOCAL = auto()  # this machine itself, its link, or what its cloud tells it alone
    NOWHERE = auto()  # of no single machine: unspecified, multicast, broadcast


@dataclass(frozen=True, kw_only=True, slots=True)
class AddressRule:
    """A name or a network, on one port or on all."""

    name: str | None = None  # `*.example.org`: every name below it
    network: IpNetwork | None = None
    port: int | None = None

    def names(self, host: str, port: int) -> bool:
        """Whether it means this host by its name."""
        if self.name is None or self.port not in (None, port):
            return False
        plain = plain_host(host)
        return plain.endswith(self.name[1:]) if self.name.startswith("*.") else plain == self.name

    def holds(self, address: IpAddress, port: int) -> bool:
        """Whether it means this address."""
        return self.network is not None and self.port in (None, port) and unwrapped(address) in self.network

    def may_hold(self, port: int) -> bool:
        """Whether it could mean an address that is not known yet."""
        return self.network is not None and self.port in (None, port)


@cache
def rule_of(text: str) -> AddressRule:
    """`pacs.example.org`, `*.example.org:443`, `10.0.0.0/8`, `10.0.0.7:104`, `[fd00::1]:8042`. Raises ValueError."""
    text = text.strip()
    found = None if text.count(":") > 1 and not text.startswith("[") else _PORTED.fullmatch(text)
    place = re.sub(r"[\[\]]", "", found["place"]) if found else text
    port = int(found["port"]) if found and found["port"] else None
    if port is not None and not 1 <= port <= 65535:
        raise ValueError(f"{text} names no port: they are 1 to 65535")
    try:
        return AddressRule(network=ip_network(place), port=port)
    except ValueError:
        name = plain_host(place)
        if not _HOST.fullmatch(name) or re.search(r"(^|\.)\d+$", name):
            right = "pacs.example.org, *.example.org, 10.0.0.7, 10.0.0.0/8 or [fd00::1], each with :PORT or without"
            raise ValueError(f"{text} is no host, address or network: write {right}") from None
    return AddressRule(name=name, port=port)


def plain_host(host: str) -> str:
    """A host's name as names are compared: in small letters, in ASCII, without the full stop at its end."""
    plain = host.rstrip(".").lower()
    try:
        return plain if plain.isascii() else plain.encode("idna").decode("ascii")
    except UnicodeError:
        return plain


def nearness(address: IpAddress) -> Nearness:
    """How near an address is, also where it wraps an IPv4 address for a translator."""
    address = unwrapped(address)
    if address.is_unspecified or address.is_multicast or address == _BROADCAST or address in _THIS_NETWORK:
        return Nearness.NOWHERE
    is_local = address.is_loopback or address.is_link_local or address in _METADATA
    return Nearness.LOCAL if is_local else Nearness.ELSEWHERE


def unwrapped(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, or of a translator. Others as they are."""
    if isinstance(address, IPv4Address):
        return address
    if (inner := address.ipv4_mapped or address.sixtofour) is not None:
        return inner
    low = int(address) & 0xFFFFFFFF
    is_own = low <= 1 and int(address) == low  # :: and ::1 are addresses of IPv6 itself
    if not is_own and any(address in network for network in _TRANSLATED):
        return IPv4Address(low)
    return address
