"""A person marks what is no patient: tries a rule out, adds it, sees what it marks, and takes it back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visit
from tests.servers import OrthancServer


@pytest.mark.parametrize("javascript", [True, False])
def test_a_rule_is_tried_out_added_and_removed(
    new_visit: Callable[..., Visit], treegarth_server: OrthancServer, javascript: bool
) -> None:
    patient = treegarth_server.get("dose/studies")["items"][0]["patient_id"]
    marked = len(treegarth_server.get("dose/studies", patient_id=patient)["items"])
    visit = new_visit(javascript=javascript)
    page = visit.go("dose/not-patients")
    page.get_by_label("These studies are").select_option("qa")
    page.get_by_label("Patient ID").fill(patient)
    page.get_by_label("Note").fill("daily")
    page.get_by_role("button", name="Show what it would mark").click()
    page.wait_for_load_state()
    assert page.locator("#preview").inner_text().startswith(f"The rule would mark {marked} stud")
    assert page.locator("tbody tr[data-row]").count() == marked
    assert treegarth_server.get("dose/not-patients")["items"] == []
    page.get_by_role("button", name="Add this rule").click()
    page.wait_for_load_state()
    row = page.get_by_role("row").filter(has_text=patient)
    assert "daily" in row.inner_text()
    row.get_by_role("link", name="The studies that rule").click()
    page.wait_for_load_state()
    assert "not_patient_rule=" in visit.query
    assert page.locator("tbody tr[data-row]").count() == marked
    assert page.locator("tbody").inner_text().count("QA") == marked
    page = visit.go("dose/not-patients")
    page.get_by_role("button", name="Remove rule").click()
    page.wait_for_load_state()
    assert page.get_by_role("button", name="Remove rule").count() == 0
    assert treegarth_server.get("dose/studies", not_patient="true")["items"] == []
    assert visit.complaints == []


def test_values_are_limited_by_fields_that_open_when_they_are_used(visit: Visit) -> None:
    page = visit.go("dose?kind=ct")
    fields = page.locator("details.more")
    assert fields.get_attribute("open") is None
    fields.locator("summary").click()
    with page.expect_response(lambda response: "ctdi_vol_from_mgy=100000" in response.url):
        page.get_by_label("CTDIvol, greatest, from").fill("100000")
        page.get_by_label("CTDIvol, greatest, from").press("Enter")
    page.get_by_text("No study with a dose fits these filters").wait_for()
    page.reload()
    assert page.locator("details.more").get_attribute("open") is not None
    assert visit.complaints == []
