"""Sign-in by an identity provider: who is let in, as whom, and every forgery that is not."""

from __future__ import annotations

import logging
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from tests.lying_provider import CLIENT, SECRET, LyingProvider, made_key, shared_key
from tests.second_step_support import Browser, Clock, SignInSite
from treegarth.access.provider import SKEW_S, Begun
from treegarth.access.store import find_user, read_users, set_roles, switch_user
from treegarth.access.tables import user_session
from treegarth.settings import Settings

START = "/treegarth/sign-in/oidc"
BACK = "/treegarth/sign-in/oidc/callback"
ROLES = {"dose-team": ["physicist"], "/it": ["administrator", "service"]}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(clock: Clock) -> Iterator[LyingProvider]:
    made = LyingProvider(now=lambda: int(clock().timestamp()))
    yield made
    made.close()


@pytest.fixture
def make_site(engine: Engine, provider: LyingProvider, clock: Clock, tmp_path: Path) -> Callable[..., SignInSite]:
    secret = tmp_path / "secret"
    secret.write_text(SECRET, encoding="utf-8")

    def made(public_url: str = "http://localhost", **given: Any) -> SignInSite:
        oidc = {"Issuer": provider.issuer, "ClientId": CLIENT, "ClientSecret": {"File": str(secret)}, **given}
        section = {"SignIn": "oidc", "PublicUrl": public_url, "Oidc": oidc}
        return SignInSite(engine, settings=Settings.model_validate(section, by_name=False), clock=clock)

    return made


@pytest.fixture
def site(make_site: Callable[..., SignInSite]) -> SignInSite:
    return make_site(Roles=ROLES)


def come_back(browser: Browser, provider: LyingProvider, next_place: str = "") -> TestResponse:
    there = browser.get(START, query_string={"next": next_place})
    assert there.status_code == 303
    return browser.get(provider.sign_in(there.headers["Location"]))


def roles_of(site: SignInSite, name: str) -> list[str]:
    with site.engine.connect() as connection:
        user = find_user(connection, name)
    assert user is not None
    return user.roles


class TestWhoIsLetIn:
    def test_somebody_who_signs_in_there_is_signed_in_here_and_led_on(
        self, site: SignInSite, provider: LyingProvider
    ) -> None:
        browser = site.browser()
        page = browser.get("/treegarth/sign-in?next=/treegarth/studies").get_data(as_text=True)
        assert f'href="http://localhost{START}?next=%2Ftreegarth%2Fstudies"' in page
        assert 'name="password"' not in page
        answer = come_back(browser, provider, "/treegarth/studies")
        assert answer.headers["Location"] == "/treegarth/studies"
        assert browser.is_in
        with site.engine.connect() as connection:
            (user,) = read_users(connection)
        assert (user.name, user.full_name, user.by_provider, user.has_password) == ("ada", "Ada Lovelace", True, False)

    def test_the_same_person_is_the_same_user_under_whatever_name(
        self, site: SignInSite, provider: LyingProvider
    ) -> None:
        come_back(site.browser(), provider)
        provider.user = {"sub": "17", "preferred_username": "countess", "name": "Countess of Lovelace"}
        come_back(site.browser(), provider)
        with site.engine.connect() as connection:
            (user,) = read_users(connection)
        assert (user.name, user.full_name) == ("ada", "Countess of Lovelace")

    def test_somebody_with_the_name_of_another_user_is_not_that_user(
        self, site: SignInSite, provider: LyingProvider
    ) -> None:
        site.add_user("Ada", "administrator")
        browser = site.browser()
        come_back(browser, provider)
        assert browser.is_in
        assert roles_of(site, "ada@127.0.0.1") == []
        provider.user = {"sub": "18", "preferred_username": "ada"}
        assert come_back(site.browser(), provider).status_code == 403

    @pytest.mark.parametrize(
        ("said", "kept"), [("a\0d\ud800a\n", "ada"), ("x" * 300, "x" * 100), ("  ", "17"), (17, "17"), ("아다", "아다")]
    )
    def test_a_name_of_whatever_kind_is_kept_as_far_as_it_can_be_seen(
        self, site: SignInSite, provider: LyingProvider, said: object, kept: str
    ) -> None:
        provider.user = {"sub": "17", "preferred_username": said, "name": said}
        come_back(browser := site.browser(), provider)
        assert browser.is_in
        assert roles_of(site, kept) == []

    def test_groups_give_roles_at_each_sign_in(self, site: SignInSite, provider: LyingProvider) -> None:
        provider.user["groups"] = ["/dose-team", "it", "choir"]
        come_back(site.browser(), provider)
        assert roles_of(site, "ada") == ["administrator", "physicist", "service"]
        provider.user["groups"] = ["dose-team"]
        browser = site.browser()
        come_back(browser, provider)
        assert roles_of(site, "ada") == ["physicist"]
        assert browser.get("/treegarth/studies").status_code == 200
        provider.user["groups"] = []
        come_back(browser := site.browser(), provider)
        assert roles_of(site, "ada") == []
        assert browser.get("/treegarth/studies").status_code == 403

    def test_groups_may_stand_deeper_and_at_the_userinfo_endpoint_alone(
        self, make_site: Callable[..., SignInSite], provider: LyingProvider
    ) -> None:
        site = make_site(Roles=ROLES, GroupsClaim="realm_access.roles")
        provider.beside = {"realm_access": {"roles": ["dose-team"]}}
        come_back(site.browser(), provider)
        assert roles_of(site, "ada") == ["physicist"]

    def test_without_roles_of_groups_administrators_give_them_here(
        self, make_site: Callable[..., SignInSite], provider: LyingProvider
    ) -> None:
        site = make_site()
        site.add_user("Root", "administrator")
        come_back(site.browser(), provider)
        with site.engine.begin() as connection:
            user = find_user(connection, "ada")
            assert user is not None
            set_roles(connection, user.id, ["nurse"])
        come_back(site.browser(), provider)
        assert roles_of(site, "ada") == ["nurse"]

    def test_pages_say_where_roles_come_from(self, site: SignInSite, provider: LyingProvider) -> None:
        provider.user["groups"] = ["it"]
        come_back(browser := site.browser(), provider)
        assert "Your roles come from your groups at 127.0.0.1" in browser.get("/treegarth/account").get_data(
            as_text=True
        )
        with site.engine.connect() as connection:
            (user,) = read_users(connection)
        page = browser.get(f"/treegarth/access/users/{user.id}").get_data(as_text=True)
        assert "what is changed here lasts until the next one" in page
        assert "Set the password" not in page

    def test_a_role_that_there_is_not_is_told_in_the_log(
        self, make_site: Callable[..., SignInSite], provider: LyingProvider, caplog: pytest.LogCaptureFixture
    ) -> None:
        site = make_site(Roles={"dose-team": ["wizard", "nurse"]})
        provider.user["groups"] = ["dose-team"]
        come_back(site.browser(), provider)
        assert roles_of(site, "ada") == ["nurse"]
        assert "wizard" in caplog.text

    def test_who_is_switched_off_here_is_not_let_in(self, site: SignInSite, provider: LyingProvider) -> None:
        site.add_user("Root", "administrator")
        come_back(site.browser(), provider)
        with site.engine.begin() as connection:
            user = find_user(connection, "ada")
            assert user is not None
            switch_user(connection, user.id, site.clock(), is_on=False, by=None)
        assert come_back(site.browser(), provider).status_code == 403

    @pytest.mark.parametrize(("algorithm", "kind"), [("RS256", "RSA"), ("PS256", "RSA"), ("ES256", "EC")])
    def test_signatures_of_three_kinds_are_taken(
        self, site: SignInSite, provider: LyingProvider, algorithm: str, kind: str
    ) -> None:
        provider.keys = [made_key("one", kind)]
        provider.header = {"alg": algorithm}
        come_back(browser := site.browser(), provider)
        assert browser.is_in

    def test_a_key_that_is_new_since_the_last_sign_in_is_found(
        self, site: SignInSite, provider: LyingProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("treegarth.access.provider.AGAIN_AFTER_S", 0)
        come_back(site.browser(), provider)
        come_back(site.browser(), provider)
        assert provider.asked.count("/jwks") == 1
        provider.rotate("two")
        come_back(browser := site.browser(), provider)
        assert browser.is_in
        assert provider.asked.count("/jwks") == 2
        assert provider.asked.count("/.well-known/openid-configuration") == 1

    @pytest.mark.parametrize(
        "claims",
        [{"iat": SKEW_S}, {"nbf": SKEW_S}, {"exp": 1 - SKEW_S, "iat": -300}],
        ids=["made a minute ahead", "valid in a minute", "ended not quite a minute ago"],
    )
    def test_clocks_may_differ_by_a_minute(
        self, site: SignInSite, provider: LyingProvider, claims: dict[str, int]
    ) -> None:
        provider.claims = {name: provider.now() + off for name, off in claims.items()}
        come_back(browser := site.browser(), provider)
        assert browser.is_in

    def test_the_audience_may_name_others_too_where_the_token_is_made_for_us(
        self, site: SignInSite, provider: LyingProvider
    ) -> None:
        provider.claims = {"aud": [CLIENT, "another"], "azp": CLIENT}
        come_back(browser := site.browser(), provider)
        assert browser.is_in


def no_lie(provider: LyingProvider) -> None:
    """For lies that the browser tells."""


def other_claims(**given: Any) -> Callable[[LyingProvider], None]:
    return lambda provider: provider.claims.update(given)


def moments(**off_s: int) -> Callable[[LyingProvider], None]:
    return lambda provider: provider.claims.update({name: provider.now() + off for name, off in off_s.items()})


def signed_by(key: Any, **header: Any) -> Callable[[LyingProvider], None]:
    def lie(provider: LyingProvider) -> None:
        provider.signing = key
        provider.header = header

    return lie


def answers(**given: Any) -> Callable[[LyingProvider], None]:
    return lambda provider: provider.answer.update(given)


def says_of_itself(**given: Any) -> Callable[[LyingProvider], None]:
    return lambda provider: provider.discovered.update(given)


LIES = {
    "another nonce": (other_claims(nonce="0" * 64), "nonce"),
    "no nonce": (other_claims(nonce=None), "nonce"),
    "another audience": (other_claims(aud="another"), "aud"),
    "others without saying for whom": (other_claims(aud=[CLIENT, "another"]), "azp"),
    "made for another": (other_claims(azp="another"), "azp"),
    "no audience": (other_claims(aud=None), "aud"),
    "another issuer": (other_claims(iss="https://id.example.org"), "iss"),
    "no issuer": (other_claims(iss=None), "iss"),
    "no subject": (other_claims(sub=None), "sub"),
    "an empty subject": (other_claims(sub=""), "sub|whose"),
    "a number as subject": (other_claims(sub=17), "sub"),
    "a subject that cannot be kept": (other_claims(sub="1\0"), "whose"),
    "a very long subject": (other_claims(sub="x" * 256), "whose"),
    "expired": (moments(exp=-SKEW_S - 1), "exp"),
    "never expires": (other_claims(exp=None), "exp"),
    "expires at no moment": (other_claims(exp="tomorrow"), "exp"),
    "not yet valid": (moments(nbf=SKEW_S + 1), "nbf|yet"),
    "made in the future": (moments(iat=SKEW_S + 1), "iat|future"),
    "made never": (other_claims(iat=None), "iat"),
    "no algorithm": (signed_by(None, alg="none"), "none"),
    "the client's secret": (signed_by(shared_key(SECRET), alg="HS256"), "HS256"),
    "an algorithm of another length": (signed_by(None, alg="RS512"), "RS512"),
    "a key that is not published": (signed_by(made_key("one")), "BadSignature"),
    "another key identifier": (signed_by(None, kid="other"), "does not name"),
    "a key in the token itself": (
        signed_by(made_key("mine"), kid="mine", jwk=made_key("mine").as_dict(private=False)),
        "does not name|not right",
    ),
    "an error": (answers(error="access_denied"), "access_denied"),
    "no code": (answers(code=None), "no code"),
    "a code of nobody": (answers(code="guessed"), "invalid_grant"),
    "another state": (answers(state="0" * 64), "state"),
    "no state": (answers(state=None), "state"),
    "an answer of another issuer": (answers(iss="https://id.example.org"), "another issuer"),
    "an answer of no issuer, where it always says": (
        says_of_itself(authorization_response_iss_parameter_supported=True),
        "another issuer",
    ),
}


class TestForgeries:
    @pytest.mark.parametrize("about", LIES)
    def test_what_is_not_right_lets_nobody_in_and_the_reason_is_in_the_log_alone(
        self, site: SignInSite, provider: LyingProvider, caplog: pytest.LogCaptureFixture, about: str
    ) -> None:
        lie, reason = LIES[about]
        lie(provider)
        browser = site.browser()
        answer = come_back(browser, provider)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 403
        assert not browser.is_in
        assert not any("treegarth_session" in one for one in answer.headers.getlist("Set-Cookie"))
        (said,) = (one.getMessage() for one in caplog.records if "was refused" in one.getMessage())
        assert any(one in said for one in reason.split("|")), said
        assert said.partition("refused: ")[2] not in page
        assert "did not succeed" in page
        with site.engine.connect() as connection:
            assert read_users(connection) == []

    def test_an_answer_counts_once_even_where_the_provider_takes_the_code_again(
        self, site: SignInSite, provider: LyingProvider
    ) -> None:
        provider.takes_codes_twice = True
        browser = site.browser()
        there = browser.get(START)
        cookie = there.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
        back = provider.sign_in(there.headers["Location"])
        assert browser.get(back).status_code == 303
        assert site.browser().get(back).status_code == 403
        thief = site.browser()
        thief.client.set_cookie("treegarth_provider", cookie, path="/treegarth/sign-in")
        assert thief.get(back).status_code == 403
        assert not thief.is_in

    def test_an_answer_for_another_browser_lets_nobody_in(self, site: SignInSite, provider: LyingProvider) -> None:
        one, other = site.browser(), site.browser()
        back = provider.sign_in(one.get(START).headers["Location"])
        other.get(START)
        assert other.get(back).status_code == 403
        assert not other.is_in

    def test_an_answer_that_says_two_codes_is_refused(self, site: SignInSite, provider: LyingProvider) -> None:
        browser = site.browser()
        back = provider.sign_in(browser.get(START).headers["Location"])
        assert browser.get(f"{back}&code=other").status_code == 403

    def test_the_way_there_ends_after_ten_minutes(self, site: SignInSite, provider: LyingProvider) -> None:
        browser = site.browser()
        back = provider.sign_in(browser.get(START).headers["Location"])
        site.clock.pass_by(minutes=10, seconds=1)
        assert browser.get(back).status_code == 403

    def test_what_the_cookie_says_cannot_be_changed_on_the_way(self) -> None:
        begun = Begun.new(1_000, "/treegarth/studies")
        later = Begun(secret=begun.secret, moment=2_000, next_place=begun.next_place)
        elsewhere = Begun(secret=begun.secret, moment=1_000, next_place="/treegarth/")
        assert len({one.state for one in (begun, later, elsewhere)}) == 3
        assert len({begun.state, begun.nonce, begun.verifier}) == 3
        assert begun.secret not in begun.state + begun.nonce + begun.verifier
        assert Begun.read(begun.cookie()) == begun

    @pytest.mark.parametrize("kept", ["", "x", "..", f"{'a' * 43}.1.!", f"{'a' * 43}.x.", f"{'a' * 43}.1._w", "é.1."])
    def test_a_cookie_that_is_not_of_ours_is_none(self, kept: str) -> None:
        assert Begun.read(kept) is None
        assert Begun.read(urlsafe_b64encode(kept.encode()).decode()) is None

    def test_another_users_information_is_not_taken(
        self, make_site: Callable[..., SignInSite], provider: LyingProvider
    ) -> None:
        site = make_site(Roles=ROLES)
        provider.beside = {"sub": "18", "groups": ["it"]}
        assert come_back(site.browser(), provider).status_code == 403

    @pytest.mark.parametrize(
        "lie",
        [{"issuer": "https://id.example.org"}, {"token_endpoint": "http://id.example.org/token"}, {"jwks_uri": None}],
        ids=["of another issuer", "in the clear", "without keys"],
    )
    def test_a_discovery_document_that_is_not_right_leads_nowhere(
        self, site: SignInSite, provider: LyingProvider, lie: dict[str, Any]
    ) -> None:
        provider.discovered = lie
        assert site.browser().get(START).status_code == 403

    def test_keys_are_not_asked_for_at_every_unknown_identifier(
        self, site: SignInSite, provider: LyingProvider
    ) -> None:
        provider.header = {"kid": "other"}
        for _ in range(5):
            come_back(site.browser(), provider)
        assert provider.asked.count("/jwks") == 1

    @pytest.mark.parametrize("place", ["https://evil.example.org/", "//evil.example.org", "/treegarth/sign-out"])
    def test_nobody_is_led_elsewhere_afterwards(self, site: SignInSite, provider: LyingProvider, place: str) -> None:
        assert come_back(site.browser(), provider, place).headers["Location"] == "/treegarth/"


class TestTheWayThere:
    def test_the_cookies_are_lax_httponly_and_secure_behind_https(
        self, make_site: Callable[..., SignInSite], provider: LyingProvider
    ) -> None:
        site = make_site("https://pacs.example.org/pacs")
        there = site.browser().get(START)
        (cookie,) = there.headers.getlist("Set-Cookie")
        for one in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/pacs/treegarth/sign-in", "Max-Age=600"):
            assert one in cookie
        assert (
            "redirect_uri=https%3A%2F%2Fpacs.example.org%2Fpacs%2Ftreegarth%2Fsign-in%2Foidc%2Fcallback"
            in (there.headers["Location"])
        )

    def test_a_provider_that_is_away_is_told_and_is_tried_again(
        self, site: SignInSite, provider: LyingProvider, caplog: pytest.LogCaptureFixture
    ) -> None:
        provider.is_away = True
        with caplog.at_level(logging.WARNING):
            answer = site.browser().get(START)
        assert answer.status_code == 503
        assert "does not answer" in answer.get_data(as_text=True)
        assert "cannot be asked" in caplog.text
        provider.is_away = False
        assert site.browser().get(START).status_code == 303

    def test_the_secret_is_never_told_in_an_address(self, site: SignInSite, provider: LyingProvider) -> None:
        assert "secret" not in site.browser().get(START).headers["Location"]


class TestSigningOut:
    def test_who_signs_out_is_signed_out_at_the_provider_too(self, site: SignInSite, provider: LyingProvider) -> None:
        browser = site.browser()
        come_back(browser, provider)
        page = browser.post("/treegarth/sign-out").get_data(as_text=True)
        assert f'content="1;url={provider.issuer}/end?client_id=treegarth&amp;' in page
        assert "post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Ftreegarth%2Fsign-in&amp;id_token_hint=" in page
        assert not browser.is_in
        with site.engine.connect() as connection:
            assert connection.execute(select(user_session.c.id_token)).scalars().all() == [None]

    def test_or_here_alone_where_it_is_set_so(
        self, make_site: Callable[..., SignInSite], provider: LyingProvider
    ) -> None:
        browser = make_site(LogOut=False).browser()
        come_back(browser, provider)
        assert browser.post("/treegarth/sign-out").headers["Location"] == "/treegarth/sign-in"

    def test_a_provider_without_such_a_place_is_left_in_peace(self, site: SignInSite, provider: LyingProvider) -> None:
        provider.discovered = {"end_session_endpoint": None}
        browser = site.browser()
        come_back(browser, provider)
        assert browser.post("/treegarth/sign-out").status_code == 303


class TestPasswordsBeside:
    def test_users_with_a_password_are_not_let_in_unless_it_is_set(
        self, site: SignInSite, make_site: Callable[..., SignInSite]
    ) -> None:
        site.add_user("Root", "administrator")
        assert site.browser().sign_in("Root").status_code == 404
        beside = make_site(AlsoPassword=True)
        browser = beside.browser()
        page = browser.get("/treegarth/sign-in").get_data(as_text=True)
        assert 'name="password"' in page
        assert START in page
        assert browser.sign_in("Root").status_code == 303
        assert browser.is_in

    def test_who_signs_in_by_the_provider_cannot_sign_in_with_a_password(
        self, make_site: Callable[..., SignInSite], provider: LyingProvider
    ) -> None:
        site = make_site(AlsoPassword=True)
        come_back(site.browser(), provider)
        for password in ("", "ada"):
            assert site.browser().sign_in("ada", password).status_code == 403

    def test_where_no_provider_is_set_its_addresses_are_not_there(self, engine: Engine) -> None:
        browser = SignInSite(engine).browser()
        for path in (START, BACK):
            assert browser.get(path).status_code == 404
