"""What destinations may use: nothing that the settings do not list, and each refusal names the setting."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from treegarth.errors import PlaceRefused, SettingsRefused
from treegarth.places import DestinationPlaces
from treegarth.settings import Settings, read_settings

NONE = DestinationPlaces()


def places(**given: Any) -> DestinationPlaces:
    return DestinationPlaces.model_validate(given)


def test_without_the_setting_nothing_of_the_machine_may_be_used() -> None:
    for refused, setting in (
        (lambda: NONE.folder_above(Path("/srv/exports")), "DestinationPlaces.Folders"),
        (lambda: NONE.check_secret_file(Path("/run/secrets/x")), "DestinationPlaces.SecretFiles"),
        (lambda: NONE.check_secret_variable("HOME"), "DestinationPlaces.SecretEnvironment"),
        (lambda: NONE.check_certificates(Path("/etc/ssl/ca.pem")), "DestinationPlaces.CertificateFiles"),
        (lambda: NONE.check_machine_login(), "DestinationPlaces.MachineLogin"),
        (lambda: NONE.check_address("h", 80, ip_address("127.0.0.1")), "DestinationPlaces.LocalAddresses"),
    ):
        with pytest.raises(PlaceRefused, match=setting):
            refused()
    NONE.check_address("pacs", 104, ip_address("10.0.0.7"))  # other machines are what destinations are for


@pytest.mark.parametrize("path", ["/srv/exports", "/srv/exports/dose", "/srv/exports/a/b/c"])
def test_a_listed_folder_and_what_is_below_it_may_be_written_to(path: str) -> None:
    assert places(Folders=["/srv", "/srv/exports"]).folder_above(Path(path)) == Path("/srv/exports")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/srv",
        "/srv/exports2",
        "/srv/exports/../../etc",
        "/srv/exports/..",
        "//srv/exports",
        "srv/exports",
        "/usr/lib/python3",
    ],
)
def test_every_other_folder_may_not(path: str) -> None:
    with pytest.raises(PlaceRefused):
        places(Folders=["/srv/exports"]).folder_above(Path(path))


def test_variables_are_listed_by_name_or_by_their_beginning() -> None:
    listed = places(SecretEnvironment=["TOKEN", "PACS_*"])
    for name in ("TOKEN", "PACS_A", "PACS_"):
        listed.check_secret_variable(name)
    for name in ("TOKEN2", "token", "PACS", "XPACS_A", "TREEGARTH_DATABASE_PASSWORD"):
        with pytest.raises(PlaceRefused):
            listed.check_secret_variable(name)


def test_addresses_of_other_machines_can_be_limited_and_local_ones_allowed() -> None:
    limited = places(Addresses=["10.0.0.0/8", "pacs.example.org:443"], LocalAddresses=["127.0.0.1:8043"])
    limited.check_address("x", 104, ip_address("10.0.0.7"))
    limited.check_address("pacs.example.org", 443, ip_address("192.0.2.1"))
    limited.check_address("localhost", 8043, ip_address("127.0.0.1"))
    for host, port, address, setting in (
        ("x", 104, "192.0.2.1", "Addresses"),
        ("pacs.example.org", 80, "192.0.2.1", "Addresses"),
        ("pacs.example.org", 443, "127.0.0.1", "LocalAddresses"),  # whatever its name is listed for
        ("localhost", 8042, "127.0.0.1", "LocalAddresses"),
        ("x", 8043, "::1", "LocalAddresses"),
    ):
        with pytest.raises(PlaceRefused, match=rf"DestinationPlaces\.{setting} "):
            limited.check_address(host, port, ip_address(address))


def test_a_list_of_local_addresses_opens_no_other_and_a_list_of_others_no_local_one() -> None:
    with pytest.raises(PlaceRefused, match="LocalAddresses"):
        places(Addresses=["127.0.0.0/8", "0.0.0.0/0"]).check_address("x", 80, ip_address("127.0.0.1"))
    with pytest.raises(PlaceRefused, match=r"\.Addresses"):
        places(Addresses=[], LocalAddresses=["10.0.0.7"]).check_address("x", 80, ip_address("10.0.0.7"))


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255"])
def test_what_is_no_machines_address_cannot_be_listed(address: str) -> None:
    everything = places(Addresses=["0.0.0.0/0", "::/0"], LocalAddresses=["0.0.0.0/0", "::/0"])
    with pytest.raises(PlaceRefused, match="no machine's address"):
        everything.check_address("x", 80, ip_address(address))


def test_a_name_that_cannot_be_listed_is_refused_before_anybody_knows_its_address() -> None:
    with pytest.raises(PlaceRefused, match=r"DestinationPlaces\.Addresses"):
        places(Addresses=["pacs.example.org"]).check_name("evil.test", 443)
    for rule in ("evil.test", "10.0.0.0/8", "*.test"):
        places(Addresses=[rule]).check_name("evil.test", 443)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Folders": ["exports"]}, "whole path from /"),
        ({"Folders": ["/"]}, "not / itself"),
        ({"Folders": ["/a/../b"]}, "without .."),
        ({"SecretEnvironment": ["*"]}, "name of a variable"),
        ({"Addresses": ["10.0.0.7/8"]}, "no host, address or network"),
        ({"LocalAddresses": ["127.0.0.1:0"]}, "names no port"),
    ],
)
def test_a_list_that_cannot_be_is_refused_at_the_start(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsRefused, match=r"Treegarth\.DestinationPlaces") as refused:
        read_settings({"DestinationPlaces": given}, {})
    assert said in str(refused.value)


def test_a_worker_is_handed_what_the_plugin_read() -> None:
    settings = read_settings(
        {}, {"TREEGARTH_DESTINATION_PLACES": '{"Folders": ["/srv/exports"], "Addresses": ["pacs"]}'}
    )
    assert settings.destination_places == places(Folders=["/srv/exports"], Addresses=["pacs"])
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings
