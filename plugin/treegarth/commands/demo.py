"""`treegarth demo`: a server on a folder of its own, and the made-up hospital day that is pushed to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from treegarth.commands.up import Served, UpOptions, up

EXPORTS = "exports"


def demo(options: UpOptions, *, once: bool, output: TextIO) -> int:
    """Push the day, check it, and keep serving; with `once`, end with the outcome as exit code."""
    from treegarth.demo.demonstration import demonstrate

    def show(served: Served) -> int | None:
        (options.data / EXPORTS).mkdir(mode=0o750, exist_ok=True)
        code = demonstrate(served.url, served.dicom_port, served.ae_title, once, output, served.authorization)
        if once:
            return code
        print("Serving until Ctrl-C.", file=output, flush=True)
        return None

    return up(replace(options, section=places_to_try(options.data)), output, show)


def places_to_try(data: Path) -> dict[str, Any]:
    """What destinations may use of a demonstration: a folder of its own, and whatever else listens on this machine."""
    return {"DestinationPlaces": {"Folders": [str(data / EXPORTS)], "LocalAddresses": ["127.0.0.0/8", "::1"]}}
