"""How Orthanc writes the SHA-1 that names its resources. Pure."""

from __future__ import annotations

import hashlib


def orthanc_hash(text: str) -> str:
    """Of DICOM identifiers joined by `|`: forty hexadecimal digits in five groups."""
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return "-".join(digest[place : place + 8] for place in range(0, 40, 8))
