"""The yearly report: its figures equal numpy's, its page and its PDF say the same in both languages."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, update

from tests.dose_alerts import DLP, MISSING, arrive, ct, level
from tests.dose_statistics import MadeExam, keep, name_of_exams, standard
from tests.unit.web.web_support import make_services
from tests.works import runner
from treegarth.assembly import house
from treegarth.bootstrap import make_application
from treegarth.database.engine import connect, transaction
from treegarth.errors import MachineNotReady
from treegarth.features.dose.alerts.tables import dose_alert
from treegarth.features.dose.analysis.levels.documents import EXAMPLE
from treegarth.features.dose.analysis.store.yearly import change_percent, yearly_report
from treegarth.features.dose.analysis.yearly import pdf
from treegarth.features.dose.analysis.yearly.model import MOST_NAMES, ModalityOfYear, YearlyReport
from treegarth.features.dose.analysis.yearly.works import REPORTING, carry
from treegarth.features.dose.registry.store.device_names import name_device
from treegarth.features.dose.registry.tables import dose_study
from treegarth.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
API = "/treegarth/api/v1"
PAGE = "/treegarth/dose/report"
ZONE = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
TODAY = date(2026, 11, 20)
LATER = datetime.now(UTC) + timedelta(days=36_500)
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
COUNT = "irradiation_event_count"
THIS, LAST = (np.random.default_rng(seed).lognormal(5.5, 0.6, count) for seed, count in ((1, 40), (2, 30)))
DAPS = np.random.default_rng(3).lognormal(-9, 1, 12)


def exam(quantity: str, value: float, **given: Any) -> MadeExam:
    return MadeExam(doses={quantity: value, COUNT: 1}, **given)


def year_of_exams() -> list[MadeExam]:
    """CT of two names and two devices in 2025 and 2024, fluoroscopy in 2025."""
    days = [date(2025, 1 + number % 12, 3) for number in range(len(THIS))]
    return [
        *(
            exam(
                "dlp_mgy_cm",
                value,
                name=("Chest", "흉부 CT")[number % 2],
                station=f"CT{1 + number % 2}",
                study_date=day,
            )
            for number, (value, day) in enumerate(zip(THIS.tolist(), days, strict=True))
        ),
        *(exam("dlp_mgy_cm", value, study_date=date(2024, 7, 1)) for value in LAST.tolist()),
        exam("dlp_mgy_cm", 9e9, doubted=("dlp_mgy_cm",), study_date=date(2025, 12, 31), station="CT1"),
        exam("dlp_mgy_cm", 800.0, phantom="head", study_date=date(2025, 1, 1), station="CT1"),
        exam("dlp_mgy_cm", 1.0, study_date=date(2026, 1, 1)),
        *(
            exam(
                "dose_area_product_gy_m2",
                value,
                name="Coronary",
                modality="XA",
                station="XA1",
                study_date=date(2025, 5, 5),
            )
            for value in DAPS.tolist()
        ),
    ]


def made(engine: Engine, *exams: MadeExam) -> None:
    with transaction(engine) as connection:
        keep(connection, exams)


def report_of(engine: Engine, year: int = 2025) -> YearlyReport:
    with connect(engine) as connection:
        return yearly_report(connection, year, TODAY)


def of(report: YearlyReport, modality: str) -> ModalityOfYear:
    return next(one for one in report.modalities if one.modality == modality)


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    services = make_services(ROOT / "web", engine=lambda: engine)
    made: FlaskClient = make_application(services).test_client()
    return made


# ---- figures ----


def test_medians_and_percentiles_equal_those_of_numpy_and_the_change_is_from_the_year_before(engine: Engine) -> None:
    made(engine, *year_of_exams())
    ct = of(report_of(engine), "CT")
    body = next(one for one in ct.quantities if one.phantom == "body")
    expected = np.percentile(THIS, [50, 25, 75, 95])
    assert [body.median, body.p25, body.p75, body.p95] == pytest.approx(expected.tolist(), rel=1e-12)
    assert (body.n, body.doubted_left_out, body.last_year_n) == (40, 1, 30)
    assert body.last_year_median == pytest.approx(np.median(LAST), rel=1e-12)
    assert body.change_percent == pytest.approx(100 * (np.median(THIS) / np.median(LAST) - 1), rel=1e-9)
    head = next(one for one in ct.quantities if one.phantom == "head")
    assert (head.n, head.median, head.change_percent) == (1, 800.0, None)


def test_exams_are_counted_by_month_modality_and_device(engine: Engine) -> None:
    made(engine, *year_of_exams())
    report = report_of(engine)
    assert (report.exam_count, report.last_year_exam_count, report.is_over) == (54, 30, True)
    assert report.months == [5, 4, 4, 4, 15, 3, 3, 3, 3, 3, 3, 4]
    assert [(one.modality, one.exam_count, sum(one.months)) for one in report.modalities] == [
        ("CT", 42, 42),
        ("XA", 12, 12),
    ]
    assert [(one.station_name, one.exam_count) for one in report.devices] == [("CT1", 22), ("CT2", 20), ("XA1", 12)]
    with transaction(engine) as connection:
        key, named = report.devices[1].device_key, {"display_name": "응급 CT", "location": None}
        name_device(connection, key, **named, since=0, by=None, now=NOW)
    assert [one.display_name for one in report_of(engine).devices] == [None, "응급 CT", None]
    (dap,) = report.devices[2].doses
    assert (dap.n, dap.median) == (12, pytest.approx(np.median(DAPS), rel=1e-12))


def test_names_have_n_median_and_interval_and_a_standard_name_has_all_its_names(engine: Engine) -> None:
    made(engine, *year_of_exams())
    raw = [(one.name, one.n) for one in of(report_of(engine), "CT").names]
    assert raw == [("Chest", 20), ("흉부 CT", 20), ("Chest", 1)]
    with transaction(engine) as connection:
        chest = standard(connection, "CT chest")
        for name in ("Chest", "흉부 CT"):
            found = name_of_exams(connection, name)
            table = dose_study.metadata.tables["exam_name"]
            connection.execute(update(table).where(table.c.id == found).values(standard_name_id=chest))
    body, head = of(report_of(engine), "CT").names
    values = sorted(THIS.tolist())
    assert (body.name, body.is_standard, body.n, body.doubted_left_out) == ("CT chest", True, 40, 1)
    assert (body.median_low, body.median_high) == (values[13], values[26])
    assert (head.phantom, head.median_low) == ("head", None)


def test_what_is_no_patients_void_or_elsewhere_is_left_out_and_counted(engine: Engine) -> None:
    exams = [exam("dlp_mgy_cm", 100.0, study_date=date(2025, 3, 1)) for _ in range(6)]
    made(engine, *exams)
    said: list[dict[str, Any]] = [
        {"not_patient": "phantom"}, {"not_patient": "qa"}, {"is_void": True}, {"replaced_by": "another"},
        {"doubts": ["dlp_mgy_cm:implausible"]},
    ]  # fmt: skip
    with transaction(engine) as connection:
        for one, values in zip(exams, said, strict=False):
            key = dose_study.c.orthanc_study_id == one.orthanc_study_id
            connection.execute(update(dose_study).where(key).values(institution_name="서울병원", **values))
    report = report_of(engine)
    left = report.left_out
    assert (left.phantom_count, left.qa_count, left.service_count, left.void_count, left.elsewhere_count) == (
        1,
        1,
        0,
        1,
        1,
    )
    assert (report.exam_count, report.doubted_count, report.institutions) == (2, 1, ["서울병원"])


def test_a_year_without_exams_says_nothing_and_one_that_is_not_over_says_so(engine: Engine) -> None:
    report = report_of(engine, 2026)
    assert (report.exam_count, report.months, report.modalities, report.devices) == (0, [0] * 12, [], [])
    assert not report.is_over


def test_of_very_many_names_those_with_the_most_exams_are_shown(engine: Engine) -> None:
    many = [exam("dlp_mgy_cm", 1.0, name=f"name {n}", study_date=date(2025, 2, 2)) for n in range(MOST_NAMES + 3)]
    made(engine, *many, exam("dlp_mgy_cm", 2.0, name="often", study_date=date(2025, 2, 2)), many_again())
    ct = of(report_of(engine), "CT")
    assert (ct.names[0].name, len(ct.names), ct.more_names) == ("often", MOST_NAMES, 4)


def many_again() -> MadeExam:
    return exam("dlp_mgy_cm", 3.0, name="often", study_date=date(2025, 2, 3))


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [(100, 110, 10), (100, 50, -50), (0, 5, None), (None, 5, None), (5, None, None), (1e-300, 1e300, None)],
)
def test_a_change_is_told_where_it_is_one(before: float | None, now: float | None, change: float | None) -> None:
    assert change_percent(before, now) == (None if change is None else pytest.approx(change))


# ---- reference levels and alerts ----


CHEST_LEVEL = {"modality": "CT", "quantity": "dlp_mgy_cm", "phantom": "body", "standard_name": "CT chest"}


def chests_with_levels(engine: Engine, client: FlaskClient) -> None:
    """20 exams of 100 at one device, 60 of 400 at the other, and levels of 150, 500, and of what is not here."""
    with transaction(engine) as connection:
        name_of_exams(connection, "Chest", standard_name_id=standard(connection, "CT chest"))
        standard(connection, "CT head")
    made(
        engine,
        *(exam("dlp_mgy_cm", 100.0, station="CT1", study_date=date(2025, 3, 3)) for _ in range(20)),
        *(exam("dlp_mgy_cm", 400.0, station="CT2", study_date=date(2025, 3, 3)) for _ in range(60)),
    )
    rows = [
        {**CHEST_LEVEL, "level": 150},
        {**CHEST_LEVEL, "level": 500, "weight_from_kg": 50},
        {**CHEST_LEVEL, "level": 100, "age_to_years": 5},
        {**CHEST_LEVEL, "level": 100, "standard_name": "CT head"},
        {**CHEST_LEVEL, "level": 100, "standard_name": "Elsewhere"},
    ]
    document = {**EXAMPLE, "valid_from": "2024-01-01", "rows": rows}
    document.pop("valid_to", None)
    assert client.post(f"{API}/dose/levels", json={"document": document}).status_code == 201
    later = {**document, "name": "Later", "place": "Elsewhere", "valid_from": "2026-01-01"}
    assert client.post(f"{API}/dose/levels", json={"document": later}).status_code == 201


def test_the_years_medians_stand_beside_the_levels_of_its_last_day(engine: Engine, client: FlaskClient) -> None:
    chests_with_levels(engine, client)
    levels = report_of(engine).levels
    assert (levels.held_on, levels.level_count) == (date(2025, 12, 31), 5)
    counts = (levels.above_count, levels.straddles_count, levels.below_count, levels.too_few_count)
    assert counts == (1, 0, 1, 0)
    assert (levels.no_exams_count, levels.no_standard_name_count, levels.more) == (2, 1, 0)
    found = [(one.is_whole_site, one.device, one.level, one.n, one.median, one.verdict) for one in levels.items]
    assert found == [
        (True, None, 150, 80, 400, "above"),
        (False, "Maker CT2", 150, 60, 400, "above"),
        (True, None, 500, 80, 400, "below"),
    ]
    assert report_of(engine, 2026).levels.held_on == TODAY
    assert report_of(engine, 2020).levels.level_count == 0


def alerts_of_a_year(engine: Engine) -> None:
    """Of one level two of 2025, of which one was acknowledged and one is no longer so, and one of 2026; none of the
    other."""
    first = level(engine, DLP, name="High DLP", exams_from="2025-01-01")
    level(engine, MISSING, name="Nothing came")
    exams = [ct(2000.0, date(2025, 5, 1)), ct(3000.0, date(2025, 12, 31)), ct(4000.0, date(2026, 1, 1))]
    arrive(engine, *exams, ct(10.0, date(2025, 5, 1)))
    with transaction(engine) as connection:
        ours = dose_alert.c.level_id == first
        acknowledged = ours & (dose_alert.c.value == 2000)
        connection.execute(update(dose_alert).where(acknowledged).values(state="acknowledged"))
        connection.execute(update(dose_alert).where(ours & (dose_alert.c.value == 3000)).values(holds=False))


def test_alerts_are_counted_by_level_and_by_how_they_stand(engine: Engine) -> None:
    alerts_of_a_year(engine)
    (one,) = report_of(engine).alerts
    assert (one.level_name, one.kind, one.alert_count) == ("High DLP", "exam", 2)
    assert (one.open_count, one.acknowledged_count, one.ended_count) == (0, 1, 1)
    (one,) = report_of(engine, 2026).alerts
    assert (one.alert_count, one.open_count) == (1, 1)
    assert report_of(engine, 2024).alerts == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Comparison with reference levels", "above the level: 1", "High DLP", "Maker CT2"]),
        ("ko", ["진단참고수준과 비교", "5개입니다", "High DLP", "선량 경보"]),
    ],
)
def test_page_and_pdf_have_levels_and_alerts(
    engine: Engine, client: FlaskClient, tmp_path: Path, language: str, words: list[str]
) -> None:
    chests_with_levels(engine, client)
    alerts_of_a_year(engine)
    page = " ".join(told(client.get(f"{PAGE}?year=2025&lang={language}").text))
    in_pdf = re.sub(r"\s+", "", words_of_pdf(made_pdf(engine, client, language, tmp_path)))
    for one in words:
        assert one in page
        assert re.sub(r"\s+", "", one) in in_pdf
    empty = client.get(f"{PAGE}?year=1990&lang=en").text
    assert "No reference level holds on 1990-12-31." in empty
    assert "No exam of this year made an alert." in empty


# ---- page, PDF and JSON ----


def made_pdf(engine: Engine, client: FlaskClient, language: str, tmp_path: Path, year: int = 2025) -> Path:
    answer = client.post(f"{API}/dose/report", json={"year": year, "language": language})
    assert answer.status_code == 202, answer.text
    work = answer.get_json()["id"]
    carried = {REPORTING.name: carry(engine, ZONE, lambda: NOW, ROOT / "web")}
    runner(engine, lambda: LATER, [REPORTING], carried).work()
    done = client.get(f"{API}/work/{work}").get_json()
    assert (done["state"], done["result_name"], done["last_error"]) == (
        "done",
        f"dose-report-{year}-{language}.pdf",
        None,
    )
    file = tmp_path / done["result_name"]
    file.write_bytes(client.get(f"/treegarth/work/{work}/file").data)
    return file


def words_of_pdf(file: Path, *how: str) -> str:
    asked = ["pdftotext", *how, file, "-"]
    return subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60).stdout


def told(markup: str) -> list[str]:
    """Words and numbers, without what is only a mark."""
    body = markup.partition('class="yearly">')[2]
    body = body[: body.index("</main>") if "</main>" in body else None]
    text = re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", " ", body, flags=re.DOTALL))
    return unescape(text).replace("\u200a", "").split()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every address outside this machine that something reaches for."""
    reached: list[Any] = []
    connect_to = socket.socket.connect

    def watched(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(("127.", "::1")):
            reached.append(address)
            raise OSError("no network")
        connect_to(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    yield reached
    assert reached == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Yearly dose report 2025", "What it is made of", "Devices"]),
        ("ko", ["2025년 연간 선량 보고서", "흉부 CT", "중앙값"]),
    ],
)
def test_the_pdf_says_what_the_page_says_with_every_font_in_it_and_no_network(
    engine: Engine, client: FlaskClient, tmp_path: Path, language: str, words: list[str], no_network: list[Any]
) -> None:
    assert shutil.which("pdftotext")
    made(engine, *year_of_exams())
    file = made_pdf(engine, client, language, tmp_path)
    text = words_of_pdf(file)
    for one in words:
        assert one in text
    page = client.get(f"{PAGE}?year=2025&lang={language}").text
    in_pdf = re.sub(r"[\s\u200a]", "", text + words_of_pdf(file, "-layout"))
    assert [one for one in told(page) if re.sub(r"[\s\u200a]", "", one) not in in_pdf] == []
    fonts = subprocess.run(
        ["pdffonts", file], capture_output=True, text=True, check=True, timeout=60
    ).stdout.splitlines()
    embedded = [line.split()[-5] for line in fonts[2:]]
    assert embedded
    assert set(embedded) == {"yes"}
    assert file.name in page  # the page offers it


def test_the_pdf_has_numbered_pages_of_a4_and_the_head_of_a_table_on_each(
    engine: Engine, client: FlaskClient, tmp_path: Path
) -> None:
    made(engine, *(exam("dlp_mgy_cm", 1.0 + n, name=f"Protocol {n}", study_date=date(2025, 2, 2)) for n in range(90)))
    file = made_pdf(engine, client, "en", tmp_path)
    told = subprocess.run(["pdfinfo", file], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "(A4)" in told
    found = re.search(r"Pages: +(\d+)", told)
    assert found
    pages = words_of_pdf(file).split("\f")[: int(found[1])]
    assert len(pages) > 2
    numbered = [f"{number}/{len(pages)}" in page.replace(" ", "") for number, page in enumerate(pages, start=1)]
    assert all(numbered)
    of_table = [page for page in pages if "Protocol 4" in page or "Protocol 8" in page]
    assert all("interval" in page for page in of_table)


def test_an_empty_year_has_its_page_and_its_pdf(engine: Engine, client: FlaskClient, tmp_path: Path) -> None:
    assert "No exam of this year has a dose." in client.get(f"{PAGE}?year=1990&lang=en").text
    assert "No exam of this year has a dose." in words_of_pdf(made_pdf(engine, client, "en", tmp_path, 1990))


def test_the_json_has_the_figures_of_the_page(engine: Engine, client: FlaskClient) -> None:
    made(engine, *year_of_exams())
    found = client.get(f"{API}/dose/report?year=2025").get_json()
    assert found == report_of(engine).model_dump(mode="json")
    for wrong in ("", "?year=12", "?year=x"):
        assert client.get(f"{API}/dose/report{wrong}").status_code == 400
    assert client.post(f"{API}/dose/report", json={"year": 2025, "language": "xx"}).status_code == 400


def test_the_button_starts_one_work_and_leads_back_to_the_page_that_shows_it(
    engine: Engine, client: FlaskClient
) -> None:
    form = {"year": "2025", "language": "ko"}
    for _ in range(2):
        answer = client.post(PAGE, data=form, headers=FROM_HERE)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{PAGE}?year=2025")
    assert [one["detail"] for one in client.get(f"{API}/work").get_json()["items"]] == ["2025, ko"]
    assert "data-work" in client.get(f"{PAGE}?year=2025&lang=ko").text
    assert "data-work" not in client.get(f"{PAGE}?year=2024&lang=ko").text


def test_what_a_page_refers_to_is_loaded_from_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    addresses = ("http://10.255.255.1/a.png", "file:///etc/hostname")
    html = "".join(f'<img src="{one}">' for one in addresses)
    assert pdf.make_pdf(html, ROOT / "web" / "static" / "report_pdf.css").startswith(b"%PDF")
    refused = [one.getMessage() for one in caplog.records if "A report loads nothing." in one.getMessage()]
    assert [one in told for one, told in zip(addresses, refused, strict=True)] == [True, True]


def test_without_the_libraries_the_work_says_which_packages_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, *given: Any, **more: Any) -> Any:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return imported(name, *given, **more)

    imported = __import__
    monkeypatch.setattr("builtins.__import__", absent)
    with pytest.raises(MachineNotReady, match="libpango"):
        pdf.make_pdf("", ROOT / "web" / "static" / "report_pdf.css")


def test_a_worker_carries_it_on() -> None:
    assert REPORTING in house(Settings()).works().every
