"""What the host and the archive tell each other of a C-FIND. Plain records."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.datadict import dictionary_VR

_TEXTS = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)


def is_of_text(tag: int) -> bool:
    """Whether the values of an attribute are texts (PS3.5 6.2): Orthanc gives no other of a question."""
    try:
        return str(dictionary_VR(tag)) in _TEXTS
    except KeyError:
        return False


@dataclass(frozen=True, kw_only=True)
class FindSite:
    """What each answer of this server has, whatever was asked."""

    ae_title: str  # by which it retrieves
    character_set: str  # (0008,0005) of the answers
    limit: int  # of answers to one question


@dataclass(frozen=True, kw_only=True)
class FindAnswers:
    """Datasets with the header of a file; `is_complete`: there are no more than the limit."""

    answers: list[bytes]
    is_complete: bool
    level: str
