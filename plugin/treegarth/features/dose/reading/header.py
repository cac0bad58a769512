"""The header elements of one object, or of one item of a sequence, as values; what cannot be read is an issue. Pure."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset

from treegarth.dicom.elements import element_items, element_text, item_of
from treegarth.dicom.plain_values import date_of, plain_moment, plain_time, time_of
from treegarth.dicom.sr_tree import code_of
from treegarth.dicom.text import SPECIFIC_CHARACTER_SET, character_set
from treegarth.dicom.units import NotANumber, float_of, number_of
from treegarth.features.dose.reading.fields import code_json, is_uid
from treegarth.features.dose.reading.model import Issue
from treegarth.phrases import P_


class Header:
    """A data set with its place in words; every Header of one object adds to the same list of issues."""

    def __init__(self, dataset: Dataset, issues: list[Issue], *, path: str = "", charset: tuple[str, ...] = ()) -> None:
        self.dataset = dataset
        self.issues = issues
        self.path = path
        self.charset = charset
        try:
            self.charset = character_set(element_text(dataset, SPECIFIC_CHARACTER_SET), charset)
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

    def plain_time(self, keyword: str) -> str | None:
        """A TM as written, without separators; one that names no time of day is an issue."""
        text = self.text(keyword)
        if text is None:
            return None
        try:
            return plain_time(text)
        except ValueError:
            self.issue(keyword, P_("this is no DICOM time"))
            return None

    def moment(self, keyword: str) -> str | None:
        """A DT as written, without separators; one that names no moment is an issue."""
        text = self.text(keyword)
        if text is None:
            return None
        try:
            return plain_moment(text)
        except ValueError:
            self.issue(keyword, P_("this is no DICOM date and time"))
            return None

    def day_and_time(self, day: str, clock: str) -> str | None:
        """A DA and a TM in one, as a DT; the day alone where there is no time."""
        found = self.date(day)
        return None if found is None else f"{found:%Y%m%d}{self.plain_time(clock) or ''}"

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
            found = [code_of(item_of(item), self.charset) for item in element_items(self.dataset, _tag(keyword))]
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
            return float_of(number_of(str(value)) * Decimal(factor), str(value))
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


def started(header: Header) -> str | None:
    """When an image was acquired, as a DT without separators."""
    return header.moment("AcquisitionDateTime") or header.day_and_time("AcquisitionDate", "AcquisitionTime")


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return int(tag)
