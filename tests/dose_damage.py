"""Damage to dose reports: small real and built ones, and the faults that are put into them."""

from __future__ import annotations

import random

from tests import conformance
from tests.dose_builder import as_file, ct_acquisition, ct_dose_report, ct_source

LARGEST_BYTES = 40_000
WORDS = [b"1e999", b"NaN", b"1/2", b"\\", b"-7", b"\xed\x9d\x89", b"\x1b$)C", b"SQ", b"\xff\xff"]


def originals() -> list[bytes]:
    built = [
        as_file(ct_dose_report()),
        as_file(ct_dose_report(ct_acquisition("1.2.3.4", sources=[ct_source("80"), ct_source("140")]), unit="mGycm")),
    ]
    small = [path for path in conformance.structured_reports() if path.stat().st_size <= LARGEST_BYTES]
    return built + [path.read_bytes() for path in sorted(small)]


def mutated(original: bytes, chance: random.Random) -> bytes:
    """The bytes with a few faults: flipped, cut out, doubled, overwritten by numbers or by text, cut off."""
    data = bytearray(original)
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        place = chance.randrange(132, len(data)) if len(data) > 200 else chance.randrange(len(data))
        length = chance.choice([1, 2, 4, 8, 40])
        match chance.randrange(7):
            case 0:
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                data[place] = chance.randrange(256)
            case 2:
                del data[place : place + length]
            case 3:
                data[place:place] = data[place : place + length]
            case 4:
                data[place : place + length] = chance.randbytes(length)
            case 5:
                word = chance.choice(WORDS)
                data[place : place + len(word)] = word
            case 6:
                del data[max(place, 140) :]
        if not data:
            return b"\0"
    return bytes(data)
