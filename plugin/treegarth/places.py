"""What destinations and webhooks may use of this machine and reach from it: a section of the settings, and its
decisions. Pure: paths are compared as they are written; who opens one sees to links.

Destinations are set in the dashboard, by whoever has a login. Files, secrets and addresses are the operating system's:
which of them a destination may name is decided here, in the configuration, and by nobody who comes over HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ConfigDict, field_validator
from pydantic.alias_generators import to_pascal

from treegarth.addresses import IpAddress, Nearness, nearness, rule_of
from treegarth.described import Described
from treegarth.errors import PlaceRefused
from treegarth.phrases import P_


def setting(key: str) -> str:
    """What sentences call a key of the section."""
    return f"Treegarth.DestinationPlaces.{key}"


class DestinationPlaces(Described):
    """What destinations may use and reach. Without any key: no folder, no secret, no address of this machine itself."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True)

    folders: tuple[Path, ...] = ()
    """The folders in and below which destinations may write files: any other file could become a program that runs."""

    secret_files: tuple[Path, ...] = ()
    """Files, or folders of files, that may be a destination's secret: whatever is read as one is sent somewhere."""

    secret_environment: tuple[str, ...] = ()
    """Environment variables that may be a destination's secret; `PACS_*` is every one that begins so."""

    certificate_files: tuple[Path, ...] = ()
    """Files, or folders, of certificates of authorities that a destination may trust."""

    machine_login: bool = False
    """Let S3 destinations without an access key log in as this machine: boto3's variables, files and cloud role."""

    addresses: tuple[str, ...] | None = None
    """Hosts and networks at which destinations and webhooks may be, with a port or without. Default: any but local."""

    local_addresses: tuple[str, ...] = ()
    """Those of this machine and its link at which they may be: whoever reaches these is taken for the machine."""

    @field_validator("folders", "secret_files", "certificate_files")
    @classmethod
    def _are_places(cls, value: tuple[Path, ...]) -> tuple[Path, ...]:
        for path in value:
            if not path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
                raise ValueError(f"{path} must be a whole path from /, without .., and not / itself")
        return value

    @field_validator("secret_environment")
    @classmethod
    def _are_variables(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\*?", name):
                raise ValueError(f"{name} must be the name of a variable, or its beginning and *")
        return value

    @field_validator("addresses", "local_addresses")
    @classmethod
    def _are_rules(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for text in value or ():
            rule_of(text)
        return value

    def folder_above(self, path: Path) -> Path:
        """The listed folder that this one is, or lies below. Raises PlaceRefused."""
        listed = _innermost(path, self.folders)
        if listed is None:
            raise PlaceRefused(
                P_(
                    "Files may not be written to %(path)s: neither it nor a folder above it is listed in %(setting)s.",
                    path=str(path),
                    setting=setting("Folders"),
                )
            )
        return listed

    def check_secret_file(self, path: Path) -> None:
        """Raises PlaceRefused."""
        if _innermost(path, self.secret_files) is None:
            raise PlaceRefused(_not_listed(setting("SecretFiles"), str(path)))

    def check_secret_variable(self, name: str) -> None:
        """Raises PlaceRefused."""
        if not any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in self.secret_environment):
            raise PlaceRefused(_not_listed(setting("SecretEnvironment"), name))

    def check_certificates(self, path: Path) -> None:
        """Raises PlaceRefused."""
        if _innermost(path, self.certificate_files) is None:
            raise PlaceRefused(_not_listed(setting("CertificateFiles"), str(path)))

    def check_machine_login(self) -> None:
        """Raises PlaceRefused."""
        if not self.machine_login:
            raise PlaceRefused(
                P_(
                    "It has no access key, and %(setting)s does not let it log in as this machine.",
                    setting=setting("MachineLogin"),
                )
            )

    def check_address(self, host: str, port: int, address: IpAddress) -> None:
        """Whether what `host` means may be connected to. Raises PlaceRefused."""
        near = nearness(address)
        where = {"host": host, "address": str(address), "port": port}
        if near is Nearness.NOWHERE:
            raise PlaceRefused(P_("%(host)s is %(address)s, which is no machine's address.", **where))
        if near is Nearness.LOCAL and not _means(self.local_addresses, host, port, address):
            raise PlaceRefused(
                P_(
                    "%(host)s is %(address)s, an address of this machine or its link only: %(setting)s does not list "
                    "it with port %(port)s.",
                    **where,
                    setting=setting("LocalAddresses"),
                )
            )
        limited = self.addresses if near is Nearness.ELSEWHERE else None
        if limited is not None and not _means(limited, host, port, address):
            raise PlaceRefused(_no_address(f"{host} ({address})" if host != str(address) else host, port))

    def check_name(self, host: str, port: int) -> None:
        """Whether a host of unknown address can be one that may be connected to. Raises PlaceRefused."""
        rules = None if self.addresses is None else [rule_of(text) for text in (*self.addresses, *self.local_addresses)]
        if rules is not None and not any(rule.names(host, port) or rule.may_hold(port) for rule in rules):
            raise PlaceRefused(_no_address(host, port))


def _innermost(path: Path, listed: Iterable[Path]) -> Path | None:
    """The listed place that the path is or lies below, the nearest of several. What has `..` in it lies nowhere."""
    if ".." in path.parts:
        return None
    return max((one for one in listed if path.is_relative_to(one)), key=lambda one: len(one.parts), default=None)


def _means(rules: Sequence[str], host: str, port: int, address: IpAddress) -> bool:
    return any(rule.names(host, port) or rule.holds(address, port) for rule in map(rule_of, rules))


def _not_listed(setting: str, what: str) -> str:
    return P_("%(what)s may not be read for a destination: %(setting)s does not list it.", what=what, setting=setting)


def _no_address(host: str, port: int) -> str:
    return P_(
        "%(host)s may not be connected to at port %(port)s: %(setting)s does not list it.",
        host=host,
        port=port,
        setting=setting("Addresses"),
    )
