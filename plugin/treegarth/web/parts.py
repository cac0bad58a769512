"""What one feature lends to another's page: sections of HTML and findings about health. bootstrap hands them over.

A page knows only these types, so that features need not know each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from markupsafe import Markup
from sqlalchemy import Connection

from treegarth.index.studies import StudyKey
from treegarth.phrases import Phrase, in_language
from treegarth.web.call import AnyCall
from treegarth.web.signs import State as State
from treegarth.web.templates import page_values


@dataclass(frozen=True, kw_only=True)
class Check:
    """One finding about health."""

    kind: State
    name: Phrase
    words: str | tuple[str, str]  # a phrase, what something else said, or the two forms of `count`
    count: int | None = None
    url: str | None = None
    advice: str = ""  # what to do, where something is to be done: as the words

    @property
    def needs_attention(self) -> bool:
        return self.kind in ("attention", "failed")


HealthCheck: TypeAlias = Callable[[AnyCall], Sequence[Check]]
StudySection: TypeAlias = Callable[[AnyCall, StudyKey], Markup | None]
StudyNotes: TypeAlias = Callable[[AnyCall, Connection, Sequence[str]], Mapping[str, Markup]]
"""Of the studies with these identifiers of Orthanc, by identifier; nothing where there is nothing to say of one."""
StudyAddress: TypeAlias = Callable[[AnyCall, str, str | None], str | None]
"""Of what is kept of a study that is gone, by its UID and, where the address says it, Orthanc's identifier."""
PageSection: TypeAlias = Callable[[AnyCall], Markup]


def render_part(call: AnyCall, template: str, **values: Any) -> Markup:
    """A part of a page, given what a page is given (see `page_values`) and these values."""
    environment = call.site.environments[call.language]
    return Markup(environment.get_template(template).render({**page_values(call), **values}))


def translated(call: AnyCall, message: str, **values: object) -> str:
    """A message in the reader's language, with its %(names)s filled in."""
    text = call.site.languages[call.language].gettext(message)
    return text % values if values else text


def in_words(call: AnyCall, text: str) -> str:
    """What a lower floor said, in the reader's language where it can be said in it (see `treegarth.phrases`)."""
    return in_language(text, call.site.languages[call.language].gettext)


def reason_of(call: AnyCall, error: Exception) -> str:
    """What an error says, in the reader's language where it can be said in it."""
    said = error.args[0] if error.args and isinstance(error.args[0], str) else str(error)
    return in_words(call, said) if isinstance(said, Phrase) else translated(call, said)


def ngettext_for(call: AnyCall, singular: str, plural: str, count: int) -> str:
    """A message for so many, in the reader's language; %(num)s is the number with separators."""
    translations = call.site.languages[call.language].translations
    number = call.site.environments[call.language].filters["number"](count)
    return str(translations.ungettext(singular, plural, count)) % {"num": number}
