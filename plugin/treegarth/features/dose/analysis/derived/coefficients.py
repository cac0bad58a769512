"""Published coefficients, each with its source; a site's own stand for them. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from treegarth.features.dose.analysis.derived.ages import AgeGroup
from treegarth.features.dose.analysis.derived.files import rows_of
from treegarth.phrases import N_

Table: TypeAlias = Literal["ct", "radiopharmaceutical", "half_life"]
Phantom: TypeAlias = Literal["head", "body"]
UNITS: Mapping[Table, str] = {"ct": "mSv/(mGy·cm)", "radiopharmaceutical": "mSv/MBq", "half_life": "s"}
TITLES: Mapping[Table, str] = {
    "ct": N_("Effective dose of CT, per DLP"),
    "radiopharmaceutical": N_("Effective dose of radiopharmaceuticals, per activity"),
    "half_life": N_("Half-lives of radionuclides"),
}
_FILES: Mapping[Table, str] = {
    "ct": "ct.csv",
    "radiopharmaceutical": "radiopharmaceuticals.csv",
    "half_life": "half_lives.csv",
}
Key: TypeAlias = tuple[Table, str, AgeGroup | None, Phantom | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Coefficient:
    """One number of a publication. `of` is a region, a radiopharmaceutical as `SCT:35321007`, or a radionuclide as
    `F-18`; `checked` says with what a shipped one was compared."""

    table: Table
    of: str
    name: str
    age_group: AgeGroup | None = None
    phantom: Phantom | None = None
    value: float
    source: str
    checked: str | None = None
    is_site: bool = False

    @property
    def key(self) -> Key:
        return self.table, self.of, self.age_group, self.phantom


class Coefficients:
    """Those that hold: the shipped ones, and a site's own in the place of those of the same key."""

    def __init__(self, own: Iterable[Coefficient] = ()) -> None:
        self._by_key = {one.key: one for one in (*shipped(), *own)}

    def __iter__(self) -> Iterator[Coefficient]:
        return iter(self._by_key.values())

    def ct(self, region: str, group: AgeGroup, phantom: Phantom) -> Coefficient | None:
        return self._by_key.get(("ct", region, group, phantom))

    def radiopharmaceutical(self, code: str, group: AgeGroup) -> Coefficient | None:
        return self._by_key.get(("radiopharmaceutical", code, group, None))

    def half_life(self, nuclide: str) -> Coefficient | None:
        return self._by_key.get(("half_life", nuclide, None, None))


@functools.cache
def shipped() -> tuple[Coefficient, ...]:
    """The rows of the tables, in their order."""
    return tuple(
        Coefficient(
            table=table,
            of=row["of"],
            name=row["name"],
            age_group=cast("AgeGroup", row["age_group"]) if row["age_group"] else None,
            phantom=cast("Phantom", row["phantom"]) if row["phantom"] else None,
            value=float(row["value"]),
            source=row["source"],
            checked=row["checked"],
        )
        for table, name in _FILES.items()
        for row in rows_of(name)
    )
