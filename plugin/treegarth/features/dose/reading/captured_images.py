"""Read dose from Secondary Capture: a captured CT dose page, or an X-ray image that came in this class. Pure.

Hologic's projections, and others', are Secondary Capture with the header of an X-ray image. Such a one is read where it
says that it is the original picture of an exposure, and not the copy of a film, of paper or of another image.
"""

from __future__ import annotations

from collections.abc import Mapping

from treegarth.features.dose.reading.header import Header
from treegarth.phrases import P_

X_RAY_MODALITIES = frozenset({"CR", "DX", "IO", "MG", "PX", "RF", "XA"})
"""Modality (0008,0060), PS3.3 C.7.3.1.1.1, of images each of which is of an exposure."""

NO_EXPOSURE: Mapping[str, str] = {
    "DF": P_("The secondary capture is a digitized film: its exposure is the film's."),
    "SD": P_("The secondary capture is a scanned document."),
    "SI": P_("The secondary capture is a scanned image."),
    "DRW": P_("The secondary capture is a drawing."),
    "SYN": P_("The secondary capture is a synthetic image."),
}
"""Conversion Type (0008,0064), PS3.3 C.8.6.1, of what no detector made; DV, DI and WSD say only how it came here."""

SCANNED_FILM = "FILM"
"""Detector Type (0018,7004), PS3.3 C.8.11.4, of a scanned film or screen."""


def is_x_ray(header: Header) -> bool:
    return header.text("Modality") in X_RAY_MODALITIES


def reason_for_refusal(header: Header) -> str | None:
    """Why the picture is of no exposure of its own; None where it is."""
    conversion = NO_EXPOSURE.get(header.text("ConversionType") or "")
    if conversion is not None:
        return conversion
    if header.text("DetectorType") == SCANNED_FILM:
        return NO_EXPOSURE["DF"]
    kind = [part.strip() for part in (header.text("ImageType") or "").split("\\")]
    if kind[:2] != ["ORIGINAL", "PRIMARY"]:
        return P_("The secondary capture does not say that it is an original and primary image.")
    return None
