"""The age of a patient in years, of what DICOM says of it. Pure."""

from __future__ import annotations

from datetime import date

_OF_A_YEAR = {"Y": 1, "M": 12, "W": 365.25 / 7, "D": 365.25}


def years_of(age: str | None) -> float | None:
    """An Age String (PS3.5 6.2: `063Y`, `018M`, `003W`, `004D`) in years; None where it is none."""
    if age is None or len(age) != 4 or not (age[:3].isascii() and age[:3].isdecimal()) or age[3] not in _OF_A_YEAR:
        return None
    return float(f"{int(age[:3]) / _OF_A_YEAR[age[3]]:.3g}")


def age_in_years(age: str | None, born: date | None, at: date | None) -> float | None:
    """What is said of the age, else what follows from the day of birth; None where neither is known, or fits."""
    said = years_of(age)
    if said is not None or born is None or at is None or at < born:
        return said
    years = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    return years + min(_days_since_birthday(born, at) / 366, 0.999)


def _days_since_birthday(born: date, at: date) -> int:
    """Whose birthday is the last day of February has it on the first of March where there is none."""
    year = at.year if (at.month, at.day) >= (born.month, born.day) else at.year - 1
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    month, day = (3, 1) if (born.month, born.day) == (2, 29) and not is_leap else (born.month, born.day)
    return (at - date(year, month, day)).days
