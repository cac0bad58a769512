"""Objects out of the multipart answers of WADO-RS, byte by byte as they were sent."""

from __future__ import annotations

import pytest

from treegarth.features.deliveries.retrieval import parts

BODY = (
    b"--b1\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n\x00--b1\n one\r\n"
    b"--b1\r\nContent-Type: application/dicom\r\nContent-Length: 3\r\n\r\ntwo\r\n--b1--\r\n"
)


@pytest.mark.parametrize("boundary", ["b1", '"b1"', "b1; type=x"])
def test_each_part_is_given_as_it_is(boundary: str) -> None:
    assert list(parts(f"multipart/related; boundary={boundary}", BODY)) == [b"DICM\r\n\x00--b1\n one", b"two"]


def test_an_answer_that_is_no_multipart_gives_nothing() -> None:
    assert list(parts("application/json", b"{}")) == []
    assert list(parts("multipart/related; boundary=b1", b"nothing here")) == []
