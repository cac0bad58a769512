"""A figure, its limit, and how both are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """Something measured. A figure without a limit is there to be read."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_within(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    def as_json(self) -> dict[str, Any]:
        limit = {"at_least": self.at_least, "at_most": self.at_most}
        return {
            "value": self.value,
            "limit": {key: value for key, value in limit.items() if value is not None} or None,
            "unit": self.unit,
            "within": self.is_within,
        }

    def as_line(self) -> str:
        limit = ""
        if self.at_least is not None:
            limit = f"≥ {self.at_least:g}"
        elif self.at_most is not None:
            limit = f"≤ {self.at_most:g}"
        verdict = ("ok" if self.is_within else "MISSED") if limit else ""
        return f"{self.name:<58} {self.value:>10.3f} {self.unit:<18} {limit:<8} {verdict}"
