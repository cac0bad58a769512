"""The way from a form to the page that shows what it did, and what that page says of it, once.

What was done stands in a cookie and not in the address: a link could say there what never happened.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from flask import Response

from treegarth.phrases import Phrase, in_language, read_phrase
from treegarth.web.call import AnyCall
from treegarth.web.paths import BASE_PATH

COOKIE = "treegarth_told"
LASTS_S = 60
LONGEST = 500
"""Letters of a text; what somebody else said can be of any length, and a cookie holds 4 KB."""
Kind: TypeAlias = Literal["ok", "attention", "failed"]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A sentence that counts, as of `NN_`, and the number."""

    forms: tuple[str, str]
    count: int


Sentence: TypeAlias = str | Counted
"""A phrase or a counted sentence is said in the reader's language, any other text as it is."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a page says once, in the reader's language."""

    kind: Kind
    said: Sequence[str]


def see_other(call: AnyCall, url: str, *said: Sentence, kind: Kind = "ok") -> Response:
    """To the page at this address by GET, which says these sentences."""
    return _telling(call, Response(status=303, headers={"Location": url}), said, kind)


def leave(call: AnyCall, url: str, *said: Sentence) -> Response:
    """The same from a form that htmx sent: it would put the page into this one if it were not told."""
    if not call.wants_fragment:
        return see_other(call, url, *said)
    return _telling(call, Response(status=204, headers={"HX-Redirect": url}), said, "ok")


def _telling(call: AnyCall, response: Response, said: Sequence[Sentence], kind: Kind) -> Response:
    if said:
        kept = json.dumps([kind, [_kept(one) for one in said]], ensure_ascii=False, separators=(",", ":"))
        _set(call, response, urlsafe_b64encode(kept.encode(errors="replace")).decode(), LASTS_S)
    return response


def told(call: AnyCall) -> Told | None:
    """What the page has to say of what was done before it; a part of a page says nothing."""
    if call.wants_fragment or (kept := call.http.cookies.get(COOKIE)) is None:
        return None
    try:
        kind, sentences = json.loads(urlsafe_b64decode(kept))
        return Told(kind=kind, said=[_said(call, one) for one in sentences])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # not of ours
        return None


def forget(call: AnyCall, response: Response) -> None:
    """It was said."""
    _set(call, response, "", 0)


def _set(call: AnyCall, response: Response, value: str, lasts_s: int) -> None:
    reach = call.services.reach
    path, is_secure = reach.path(f"{BASE_PATH}/"), reach.is_secure
    response.set_cookie(COOKIE, value, max_age=lasts_s, path=path, secure=is_secure, httponly=True, samesite="Strict")


def _kept(sentence: Sentence) -> Any:
    if isinstance(sentence, Counted):
        return {"forms": sentence.forms, "count": sentence.count}
    return sentence.document() if isinstance(sentence, Phrase) else sentence[:LONGEST]


def _said(call: AnyCall, kept: Any) -> str:
    language = call.site.languages[call.language]
    if isinstance(kept, str):
        return kept
    if "forms" in kept:
        singular, plural = kept["forms"]
        words = language.translations.ungettext(singular, plural, int(kept["count"]))
        return str(words) % {"num": call.site.environments[call.language].filters["number"](int(kept["count"]))}
    return in_language(read_phrase(kept), language.gettext)
