"""What the pages of retention call things, and the sentences of reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from flask import Response

from treegarth.features.retention.model import WORDS
from treegarth.index.studies import StudyKey, told_apart
from treegarth.phrases import N_, Phrase
from treegarth.web.call import AnyCall
from treegarth.web.parts import State, in_words, translated
from treegarth.web.told import see_other

POLICY_CHANGES: Mapping[str, str] = {
    "created": N_("created"),
    "edited": N_("edited"),
    "switched on": N_("switched on"),
    "switched off": N_("switched off"),
    "removed": N_("removed"),
}
HOLD_KINDS: Mapping[str, str] = {
    "legal": N_("legal"),
    "teaching": N_("teaching"),
    "project": N_("project"),
}
LEDGER_STATES: Mapping[str, tuple[State, str]] = {
    "intended": ("waiting", N_("about to be deleted")),
    "deleted": ("removed", N_("deleted")),
    "kept": ("ok", N_("kept after all")),
    "returned": ("returned", N_("here again")),
}
PROOFS: Mapping[str, str] = {
    "commitment": N_("storage commitment"),
    "find": N_("found by C-FIND"),
    "qido": N_("found by QIDO"),
    "stored": N_("read back"),
    "status": N_("answer of the send"),
}
AGES: Mapping[str, str] = {
    "received": N_("since received"),
    "study date": N_("since study date"),
    "last use": N_("since last use"),
}
KEPT_BECAUSE = (
    N_("its study was put on hold (%(about)s)"),
    N_("it was rescued"),
    N_("the policy was %(about)s"),
    N_("something came to forbid it just before"),
    N_("it was interrupted before it was deleted"),
)


def words_of(call: AnyCall, names: Mapping[str, str]) -> dict[str, str]:
    """The names in the reader's language."""
    return {key: translated(call, name) for key, name in names.items()}


def reason(call: AnyCall, words: str, about: str) -> str:
    """One sentence about an object, in the reader's language."""
    return in_words(call, sentence(words, about))


def sentence(words: str, about: str) -> Phrase:
    """One about an object. What it is about may be a kind of hold, an age or a change of a policy."""
    known = {**HOLD_KINDS, **AGES, **POLICY_CHANGES}
    return Phrase(words, {"about": Phrase(known[about]) if about in known else about})


def sentences(text: str) -> list[str]:
    """What was noted in English, each sentence a phrase; strange ones as they are."""
    return [_read(part) for part in text.split("; ")]


def _read(text: str) -> str:
    for words, pattern in _patterns():
        if match := pattern.fullmatch(text):
            return sentence(words, match.groupdict().get("about", ""))
    return text


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    marked = ((words, re.escape(words).replace(re.escape("%(about)s"), "(?P<about>.+)")) for words in _sentences())
    return [(words, re.compile(pattern)) for words, pattern in marked]


def _sentences() -> tuple[str, ...]:
    return (*WORDS.values(), *KEPT_BECAUSE)


def back_to_study(call: AnyCall, study: StudyKey) -> Response:
    """To the section of the study's page, on which the form stood."""
    with call.connect() as connection:
        which = told_apart(connection, [study])(study)
    url = call.site.url("archive.study_page", study_instance_uid=study.study_instance_uid, orthanc_study_id=which)
    return see_other(call, f"{url}#retention")
