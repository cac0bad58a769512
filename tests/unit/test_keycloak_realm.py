"""The example of a Keycloak realm says what we send: read here, not run in a Keycloak."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import json5

from treegarth.access.provider import ALGORITHMS
from treegarth.features.accounts.pages import provider, sign_in
from treegarth.reach import Reach
from treegarth.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def realm() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docker" / "keycloak" / "realm.json").read_text(encoding="utf-8"))
    return found


def example() -> Settings:
    """The configuration that the documentation shows beside it."""
    text = (ROOT / "docs" / "sign-in.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```json\n(.*?\"oidc\".*?)```", text, flags=re.DOTALL)
    return Settings.model_validate(json5.loads("{" + shown + "}")["Treegarth"], by_name=False)


def path_of(name: str) -> str:
    routes = {one.name: one.path for one in (*provider.routes(), *sign_in.routes())}
    return routes[name]


def test_the_realm_and_the_shown_configuration_are_of_one_client() -> None:
    settings, (client,) = example(), realm()["clients"]
    assert settings.oidc is not None
    assert settings.oidc.client_id == client["clientId"]
    assert settings.oidc.issuer.endswith(f"/realms/{realm()['realm']}")
    assert settings.oidc.client_secret is not None
    assert client["publicClient"] is False
    assert set(settings.oidc.roles) == {one["name"] for one in realm()["groups"]}


def test_the_realm_leads_back_to_our_addresses_and_to_no_other() -> None:
    (client,) = realm()["clients"]
    reach = Reach(public_url=example().public_url)
    assert client["redirectUris"] == [reach.url(path_of(provider.BACK))]
    assert client["attributes"]["post.logout.redirect.uris"] == reach.url(path_of(sign_in.PAGE))


def test_the_realm_lets_the_client_do_what_it_does_and_nothing_else() -> None:
    (client,) = realm()["clients"]
    assert client["standardFlowEnabled"] is True
    assert not any(client[f"{one}Enabled"] for one in ("implicitFlow", "directAccessGrants", "serviceAccounts"))
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert client["attributes"]["id.token.signed.response.alg"] in ALGORITHMS


def test_the_realm_puts_groups_where_they_are_looked_for() -> None:
    (client,) = realm()["clients"]
    (mapper,) = client["protocolMappers"]
    oidc = example().oidc
    assert oidc is not None
    assert mapper["protocolMapper"] == "oidc-group-membership-mapper"
    assert mapper["config"]["claim.name"] == oidc.groups_claim
    assert mapper["config"]["id.token.claim"] == "true"
