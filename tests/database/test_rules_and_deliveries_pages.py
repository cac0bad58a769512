"""Pages of rules and deliveries against a real database: history, import, apply, notices, filters, sending again."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from tests.delivery_support import add_destination
from tests.index_support import write_study
from tests.places import places
from tests.unit.web.web_support import NOW, make_services
from treegarth.bootstrap import make_application
from treegarth.database.engine import transaction
from treegarth.features.deliveries.senders.stow_answers import reason_in_words
from treegarth.features.deliveries.senders.web import failure
from treegarth.features.deliveries.store import leases, send_results
from treegarth.features.deliveries.store.destinations import read_destination
from treegarth.features.deliveries.transitions import failed
from treegarth.features.rules.model import Trigger
from treegarth.features.rules.notification import Notifier, tell_waiting
from treegarth.features.rules.store.events import claim_events, note_events, record_failure
from treegarth.features.rules.store.outcomes import Done, write_outcome
from treegarth.features.rules.tables import notification
from treegarth.phrases import Phrase
from treegarth.places import DestinationPlaces
from treegarth.settings import Settings, SignIn

ROOT = Path(__file__).resolve().parents[2]
PAGES = "/treegarth"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
FORM = {
    "name": "label CT",
    "why": "to find them",
    "when": "by hand",
    "c.join": "all",
    "c.level": "study",
    "c.0.field": "ModalitiesInStudy",
    "c.0.operator": "in",
    "c.0.value": ["CT", ""],
    "a.0.kind": "label",
    "a.0.add": "seen",
    "act": "save",
}


@pytest.fixture
def client(engine: Engine, tmp_path: Path) -> FlaskClient:
    settings = Settings(sign_in=SignIn.NONE, destination_places=DestinationPlaces.model_validate(places(tmp_path)))
    services = make_services(ROOT / "web", engine=lambda: engine, settings=settings)
    return make_application(services).test_client()  # type: ignore[attr-defined]


def post(client: FlaskClient, path: str, status: int = 303, **fields: Any) -> TestResponse:
    kind = "application/x-www-form-urlencoded"  # what a browser says of an empty form too
    answer = client.post(f"{PAGES}/{path}", data=fields, content_type=kind, headers=SAME_ORIGIN)
    assert answer.status_code == status, answer.text[:2000]
    return answer


def add_rule(client: FlaskClient, **changes: Any) -> str:
    location = post(client, "rules/new", **{**FORM, **changes}).headers["Location"]
    return location.removeprefix(f"{PAGES}/")


def studies(engine: Engine, count: int) -> None:
    with transaction(engine) as connection:
        for number in range(1, count + 1):
            write_study(connection, number)


def test_every_change_of_a_rule_stands_in_its_history_with_what_changed(client: FlaskClient) -> None:
    rule = add_rule(client)
    post(client, f"{rule}/switch", on="true")
    post(client, f"{rule}/edit", **{**FORM, "why": "the physicist asked"})
    page = client.get(f"{PAGES}/{rule}").text
    for said in ("created", "switched on", "edited", "+ why: the physicist asked", "− why: to find them"):
        assert said in page
    add_rule(client, name="another")
    post(client, "rules/2/move", direction="up")
    listed = client.get(f"{PAGES}/rules").text
    assert listed.index("another") < listed.index("label CT")
    assert "from place 2 to place 1" in client.get(f"{PAGES}/rules/2").text
    post(client, f"{rule}/remove")
    assert "label CT" not in client.get(f"{PAGES}/rules").text
    assert "removed" in client.get(f"{PAGES}/{rule}").text


def test_what_is_wrong_stands_at_its_field(client: FlaskClient) -> None:
    wrong = {**FORM, "name": "", "c.0.field": "Modalitiez", "c.0.operator": "=", "a.0.add": ""}
    page = post(client, "rules/new", 200, **wrong).text
    for field in ("wrong-name", "wrong-c.0", "wrong-a.0"):
        assert f'id="{field}"' in page
    assert 'value="Modalitiez"' in page  # what was typed is still there
    assert client.get(f"{PAGES}/rules/1").status_code == 404


def test_what_is_wrong_is_listed_above_the_form_with_links_to_its_inputs(client: FlaskClient) -> None:
    page = post(client, "rules/new", 200, **{**FORM, "name": "", "c.0.field": "Modalitiez", "c.0.operator": "="}).text
    listed = page[page.index('id="problems"') : page.index('id="part-name"')]
    assert [*re.findall('href="#([^"]+)"', listed)] == ["name", "c.0.field"]
    assert focused(page) == "name"


def test_what_is_wrong_with_a_rule_as_text_is_said_with_its_line(client: FlaskClient) -> None:
    asked = "  if:\n    all:\n      - Modality = CT\n      - Modalitiez = CT\n"
    text = f"- name: a\n  when: by hand\n{asked}  do: [label: x]\n"
    page = post(client, "rules/new", 200, tab="text", text=text, act="save").text
    assert "if.all[1] (line 6): " in page


def test_a_rule_is_tried_before_it_has_a_name_or_an_action(client: FlaskClient, engine: Engine) -> None:
    studies(engine, 2)
    asked = {"when": "series stable", "c.join": "all", "c.level": "study", "c.0.field": "Modality", "c.0.operator": "="}
    page = post(client, "rules/new", 200, **asked, **{"c.0.value": "CT"}, act="try").text
    assert "<b>2</b> studies" in page
    assert 'id="problems"' not in page
    text_of_it = "when: by hand\nif: Modality = MR\n"
    assert "<b>0</b> studies" in post(client, "rules/new", 200, tab="text", text=text_of_it, act="try").text
    wrong = post(client, "rules/new", 200, **{**asked, "c.0.field": "Modalitiez"}, act="try").text
    assert 'href="#c.0.field"' in wrong


def test_a_value_that_the_archive_never_had_is_said_beside_its_field_and_saved_all_the_same(
    client: FlaskClient, engine: Engine
) -> None:
    studies(engine, 1)
    typed = {**FORM, "c.0.field": "Modality", "c.0.value": "CT, XY, ZZ"}
    page = post(client, "rules/new", 200, **{**typed, "act": "refresh"}).text
    assert "The archive never had: XY, ZZ" in page
    assert 'id="problems"' not in page
    add_rule(client, **typed)
    assert "Modality in [CT, XY, ZZ]" in client.get(f"{PAGES}/rules/1").text


def focused(page: str) -> str | None:
    """The identifier of the input that has the focus when the page opens: the first that asks for it."""
    found = re.search(r"<input[^>]* id=\"([^\"]+)\"[^>]* autofocus", page)
    return found[1] if found else None


def test_the_focus_goes_where_something_is_to_be_typed_and_never_away_from_it(client: FlaskClient) -> None:
    empty = {**FORM, "name": "", "c.0.field": "", "c.0.value": ""}
    assert focused(client.get(f"{PAGES}/rules/new").text) is None  # a page that opens is read from its top
    assert focused(post(client, "rules/new", 200, **empty).text) == "name"
    assert focused(post(client, "rules/new", 200, **{**FORM, "c.0.field": "Modalitiez"}).text) == "c.0.field"
    assert focused(post(client, "rules/new", 200, **{**empty, "act": ""}).text) is None
    assert focused(post(client, "rules/new", 200, **{**empty, "act": "add-action notify"}).text) is None
    assert focused(post(client, "rules/new", 200, **{**FORM, "act": "add-row c"}).text) == "c.1.field"
    assert focused(post(client, "rules/new", 200, **{**FORM, "act": "add-group c"}).text) == "c.1.0.field"


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "a\x00b"},
        {"c.0.value": "\x00"},
        {"c.99999999.field": "x", "a.x.kind": "?"},
        {"tab": "text", "text": "&a [*a, *a]"},
        {"tab": "text", "text": "- [" * 500},
        {"act": "remove c.0.0.0"},
        {"a.0.kind": "nothing", "a.0.raw": "[}"},
        {"when": "schedule", "schedule": "at noon"},
    ],
)
def test_nothing_that_is_sent_breaks_the_form(client: FlaskClient, fields: dict[str, str]) -> None:
    for act in ("save", "try", "show-text", "show-form", "add-row c"):
        answer = client.post(f"{PAGES}/rules/new", data={**FORM, "act": act, **fields}, headers=SAME_ORIGIN)
        assert answer.status_code in (200, 303), (act, answer.status_code)


def test_an_import_says_first_what_it_would_change(client: FlaskClient) -> None:
    add_rule(client)
    yaml = client.get(f"{PAGES}/rules.yaml").text
    changed = yaml.replace("to find them", "because") + "\n- name: new one\n  when: by hand\n  do: [label: x]\n"
    plan = post(client, "rules/import", 200, text=changed, act="look").text
    assert "What the import would change" in plan
    assert "new one" not in client.get(f"{PAGES}/rules").text
    post(client, "rules/import", text=changed, act="import")
    assert "new one" in client.get(f"{PAGES}/rules").text
    refused = post(client, "rules/import", 200, text=changed.replace("by hand", "never"), act="import").text
    assert "Nothing was imported." in refused


def test_a_large_number_of_studies_must_be_typed(client: FlaskClient, engine: Engine) -> None:
    studies(engine, 100)
    rule = add_rule(client)
    post(client, f"{rule}/apply", count="100")
    assert "switch it on first" in client.get(f"{PAGES}/{rule}/try").text
    post(client, f"{rule}/switch", on="true")
    post(client, f"{rule}/apply", count="99")
    assert "The number typed is not the number of studies" in client.get(f"{PAGES}/{rule}/try").text
    post(client, f"{rule}/apply", count="100")
    page = client.get(f"{PAGES}/{rule}/try").text
    assert "The number typed" not in page
    assert "0 of 100 studies" in page
    post(client, "work/1/stop")
    assert "Stopped by" in client.get(f"{PAGES}/{rule}/try").text


def test_an_explanation_names_each_clause_with_the_values_seen(client: FlaskClient, engine: Engine) -> None:
    studies(engine, 1)
    rule = add_rule(client)
    page = client.get(f"{PAGES}/{rule}/explain/1.2.840.99999.1.1").text
    assert "The rule means this study" in page
    assert "ModalitiesInStudy in [CT]" in page
    assert "<b>CT</b>" in page
    assert client.get(f"{PAGES}/{rule}/explain/9.9").status_code == 404


def test_the_bell_counts_what_nobody_has_seen(client: FlaskClient, engine: Engine) -> None:
    studies(engine, 1)
    common = {"rule_id": None, "title": "dose above level", "content": {}, "created_at": NOW}
    with transaction(engine) as connection:
        for channel, state in (("dashboard", "waiting"), ("dashboard", "waiting"), ("email", "given up")):
            connection.execute(notification.insert().values(channel=channel, state=state, **common))
    assert "Told of 2 studies" in client.get(f"{PAGES}/notifications/bell").text
    assert "1 could not be sent" in client.get(f"{PAGES}/").text
    page = client.get(f"{PAGES}/notifications").text
    assert "2 studies · 2 new" in page  # of which nobody knows which they are
    assert page.count("dose above level</span></button>") == 2
    (given_up,) = client.get(f"{PAGES}/api/v1/notifications?state=given up").get_json()["items"]
    assert (given_up["channel"], given_up["title"], given_up["seen_by"]) == ("email", "dose above level", None)
    only = client.get(f"{PAGES}/notifications/messages?channel=email&state=given up").text
    assert ("Send again" in only, "1 notification" in only) == (True, True)
    assert "3 notifications" in client.get(f"{PAGES}/notifications/messages").text
    post(client, "notifications/seen", id="1")
    assert "Told of 1 study" in client.get(f"{PAGES}/notifications/bell").text
    post(client, "notifications/seen")
    post(client, "notifications/again")
    with transaction(engine) as connection:
        states = connection.execute(text("SELECT state FROM notification ORDER BY id")).scalars().all()
    assert states == ["sent", "sent", "waiting"]


def test_a_study_is_sent_by_hand_filtered_and_sent_again(client: FlaskClient, engine: Engine, tmp_path: Path) -> None:
    studies(engine, 2)
    kept = {"name": "Kept", "kind": "folder", "address.path": str(tmp_path), "proof": "best", "act": "save"}
    destination = post(client, "deliveries/destinations/new", **kept).headers["Location"]
    assert destination.endswith("/destinations/1")
    post(client, "studies/1.2.840.99999.1.1/send", destination="1")
    assert 'id="deliveries"' in client.get(f"{PAGES}/studies/1.2.840.99999.1.1").text
    assert 'data-row="1"' in client.get(f"{PAGES}/deliveries?state=waiting&destination=1&rule=0").text
    for elsewhere in (
        "state=arrived",
        "study=nobody",
        "destination=7",
        "rule=3",
        "study_instance_uid=1.2.840.99999.1.2",
    ):
        assert 'data-row="1"' not in client.get(f"{PAGES}/deliveries?{elsewhere}").text
    set_state = (
        "UPDATE delivery_object SET state = :state, attempts = 20, last_error = '\"disk full\"' "
        "WHERE sop_instance_uid LIKE :uid"
    )
    with transaction(engine) as connection:
        connection.execute(text(set_state), {"state": "given up", "uid": "%.1"})
        connection.execute(text(set_state), {"state": "confirmed", "uid": "%.2"})
    page = client.get(f"{PAGES}/deliveries/objects?delivery=1&state=given up").text
    assert "disk full" in page
    counted = "0 waiting · 0 sending · 1 arrived · 0 sent, unproved · 1 given up"
    assert counted in client.get(f"{PAGES}/").text
    assert counted in client.get(f"{PAGES}/system").text
    unsettled = client.get(f"{PAGES}/deliveries/destinations/1").text
    assert "Send all given up again" in unsettled
    assert "20 tries, last: disk full" in unsettled
    post(client, "deliveries/again", delivery="1")
    with transaction(engine) as connection:
        states = connection.execute(text("SELECT state, attempts FROM delivery_object ORDER BY 1")).all()
    assert [tuple(row) for row in states] == [("confirmed", 20), ("waiting", 0)]
    post(client, "deliveries/again", delivery="1", what="all")
    assert "2</b> waiting" in client.get(f"{PAGES}/deliveries/objects?delivery=1").text


def test_a_destination_is_changed_paused_and_removed_with_its_history(client: FlaskClient, tmp_path: Path) -> None:
    node = {"name": "NODE", "kind": "dicom", "address.ae_title": "NODE", "address.host": "10.0.0.7", "act": "save"}
    wrong = post(client, "deliveries/destinations/new", 200, **node, **{"address.port": "far"}).text
    assert 'id="wrong-address.port"' in wrong
    hours = {"windows.0.days": ["sat", "sun"], "windows.0.begin": "22:00", "windows.0.end": "06:00"}
    post(client, "deliveries/destinations/new", **node, **{"address.port": "104"}, **hours)
    page = client.get(f"{PAGES}/deliveries/destinations/1").text
    assert "Sat Sun 22:00–06:00" in page
    one = "deliveries/destinations/1"
    post(client, f"{one}/edit", **{**node, "address.port": "11112"})
    post(client, f"{one}/switch", on="false")
    assert "paused" in client.get(f"{PAGES}/deliveries/destinations").text
    post(client, f"{one}/remove")
    page = client.get(f"{PAGES}/{one}").text
    for said in ("created", "edited", "switched off", "removed"):
        assert said in page


def test_a_destination_outside_the_settings_is_refused_at_its_field_and_shown_with_the_reason(
    client: FlaskClient, engine: Engine
) -> None:
    outside = {"name": "Out", "kind": "folder", "address.path": "/etc/cron.d", "proof": "best", "act": "save"}
    page = post(client, "deliveries/destinations/new", 200, **outside).text
    assert "Treegarth.DestinationPlaces.Folders" in page[page.index('id="wrong-address.path"') :]
    with transaction(engine) as connection:
        add_destination(connection, {"name": "Out", "kind": "folder", "address": {"path": "/etc/cron.d"}})
    one = f"{PAGES}/deliveries/destinations/1"
    for address in (one, f"{PAGES}/deliveries/destinations", f"{PAGES}/system"):
        assert "not allowed by the settings" in client.get(address).text, address
    assert (
        "/etc/cron.d: neither it nor a folder above it is listed in Treegarth.DestinationPlaces" in client.get(one).text
    )
    client.set_cookie("treegarth_language", "ko")
    assert "상위 폴더도 Treegarth.DestinationPlaces.Folders에 없습니다" in client.get(one).text
    assert "설정에서 허용하지 않음" in client.get(f"{PAGES}/deliveries/destinations").text


def test_a_korean_page_says_in_korean_what_is_wrong_what_a_rule_does_and_what_it_did(
    client: FlaskClient, engine: Engine
) -> None:
    client.set_cookie("treegarth_language", "ko")
    page = post(client, "rules/new", 200, **{**FORM, "c.0.field": "Modalitiez", "c.0.operator": "="}).text
    assert "“Modalitiez” 필드가 없습니다." in page
    page = post(client, "rules/import", 200, text="- name: x\n  if: Modality == CT\n", act="look").text
    assert "rules[0].do (1행): 동작이 없거나 목록이 아닙니다." in page
    page = post(client, "rules/import", 200, text="a: &b [*b]", act="look").text
    assert "1행: 규칙에는 앵커" in page
    rule = add_rule(client)
    assert "검사에 라벨을 붙임: seen" in client.get(f"{PAGES}/rules").text
    done = Phrase("labelled %(labels)s", {"labels": "seen"})
    with transaction(engine) as connection:
        common = {"rule_id": 1, "version": 1, "trigger": "by hand", "asked_by": None, "now": NOW}
        of_study = {"orthanc_study_id": "a", "study_instance_uid": "1.2"}
        write_outcome(connection, actions=[Done(action="label", done=done)], **common, **of_study)  # type: ignore[arg-type]
    assert "라벨 붙임: seen" in client.get(f"{PAGES}/{rule}").text
    assert "labelled seen" in client.get(f"{PAGES}/{rule}?lang=en").text


def test_a_korean_page_says_in_korean_why_a_delivery_failed(client: FlaskClient, engine: Engine) -> None:
    studies(engine, 1)
    silent = {"name": "far", "kind": "dicomweb", "address.url": "http://127.0.0.1:9", "proof": "best", "act": "save"}
    far = post(client, "deliveries/destinations/new", **silent).headers["Location"]
    post(client, "studies/1.2.840.99999.1.1/send", destination="1")
    unreachable = "연결하지 못했거나 연결이 끊어졌습니다."
    with transaction(engine) as connection:
        claim = leases.claim_to_send(connection, 1, "one", NOW, most_open=1, most_objects=2)
        assert isinstance(claim, leases.Claim)
        destination = read_destination(connection, 1)
        changes = [failed(one, reason_in_words(0xA700), destination, NOW, 0.5) for one in claim.objects]
        send_results.record_changes(connection, 1, "one", changes)
        send_results.note_failure(connection, 1, failure(requests.ConnectionError()), NOW, timedelta(minutes=1))
    client.set_cookie("treegarth_language", "ko")
    assert "객체를 거부했습니다: 자원 부족(A700)." in client.get(f"{PAGES}/deliveries/objects?delivery=1").text
    for page in (far, f"{PAGES}/deliveries/destinations", f"{PAGES}/system"):
        assert unreachable in client.get(page).text, page
    echoed = post(client, "deliveries/destinations/1/echo").headers["Location"]
    assert unreachable in client.get(echoed).text
    client.set_cookie("treegarth_language", "en")
    assert (
        "It refused the object: out of resources (A700)." in client.get(f"{PAGES}/deliveries/objects?delivery=1").text
    )


def test_a_korean_page_says_in_korean_why_rules_and_messages_failed(client: FlaskClient, engine: Engine) -> None:
    with transaction(engine) as connection:
        note_events(connection, Trigger.STUDY_STABLE, [("study", "")], NOW)
        (claimed,) = claim_events(connection, NOW, timedelta(seconds=60), limit=1)
        why = Phrase("%(kind)s while rules looked at it; see the log.", {"kind": "ValueError"})
        record_failure(connection, claimed, why, None)
        values = {"title": "x", "content": {}, "created_at": NOW, "next_attempt_at": NOW}
        connection.execute(notification.insert().values(channel="webhook", target="gone", **values))
    assert tell_waiting(engine, Notifier(Settings.model_validate({}), {}), lambda: NOW, lambda: 0.5) == 1
    client.set_cookie("treegarth_language", "ko")
    assert "오류가 발생했습니다(ValueError)" in client.get(f"{PAGES}/rules/waiting").text
    assert "이 이름의 웹훅이 설정되지 않았습니다" in client.get(f"{PAGES}/notifications/messages").text


def test_a_korean_form_of_a_destination_says_in_korean_at_its_field_what_does_not_fit(
    client: FlaskClient, tmp_path: Path
) -> None:
    kept = {"name": "Kept", "kind": "folder", "address.path": str(tmp_path), "proof": "best", "act": "save"}
    new, one = "deliveries/destinations/new", "deliveries/destinations/1"
    post(client, new, **kept)
    client.set_cookie("treegarth_language", "ko")
    taken = post(client, new, 200, **kept).text
    assert "“Kept” 전송 대상이 이미 있습니다." in taken[taken.index('id="wrong-name"') :]
    nowhere = post(client, new, 200, **{**kept, "name": "Other", "alternate": "nobody"}).text
    assert "“nobody”이(가) 없습니다." in nowhere[nowhere.index('id="wrong-alternate"') :]
    assert "wrong-name" not in nowhere
    post(client, f"{one}/remove")
    assert "해당 전송 대상이 없습니다." in post(client, f"{one}/edit", 404, **kept).text
    assert "해당 전송 대상이 없습니다." in client.get(f"{PAGES}/deliveries/destinations/7").text


def test_a_rule_that_somebody_else_edited_meanwhile_is_not_saved_over(client: FlaskClient) -> None:
    rule = add_rule(client)
    mine = {**FORM, "version": "1"}
    post(client, f"{rule}/switch", on="true")  # is no other wording
    post(client, f"{rule}/edit", **{**mine, "why": "theirs"})
    page = post(client, f"{rule}/edit", 200, **{**mine, "why": "mine", "a.0.add": "seen, mine"}).text
    for said in ("Nothing was saved.", "Version 3, as it is now", "− why: theirs", "+ why: mine", "save over 3"):
        assert said in page
    assert 'value="seen, mine"' in page
    assert "why: mine" not in client.get(f"{PAGES}/{rule}").text
    post(client, f"{rule}/edit", **{**mine, "why": "mine", "act": "save over 3"})
    assert "why: mine" in client.get(f"{PAGES}/{rule}").text
    assert "Nothing was saved." in post(client, f"{rule}/edit", 200, **{**mine, "act": "save over 3"}).text


def test_deliveries_are_filtered_by_the_names_of_rules(client: FlaskClient) -> None:
    add_rule(client)
    page = client.get(f"{PAGES}/deliveries?rule=1").text
    assert '<option value="1" selected>label CT</option>' in page
    assert '<option value="0">people, by hand</option>' in page
    assert 'id="rules"' in client.get(f"{PAGES}/help").text
