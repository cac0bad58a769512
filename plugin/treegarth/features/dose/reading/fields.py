"""How one content item becomes one named value. Pure.

A table of a template maps concepts to fields; a field knows the name under which the value is kept, its unit, and what
kinds of content item it takes. Nothing here guesses: what is empty is absent, what cannot be read is an issue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from treegarth.dicom import codes
from treegarth.dicom.codes import NO, YES, Concept, concept_of
from treegarth.dicom.plain_values import plain_moment
from treegarth.dicom.sr_tree import Code, ContentItem, Reference
from treegarth.dicom.units import NotANumber, UnknownUnit, convert, number_of
from treegarth.errors import TreegarthError
from treegarth.phrases import P_

_SIDES: dict[Concept | None, str] = {
    codes.LEFT: "L",
    codes.LEFT_BREAST: "L",
    codes.RIGHT: "R",
    codes.RIGHT_BREAST: "R",
    codes.RIGHT_AND_LEFT: "B",
    codes.BOTH_BREASTS: "B",
}
_UID = re.compile(r"[0-9.]{1,64}\Z")


_NO_TYPE = P_("value of no type")


class UnreadableValue(TreegarthError):
    """A value is there and cannot be read; the message says why. Caught by the part that is being read."""


class Field(Protocol):
    """Reads one content item; None when it is empty. Raises UnreadableValue."""

    @property
    def name(self) -> str: ...

    @property
    def many(self) -> bool:
        """Whether the standard or real devices give several values for one event."""

    def read(self, item: ContentItem) -> Any: ...


Table = Mapping[Concept, Field]


@dataclass(frozen=True, slots=True)
class Number:
    """A NUM in `unit`. Several numbers in one item are several values, which only a `many` field takes."""

    name: str
    unit: str
    many: bool = False

    def read(self, item: ContentItem) -> float | list[float] | None:
        written = item.value
        if written is None:
            return None
        if not isinstance(written, tuple):
            raise UnreadableValue(
                P_(
                    "a %(wanted)s was expected, the item is a %(found)s",
                    wanted="NUM",
                    found=item.value_type or _NO_TYPE,
                )
            )
        numbers = [self._one(text, item.unit) for text in written if text]
        if len(numbers) > 1 and not self.many:
            raise UnreadableValue(P_("%(count)s numbers stand where one belongs", count=len(numbers)))
        if not numbers:
            return None
        return numbers if len(numbers) > 1 else numbers[0]

    def _one(self, text: str, unit: Code | None) -> float:
        try:
            if unit is None:
                number_of(text)
                raise UnreadableValue(P_("the number has no unit"))
            return convert(text, unit.value, self.unit)
        except (NotANumber, UnknownUnit) as error:
            raise UnreadableValue(error.sentence) from error


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number; its unit, if any, is a pure one."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> int | None:
        number = Number(self.name, "1").read(item)
        if number is None:
            return None
        if not isinstance(number, float) or not number.is_integer():
            raise UnreadableValue(P_("a whole number was expected"))
        return int(number)


@dataclass(frozen=True, slots=True)
class Coded:
    """A CODE, kept whole: {code, scheme, meaning} as in the object."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> dict[str, str] | None:
        if isinstance(item.value, Code):
            return code_json(item.value)
        if item.value is None:
            return None
        raise UnreadableValue(
            P_("a %(wanted)s was expected, the item is a %(found)s", wanted="CODE", found=item.value_type or _NO_TYPE)
        )


@dataclass(frozen=True, slots=True)
class Meaning:
    """A CODE of a small set as the standard's English meaning; another code by its own meaning."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> str | None:
        if isinstance(item.value, Code):
            concept = concept_of(item.value)
            return concept.meaning if concept is not None else item.value.meaning or item.value.value
        if isinstance(item.value, str):
            return item.value
        return None


@dataclass(frozen=True, slots=True)
class YesNo:
    """A CODE of CID 230 as a truth value; what is undetermined is absent."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> bool | None:
        if not isinstance(item.value, Code):
            return None
        concept = concept_of(item.value)
        if concept is codes.UNDETERMINED:
            return None
        if concept not in (YES, NO):
            raise UnreadableValue(P_("neither Yes nor No (CID 230)"))
        return concept is YES


@dataclass(frozen=True, slots=True)
class Words:
    """A TEXT; a CODE in its place gives its meaning."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> str | None:
        if isinstance(item.value, Code):
            return item.value.meaning or item.value.value
        return item.value if isinstance(item.value, str) else None


@dataclass(frozen=True, slots=True)
class Uid:
    """A UIDREF; GE CT writes UIDs as TEXT."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> str | None:
        if not isinstance(item.value, str):
            return None
        if not is_uid(item.value):
            raise UnreadableValue(P_("this is no UID"))
        return item.value


@dataclass(frozen=True, slots=True)
class ReferencedInstance:
    """The SOP Instance UID that an IMAGE or COMPOSITE points at."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> str | None:
        return item.value.sop_instance_uid or None if isinstance(item.value, Reference) else None


@dataclass(frozen=True, slots=True)
class Side:
    """A laterality or a breast as L, R or B (PS3.3 Image Laterality)."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> str | None:
        if not isinstance(item.value, Code):
            return None
        side = _SIDES.get(concept_of(item.value))
        if side is None:
            raise UnreadableValue(P_("neither left nor right nor both (CID 244, 6022)"))
        return side


@dataclass(frozen=True, slots=True)
class Moment:
    """A DATETIME as written (PS3.5 VR DT), without separators: its precision and its offset are information."""

    name: str
    many: bool = False

    def read(self, item: ContentItem) -> str | None:
        if not isinstance(item.value, str):
            return None
        try:
            return plain_moment(item.value)
        except ValueError as error:
            raise UnreadableValue(P_("this is no DICOM date and time")) from error


def is_uid(text: str) -> bool:
    """Whether the text can be a UID (PS3.5 9.1); components with leading zeros, which devices write, are taken."""
    return _UID.match(text) is not None


def code_json(code: Code) -> dict[str, str]:
    """A coded entry in the form in which it is stored and printed."""
    return {"code": code.value, "scheme": code.scheme, "meaning": code.meaning}
