"""A phrase is its English text, and is said in another language with its values, also after it was kept as JSON."""

from __future__ import annotations

import copy
import json
import pickle

from treegarth.phrases import Phrase, in_language, read_phrase

KOREAN = {
    "delivers %(what)s to %(names)s": "%(what)s 전송 → %(names)s",
    "dose objects": "선량 객체",
    "tells %(ways)s": "알림: %(ways)s",
}
DELIVERS = Phrase("delivers %(what)s to %(names)s", {"what": Phrase("dose objects"), "names": "100 % NODE"})


def korean(message: str) -> str:
    return KOREAN.get(message, message)


def test_a_phrase_is_its_english_text() -> None:
    assert DELIVERS == "delivers dose objects to 100 % NODE"
    assert json.dumps([DELIVERS]) == '["delivers dose objects to 100 % NODE"]'


def test_a_phrase_is_said_in_another_language_with_the_phrases_in_it() -> None:
    assert in_language(DELIVERS, korean) == "선량 객체 전송 → 100 % NODE"
    several = Phrase("tells %(ways)s", {"ways": (Phrase("dose objects"), "b")})
    assert several == "tells dose objects, b"
    assert in_language(several, korean) == "알림: 선량 객체, b"
    assert in_language("a text with 100 %", korean) == "a text with 100 %"


def test_a_phrase_survives_json_and_copies() -> None:
    kept = read_phrase(json.loads(json.dumps(DELIVERS.document())))
    for one in (kept, copy.deepcopy(DELIVERS), pickle.loads(pickle.dumps(DELIVERS))):
        assert one == DELIVERS
        assert in_language(one, korean) == "선량 객체 전송 → 100 % NODE"
