"""The header elements of one object, or of one item of a sequence, as values; what cannot be read is an issue. Pure."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

from treegarth.dicom.elements import character_set, element_items, element_text
from treegarth.dicom.sr_tree import code_of
from treegarth.dicom.units import NotANumber, number_of
from treegarth.features.dose.model import Issue
from treegarth.features.dose.reading.fields import code_json, is_uid
from treegarth.phrases import P_

_DATE = re.compile(r"([0-9]{4})\.?([0-9]{2})\.?([0-9]{2})\Z")
_TIME = re.compile(r"([0-9]{2}):?([0-9]{2})?:?([0-9]{2})?(?:\.([0-9]{1,6}))?\Z")


class Header:
    """A data set with its place in words; every Header of one object adds to the same list of issues."""

    def __init__(self, dataset: Dataset, issues: list[Issue], *, path: str = "", charset: tuple[str, ...] = ()) -> None:
        self.dataset = dataset
        self.issues = issues
        self.path = path
        self.charset = charset
        try:
            self.charset = character_set(dataset, charset)
        except Exception as error:
            self._unreadable("SpecificCharacterSet", error)

    def text(self, keyword: str) -> str | None:
        try:
            return element_text(self.dataset, _tag(keyword), self.charset)
        except Exception as error:  # the bytes are arbitrary, and so are pydicom's exceptions
            self._unreadable(keyword, error)
            return None

    def uid(self, keyword: str) -> str | None:
        text = self.text(keyword)
        if text is None or is_uid(text):
            return text
        self.issue(keyword, P_("this is no UID"))
        return None

    def number(self, keyword: str) -> float | None:
        """A DS or IS of one value; text that is no number is an issue (text in PatientSize is met)."""
        text = self.text(keyword)
        if text is None:
            return None
        try:
            return float(number_of(text))
        except NotANumber as error:
            self.issue(keyword, error.sentence)
            return None

    def date(self, keyword: str) -> date | None:
        """A DA of one value, also in the older form 1997.01.31 (PS3.5 6.2)."""
        text = self.text(keyword)
        if text is None:
            return None
        try:
            return date_of(text)
        except ValueError:
            self.issue(keyword, P_("this is no DICOM date"))
            return None

    def time(self, keyword: str) -> time | None:
        """A TM of one value, of any precision."""
        text = self.text(keyword)
        if text is None:
            return None
        try:
            return time_of(text)
        except ValueError:
            self.issue(keyword, P_("this is no DICOM time"))
            return None

    def integer(self, keyword: str) -> int | None:
        """A binary whole number (US, SS, UL, SL) of one value."""
        try:
            value = self.dataset.get(keyword)
        except Exception as error:
            self._unreadable(keyword, error)
            return None
        return value if isinstance(value, int) else None

    def codes(self, keyword: str) -> tuple[dict[str, str], ...]:
        try:
            found = [code_of(item, self.charset) for item in element_items(self.dataset, _tag(keyword))]
        except Exception as error:
            self._unreadable(keyword, error)
            return ()
        return tuple(code_json(code) for code in found if code is not None)

    def quantity(self, keyword: str, factor: str = "1") -> float | None:
        """A number in DICOM's unit times an exact factor: DS, IS, FD, FL or a whole number."""
        try:
            value = self.dataset.get(keyword) if self._is_binary(keyword) else self.text(keyword)
            if value is None or value == "":
                return None
            return float(number_of(str(value)) * Decimal(factor))
        except NotANumber as error:
            self.issue(keyword, error.sentence)
        except Exception as error:
            self._unreadable(keyword, error)
        return None

    def items(self, keyword: str) -> list[Header]:
        """The items of a sequence, numbered from 1 in their paths."""
        try:
            found = element_items(self.dataset, _tag(keyword))
        except Exception as error:
            self._unreadable(keyword, error)
            return []
        return [
            Header(item, self.issues, path=f"{self._place(keyword)} {number}", charset=self.charset)
            for number, item in enumerate(found, start=1)
        ]

    def code(self, keyword: str) -> dict[str, str] | None:
        """The first code of a code sequence."""
        found = self.codes(keyword)
        return found[0] if found else None

    def issue(self, keyword: str, reason: str) -> None:
        self.issues.append(Issue(self._place(keyword), reason))

    def _place(self, keyword: str) -> str:
        return f"{self.path}/{keyword}" if self.path else keyword

    def _is_binary(self, keyword: str) -> bool:
        return dictionary_VR(_tag(keyword)) in ("FD", "FL", "US", "SS", "UL", "SL")

    def _unreadable(self, keyword: str, error: Exception) -> None:
        self.issue(keyword, P_("the element cannot be read (%(kind)s)", kind=type(error).__name__))


def date_of(text: str) -> date:
    """The date of a DA. Raises ValueError."""
    match = _DATE.match(text)
    if match is None:
        raise ValueError("this is no DICOM date")
    return date(int(match[1]), int(match[2]), int(match[3]))


def time_of(text: str) -> time:
    """The time of a TM. Raises ValueError."""
    match = _TIME.match(text)
    if match is None:
        raise ValueError("this is no DICOM time")
    hour, minute, second, fraction = (part or "0" for part in match.groups())
    return time(int(hour), int(minute), min(int(second), 59), int(fraction.ljust(6, "0")))


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return int(tag)
