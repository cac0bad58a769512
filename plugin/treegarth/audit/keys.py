"""The key that signs a server's chain: of the setting AuditKey, else of a file that is made in the data directory."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from treegarth.audit.chain import SigningKey
from treegarth.errors import MachineNotReady, SettingsRefused
from treegarth.phrases import P_
from treegarth.settings import Settings

KEY_FILE = "audit.key"
SHORTEST = 32


def signing_key(settings: Settings, folder: Path, environment: Mapping[str, str], *, make: bool = False) -> SigningKey:
    """The server's key; with `make` the file is written where there is none.

    Raises SettingsRefused where the setting leads to nothing usable, MachineNotReady where the file does.
    """
    if settings.audit_key is not None:
        secret = settings.audit_key.resolve(environment).strip()
        if len(secret) < SHORTEST:
            raise SettingsRefused(P_("AuditKey must have %(count)s characters or more.", count=SHORTEST))
        return SigningKey(secret=secret.encode())
    file = folder / KEY_FILE
    if make and not file.exists():
        try:
            _write(file)
        except OSError as error:
            raise MachineNotReady(f"The audit trail's key {file} cannot be made: {error.strerror}.") from error
    return read_key_file(file)


def read_key_file(file: Path) -> SigningKey:
    """Raises MachineNotReady."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        raise MachineNotReady(f"The audit trail's key {file} cannot be read: {said}.") from error
    if len(text) < SHORTEST:
        raise MachineNotReady(f"The audit trail's key {file} is too short: it was not written by us.")
    return SigningKey(secret=text.encode())


def _write(file: Path) -> None:
    """Whole or not at all, for this user alone; another process that is quicker wins."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(secrets.token_hex(32) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.link(made, file)
    except FileExistsError:
        pass
    finally:
        made.unlink(missing_ok=True)
