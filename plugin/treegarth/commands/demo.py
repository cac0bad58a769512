"""`treegarth demo`: a server on a folder of its own, and the made-up hospital day that is pushed to it."""

from __future__ import annotations

from typing import TextIO

from treegarth.commands.up import Served, UpOptions, up


def demo(options: UpOptions, *, once: bool, output: TextIO) -> int:
    """Push the day, check it, and keep serving; with `once`, end with the outcome as exit code."""
    from treegarth.demo.demonstration import demonstrate

    def show(served: Served) -> int | None:
        code = demonstrate(served.url, served.dicom_port, served.ae_title, once, output, served.authorization)
        if once:
            return code
        print("Serving until Ctrl-C.", file=output, flush=True)
        return None

    return up(options, output, show)
