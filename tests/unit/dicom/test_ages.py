"""How old a patient is: by what is said, else by the days of birth and of the study."""

from __future__ import annotations

from datetime import date

import pytest

from treegarth.dicom.ages import age_in_years, years_of


@pytest.mark.parametrize(
    ("age", "years"),
    [
        ("063Y", 63.0),
        ("018M", 1.5),
        ("004D", 0.011),
        ("063y", None),
        ("63Y", None),
        ("٠٦٣Y", None),
        ("", None),
        (None, None),
    ],
)
def test_an_age_string_is_read_or_is_none(age: str | None, years: float | None) -> None:
    assert years_of(age) == years


@pytest.mark.parametrize(
    ("born", "at", "years"),
    [
        (date(2008, 4, 1), date(2026, 4, 1), 18.0),
        (date(2008, 2, 29), date(2026, 3, 1), 18.0),
        (date(2008, 2, 29), date(2026, 2, 28), pytest.approx(17.995, abs=0.001)),
        (date(2026, 1, 1), date(2026, 7, 2), pytest.approx(0.497, abs=0.001)),
        (date(2027, 1, 1), date(2026, 7, 2), None),
        (None, date(2026, 7, 2), None),
    ],
)
def test_without_one_the_days_tell_and_a_birthday_begins_a_year(
    born: date | None, at: date, years: float | None
) -> None:
    assert age_in_years(None, born, at) == years
    assert age_in_years("063Y", born, at) == 63.0
