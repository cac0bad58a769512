"""A person builds a rule in the form, tries it, switches it on; a study arrives and is delivered, one node is dead."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Visit, windows
from tests.places import places
from tests.servers import OrthancServer, store
from tests.studies import small_studies

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def rules_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """A server on which studies are complete after a second, with a study, a destination, a rule and a delivery."""
    folder = tmp_path_factory.mktemp("rules")
    server = OrthancServer(
        folder / "server", treegarth={"StableSeconds": 1, "DestinationPlaces": places(folder.parent)}
    ).start()
    store(server, *small_studies(folder / "before", studies=1, series=2, instances=2, seed=1))
    server.wait_until_idle()
    folder_of_it = {"name": "Kept folder", "kind": "folder", "address": {"path": str(folder / "kept")}}
    rule = {"name": "label all", "on": True, "when": "by hand", "do": [{"label": "seen"}]}
    study = server.get("studies")["items"][0]["study_instance_uid"]
    nobody = {"name": "nobody", "meaning": "phantom", "patient_id": "NOBODY*"}
    limit = {"name": "limit", "quantity": "dlp_mgy_cm", "greatest": 90_000}
    half_life = {"name": "half-life", "table": "half_life", "of": "F-18", "value": 6586.2, "source": "ICRP 107"}
    publication = {"authors": "Nobody", "title": "Made up", "year": 2024, "table": "Table 1"}
    level = {"modality": "CT", "quantity": "dlp_mgy_cm", "phantom": "body", "standard_name": "Chest", "level": 111}
    levels = {"name": "made up", "place": "Nowhere", "publication": publication, "rows": [level]}
    chart = {"name": "by device", "chart": "boxes", "quantity": "dlp_body_mgy_cm", "modality": "CT", "by": "device"}
    korean = {"name": "korean", "manufacturer": "*", "station_name": "CT?", "really": "ISO 2022 IR 149"}
    wish = {"destination": "Kept folder", "study_instance_uid": study}
    made = (
        ("destinations", {"document": folder_of_it}),
        ("rules", {"document": rule}),
        ("dose/not-patients", {"document": nobody}),
        ("dose/limits", {"document": limit}),
        ("dose/coefficients", {"document": half_life}),
        ("dose/levels", {"document": levels}),
        ("dose/charts", {"document": chart}),
        ("character-sets", {"document": korean}),
    )
    for path, body in (*made, ("deliveries", wish)):
        requests.post(f"{server.api}/{path}", json=body, timeout=120).raise_for_status()
    yield server
    assert server.stop() == 0
    assert server.error_lines() == []


@pytest.fixture
def open_window(browser: Browser, rules_server: OrthancServer) -> Iterator[Callable[..., Visit]]:
    """Windows on that server, with or without JavaScript."""
    with windows(browser, rules_server) as make:
        yield make


def add_destination(visit: Visit, name: str, kind: str, **address: str) -> None:
    page = visit.go("deliveries/destinations/new")
    page.locator("#name").fill(name)
    if kind != "dicom":
        page.locator(f"input[value={kind}]").check()
        page.wait_for_selector("[name='address.path']")
    for key, value in address.items():
        page.locator(f"[name='address.{key}']").fill(value)
    page.locator("#save").click()
    page.wait_for_url(re.compile(r"/destinations/\d+$"))
    expect(page.locator("h1")).to_have_text(name)


def wait_for(page: Page, text: str) -> None:
    """Look again until the page says it; pages that ask by themselves would do it too, but more slowly."""
    deadline = monotonic() + PATIENCE_MS / 1000
    while text not in page.locator("main").inner_text():
        assert monotonic() < deadline, f"{text!r} is not on the page:\n{page.locator('main').inner_text()[:2000]}"
        page.wait_for_timeout(200)
        page.reload(wait_until="domcontentloaded")


def test_a_rule_is_built_tried_switched_on_and_delivers(
    open_window: Callable[..., Visit], rules_server: OrthancServer, tmp_path: Path
) -> None:
    visit, folder = open_window(), tmp_path / "arrived"
    node = OrthancServer(tmp_path / "node", treegarth=None, settings={"DicomAlwaysAllowFind": True})
    add_destination(visit, "Research folder", "folder", path=str(folder))
    add_destination(visit, "Dead node", "dicom", ae_title="NODE", host="127.0.0.1", port=str(node.dicom_port))

    page = visit.go("rules/new")
    page.locator("#save").click()  # nothing is filled in yet: each field says what is wrong
    expect(page.locator("#wrong-name")).to_be_visible()
    page.locator("#name").fill("CT to research")
    page.locator("#why").fill("the research group asked for every CT")
    field = page.locator("[id='c.0.field']")
    field.click()
    field.press_sequentially("modalities")
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("ModalitiesInStudy")
    page.locator("[id='c.0.operator']").select_option("in")
    add = page.get_by_label("Add a value")
    for modality in ("CT", "MR"):
        add.fill(modality)
        add.press("Enter")
        expect(page.locator(".chip").filter(has_text=modality)).to_be_visible()
    page.get_by_role("button", name="Remove MR").click()
    expect(page.locator(".chip")).to_have_count(1)
    page.locator("#add-deliver").click()
    page.get_by_label("Research folder").check()
    page.get_by_label("Dead node").check()
    page.locator("#try").click()
    expect(page.locator(".tried-figures")).to_contain_text("1 study")
    page.locator("#show-text").click()
    expect(page.locator("#text")).to_have_value(re.compile(r"ModalitiesInStudy in \[CT\]"))
    page.locator("#show-form").click()
    page.locator("#save").click()
    page.wait_for_url(re.compile(r"/rules/\d+$"))
    page.locator("#switch").click()
    expect(page.locator(".title .state")).to_have_text("on")
    assert visit.violations() == []
    assert visit.complaints == []

    store(rules_server, *small_studies(tmp_path / "new", studies=1, series=1, instances=3, seed=2))
    page = visit.go("deliveries")
    wait_for(page, "3 arrived")
    assert len(list(folder.rglob("*.dcm"))) == 3
    assert visit.violations() == []

    page = visit.go("deliveries/destinations")
    wait_for(page, "down")
    page.get_by_role("link", name="Dead node").click()
    page.locator("#echo").click()
    expect(page.locator(".note.failed").first).to_contain_text("It does not answer.")
    page.locator("#pause").click()
    expect(page.locator(".title .state")).to_have_text("paused")
    page.locator("#pause").click()
    assert visit.violations() == []

    page = visit.go("deliveries")
    page.locator("tr[data-row]").filter(has_text="Dead node").locator("a[data-open]").click()
    expect(page.locator(".facts")).to_contain_text("down")
    with node.start():
        page.get_by_role("button", name="Send again what is not there").click()
        expect(page.locator("h1")).to_have_text("Delivery to Dead node")
        expect(page.locator(".facts")).to_contain_text("3 arrived", timeout=PATIENCE_MS)
        assert len(node.orthanc("instances")) == 3
    assert visit.violations() == []
    assert visit.complaints == []


def test_the_archive_is_tried_explained_and_applied(open_window: Callable[..., Visit]) -> None:
    visit = open_window()
    page = visit.go("rules/1/try")
    expect(page.locator(".figures")).to_contain_text("stud")
    page.locator("tr[data-row] a[data-open]").first.click()
    expect(page.locator("h1")).to_have_text("The rule means this study")
    expect(page.locator(".clause").first).to_contain_text("holds")
    assert visit.violations() == []
    page = visit.go("rules/1/try")
    page.locator("#apply-now").click()
    wait_for(page, "Ended")
    assert visit.violations() == []


def test_rules_are_imported_from_a_file(open_window: Callable[..., Visit], tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text("- name: from a file\n  why: 연구\n  when: by hand\n  if: Modality = CT\n  do: [{label: seen}]\n")
    visit = open_window()
    page = visit.go("rules/import")
    page.get_by_label("or a file").set_input_files(file)
    expect(page.get_by_label("YAML")).to_have_value(re.compile("from a file"))
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("row", name="from a file")).to_contain_text("New")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("link", name="from a file")).to_be_visible()
    assert visit.violations() == []
    assert visit.complaints == []


def test_the_form_works_without_javascript(open_window: Callable[..., Visit]) -> None:
    visit = open_window(javascript=False)
    page = visit.go("rules/new")
    page.locator("#name").fill("label old studies")
    page.locator("[id='c.0.field']").fill("StudyDate")
    page.locator("#add-label").click()
    page.locator("[id='c.0.operator']").select_option("older than")
    page.locator("[id='add-row-c']").click()
    page.locator("[id='c.0.value']").fill("2")
    page.locator("[id='c.0.unit']").select_option("years")
    page.locator("[id='a.0.add']").fill("old, far away")
    page.locator("#show-text").click()
    text = page.locator("#text").input_value()
    assert "StudyDate older than 2 years" in text
    page.locator("#text").fill(text.replace("older than", "oldr than"))
    page.locator("#save").click()
    assert "oldr" in page.locator("#problems").inner_text()
    page.locator("#text").fill(text)
    page.locator("#save").click()
    page.wait_for_url(re.compile(r"/rules/\d+$"))
    assert "far away" in page.locator("pre.code").inner_text()


PAGES = (
    *("rules", "rules/1", "rules/1/edit", "rules/1/try", "rules/import", "rules/waiting", "notifications"),
    "notifications/messages",
    *("rules/outcomes", "rules/1/explain/{study}", "rules/1/why?study=CT"),
    *("dose/not-patients/1", "dose/not-patients/1/edit", "dose/not-patients/new", "dose/not-patients/import"),
    *("dose/limits/1", "dose/limits/1/edit", "dose/limits/new", "dose/limits/import"),
    *("dose/coefficients/1", "dose/coefficients/1/edit", "dose/coefficients/new", "dose/coefficients/import"),
    *("dose/levels", "dose/levels/1", "dose/levels/1/edit", "dose/levels/1/rows", "dose/levels/new"),
    *("dose/levels/import", "dose/comparison"),
    *("dose/analysis/side-by-side", "dose/analysis/physicians"),
    *("dose/charts", "dose/charts/1", "dose/charts/1/edit", "dose/charts/new", "dose/charts/import"),
    *("character-sets", "character-sets/1", "character-sets/1/edit", "character-sets/new", "character-sets/import"),
    *("deliveries", "deliveries/objects?delivery=1", "deliveries/destinations", "deliveries/destinations/1"),
    *("deliveries/destinations/1/edit", "deliveries/destinations/new", "deliveries/destinations/import", "rules/new"),
)


@pytest.mark.parametrize(("language", "theme"), [pytest.param("en", "dark", marks=pytest.mark.soak), ("ko", "light")])
def test_every_page_is_accessible_and_fits(
    open_window: Callable[..., Visit], rules_server: OrthancServer, language: str, theme: str
) -> None:
    visit = open_window(language=language, theme=theme)
    page, study = visit.page, rules_server.get("studies")["items"][0]["study_instance_uid"]
    for path in PAGES:
        page.goto(
            f"{visit.origin}/treegarth/{path.format(study=study)}", wait_until="load"
        )  # not until it is idle: half a second a page
        assert visit.violations() == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, path
    assert visit.complaints == []
