"""The way from a form to the page that shows what it did, and what that page says of it, once.

What was done stands in a cookie and not in the address: a link could say there what never happened.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from flask import Response

from treegarth.phrases import Phrase, in_language, read_phrase
from treegarth.web.call import AnyCall
from treegarth.web.paths import BASE_PATH

COOKIE = "treegarth_told"
LASTS_S = 60
LONGEST = 500
"""Letters of a text; what somebody else said can be of any length, and a cookie holds 4 KB."""
LONGEST_COOKIE = 3500
"""Letters; what does not fit any more is said without its undo."""
Kind: TypeAlias = Literal["ok", "attention", "failed"]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A sentence that counts, as of `NN_`, and the number."""

    forms: tuple[str, str]
    count: int


Sentence: TypeAlias = str | Counted
"""A phrase or a counted sentence is said in the reader's language, any other text as it is."""


@dataclass(frozen=True, kw_only=True)
class Undo:
    """What takes back what was done: the name of a route that takes a form, and what is sent to it."""

    route: str
    path: Mapping[str, int | str] = field(default_factory=dict)
    fields: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """An undo as a page shows it: a form."""

    url: str
    fields: Mapping[str, int | str]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a page says once, in the reader's language, with an undo beside it where there is one."""

    kind: Kind
    said: Sequence[str]
    undo: Offered | None = None


def see_other(call: AnyCall, url: str, *said: Sentence, kind: Kind = "ok", undo: Undo | None = None) -> Response:
    """To the page at this address by GET, which says these sentences, and offers to take back what was done."""
    return _telling(call, Response(status=303, headers={"Location": url}), said, kind, undo)


def leave(call: AnyCall, url: str, *said: Sentence) -> Response:
    """The same from a form that htmx sent: it would put the page into this one if it were not told."""
    if not call.wants_fragment:
        return see_other(call, url, *said)
    return _telling(call, Response(status=204, headers={"HX-Redirect": url}), said, "ok")


def _telling(
    call: AnyCall, response: Response, said: Sequence[Sentence], kind: Kind, undo: Undo | None = None
) -> Response:
    if said:
        sentences = [_kept(one) for one in said]
        offer = [] if undo is None else [[undo.route, dict(undo.path), dict(undo.fields)]]
        whole = _encoded([kind, sentences, *offer])
        _set(call, response, whole if len(whole) <= LONGEST_COOKIE else _encoded([kind, sentences]), LASTS_S)
    return response


def _encoded(kept: Any) -> str:
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode(errors="replace")).decode()


def told(call: AnyCall) -> Told | None:
    """What the page has to say of what was done before it; a part of a page says nothing."""
    if call.wants_fragment or (kept := call.http.cookies.get(COOKIE)) is None:
        return None
    try:
        kind, sentences, *offer = json.loads(urlsafe_b64decode(kept))
        undo = _offered(call, *offer[0]) if offer else None
        return Told(kind=kind, said=[_said(call, one) for one in sentences], undo=undo)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):  # not of ours
        return None


def _offered(call: AnyCall, route: str, path: Mapping[str, int | str], fields: Mapping[str, int | str]) -> Offered:
    """Raises KeyError where there is no such form."""
    if call.site.routes[route].method != "POST":
        raise KeyError(route)
    return Offered(url=call.site.url(route, **path), fields={str(name): str(value) for name, value in fields.items()})


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
