"""An input of a form above a list, or beside what is done with its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from treegarth.index.labels import known_labels
from treegarth.web.call import AnyCall
from treegarth.web.parts import translated


def label_choices(call: AnyCall, connection: Connection) -> Mapping[str, str]:
    """The labels that some study has, for the input of a list of studies."""
    return {label: label for label in known_labels(connection)}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """An input: a field of what may be asked for, or given."""

    name: str
    label: str
    choices: Mapping[str, str] = field(default_factory=dict)  # values → msgids
    find_choices: Callable[[AnyCall, Connection], Mapping[str, str]] | None = None  # values → words, of the database
    width: str = "mid"
    hint: str = ""  # a msgid, or an example
    is_shown: bool = True  # else it is only said as a chip where an address has it
    is_more: bool = False  # behind "More", with what is asked for seldom
    is_own: bool = False  # the list's template has its input
    sign: str = ""  # before the value, in a chip: ≥

    def with_words(self, call: AnyCall, connection: Connection) -> Filter:
        """Itself with its choices in the reader's words."""
        words = {value: translated(call, one) for value, one in self.choices.items()}
        choices = {**words, **(self.find_choices(call, connection) if self.find_choices else {})}
        return replace(self, choices=choices, hint=translated(call, self.hint) if self.hint else "")
