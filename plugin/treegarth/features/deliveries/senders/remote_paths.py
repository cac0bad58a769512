"""Parts of paths and names at a destination, made of what objects and people say. Pure.

A UID is what the object has in its place, and need be none: with a slash or dots in it, it would name another resource,
or another bucket, than the one of the object.
"""

from __future__ import annotations

from urllib.parse import quote


def as_part(value: str) -> str:
    """One part of a path, whatever the value; a UID is that as it stands."""
    return quote(without_dots(value), safe="")


def without_dots(value: str) -> str:
    """Nothing but full stops means the folder itself or the one above: then they are underscores."""
    return value if value.strip(".") else "_" * len(value)
