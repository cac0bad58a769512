"""What browsers and programs send, from here and from elsewhere, and whether it may be answered.

The guard before Orthanc's own addresses and Treegarth's own check are both held to this one table.
"""

from __future__ import annotations

from dataclasses import dataclass

PUBLIC_URL = "https://pacs.example.org/pacs"
ORTHANC_URL = "http://[2001:db8::1]:8042"
ALLOWED_ORIGINS = ("https://viewer.example.org",)
CROSS = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
EVIL = "https://evil.example.net"
READS, CHANGES = ("GET",), ("POST", "DELETE")


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a request says of where it comes from."""

    about: str
    headers: dict[str, str]
    methods: tuple[str, ...] = (*READS, *CHANGES)
    allowed: bool
    host: str = "pacs.example.org"

    @property
    def all_headers(self) -> dict[str, str]:
        return {"Host": self.host, **self.headers}


@dataclass(frozen=True, kw_only=True)
class Name:
    """A `Host`, and whether it is answered where there is no login."""

    host: str
    known: bool


def _passes(about: str, *methods: str, host: str = "pacs.example.org", **headers: str) -> Told:
    return Told(about=about, headers=_spelt(headers), methods=methods or (*READS, *CHANGES), allowed=True, host=host)


def _is_refused(about: str, *methods: str, host: str = "pacs.example.org", **headers: str) -> Told:
    return Told(about=about, headers=_spelt(headers), methods=methods or (*READS, *CHANGES), allowed=False, host=host)


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


FOREIGN: tuple[Told, ...] = (
    _passes("a program"),
    _passes("our own page", **{"Sec-Fetch-Site": "same-origin"}, Origin="https://pacs.example.org"),
    _passes("an address that was typed", **{"Sec-Fetch-Site": "none"}),
    _passes("our own page behind the proxy, which speaks HTTPS for us", Origin="https://pacs.example.org"),
    _passes("our own page, of an older browser", Referer="https://pacs.example.org/pacs/app/explorer.html"),
    _passes("our own page at Orthanc's port", host="127.0.0.1:8042", Origin="http://127.0.0.1:8042"),
    _passes("the same, by its IPv6 address", host="[::1]:8042", Origin="http://[::1]:8042"),
    _passes("an origin in capitals with the usual port", Origin="HTTPS://PACS.example.org:443"),
    _passes("headers that say nothing", Origin="", Referer="", **{"Sec-Fetch-Site": ""}),
    _passes("a site of the settings", **CROSS, Origin="https://viewer.example.org"),
    _passes("a picture on a site of the settings", *READS, **CROSS, Referer="https://viewer.example.org/"),
    _passes("a link from elsewhere", *READS, **LINK),
    _passes(
        "a link, of an older browser", *READS, Referer="https://ris.example.org/list", Accept="text/html,*/*;q=0.8"
    ),
    _is_refused("another port of a site of the settings", **CROSS, Origin="https://viewer.example.org:444"),
    _is_refused("a script", **CROSS, Origin=EVIL),
    _is_refused("a page of our name that is not ours here", **CROSS, Origin="https://pacs.example.org"),
    _is_refused("a form", *CHANGES, **LINK, Origin=EVIL),
    _is_refused("a form that hides its origin", *CHANGES, **LINK),
    _is_refused("another name of our domain", **{"Sec-Fetch-Site": "same-site"}, Origin="https://other.example.org"),
    _is_refused("an older browser's script", Origin=EVIL),
    _is_refused("a page without an origin", Origin="null"),
    _is_refused("an older browser's form", *CHANGES, Referer=f"{EVIL}/page", Accept="text/html"),
    _is_refused("a name that begins as ours", Origin="https://pacs.example.org.evil.example.net"),
    _is_refused("another port of our name", Origin="https://pacs.example.org:8443"),
    _is_refused("our name as a user", Origin="https://pacs.example.org@evil.example.net"),
    _is_refused("our name in a path", Origin="https://evil.example.net/https://pacs.example.org"),
    _is_refused("no address", Origin="https://"),
    _is_refused("a picture", *READS, **CROSS),
    _is_refused("a frame", *READS, **{**LINK, "Sec-Fetch-Dest": "iframe"}),
    _is_refused("an older browser's picture", *READS, Referer=f"{EVIL}/", Accept="image/avif,image/webp,*/*"),
    _is_refused("an older browser's script with a page's Accept", *READS, Origin=EVIL, Accept="text/html"),
)

NAMES: tuple[Name, ...] = (
    Name(host="localhost:8042", known=True),
    Name(host="LOCALHOST", known=True),
    Name(host="localhost.:8042", known=True),
    Name(host="a.localhost", known=True),
    Name(host="127.0.0.1", known=True),
    Name(host="127.255.0.9:1", known=True),
    Name(host="[::1]:8042", known=True),
    Name(host="pacs.example.org", known=True),
    Name(host="PACS.example.org.:443", known=True),
    Name(host="[2001:DB8::1]:8042", known=True),
    Name(host="evil.example.net", known=False),
    Name(host="localhost.evil.example.net", known=False),
    Name(host="evil.localhost.example.net", known=False),
    Name(host="notlocalhost", known=False),
    Name(host="127.0.0.1.evil.example.net", known=False),
    Name(host="127.0.0.256", known=False),
    Name(host="[::2]", known=False),
    Name(host="192.0.2.1", known=False),
)
