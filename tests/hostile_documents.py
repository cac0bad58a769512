"""Documents of rules and policies that nobody would write: nearly right ones, spoilt at random. Seeded."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from treegarth.features.retention.policy_text import KEYS as POLICY_KEYS
from treegarth.features.rules.text import KEYS as RULE_KEYS

LINES = (
    *(
        "Modality = CT",
        "ModalitiesInStudy in [CT, PT]",
        "StudyDescription like '*a*'",
        "PatientID exists",
        "is_arriving",
    ),
    *("StudyDate within 30 days", "StudyDate between 2026-01-01 and 2026-12-31", "received_at older than 2 years"),
    *("KVP > 100", "PatientAge like '*?*?*'", "ConvolutionKernel = ''", "OperatorsName not in [a, b]", "label = x"),
    *("StudyDate = 9999-12-31", "StudyDate < 0001-01-01", "StudyTime = 23:59:59.999999", "series_count = 1e308"),
    *("hold = legal", "delivery.open = NODE", "Modality = '\u202e'", "Modality = 洪", "PatientName = '\ud7ff'"),
    *("received_at > 9999-12-29", "received_at < 0001-01-03T00:00-15:59", "SeriesNumber = 99999999999999999999999"),
    *("Modality like '" + "*a" * 499 + "'", "dose.dlp_total_mgy_cm = 1e-320", "ContentDate < 0001-01-02", "Rows = -0"),
)
ODD_LINES = (
    *("received_at > 2026-11-20T14:30+23:59", "received_at > 9999-12-31T23:59-12:00", "received_at < 0001-01-01"),
    *("Rows in [1e400]", "Rows < nan", "dose.exists = maybe", "PixelData = x", "StudyDate older than 99999 years"),
    *(
        "Modality =",
        "= CT",
        "'",
        "x" * 25_000,
        "Modality in [" + ", ".join(["CT"] * 1_100) + "]",
        "Modality in [,]",
        "",
    ),
    *(
        "Modality in [CT",
        "][",
        "Modality like '" + "?" * 1_100 + "'",
        "StudyDate = 2026-11-٢٠",
        "Rows = १",
        "StudyDate",
    ),
    *("Modality = CT CT", "modality = CT", "StudyDate older than " + "9" * 5_000 + " days", "Rows = " + "9" * 5_000),
)
WORDS = (
    "all",
    "any",
    "not",
    "series",
    "instance",
    "none",
    "if",
    "all.[9]",
    "keep.9999999999999999999999",
    "1",
    "",
    "\x85",
)
JUNK: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        10**15,
        2**63 - 1,
        1.5,
        1e308,
        "",
        "x",
        "x" * 3_000,
        "\u2028",
        "\x7f",
        "²",
        "-",
        "~",
        "!",
    ),
    *([], {}, [[]], {"": {}}, [None], ["x"] * 30, {"a": 1, "b": 2}, "9" * 5_000, "on", "&a", "*a", "!!python/object:x"),
    *(
        "2026-11-20",
        "90 days since received",
        "1e999 days since received",
        "10 %",
        "1000 %",
        "99999999999 TB",
        "24:00-25:00",
    ),
    *("daily 03:00", "daily 99:99", "best", "legal", ["best"], {"best": 1}, {"to": ["NODE"]}, {"series": []}),
)


class HostileDocuments:
    """An endless supply; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)

    def _one_in(self, count: int) -> bool:
        return self._chance.randrange(count) == 0

    def junk(self) -> Any:
        found = self._chance.choice(JUNK)
        if self._one_in(6):
            return self.nested(found)
        return found

    def nested(self, inner: Any) -> Any:
        """Something under many levels of lists and keys."""
        for _ in range(self._chance.choice((1, 5, 18, 21, 40, 70))):
            inner = [inner] if self._one_in(2) else {self._chance.choice(WORDS): inner}
        return inner

    def condition(self, levels: int | None = None) -> Any:
        left = self._chance.choice((0, 1, 2, 3, 19, 20, 21, 30)) if levels is None else levels
        if self._one_in(300):
            return self.junk()
        if left == 0:
            return self._line()
        word = self._chance.choice(WORDS[:5] if not self._one_in(300) else WORDS)
        deeper = self.condition(left - 1)
        if word not in ("all", "any"):
            return {word: deeper}
        return {word: [deeper, *(self._line() for _ in range(self._chance.randrange(3)))]}

    def _line(self) -> str:
        return self._chance.choice(ODD_LINES if self._one_in(150) else LINES)

    def rule(self) -> Any:
        names = ("label", "deliver", "notify", "hold", "release")
        whole: dict[str, Any] = {
            "name": f"rule {self._chance.randrange(10**6)}",
            "why": "w",
            "when": self._chance.choice(("study stable", "series stable", "dose read", "schedule", "by hand")),
            "schedule": "daily 03:00",
            "if": self.condition(),
            "do": [{name: self._action(name)} for name in self._chance.choices(names, k=2)],
            "on": False,
        }
        if whole["when"] != "schedule":
            del whole["schedule"]
        return self._spoilt(whole, RULE_KEYS)

    def _action(self, name: str) -> Any:
        good: dict[str, Any] = {
            "label": {"add": ["a"], "remove": ["b"]},
            "deliver": {"to": "NODE", "objects": {"instance": self.condition()}, "proof": "best"},
            "notify": {"dashboard": True, "title": "t", "again": False},
            "hold": {"kind": "legal", "reason": "r", "for": "30 days"},
            "release": "legal",
        }
        given = good[name]
        return self._spoilt(given, tuple(given)) if isinstance(given, dict) and self._one_in(3) else given

    def policy(self) -> Any:
        whole = {
            "name": f"policy {self._chance.randrange(10**6)}",
            "why": "w",
            "if": self.condition(),
            "keep": self._chance.choice(("nothing", [{"series": self.condition()}], {"instance": self.condition()})),
            "after": "90 days since received",
            "space": {"high": "2 GB", "low": "1 GB"},
            "minimum age": "1 day",
            "proof": self._chance.choice(
                ("none", {"at": "NODE", "within": "1 day"}, [{"at": "NODE", "within": "1 hour"}])
            ),
            "grace": "1 day",
            "hours": "22:00-06:00",
            "rate": 600,
            "ask twice above": "10 %",
        }
        return self._spoilt(whole, POLICY_KEYS)

    def _spoilt(self, document: dict[str, Any], keys: tuple[str, ...]) -> Any:
        if self._one_in(40):
            return self.junk()
        for _ in range(self._chance.choice((0, 0, 0, 1, 2))):
            key = self._chance.choice((*keys, self._chance.choice(WORDS)))
            if self._one_in(4):
                document.pop(key, None)
            else:
                document[key] = self.junk()
        return document

    def text(self, document: Any) -> str:
        """The document as YAML, which JSON nearly is, perhaps spoilt as a text."""
        written = json.dumps(document, ensure_ascii=self._one_in(2))
        for _ in range(self._chance.choice((0, 0, 0, 1, 3))):
            at = self._chance.randrange(len(written) + 1)
            odd = self._chance.choice(
                ("[", "{", "&a ", "*a", "!!x ", "\t", "\n", "#", "- ", "? ", ": ", "1e999", "'", "%", "---\n")
            )
            written = (
                written[:at] + odd * self._chance.choice((1, 1, 1, 300)) + written[at + self._chance.randrange(3) :]
            )
        return written
