"""How this Orthanc is reached: by one address, and by where Orthanc's configuration put its parts."""

from __future__ import annotations

from typing import Any

import pytest

from treegarth.errors import SettingsRefused
from treegarth.reach import Reach, host_of, is_loopback, origin_of, reach_of
from treegarth.settings import read_settings


@pytest.mark.parametrize(
    ("given", "kept", "prefix", "origin"),
    [
        ("https://pacs.example.org", "https://pacs.example.org", "", "https://pacs.example.org"),
        ("https://pacs.example.org/", "https://pacs.example.org", "", "https://pacs.example.org"),
        ("https://PACS.Example.org:443/pacs/", "https://pacs.example.org/pacs", "/pacs", "https://pacs.example.org"),
        ("http://pacs:8080/a/b-1.2_~", "http://pacs:8080/a/b-1.2_~", "/a/b-1.2_~", "http://pacs:8080"),
        ("https://[fd00::1]:8443/x", "https://[fd00::1]:8443/x", "/x", "https://[fd00::1]:8443"),
    ],
)
def test_the_public_address_has_an_origin_and_a_path(given: str, kept: str, prefix: str, origin: str) -> None:
    settings = read_settings({"PublicUrl": given}, {})
    reach = reach_of(settings.public_url, settings.allowed_origins, {})
    assert (reach.public_url, reach.prefix, reach.origins) == (kept, prefix, {origin})
    assert (reach.path("/treegarth/"), reach.url("/treegarth/")) == (f"{prefix}/treegarth/", f"{kept}/treegarth/")
    assert reach.is_secure == given.startswith("https")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("pacs.example.org", "must be like https://pacs.example.org/pacs"),
        ("ftp://pacs.example.org", "must be like"),
        ("https://", "must be like"),
        ("https://user:secret@pacs.example.org/", "without user"),
        ("https://pacs.example.org/pacs?x=1", "must be like"),
        ("https://pacs.example.org/pacs#x", "must be like"),
        ("https://pacs.example.org:port/", "must be like"),
        ("https://pacs.example.org/a/../b", "between the slashes"),
        ("https://pacs.example.org//pacs", "between the slashes"),
        ("https://pacs.example.org/pa cs", "between the slashes"),
        ("https://pacs.example.org/(.*)", "between the slashes"),
        ("https://pacs.example.org/pacs/treegarth/", "leave /treegarth away"),
    ],
)
def test_another_public_address_is_refused_with_what_would_be_right(given: str, said: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        read_settings({"PublicUrl": given}, {})
    assert str(refused.value).startswith("Treegarth.PublicUrl = ")
    assert said in str(refused.value)
    assert "secret@" not in str(refused.value)


def test_further_origins_are_told_without_a_path() -> None:
    settings = read_settings({"AllowedOrigins": ["https://Portal.example.org:443", "http://ris:8080/"]}, {})
    assert settings.allowed_origins == ("https://portal.example.org", "http://ris:8080")
    for wrong in ("*", "https://portal.example.org/x", "portal.example.org", "null"):
        with pytest.raises(SettingsRefused, match=r"each must be like https://portal\.example\.org"):
            read_settings({"AllowedOrigins": [wrong]}, {})


def test_without_a_public_address_nothing_is_added() -> None:
    reach = Reach()
    assert (reach.prefix, reach.path("/app"), reach.url("/app"), reach.origins) == ("", "/app", None, frozenset())


@pytest.mark.parametrize(
    ("configuration", "dicom_web", "wado", "explorer_2"),
    [
        ({}, "/dicom-web", "/wado", "/ui"),
        ({"DicomWeb": {"Root": "/pacs/dicom-web/", "WadoRoot": "wado/"}}, "/pacs/dicom-web", "/wado", "/ui"),
        ({"DicomWeb": {"Root": "images"}}, "/images", "/wado", "/ui"),
        ({"DicomWeb": {"EnableWado": False}}, "/dicom-web", None, "/ui"),
        ({"DicomWeb": {"Enable": False}}, None, None, "/ui"),
        ({"OrthancExplorer2": {"Root": "/explorer/"}}, "/dicom-web", "/wado", "/explorer"),
        ({"DicomWeb": [], "OrthancExplorer2": None}, "/dicom-web", "/wado", "/ui"),
    ],
)
def test_orthancs_configuration_says_where_its_parts_are(
    configuration: dict[str, Any], dicom_web: str | None, wado: str | None, explorer_2: str
) -> None:
    reach = reach_of("https://www.example.org/pacs", [], configuration)
    assert (reach.dicom_web, reach.wado, reach.explorer_2) == (dicom_web, wado, explorer_2)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://a.example:443/x?y#z", "https://a.example"),
        ("http://A.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://[::1]:8042/", "http://[::1]:8042"),
        ("null", None),
        ("http://[", None),
        ("http://a:b", None),
        ("", None),
        ("//a.example", None),
    ],
)
def test_an_origin_is_written_in_one_way(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin


def test_a_host_is_this_machine_or_another() -> None:
    assert host_of("//PACS.example.org.:8042") == "pacs.example.org"
    assert host_of("//[") == ""
    assert [is_loopback(host) for host in ("localhost", "a.localhost", "127.9.9.9", "::1")] == [True] * 4
    assert [is_loopback(host) for host in ("localhost.example", "10.0.0.1", "", "pacs")] == [False] * 4
