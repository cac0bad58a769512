"""Sentences that say themselves in English and can be said in other languages where a page shows them. Pure.

`P_("There is no field “%(name)s”.", name=name)` is that English text, for the API, logs and the command line; it
also remembers its message and values. The message is a msgid: the translations' test finds it by this call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def N_(message: str) -> str:  # noqa: N802 - the name that gettext's tools look for
    """Mark a message for translation where it is written; it is translated where it is shown."""
    return message


def NN_(singular: str, plural: str) -> tuple[str, str]:  # noqa: N802
    """Mark a message that counts, in both forms; `ngettext` chooses one where it is shown."""
    return singular, plural


class Phrase(str):
    """An English text that knows its message and the values in it. A value may be a phrase, or a tuple of several."""

    __slots__ = ("message", "values")
    message: str
    values: Mapping[str, object]

    def __new__(cls, message: str, values: Mapping[str, object] | None = None) -> Phrase:
        self = super().__new__(cls, _filled(message, values or {}, str))
        self.message, self.values = message, values or {}
        return self

    def __reduce__(self) -> tuple[type[Phrase], tuple[str, Mapping[str, object]]]:
        return Phrase, (self.message, self.values)  # what str itself knows of copying would fill the message twice

    def translated(self, gettext: Callable[[str], str]) -> str:
        return _filled(gettext(self.message), self.values, gettext)

    def document(self) -> dict[str, Any]:
        """In plain values, for a column of JSON."""
        return {"message": self.message, "values": {name: _plain(value) for name, value in self.values.items()}}


def P_(message: str, /, **values: object) -> Phrase:  # noqa: N802 - as gettext's N_: no word that a variable could be
    """A phrase whose message is marked for translation where it is written."""
    return Phrase(message, values)


def read_phrase(document: Mapping[str, Any]) -> Phrase:
    """The phrase of `Phrase.document()`."""
    return Phrase(document["message"], {name: _read(value) for name, value in document["values"].items()})


def in_language(text: str, gettext: Callable[[str], str]) -> str:
    """A phrase translated; any other text as it is."""
    return text.translated(gettext) if isinstance(text, Phrase) else text


def _filled(message: str, values: Mapping[str, object], gettext: Callable[[str], str]) -> str:
    return message % {name: _said(value, gettext) for name, value in values.items()} if values else message


def _said(value: object, gettext: Callable[[str], str]) -> str:
    if isinstance(value, tuple):
        return ", ".join(_said(part, gettext) for part in value)
    return value.translated(gettext) if isinstance(value, Phrase) else str(value)


def _plain(value: object) -> object:
    if isinstance(value, Phrase):
        return value.document()
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _read(value: Any) -> object:
    if isinstance(value, dict):
        return read_phrase(value)
    return tuple(_read(part) for part in value) if isinstance(value, list) else value
