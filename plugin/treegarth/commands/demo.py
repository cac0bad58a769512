"""`treegarth demo`: a server on a folder of its own, people who sign in, and the made-up hospital day pushed to it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from treegarth.commands.up import Served, UpOptions, compose, up
from treegarth.features.accounts.managing import has_passwords

if TYPE_CHECKING:
    from treegarth.demo.people import Person

EXPORTS = "exports"


def demo(options: UpOptions, *, once: bool, output: TextIO) -> int:
    """Push the day, check it, and keep serving; with `once`, end with the outcome as exit code."""
    options = replace(options, section=places_to_try(options.data), instead={"SignIn": "treegarth"})

    def show(served: Served) -> int | None:
        (options.data / EXPORTS).mkdir(mode=0o750, exist_ok=True)
        code, people = push_and_check(options, served, once=once, output=output)
        if once:
            return code
        for line in how_to_sign_in(people):
            print(line, file=output)
        print("Serving until Ctrl-C.", file=output, flush=True)
        return None

    return up(options, output, show)


def push_and_check(options: UpOptions, served: Served, *, once: bool, output: TextIO) -> tuple[int, Sequence[Person]]:
    """As who may look at what was read: where people sign in here, with a token; else as Orthanc's own login."""
    from treegarth.commands.users import engine_of
    from treegarth.demo.demonstration import demonstrate
    from treegarth.demo.people import make_people, token_for_checks

    configuration = compose(options)
    settings = configuration.settings(os.environ)
    given = (served.url, served.dicom_port, served.ae_title, once, output)
    if not (settings.sign_in.by_session and has_passwords(settings)):
        return demonstrate(*given, served.authorization), []
    with engine_of(configuration, os.environ) as engine:
        people = make_people(engine, datetime.now(UTC))
        with token_for_checks(engine, datetime.now(UTC)) as token:
            return demonstrate(*given, f"Bearer {token}"), people


def how_to_sign_in(people: Sequence[Person]) -> list[str]:
    """One line for each of them, under one that says what these are."""
    width = max((len(one.name) for one in people), default=0)
    lines = [f"  {one.name:{width}}  {one.password}" for one in people]
    return ["Sign in with one of these names and passwords, which are new each time:", *lines] if people else []


def places_to_try(data: Path) -> dict[str, Any]:
    """What destinations may use of a demonstration: a folder of its own, and whatever else listens on this machine."""
    return {"DestinationPlaces": {"Folders": [str(data / EXPORTS)], "LocalAddresses": ["127.0.0.0/8", "::1"]}}
