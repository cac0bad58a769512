"""The languages of the dashboard: catalogs read at start, and which one a request wants.

A message is written in English in the code and the templates; `web/locales/<code>/LC_MESSAGES/treegarth.po` holds its
translations and is read as it is, so there is nothing to compile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Request

DOMAIN = "treegarth"
SOURCE_LANGUAGE = "en"
LANGUAGE_COOKIE = "treegarth_language"
THEME_COOKIE = "treegarth_theme"
THEMES = ("auto", "light", "dark")


@dataclass(frozen=True, kw_only=True)
class Language:
    """One language of the dashboard."""

    code: str
    name: str  # in itself: English, 한국어
    locale: Locale
    translations: NullTranslations
    messages: frozenset[str] = frozenset()
    """Every message that any catalog knows: what else is said is somebody's own text."""

    def gettext(self, message: str) -> str:
        return str(self.translations.ugettext(message)) if message else ""


def read_languages(folder: Path) -> dict[str, Language]:
    """English, and every language that has a catalog in the folder of locales."""
    languages = {SOURCE_LANGUAGE: _language(SOURCE_LANGUAGE, NullTranslations())}
    messages: frozenset[str] = frozenset()
    for path in sorted(folder.glob(f"*/LC_MESSAGES/{DOMAIN}.po")):
        code = path.parents[1].name
        translations, known = _translations(path, code, path.stat().st_mtime_ns)
        languages[code] = _language(code, translations)
        messages |= known
    return {code: replace(language, messages=messages) for code, language in languages.items()}


@lru_cache(maxsize=8)
def _translations(path: Path, code: str, _written_ns: int) -> tuple[Translations, frozenset[str]]:
    """With its messages. Read once for as long as the file is the same: a catalog takes a third of a second."""
    with path.open("rb") as file:
        catalog = read_po(file, locale=code, domain=DOMAIN, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    messages = frozenset(one.id if isinstance(one.id, str) else one.id[0] for one in catalog if one.id)
    return Translations(compiled, domain=DOMAIN), messages


def _language(code: str, translations: NullTranslations) -> Language:
    locale = Locale.parse(code)
    return Language(code=code, name=str(locale.get_language_name(code)), locale=locale, translations=translations)


def language_of(request: Request, languages: Mapping[str, Language]) -> str:
    """The code of the language a request wants: by `?lang=`, else by cookie, else by the browser."""
    for wanted in (request.args.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if wanted in languages:
            return str(wanted)
    return request.accept_languages.best_match(list(languages), default=SOURCE_LANGUAGE) or SOURCE_LANGUAGE


def theme_of(request: Request) -> str:
    """`auto`, `light` or `dark`: by `?theme=`, else by cookie."""
    for wanted in (request.args.get("theme"), request.cookies.get(THEME_COOKIE)):
        if wanted in THEMES:
            return str(wanted)
    return THEMES[0]
