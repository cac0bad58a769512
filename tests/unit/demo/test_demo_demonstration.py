"""The demonstration says 0 only when the server tells exactly what was sent, and a sentence for each difference."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pynetdicom import AE, AllStoragePresentationContexts, evt

from treegarth.demo.demonstration import SEED, DemonstrationUnfinished, check_what_was_read, demonstrate, readable_name
from treegarth.demo.examinations import Extent
from treegarth.demo.expected import ExpectedStudy
from treegarth.demo.hospital_day import hospital_day
from treegarth.demo.table import display_width, table
from treegarth.orthanc.client import OrthancAddress, OrthancClient

TINY = Extent(slices=0.1, detail=0.0625)
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
Answers = dict[str, Any]


@pytest.fixture(scope="module")
def sent() -> list[ExpectedStudy]:
    day = NOW.astimezone()
    return [built.expected for built in hospital_day(SEED, day.date(), zone=day.tzinfo or UTC, extent=TINY)]


@pytest.fixture(scope="module")
def dicom_port() -> Iterator[int]:
    """An archive that takes everything."""
    entity = AE("ARCHIVE")
    entity.supported_contexts = AllStoragePresentationContexts
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda _: 0x0000)])
    yield server.socket.getsockname()[1]
    server.shutdown()


def true_answers(sent: list[ExpectedStudy]) -> Answers:
    """What a server says that has understood everything, by path below the API."""
    count = sum(study.instance_count for study in sent)
    answers: Answers = {"/status": {"orthanc_instances": count, "indexed_instances": count, "pending": 0, "idle": True}}
    for study in sent:
        told = asdict(study)
        dose = told.pop("ct_dose")
        answers[f"/studies/{study.study_instance_uid}"] = {**told, "modalities": list(study.modalities)}
        if dose is not None:
            report = {
                "kind": "ct",
                "refused": None,
                "totals": {"dlp_total_mgy_cm": dose["dlp_total_mgy_cm"]},
                "irradiation_events": list(dose["events"]),
            }
            projection = {"kind": None, "refused": "not read", "totals": {}, "irradiation_events": []}
            answers[f"/dose/studies/{study.study_instance_uid}"] = {"reports": [report, projection]}
    return json.loads(json.dumps(answers))


@contextmanager
def api_that_says(answers: Answers) -> Iterator[str]:
    """A peer on a free port that speaks the API's answers; the URL below which it does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = answers.get(self.path.removeprefix("/treegarth/api/v1"))
            body = json.dumps(answer).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def checked(answers: Answers, sent: list[ExpectedStudy]) -> tuple[int, str]:
    """The exit code and the words about a server that answers so."""
    output = io.StringIO()
    with api_that_says(answers) as url:
        client = OrthancClient(OrthancAddress(url=url))
        try:
            return check_what_was_read(client, sent, output, patience_s=0.2), output.getvalue()
        finally:
            client.close()


def test_a_day_is_pushed_and_a_server_that_knows_everything_passes(sent: list[ExpectedStudy], dicom_port: int) -> None:
    output = io.StringIO()
    with api_that_says(true_answers(sent)) as url:
        code = demonstrate(url, dicom_port, "ARCHIVE", True, output, now=NOW, extent=TINY)
    said = output.getvalue()
    assert code == 0, said
    assert "The server knows every study, object and CT dose as it was sent." in said
    assert "KIM MINSU 김민수" in said
    dose = sent[0].ct_dose
    assert dose is not None
    assert f"{dose.dlp_total_mgy_cm:.2f}" in said
    assert "/treegarth/" in said


def test_each_difference_is_a_sentence(sent: list[ExpectedStudy]) -> None:
    answers = true_answers(sent)
    first, second, third = (study.study_instance_uid for study in sent[:3])
    answers[f"/studies/{first}"] |= {"patient_name": "KIM^MINSU", "instance_count": 1, "modalities": ["CT"]}
    report = answers[f"/dose/studies/{second}"]["reports"][0]
    report["totals"]["dlp_total_mgy_cm"] = 1.0
    report["irradiation_events"][0]["mean_ctdi_vol_mgy"] = None
    report["irradiation_events"].pop()
    del answers[f"/studies/{third}"]
    code, said = checked(answers, sent)
    assert code == 1
    for sentence in (
        f"Study {first}: patient_name is 'KIM^MINSU', sent was 'KIM^MINSU=金^民秀=김^민수'.",
        f"Study {first}: instance_count is 1, sent was ",
        f"Study {first}: modalities are ['CT'], sent were ['CT', 'SR'].",
        f"Study {second}: the DLP total is 1.0 mGy.cm, sent was ",
        f"Study {second}: 2 irradiation events were read, sent were 3.",
        f"Study {second}: mean_ctdi_vol_mgy of event ",
        f"Study {third} is not in the index.",
    ):
        assert sentence in said


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"idle": False, "pending": 3}, "3 pending"),
        ({"indexed_instances": 1}, "1 of "),
        ({"orthanc_instances": 1, "indexed_instances": 1}, "Orthanc has only 1 instances"),
    ],
)
def test_a_server_that_does_not_finish_is_told_with_what_was_seen_last(
    sent: list[ExpectedStudy], change: dict[str, Any], sentence: str
) -> None:
    answers = true_answers(sent)
    answers["/status"] |= change
    with pytest.raises(DemonstrationUnfinished, match=sentence):
        checked(answers, sent)


def test_a_dose_that_is_never_read_is_told(sent: list[ExpectedStudy]) -> None:
    answers = true_answers(sent)
    del answers[f"/dose/studies/{sent[0].study_instance_uid}"]
    with pytest.raises(DemonstrationUnfinished, match="the CT dose of 1 studies is not read"):
        checked(answers, sent)


def test_an_archive_that_does_not_listen_is_a_sentence_not_a_traceback() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        output = io.StringIO()
        code = demonstrate("http://127.0.0.1:1", port, "ARCHIVE", True, output, now=NOW, extent=TINY)
    assert code == 1
    assert "The demonstration failed: " in output.getvalue()


def test_columns_line_up_with_wide_letters() -> None:
    drawn = table(("Name", "DLP"), [("김민수", "12.00"), ("MÜLLER", "3.50")], ("left", "right")).splitlines()
    assert drawn == ["Name      DLP", "──────  ─────", "김민수  12.00", "MÜLLER   3.50"]
    assert display_width("e\u0301") == 1


def test_names_are_readable() -> None:
    assert readable_name("KIM^MINSU=金^民秀=김^민수") == "KIM MINSU 김민수"
    assert readable_name("O'BRIEN^SIOBHAN^MARY") == "O'BRIEN SIOBHAN MARY"
    assert readable_name("") == ""
