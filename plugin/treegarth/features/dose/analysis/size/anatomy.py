"""Which part of the body was scanned, as far as it matters to size-specific doses: trunk, head, or another. Pure.

Told by the Target Region of the irradiation event (TID 10013, CID 4030) and by Body Part Examined (0018,0015) of the
series (PS3.16 annex L), in whatever words: what is named in one of them counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Region(StrEnum):
    TRUNK = "trunk"
    HEAD = "head"
    OTHER = "other"


WORDS: Mapping[Region, tuple[str, ...]] = {
    Region.HEAD: (
        "HEAD", "SKULL", "BRAIN", "CEREB", "ORBIT", "SINUS", "FACE", "FACIAL", "JAW", "MAXILL", "MANDIB", "TEMPORAL",
        "DENTAL", "TEETH", "EAR", "EYE", "IAC", "PITUITARY", "SELLA", "TMJ", "NASO", "NOSE",
    ),
    Region.OTHER: (
        "NECK", "CERVICAL", "CSPINE", "LARYNX", "THYROID", "LEG", "FOOT", "FEET", "ANKLE", "KNEE", "THIGH", "FEMUR",
        "CALF", "HAND", "WRIST", "ARM", "ELBOW", "HUMERUS", "TIBIA", "FIBULA", "EXTREMITY", "FINGER", "TOE", "RADIUS",
        "ULNA", "CALCANEUS", "LIMB", "FOREARM", "SHOULDER", "CAROTID",
    ),
    Region.TRUNK: (
        "CHEST", "THORA", "LUNG", "HEART", "CARDIAC", "CORONARY", "AORTA", "BREAST", "MEDIASTIN", "ABDOM", "LIVER",
        "KIDNEY", "RENAL", "PANCREAS", "SPLEEN", "COLON", "BOWEL", "UROGR", "PELVI", "BLADDER", "PROSTATE", "UTERUS",
        "HIP", "LUMBAR", "LSPINE", "TSPINE", "SACR", "TRUNK", "TORSO",
    ),
}  # fmt: skip
"""Parts of words, in capitals and without blanks."""
SHORT = ("EAR", "EYE", "IAC", "ARM", "LEG", "TOE", "HIP", "JAW", "TMJ")
"""Of these, words that stand in others (HEART, ALARM): they are looked for as whole words."""


def region_of(*named: str | None) -> Region | None:
    """What the words name: a head where any names one, else the trunk, else another part; None where they name none."""
    found = {region for words in named if words for region in Region if _names(words, WORDS[region])}
    return next((one for one in (Region.HEAD, Region.TRUNK, Region.OTHER) if one in found), None)


def _names(words: str, parts: tuple[str, ...]) -> bool:
    alone = "".join(letter if letter.isalnum() else " " for letter in words.upper()).split()
    together = "".join(alone)
    return any((part in alone or f"{part}S" in alone) if part in SHORT else part in together for part in parts)
