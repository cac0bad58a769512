"""Settings: every problem is told at once, secrets stay where they are, and nobody is let in by accident."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from treegarth.errors import SettingsRefused
from treegarth.settings import Settings, SignIn, environment_name, problems_of_access, read_settings


def refusal(section: object, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsRefused) as refused:
        read_settings(section, environment or {})
    return str(refused.value)


def test_an_empty_section_means_the_careful_defaults() -> None:
    settings = read_settings({}, {})
    assert (settings.sign_in, settings.workers, settings.database) == (SignIn.ORTHANC, 1, None)


def test_every_problem_is_told_at_once_with_key_value_and_what_would_be_right() -> None:
    told = refusal({"SignIn": "production", "Workers": -1, "Wrokers": 2, "TimeZone": "Korea"}).splitlines()
    assert len(told) == 4
    assert told[0].startswith('Treegarth.SignIn = "production": ')
    assert "'none', 'orthanc', 'treegarth' or 'oidc'" in told[0]
    assert told[1].startswith("Treegarth.Workers = -1: ")
    assert "greater than or equal to 0" in told[1]
    assert 'Treegarth.TimeZone = "Korea": is not an IANA time zone such as Asia/Seoul.' in told
    assert any(line.startswith("Treegarth.Wrokers is not a setting. Known: SignIn, ") for line in told)


def test_the_setting_of_modes_names_what_replaces_it() -> None:
    assert '"orthanc" for what was "prod"' in refusal({"Mode": "prod"})
    assert "without a sign-in" in refusal({"AllowRemoteAccessWithoutLogin": True})


def test_a_setting_that_there_was_names_what_replaces_it() -> None:
    for section, environment in (({"GuardOrthanc": True}, {}), ({}, {"TREEGARTH_GUARD_ORTHANC": "false"})):
        told = refusal(section, environment)
        assert told.startswith("Treegarth.GuardOrthanc is not a setting. The guard is a script of Orthanc now")
        assert 'plugin/orthanc_guard.lua in "LuaScripts"' in told
        assert "Known:" not in told


def test_keys_are_written_as_documented_and_not_otherwise() -> None:
    assert "Treegarth.workers is not a setting" in refusal({"workers": 2})


def test_something_else_than_an_object_is_refused() -> None:
    assert refusal([1]) == '"Treegarth" must be an object {...}, not [1].'


class TestEnvironment:
    def test_it_wins_over_the_configuration(self) -> None:
        assert read_settings({"Workers": 2}, {"TREEGARTH_WORKERS": "5"}).workers == 5

    def test_its_values_are_json_where_that_makes_sense_and_text_otherwise(self) -> None:
        settings = read_settings(
            {}, {"TREEGARTH_CHAINED_SCRIPTS": '["/a.py", "/b.py"]', "TREEGARTH_TIME_ZONE": "Asia/Seoul"}
        )
        assert settings.chained_scripts == (Path("/a.py"), Path("/b.py"))
        assert settings.time_zone == "Asia/Seoul"

    def test_other_variables_do_not_matter(self) -> None:
        assert read_settings({}, {"TREEGARTH_SITE_PACKAGES": "/x", "HOME": "/root"}) == Settings()

    def test_a_bad_value_is_refused_as_one_in_the_configuration(self) -> None:
        assert refusal({}, {"TREEGARTH_WORKERS": "many"}).startswith('Treegarth.Workers = "many": ')

    def test_names_are_the_keys_in_capitals(self) -> None:
        assert environment_name("AllowRemoteAccessWithoutLogin") == "TREEGARTH_ALLOW_REMOTE_ACCESS_WITHOUT_LOGIN"


class TestSecrets:
    @pytest.mark.parametrize(
        "address",
        [
            "postgresql://treegarth:hunter2@db/treegarth",
            "postgresql://treegarth:hunter/2@db/treegarth",
            "postgresql://db/treegarth?user=treegarth&password=hunter2",
        ],
    )
    def test_a_password_in_the_database_address_is_refused_and_not_repeated(self, address: str) -> None:
        told = refusal({"Database": address})
        assert "name its place in DatabasePassword" in told
        assert "hunter" not in told

    def test_a_password_in_its_own_place_is_refused_and_not_repeated(self) -> None:
        told = refusal({"DatabasePassword": "hunter2", "OrthancPassword": {"Value": "hunter3"}})
        assert "hunter" not in told

    def test_one_is_read_from_a_file_without_its_line_end(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("from a file\n", encoding="utf-8")
        settings = read_settings({"DatabasePassword": {"File": str(tmp_path / "secret")}}, {})
        assert settings.database_password is not None
        assert settings.database_password.resolve({}) == "from a file"

    def test_one_is_read_from_the_environment(self) -> None:
        settings = read_settings({"OrthancPassword": {"Environment": "ITS_PLACE"}}, {})
        assert settings.orthanc_password is not None
        assert settings.orthanc_password.resolve({"ITS_PLACE": "kept there"}) == "kept there"
        with pytest.raises(SettingsRefused, match="ITS_PLACE"):
            settings.orthanc_password.resolve({})

    @pytest.mark.parametrize("place", [{}, {"File": "/a", "Environment": "B"}])
    def test_its_place_is_exactly_one(self, place: dict[str, str]) -> None:
        assert "give either" in refusal({"DatabasePassword": place})


class TestAddresses:
    @pytest.mark.parametrize("address", ["mysql://db/treegarth", "db.example.org"])
    def test_the_database_is_postgresql(self, address: str) -> None:
        assert "PostgreSQL only" in refusal({"Database": address})

    @pytest.mark.parametrize("address", ["orthanc:8042", "http://user:password@orthanc:8042"])
    def test_orthancs_is_http_without_a_login(self, address: str) -> None:
        assert "without user and password" in refusal({"OrthancUrl": address})

    def test_orthancs_may_end_with_a_slash(self) -> None:
        assert read_settings({"OrthancUrl": "https://orthanc/"}, {}).orthanc_url == "https://orthanc"


WITH_LOGIN = {"AuthenticationEnabled": True, "RegisteredUsers": {"physicist": "a long password"}}


class TestAccess:
    @pytest.mark.parametrize(
        "orthanc",
        [
            {},
            {"RemoteAccessAllowed": True},
            {"AuthenticationEnabled": True},
            {"AuthenticationEnabled": True, "RegisteredUsers": {}},
            {"AuthenticationEnabled": False, "RegisteredUsers": {"physicist": "a long password"}},
        ],
    )
    def test_prod_insists_on_a_login_with_users(self, orthanc: dict[str, object]) -> None:
        (sentence,) = problems_of_access(Settings(sign_in=SignIn.ORTHANC), orthanc)
        assert "RegisteredUsers" in sentence

    def test_prod_may_run_with_a_login(self) -> None:
        assert problems_of_access(Settings(sign_in=SignIn.ORTHANC), {"RemoteAccessAllowed": True, **WITH_LOGIN}) == []

    def test_without_a_sign_in_it_is_for_this_machine_only(self) -> None:
        settings = Settings(sign_in=SignIn.NONE)
        assert problems_of_access(settings, {}) == []
        (sentence,) = problems_of_access(settings, {"RemoteAccessAllowed": True, "AuthenticationEnabled": False})
        assert '"RemoteAccessAllowed": false' in sentence
        (sentence,) = problems_of_access(settings, WITH_LOGIN)
        assert "gives each of them their roles" in sentence

    def test_users_of_our_own_are_asked_by_us_alone(self) -> None:
        settings = Settings(sign_in=SignIn.TREEGARTH, public_url="https://pacs.example.org")
        for remote in (True, False):
            open_door = {"RemoteAccessAllowed": remote, "AuthenticationEnabled": False}
            assert problems_of_access(settings, open_door) == []
        for asked_before in ({"AuthenticationEnabled": True}, {"RemoteAccessAllowed": True}, WITH_LOGIN):
            (sentence,) = problems_of_access(settings, asked_before)
            assert '"AuthenticationEnabled": false' in sentence

    def test_a_public_name_says_that_others_reach_it_too(self) -> None:
        (sentence,) = problems_of_access(Settings(sign_in=SignIn.NONE, public_url="https://pacs.example.org"), {})
        assert "https://pacs.example.org" in sentence
        for public_url in ("http://localhost:8080/pacs", "https://127.0.0.1", None):
            assert problems_of_access(Settings(sign_in=SignIn.NONE, public_url=public_url), {}) == []
        assert problems_of_access(Settings(sign_in=SignIn.ORTHANC, public_url="https://a.example"), WITH_LOGIN) == []


PROVIDER = {"Issuer": "https://id.example.org/realms/hospital", "ClientId": "treegarth"}


class TestIdentityProvider:
    def test_it_needs_a_provider_and_an_address_to_come_back_to(self) -> None:
        missing = problems_of_access(Settings(sign_in=SignIn.OIDC), {"AuthenticationEnabled": False})
        assert len(missing) == 2
        assert '"Oidc"' in missing[0]
        assert '"PublicUrl"' in missing[1]
        settings = read_settings({"SignIn": "oidc", "PublicUrl": "https://pacs.example.org", "Oidc": PROVIDER}, {})
        for remote in (True, False):
            assert problems_of_access(settings, {"RemoteAccessAllowed": remote, "AuthenticationEnabled": False}) == []
        (sentence,) = problems_of_access(settings, WITH_LOGIN)
        assert '"AuthenticationEnabled": false' in sentence

    def test_it_may_come_from_the_environment(self) -> None:
        settings = read_settings({}, {"TREEGARTH_OIDC": json.dumps({**PROVIDER, "Roles": {"it": ["administrator"]}})})
        assert settings.oidc is not None
        assert settings.oidc.roles == {"it": ("administrator",)}
        assert settings.oidc.shown_name == "id.example.org"

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"Issuer": "id.example.org"}, "must be like https://"),
            ({"Issuer": "http://id.example.org"}, "must begin with https"),
            ({"Issuer": "https://id.example.org/?a"}, "must be like https://"),
            ({"Scopes": ["profile"]}, 'must have "openid"'),
            ({"Scopes": ["openid a"]}, "openid"),
            ({"ClientSecret": "hunter2"}, "not shown"),
            ({"Groups": "x"}, "is not a setting"),
        ],
    )
    def test_what_cannot_be_is_refused(self, given: dict[str, object], told: str) -> None:
        said = refusal({"Oidc": {**PROVIDER, **given}})
        assert told in said
        assert "hunter2" not in said

    def test_a_provider_on_this_machine_may_speak_http(self) -> None:
        assert read_settings({"Oidc": {**PROVIDER, "Issuer": "http://127.0.0.1:8080"}}, {}).oidc is not None
