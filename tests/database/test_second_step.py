"""The second step of the sign-in: a code of an authenticator app or a recovery code, each once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from tests.second_step_support import PASSWORD, Browser, SignInSite
from treegarth.access.second_step_store import take_off_second_step
from treegarth.access.store import read_user
from treegarth.access.tables import recovery_code, user_totp
from treegarth.access.throttle import FREE_TRIES, LONGEST_WAIT

CODE_PLACE = "/treegarth/sign-in/code"


@pytest.fixture
def site(engine: Engine) -> SignInSite:
    return SignInSite(engine)


def browser_of(site: SignInSite, name: str = "Ada") -> Browser:
    browser = site.browser()
    assert browser.sign_in(name).status_code == 303
    return browser


def test_after_the_password_the_sign_in_asks_for_a_code_and_then_leads_on(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    app, _ = browser_of(site).set_up_app()
    site.clock.pass_by(seconds=60)
    browser = site.browser()
    answer = browser.sign_in("ada", next_place="/treegarth/studies?q=x")
    assert answer.headers["Location"] == f"{CODE_PLACE}?next=%2Ftreegarth%2Fstudies%3Fq%3Dx"
    assert not browser.is_in
    page = browser.get(answer.headers["Location"]).get_data(as_text=True)
    assert 'value="/treegarth/studies?q=x"' in page
    answer = browser.post(CODE_PLACE, code=app.at(site.clock()), next="/treegarth/studies?q=x")
    assert answer.headers["Location"] == "/treegarth/studies?q=x"
    assert browser.is_in


def test_the_cookie_of_the_first_step_opens_nothing_and_is_httponly(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    browser_of(site).set_up_app()
    cookie = next(one for one in site.browser().sign_in("Ada").headers.getlist("Set-Cookie") if "treegarth_half" in one)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/treegarth/sign-in" in cookie
    browser = site.browser()
    secret = cookie.partition("=")[2].partition(";")[0]
    browser.client.set_cookie("treegarth_session", secret, path="/")
    assert not browser.is_in


def test_a_code_counts_once_and_none_before_it_does(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    app, _ = browser_of(site).set_up_app()
    site.clock.pass_by(seconds=60)
    code, before = app.at(site.clock()), app.at(site.clock() - timedelta(seconds=30))
    first, second = site.browser(), site.browser()
    first.sign_in("Ada")
    second.sign_in("Ada")
    assert first.send_code(code).status_code == 303
    assert second.send_code(code).status_code == 403
    assert second.send_code(before).status_code == 403
    site.clock.pass_by(seconds=30)
    assert second.send_code(app.at(site.clock())).status_code == 303


def test_the_code_that_confirmed_the_app_does_not_sign_in(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    app, _ = browser_of(site).set_up_app()
    browser = site.browser()
    browser.sign_in("Ada")
    assert browser.send_code(app.at(site.clock())).status_code == 403


@pytest.mark.parametrize(("off_s", "status"), [(-60, 403), (-30, 303), (0, 303), (30, 303), (60, 403)])
def test_a_clock_may_be_one_step_off(site: SignInSite, off_s: int, status: int) -> None:
    site.add_user("Ada", "administrator")
    app, _ = browser_of(site).set_up_app()
    site.clock.pass_by(hours=1)
    browser = site.browser()
    browser.sign_in("Ada")
    assert browser.send_code(app.at(site.clock() + timedelta(seconds=off_s))).status_code == status


def test_a_code_may_be_typed_with_a_blank_and_in_full_width_digits(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    app, _ = browser_of(site).set_up_app()
    site.clock.pass_by(hours=1)
    code = app.at(site.clock())
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)
    browser = site.browser()
    browser.sign_in("Ada")
    assert browser.send_code(f" {wide[:3]} {wide[3:]}").status_code == 303


def test_ten_recovery_codes_each_let_in_once_and_stand_in_the_database_as_digests(site: SignInSite) -> None:
    number = site.add_user("Ada", "administrator")
    _, codes = browser_of(site).set_up_app()
    assert len(set(codes)) == 10
    with site.engine.connect() as connection:
        kept = [bytes(row.digest) for row in connection.execute(select(recovery_code))]
    assert len(kept) == 10
    assert not any(one.replace("-", "").upper().encode() in digest for one in codes for digest in kept)
    browser = site.browser()
    browser.sign_in("Ada")
    assert browser.send_code(codes[3].upper().replace("-", " ")).status_code == 303
    assert "9 recovery codes are left" in browser.get("/treegarth/account/second-step").get_data(as_text=True)
    again = site.browser()
    again.sign_in("Ada")
    assert again.send_code(codes[3]).status_code == 403
    assert again.send_code(codes[4]).status_code == 303
    with site.engine.connect() as connection:
        assert read_user(connection, number).has_second_step


def test_the_codes_are_shown_once(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    browser = browser_of(site)
    _, codes = browser.set_up_app()
    page = browser.get("/treegarth/account/second-step").get_data(as_text=True)
    assert not any(one in page for one in codes)
    again = browser.post("/treegarth/account/second-step/confirm", code="123456")
    assert again.status_code == 303


def test_new_recovery_codes_end_those_from_before(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    browser = browser_of(site)
    _, codes = browser.set_up_app()
    assert browser.post("/treegarth/account/second-step/recovery-codes", password="wrong").status_code == 400
    answer = browser.post("/treegarth/account/second-step/recovery-codes", password=PASSWORD)
    assert answer.get_data(as_text=True).count("<li><code>") == 10
    other = site.browser()
    other.sign_in("Ada")
    assert other.send_code(codes[0]).status_code == 403


def test_wrong_codes_slow_down_whoever_sends_them_and_from_wherever(site: SignInSite) -> None:
    """Nor does the password in between set the count back."""
    site.add_user("Ada", "administrator")
    app, _ = browser_of(site).set_up_app()
    site.clock.pass_by(minutes=5)
    for number in range(FREE_TRIES):
        browser = site.browser()
        browser.client.environ_base["REMOTE_ADDR"] = f"192.0.2.{number}"
        browser.sign_in("Ada")
        assert browser.send_code("000000").status_code == 403
    other = site.browser()
    other.sign_in("Ada")
    answer = other.send_code(app.at(site.clock()))
    assert answer.status_code == 403
    assert "Too many tries" in answer.get_data(as_text=True)
    site.clock.pass_by(seconds=LONGEST_WAIT.total_seconds())
    other.sign_in("Ada")
    assert other.send_code(app.at(site.clock())).status_code == 303


def test_a_browser_that_is_known_is_not_locked_out_by_strangers(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    own = browser_of(site)
    app, _ = own.set_up_app()
    own.post("/treegarth/sign-out")
    site.clock.pass_by(minutes=5)
    stranger = site.browser()
    stranger.sign_in("Ada")
    for _ in range(FREE_TRIES):
        assert stranger.send_code("000000").status_code == 403
    own.sign_in("Ada")
    assert own.send_code(app.at(site.clock())).status_code == 303


def test_a_code_that_comes_late_needs_the_password_again(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    app, _ = browser_of(site).set_up_app()
    browser = site.browser()
    browser.sign_in("Ada")
    site.clock.pass_by(minutes=5, seconds=1)
    answer = browser.send_code(app.at(site.clock()))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/treegarth/sign-in"
    assert not browser.is_in


def test_a_code_without_a_password_before_it_is_nothing(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    app, codes = browser_of(site).set_up_app()
    site.clock.pass_by(minutes=5)
    browser = site.browser()
    for code in (app.at(site.clock()), codes[0]):
        assert browser.send_code(code).headers["Location"] == "/treegarth/sign-in"
    assert browser.get(CODE_PLACE).headers["Location"] == "/treegarth/sign-in"
    assert not browser.is_in


def test_one_first_step_begins_one_session(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    _, codes = browser_of(site).set_up_app()
    browser = site.browser()
    cookie = browser.sign_in("Ada").headers["Set-Cookie"].partition(";")[0].partition("=")[2]
    assert browser.send_code(codes[0]).status_code == 303
    other = site.browser()
    other.client.set_cookie("treegarth_half", cookie, path="/treegarth/sign-in")
    assert other.send_code(codes[1]).headers["Location"] == "/treegarth/sign-in"


def test_nothing_changes_before_a_code_has_fitted(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    browser = browser_of(site)
    browser.post("/treegarth/account/second-step", password=PASSWORD)
    assert browser.post("/treegarth/account/second-step/confirm", code="000000").status_code == 400
    assert browser_of(site).is_in
    site.clock.pass_by(minutes=16)
    assert 'class="key"' not in browser.get("/treegarth/account/second-step").get_data(as_text=True)


def test_a_browser_left_open_cannot_set_up_or_take_off_an_app(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    browser = browser_of(site)
    assert browser.post("/treegarth/account/second-step", password="guessed").status_code == 400
    browser.set_up_app()
    for _ in range(FREE_TRIES):
        assert browser.post("/treegarth/account/second-step/off", password="guessed").status_code == 400
    assert browser.post("/treegarth/account/second-step/off", password=PASSWORD).status_code == 400
    site.clock.pass_by(seconds=LONGEST_WAIT.total_seconds())
    assert browser.post("/treegarth/account/second-step/off", password=PASSWORD).status_code == 303
    assert browser_of(site).is_in


def test_a_second_app_does_not_replace_one_that_is_set_up(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    browser = browser_of(site)
    app, _ = browser.set_up_app()
    assert browser.post("/treegarth/account/second-step", password=PASSWORD).status_code == 409
    with site.engine.connect() as connection:
        assert connection.execute(select(user_totp.c.key)).scalar_one() == app.secret


def test_who_administers_takes_it_off_with_all_that_waits(site: SignInSite) -> None:
    number = site.add_user("Ada", "administrator")
    app, _ = browser_of(site).set_up_app()
    site.clock.pass_by(minutes=5)
    waits = site.browser()
    waits.sign_in("Ada")
    with site.engine.begin() as connection:
        assert take_off_second_step(connection, number)
    assert waits.send_code(app.at(site.clock())).headers["Location"] == "/treegarth/sign-in"
    assert browser_of(site).is_in


def test_an_administrator_takes_it_off_by_the_users_page_or_by_the_api(site: SignInSite) -> None:
    site.add_user("Root", "administrator")
    number = site.add_user("Ada", "nurse")
    root, ada = browser_of(site, "Root"), browser_of(site)
    place = f"/treegarth/access/users/{number}"
    assert "second-step/off" not in root.get(place).get_data(as_text=True)
    ada.set_up_app()
    assert "second-step/off" in root.get(place).get_data(as_text=True)
    assert ada.post(f"{place}/second-step/off").status_code == 403
    assert root.post(f"{place}/second-step/off").status_code == 303
    assert browser_of(site).is_in
    ada.set_up_app()
    answer = root.client.delete(f"/treegarth/api/v1/access/users/{number}/second-step")
    assert answer.status_code == 200
    assert answer.get_json()["has_second_step"] is False
    assert root.client.delete("/treegarth/api/v1/access/users/99/second-step").status_code == 404


def test_the_keys_picture_is_a_part_of_the_page_and_nothing_from_elsewhere(site: SignInSite) -> None:
    site.add_user("Ada", "administrator")
    browser = browser_of(site)
    browser.post("/treegarth/account/second-step", password=PASSWORD)
    answer = browser.get("/treegarth/account/second-step")
    page = answer.get_data(as_text=True)
    assert '<svg width="' in page
    assert "style=" not in page[page.index("<svg width") : page.index("</svg>", page.index("<svg width"))]
    assert answer.headers["Cache-Control"] == "no-store"
