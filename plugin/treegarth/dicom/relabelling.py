"""Devices that name a wrong character set: what a site says of them, and in which sets their text really is. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from treegarth.dicom.character_sets import terms_of
from treegarth.folding import is_like

DEVICE = ("manufacturer", "manufacturer_model_name", "station_name", "device_serial_number", "remote_ae_title")
"""What a device is known by. Not by the institution's name: that is text which a wrong set spoils itself."""
ANY, ABSENT = "any", "absent"

LOOKS_BROKEN = "[\u0080-\u00ff]{4}|\ufffd"
"""Of what Korean, Chinese, Cyrillic ... in a wrong set looks like; no Latin word has four such letters in a row."""

Relabel: TypeAlias = Callable[[tuple[str, ...]], tuple[str, ...]]
"""The values of Specific Character Set as they are meant, of those that an object has."""


def as_labelled(label: tuple[str, ...]) -> tuple[str, ...]:
    return label


@dataclass(frozen=True, kw_only=True)
class Relabelling:
    """Objects of such a device that have this label are really in these sets. Patterns have * and ?."""

    device: Mapping[str, str]
    labelled: str  # `any`, `absent`, or the values with backslashes
    really: str

    def is_of(self, device: Mapping[str, str | None]) -> bool:
        return all(is_like(device.get(name) or "", pattern) for name, pattern in self.device.items())

    def concerns(self, label: tuple[str, ...]) -> bool:
        return self.labelled == ANY or plain_label(label) == plain_label(
            () if self.labelled == ABSENT else terms_of(self.labelled)
        )


def plain_label(label: Sequence[str]) -> str:
    """The values as one text, spelt alike; empty without any."""
    return "\\".join(term.strip(" \0").upper() for term in label)


class Relabellings:
    """Those of a site; of several that fit the first counts."""

    def __init__(self, every: Sequence[Relabelling] = (), remote_ae_title: str | None = None) -> None:
        self.every = tuple(every)
        self._remote_ae_title = remote_ae_title

    def __bool__(self) -> bool:
        return bool(self.every)

    def sent_by(self, remote_ae_title: str | None) -> Relabellings:
        """The same, for an object that this node sent."""
        return Relabellings(self.every, remote_ae_title) if self.every else self

    def of(self, device: Mapping[str, str | None]) -> Relabel:
        """What the labels of this device mean."""
        known = {**device, "remote_ae_title": self._remote_ae_title}
        mine = [one for one in self.every if one.is_of(known)]

        def relabel(label: tuple[str, ...]) -> tuple[str, ...]:
            return next((terms_of(one.really) for one in mine if one.concerns(label)), label)

        return relabel if mine else as_labelled


NONE = Relabellings()
