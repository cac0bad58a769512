"""The patients of the made-up hospital: invented people with the names and character sets that archives meet. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Sex = Literal["F", "M"]

LATIN_1 = ("ISO_IR 100",)
UTF_8 = ("ISO_IR 192",)
KOREAN = ("", "ISO 2022 IR 149")
"""EUC-KR by code extension; the first value is empty for the ASCII repertoire (PS3.5 I.2)."""
JAPANESE = ("", "ISO 2022 IR 87")
"""JIS X 0208 by code extension (PS3.5 H.3.1)."""


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One invented person."""

    patient_id: str
    patient_name: str
    birth_date: date
    sex: Sex
    size_m: float
    weight_kg: float
    character_set: tuple[str, ...] = LATIN_1

    def age_at(self, day: date) -> str:
        """The age as DICOM writes it (PS3.5, value representation AS): months below two years, else years."""
        months = (day.year - self.birth_date.year) * 12 + day.month - self.birth_date.month
        months -= day.day < self.birth_date.day
        return f"{months:03d}M" if months < 24 else f"{months // 12:03d}Y"


@dataclass(frozen=True, kw_only=True)
class _Person:
    name: str
    sex: Sex
    born: int
    character_set: tuple[str, ...]


_PEOPLE = (
    _Person(name="KIM^MINSU=金^民秀=김^민수", sex="M", born=1961, character_set=UTF_8),
    _Person(name="LEE^SEOYEON=李^瑞姸=이^서연", sex="F", born=1978, character_set=KOREAN),
    _Person(name="MÜLLER^JÜRGEN^^DR.", sex="M", born=1949, character_set=LATIN_1),
    _Person(name="PARK^JIHOON=朴^志勳=박^지훈", sex="M", born=1990, character_set=KOREAN),
    _Person(name="LEFÈVRE^ANAÏS", sex="F", born=1984, character_set=LATIN_1),
    _Person(name="CHOI^EUNJI=崔^恩智=최^은지", sex="F", born=1956, character_set=UTF_8),
    _Person(name="JUNG^DOYUN=鄭^道允=정^도윤", sex="M", born=1967, character_set=UTF_8),
    _Person(name="SCHÄFER^BÄRBEL", sex="F", born=1952, character_set=LATIN_1),
    _Person(name="KANG^HAEUN=姜^河恩=강^하은", sex="F", born=1971, character_set=KOREAN),
    _Person(name="YAMADA^TAROU=山田^太郎=やまだ^たろう", sex="M", born=1969, character_set=JAPANESE),
    _Person(name="O'BRIEN^SIOBHAN^MARY", sex="F", born=1996, character_set=LATIN_1),
    _Person(name="YOON^SIWOO=尹^時雨=윤^시우", sex="M", born=2017, character_set=UTF_8),
)


def cast(seed: int) -> tuple[Patient, ...]:
    """The twelve patients of a seed: names are fixed, identifiers, birthdays, sizes and weights follow the seed."""
    chance = random.Random(f"patients {seed}")
    return tuple(_patient(person, number, chance) for number, person in enumerate(_PEOPLE, start=1))


def _patient(person: _Person, number: int, chance: random.Random) -> Patient:
    child = person.born > 2010
    size_m = chance.uniform(1.20, 1.35) if child else chance.uniform(1.52, 1.68) + 0.10 * (person.sex == "M")
    body_mass_index = chance.uniform(15.0, 17.5) if child else chance.uniform(19.5, 29.0)
    return Patient(
        patient_id=f"TG{chance.randrange(1000, 10000)}{number:02d}",
        patient_name=person.name,
        birth_date=date(person.born, 1, 1) + timedelta(days=chance.randrange(365)),
        sex=person.sex,
        size_m=round(size_m, 2),
        weight_kg=round(body_mass_index * size_m**2, 1),
        character_set=person.character_set,
    )
