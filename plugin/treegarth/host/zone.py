"""The machine's own time zone, by its IANA name where the system tells it."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo


def local_zone() -> ZoneInfo:
    """By TZ, /etc/timezone or the link /etc/localtime; UTC where none of them names a zone."""
    candidates = [os.environ.get("TZ", "").lstrip(":")]
    timezone = Path("/etc/timezone")
    if timezone.is_file():
        candidates.append(timezone.read_text(encoding="ascii", errors="replace").strip())
    candidates.append(os.path.realpath("/etc/localtime").partition("zoneinfo/")[2])
    for name in candidates:
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
            continue
    return ZoneInfo("UTC")
