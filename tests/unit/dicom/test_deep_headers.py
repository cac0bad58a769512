"""Sequences within sequences without end: read, or refused as an object, whatever a value in them holds."""

from __future__ import annotations

import json

import pytest

from tests.deep_reports import deep_header
from treegarth.dicom.header_json import header_json
from treegarth.dicom.headers import read_header
from treegarth.errors import UnreadableObject

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.parametrize("text", [b"", b"ab", b"a\0b "], ids=["empty", "text", "NUL"])
@pytest.mark.parametrize("levels", [1, 20, 21, 100, *range(140, 210, 10), 250, 2000, 50_000])
def test_a_deep_header_is_read_or_refused(levels: int, text: bytes) -> None:
    data = deep_header(1, levels, text)
    for read in (read_header, header_json):
        try:
            found = read(data)
        except UnreadableObject:
            assert levels > 100
        else:
            assert found
    if levels <= 100:
        assert "\\u0000" not in json.dumps(header_json(data))
