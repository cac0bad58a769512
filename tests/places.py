"""What the tests' destinations may use: folders of the test, servers of this machine. Every test says so by itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from treegarth.outgoing.gate import Gate
from treegarth.places import DestinationPlaces
from treegarth.settings import Settings, SignIn

THIS_MACHINE = ("127.0.0.0/8", "::1")


def places(*folders: Path, **others: Any) -> dict[str, Any]:
    """The setting `DestinationPlaces` of a test's server."""
    return {"Folders": [str(folder) for folder in folders], "LocalAddresses": list(THIS_MACHINE), **others}


def gate(*folders: Path, environment: Mapping[str, str] | None = None, **others: Any) -> Gate:
    """A gate that lets these folders, this machine and every variable of this environment through."""
    known = dict(environment or {})
    given = places(*folders, **{"SecretEnvironment": list(known), **others})
    return Gate(places=DestinationPlaces.model_validate(given), environment=known)


HERE = Settings(sign_in=SignIn.NONE, destination_places=DestinationPlaces.model_validate(places(Path("/srv"))))
"""The settings of a site whose destinations may be on this machine."""
