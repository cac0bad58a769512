"""The gate: whatever a destination names of this machine is opened here and nowhere else, if the settings list it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from treegarth.errors import PlaceRefused, SettingsRefused
from treegarth.outgoing.confined import ConfinedFolder
from treegarth.phrases import P_
from treegarth.places import DestinationPlaces, setting

MOST_SECRET_BYTES = 64 << 10


class SecretAt(Protocol):
    """Where a secret is: one of the two."""

    @property
    def environment(self) -> str | None: ...
    @property
    def file(self) -> Path | None: ...


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What is allowed, and the environment in which secrets are looked up."""

    places: DestinationPlaces
    environment: Mapping[str, str] = field(repr=False)

    def secret(self, place: SecretAt) -> str:
        """The secret. Raises PlaceRefused, SettingsRefused where it is not at its place."""
        if place.environment is not None:
            return self._variable(place.environment)
        return self._file(Path(str(place.file)))

    def certificates(self, verify: bool | Path) -> bool | str:
        """What requests and boto3 take as `verify`. Raises PlaceRefused, SettingsRefused where it is not there."""
        if isinstance(verify, bool):
            return verify
        self.places.check_certificates(verify)
        real = _real(verify, self.places.certificate_files, "CertificateFiles")
        if not (real.is_file() or real.is_dir()):
            raise SettingsRefused(P_("The certificates %(path)s are not there.", path=str(verify)))
        return str(real)

    def folder(self, path: Path) -> ConfinedFolder:
        """The folder, made below the listed one where it is not there. Raises PlaceRefused, OSError."""
        listed = self.places.folder_above(path)
        try:
            folder = ConfinedFolder.open(listed)
        except OSError as error:
            wrong = {"path": str(listed), "setting": setting("Folders"), "error": error.strerror}
            said = P_("The folder %(path)s, which %(setting)s lists, cannot be opened: %(error)s.", **wrong)
            raise SettingsRefused(said) from error
        with folder:
            return folder.below(path.relative_to(listed).parts, make=True)

    def _variable(self, name: str) -> str:
        self.places.check_secret_variable(name)
        if name not in self.environment:
            raise SettingsRefused(P_("The environment variable %(name)s (a secret's place) is not set.", name=name))
        return self.environment[name]

    def _file(self, path: Path) -> str:
        self.places.check_secret_file(path)
        real = _real(path, self.places.secret_files, "SecretFiles")
        try:
            with _opened(real) as file:
                content = file.read(MOST_SECRET_BYTES + 1)
            if len(content) > MOST_SECRET_BYTES:
                raise SettingsRefused(P_("The secret's file %(path)s is too large for a secret.", path=str(path)))
            return content.decode("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            wrong = {"path": str(path), "error": getattr(error, "strerror", None) or "it is no text in UTF-8"}
            raise SettingsRefused(P_("The secret's file %(path)s cannot be read: %(error)s.", **wrong)) from error


def _real(path: Path, listed: Sequence[Path], key: str) -> Path:
    """Where the path leads when links are followed (secrets of containers are links), which must be listed too.

    Between this look and the opening, a link can only be changed by who may write inside what the settings list.
    """
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(os.path.realpath(one)) for one in listed):
        said = P_("%(path)s leads out of what %(setting)s lists.", path=str(path), setting=setting(key))
        raise PlaceRefused(said)
    return real


def _opened(path: Path) -> BinaryIO:
    """A regular file, and nothing that only looks like one: a pipe would hold the worker for good."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file")
    return os.fdopen(descriptor, "rb")
