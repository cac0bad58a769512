"""Series with their size-specific dose as pages say them: in words. Shows only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from treegarth.features.dose.analysis.size.estimates import MatchedBy
from treegarth.features.dose.analysis.size.reasons import REASONS
from treegarth.features.dose.analysis.size.store.lists import SeriesSsde
from treegarth.phrases import N_
from treegarth.web.parts import State as Sign

STATES: Mapping[str, tuple[Sign, str]] = {
    "waiting": ("waiting", N_("waits to be measured")),
    "measured": ("ok", N_("measured")),
    "none": ("nothing", N_("not measured")),
    "failed": ("failed", N_("could not be measured")),
}
"""Of the images of a series."""
MATCHED: Mapping[MatchedBy, str] = {
    "uid": N_("named by the images"),
    "images": N_("told by these images"),
    "only": N_("the only one"),
    "ctdi_vol": N_("with the CTDIvol of the images"),
}
"""How the event of a series was found."""
PHANTOMS: Mapping[str, str] = {
    "IEC Head Dosimetry Phantom": N_("Head 16 cm"),
    "IEC Body Dosimetry Phantom": N_("Body 32 cm"),
}


@dataclass(frozen=True, kw_only=True)
class Why:
    """Why a series has no estimate: a msgid, or what somebody else said."""

    said: str
    is_failure: bool = False


def why_none(one: SeriesSsde) -> Why | None:
    """None where it has one, or still waits."""
    if one.state == "failed" and one.last_error is not None:
        return Why(said=one.last_error, is_failure=True)
    return Why(said=REASONS[one.reason]) if one.reason is not None else None
