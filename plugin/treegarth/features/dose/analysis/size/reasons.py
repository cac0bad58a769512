"""Why a series has no size-specific dose estimate. Words only."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from treegarth.phrases import N_


class Reason(StrEnum):
    """Of the images first, then of the dose."""

    NOT_ORIGINAL = "not_original"
    NOT_AXIAL = "not_axial"
    MULTI_FRAME = "multi_frame"
    NOT_HOUNSFIELD = "not_hounsfield"
    UNREADABLE = "unreadable"
    NOBODY = "nobody"
    NO_DOSE = "no_dose"
    WHICH_EVENT = "which_event"
    NO_PHANTOM = "no_phantom"
    HEAD = "head"
    NOT_TRUNK = "not_trunk"
    REGION_UNKNOWN = "region_unknown"
    SIZE = "size"


REASONS: Mapping[Reason, str] = {
    Reason.NOT_ORIGINAL: N_("no original images: localizers, derived or reformatted"),
    Reason.NOT_AXIAL: N_("no axial images"),
    Reason.MULTI_FRAME: N_("objects of several frames are not measured"),
    Reason.NOT_HOUNSFIELD: N_("no Hounsfield units"),
    Reason.UNREADABLE: N_("no image could be read"),
    Reason.NOBODY: N_("no body in the images"),
    Reason.NO_DOSE: N_("no CTDIvol that counts"),
    Reason.WHICH_EVENT: N_("of several irradiation events the images do not tell which"),
    Reason.NO_PHANTOM: N_("the CTDIvol names no phantom"),
    Reason.HEAD: N_("a head: it has another function, which is not here"),
    Reason.NOT_TRUNK: N_("not of the trunk, for which the factors are made"),
    Reason.REGION_UNKNOWN: N_("16 cm phantom and no region named: it may be a head"),
    Reason.SIZE: N_("smaller or larger than the table of factors goes"),
}
"""In words, each a msgid."""

OF_IMAGES = (
    Reason.NOT_ORIGINAL,
    Reason.NOT_AXIAL,
    Reason.MULTI_FRAME,
    Reason.NOT_HOUNSFIELD,
    Reason.UNREADABLE,
    Reason.NOBODY,
)
