"""One document about a device's character set, as people write it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from treegarth.dicom.character_sets import codec_of, terms_of
from treegarth.dicom.relabelling import DEVICE, Relabelling
from treegarth.phrases import N_
from treegarth.web.routes import AnyText, Parameters, Text

REALLY: Mapping[str, str] = {
    "ISO_IR 192": N_("UTF-8"),
    "ISO 2022 IR 149": N_("Korean: EUC-KR, Windows-949"),
    "GB18030": N_("Chinese: GB18030, GBK, GB2312"),
    "BIG5": N_("Chinese: Big5"),
    "SHIFT_JIS": N_("Japanese: Shift JIS"),
    "EUC-JP": N_("Japanese: EUC-JP"),
    "ISO_IR 100": N_("Western European: Latin-1"),
    "WINDOWS-1252": N_("Western European: Windows-1252"),
    "ISO_IR 101": N_("Central European: Latin-2"),
    "WINDOWS-1250": N_("Central European: Windows-1250"),
    "ISO_IR 144": N_("Cyrillic: ISO 8859-5"),
    "WINDOWS-1251": N_("Cyrillic: Windows-1251"),
    "KOI8-R": N_("Cyrillic: KOI8-R"),
    "WINDOWS-1253": N_("Greek: Windows-1253"),
    "WINDOWS-1254": N_("Turkish: Windows-1254"),
    "WINDOWS-1255": N_("Hebrew: Windows-1255"),
    "WINDOWS-1256": N_("Arabic: Windows-1256"),
    "WINDOWS-1258": N_("Vietnamese: Windows-1258"),
    "ISO_IR 166": N_("Thai: TIS 620"),
}
"""Sets that a form offers; a text may name every other that is read."""
DEVICE_WORDS: Mapping[str, str] = {
    "manufacturer": N_("Manufacturer"),
    "manufacturer_model_name": N_("Model"),
    "station_name": N_("Station"),
    "device_serial_number": N_("Serial number"),
    "remote_ae_title": N_("AE title"),
}


class CharacterSetParameters(Parameters):
    """Objects of such a device that have this label are really in these sets. Names are compared in capitals or not;
    `*` and `?` stand for what may vary. All that are given must fit."""

    name: Annotated[AnyText, Field(min_length=1, max_length=100)]
    """What it is called."""
    manufacturer: Text | None = None
    """(0008,0070)"""
    manufacturer_model_name: Text | None = None
    """(0008,1090)"""
    station_name: Text | None = None
    """(0008,1010)"""
    device_serial_number: Text | None = None
    """(0018,1000)"""
    remote_ae_title: Text | None = None
    """Of the node that sent the object."""
    labelled: Annotated[AnyText, Field(min_length=1, max_length=200)] = "any"
    """What Specific Character Set (0008,0005) says: `any`, `absent`, or the value, as `ISO_IR 100`."""
    really: Annotated[AnyText, Field(min_length=1, max_length=200)]
    """In which sets text really is, as Specific Character Set would say it, or as `WINDOWS-1251`, `EUC-JP`, `BIG5`."""
    reason: Text | None = None
    """Why, for whoever looks at it later."""

    @field_validator("really")
    @classmethod
    def _is_known(cls, really: str) -> str:
        if any(codec_of(term) is None for term in terms_of(really)):
            raise ValueError(N_("is no character set that can be read."))
        return really

    @model_validator(mode="after")
    def _names_a_device(self) -> CharacterSetParameters:
        if not any((getattr(self, name) or "").strip("*? ") for name in DEVICE):
            raise ValueError(N_("Say of which device: by its manufacturer, model, station, serial number or AE title."))
        return self


def relabelling_of(document: Mapping[str, Any]) -> Relabelling:
    return Relabelling(
        device={name: document[name] for name in DEVICE if document.get(name)},
        labelled=document.get("labelled", "any"),
        really=document["really"],
    )
