"""What other servers answer, and UIDs that cannot stand in an address, are no way to an error of ours."""

from __future__ import annotations

import pytest
import requests

from treegarth.features.deliveries.senders.stow_answers import read_stow_answer
from treegarth.features.deliveries.senders.web import json_of

DEEP = b"[" * 100_000


def answer_of(content: bytes) -> requests.Response:
    answer = requests.Response()
    answer.status_code = 200
    answer._content = content
    return answer


@pytest.mark.parametrize("content", [DEEP, b'{"a":' * 100_000, b"9" * 5_000, b"", b"nothing", b"\xff\xfe\x00"])
def test_an_answer_that_is_no_json_is_told_as_that(content: bytes) -> None:
    with pytest.raises(requests.RequestException):
        json_of(answer_of(content))


def test_an_answer_that_nests_without_end_to_a_store_is_none() -> None:
    assert read_stow_answer(DEEP, "application/dicom+json") is None
