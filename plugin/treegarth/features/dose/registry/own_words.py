"""What objects say themselves about being no patient's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

OwnWord: TypeAlias = Literal["intent", "subject", "image"]
"""Has Intent in a dose report, Quality Control Subject (0010,0200), Quality Control Image (0028,0300)."""

QUALITY_CONTROL_INTENT = ("DCM", "113680")
"""CID 3629: the intent of a procedure."""


def own_word(reports: Iterable[Mapping[str, Any] | None]) -> OwnWord | None:
    """By which the sources of a study say that it is of no patient; None where they do not, or where they disagree.

    An intent is said of the whole procedure and outranks what single images say; PS3.3 C.7.1.1 and C.7.6.1 leave it
    open where nothing is said.
    """
    said = [one for one in reports if one]
    intents = {(code.get("scheme"), code.get("code")) for one in said if (code := one.get("intent_code"))}
    if intents:
        return "intent" if intents == {QUALITY_CONTROL_INTENT} else None
    if _all_say_yes(said, "quality_control_subject"):
        return "subject"
    return "image" if _all_say_yes(said, "quality_control_image") else None


def _all_say_yes(reports: Iterable[Mapping[str, Any]], name: str) -> bool:
    """All that say anything, and one does."""
    return {one[name] for one in reports if one.get(name)} == {"YES"}
