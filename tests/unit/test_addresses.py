"""Which addresses may be connected to: this machine in every disguise, other machines as a site's rules say."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from treegarth.addresses import Nearness, nearness, rule_of

LOCAL = [
    "127.0.0.1",
    "127.8.9.10",
    "::1",
    "169.254.169.254",  # the metadata of AWS, Azure, Google, OpenStack
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "100.100.100.200",
    "168.63.129.16",
    "::ffff:127.0.0.1",  # mapped
    "::ffff:169.254.169.254",
    "2002:7f00:1::",  # 6to4 of 127.0.0.1
    "64:ff9b::7f00:1",  # what a translator makes of it
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "::127.0.0.1",
]
NOWHERE = ["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:0.0.0.0", "64:ff9b::"]
ELSEWHERE = ["10.0.0.7", "192.168.1.1", "172.16.0.1", "8.8.8.8", "fd00::7", "2001:db8::1", "::ffff:10.0.0.7"]


@pytest.mark.parametrize(
    ("address", "near"),
    [
        *((one, Nearness.LOCAL) for one in LOCAL),
        *((one, Nearness.NOWHERE) for one in NOWHERE),
        *((one, Nearness.ELSEWHERE) for one in ELSEWHERE),
    ],
)
def test_an_address_is_as_near_as_what_it_stands_for(address: str, near: Nearness) -> None:
    assert nearness(ip_address(address)) is near


@pytest.mark.parametrize(
    ("rule", "host", "address", "port"),
    [
        ("10.0.0.0/8", "pacs", "10.1.2.3", 104),
        ("10.0.0.7", "pacs", "10.0.0.7", 104),
        ("10.0.0.7:104", "pacs", "10.0.0.7", 104),
        ("10.0.0.0/8", "pacs", "::ffff:10.1.2.3", 104),
        ("fd00::/8", "pacs", "fd00::7", 443),
        ("[fd00::/8]:443", "pacs", "fd00::7", 443),
        ("[fd00::7]:443", "pacs", "fd00::7", 443),
        ("::1", "localhost", "::1", 80),
        ("pacs.example.org", "PACS.example.org.", "10.0.0.7", 104),
        ("pacs.example.org:104", "pacs.example.org", "10.0.0.7", 104),
        ("*.example.org", "a.b.example.org", "10.0.0.7", 104),
        ("münchen.example", "xn--mnchen-3ya.example", "10.0.0.7", 104),
    ],
)
def test_a_rule_means_what_it_names(rule: str, host: str, address: str, port: int) -> None:
    found = rule_of(rule)
    assert found.names(host, port) or found.holds(ip_address(address), port)


@pytest.mark.parametrize(
    ("rule", "host", "address", "port"),
    [
        ("10.0.0.0/8", "pacs", "11.0.0.1", 104),
        ("10.0.0.7:104", "pacs", "10.0.0.7", 11112),
        ("pacs.example.org", "evil-pacs.example.org", "10.0.0.7", 104),
        ("pacs.example.org", "pacs.example.org.evil.test", "10.0.0.7", 104),
        ("*.example.org", "example.org", "10.0.0.7", 104),
        ("*.example.org", "evilexample.org", "10.0.0.7", 104),
        ("pacs.example.org:104", "pacs.example.org", "10.0.0.7", 22),
    ],
)
def test_a_rule_means_nothing_else(rule: str, host: str, address: str, port: int) -> None:
    found = rule_of(rule)
    assert not found.names(host, port)
    assert not found.holds(ip_address(address), port)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "*",
        "http://pacs",
        "10.0.0",
        "10.0.0.7/8",
        "300.1.1.1",
        "pacs:0",
        "pacs:70000",
        "pacs/8",
        "a b",
        "[::1",
        "2130706433",
    ],
)
def test_what_is_no_rule_is_refused_and_named(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"no host, address or network|no port"):
        rule_of(wrong)
