"""Behind a proxy every address in an answer begins with the path of PublicUrl; headers of proxies change nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import json5
import pytest
from flask import Response
from flask.testing import FlaskClient

from tests.unit.web.web_support import make_services, make_site, web_folder
from treegarth.access.actors import Permission
from treegarth.bootstrap import make_application
from treegarth.settings import Settings, SignIn
from treegarth.web.call import Answered, Call
from treegarth.web.own_port import handed_on
from treegarth.web.paths import API_PATH, STUDY_PATH, filled
from treegarth.web.routes import Answer, Navigation, Route
from treegarth.web.templates import render_page

ROOT = Path(__file__).resolve().parents[3]
PAGE = (
    "{{ route_url('page', count=2) }} {{ here(count=3) }} {{ orthanc_url('/instances/1/rendered', width=9) }} "
    "{{ file_url('static/a.css') }} {% for entry in navigation %}{{ entry.url }} {% endfor %}"
)


class Echo(Answer):
    text: str


def to_the_page(call: Call[Any, Any, Any]) -> Response:
    return Response(status=303, headers={"Location": call.site.url("page")})


ROUTES = [
    Route(
        name="page",
        path="/treegarth/page",
        permission=Permission.SIGNED_IN,
        handler=lambda call: render_page(call, "page.html"),
        summary="A page.",
        any_query=True,
        navigation=Navigation(label="Studies", icon="studies", order=1, key="s"),
    ),
    Route(
        name="change",
        path=f"{API_PATH}/change",
        method="POST",
        permission=Permission.OPERATE,
        handler=lambda call: Answered(body=Echo(text="done"), headers={}),
        summary="A change.",
        answer=Echo,
    ),
    Route(
        name="leave",
        path="/treegarth/leave",
        permission=Permission.SIGNED_IN,
        handler=to_the_page,
        summary="Leads to the page.",
    ),
]


def client_of(folder: Path, public_url: str | None, **settings: Any) -> FlaskClient:
    web = web_folder(folder / "web", page=PAGE)
    (web / "static" / "a.css").write_text("", encoding="utf-8")
    return make_site(
        web, ROUTES, settings=Settings(sign_in=SignIn.NONE, public_url=public_url, **settings)
    ).test_client()


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    return client_of(tmp_path, "https://www.example.org/pacs")


def test_every_address_of_a_page_begins_with_the_path(client: FlaskClient) -> None:
    addresses = client.get("/treegarth/page?count=1").text.split()
    assert addresses[:3] == [
        "/pacs/treegarth/page?count=2",
        "/pacs/treegarth/page?count=3",
        "/pacs/instances/1/rendered?width=9",
    ]
    assert addresses[3].startswith("/pacs/treegarth/static/a.css?v=")
    assert addresses[4:] == ["/pacs/treegarth/page", "/pacs/treegarth/api/"]


def test_a_redirect_begins_with_it_too_and_names_no_host(client: FlaskClient) -> None:
    assert client.get("/treegarth/leave").headers["Location"] == "/pacs/treegarth/page"
    assert (
        client.get("/treegarth//page").status_code == 404
    )  # Flask by itself would lead to the host that it was asked by


@pytest.mark.parametrize(
    ("public_url", "place", "is_secure"),
    [
        ("https://www.example.org/pacs", "/pacs/treegarth/", True),
        ("http://www.example.org/pacs", "/pacs/treegarth/", False),
        ("https://pacs.example.org", "/treegarth/", True),
        (None, "/treegarth/", False),
    ],
)
def test_cookies_are_kept_for_the_path_and_for_https_alone(
    tmp_path: Path, public_url: str | None, place: str, is_secure: bool
) -> None:
    answer = client_of(tmp_path, public_url).get("/treegarth/page?lang=en&theme=dark")
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        parts = cookie.split("; ")
        assert (f"Path={place}" in parts, "Secure" in parts, "HttpOnly" in parts) == (True, is_secure, True)


SPOOFED = {
    "Forwarded": "host=evil.example;proto=http",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-For": "127.0.0.1",
    "X-Script-Name": "/evil",
    "X-Original-URL": "/evil",
}


def test_what_a_header_says_of_a_proxy_is_not_believed(client: FlaskClient) -> None:
    for path in ("/treegarth/page?lang=en", "/treegarth/leave", "/treegarth/nothing"):
        with_them, without = client.get(path, headers=SPOOFED), client.get(path)
        assert with_them.status_code == without.status_code
        assert with_them.headers.getlist("Set-Cookie") == without.headers.getlist("Set-Cookie")
        assert with_them.headers.get("Location") == without.headers.get("Location")
        assert "evil" not in with_them.text
    assert (
        client.get("/treegarth/page", headers={"Host": "evil.example", "X-Forwarded-Host": "localhost"}).status_code
        == 403
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://www.example.org", "Host": "127.0.0.1:8042"}, 200),
        ({"Referer": "https://www.example.org/pacs/treegarth/", "Host": "127.0.0.1:8042"}, 200),
        ({"Origin": "https://portal.example.org"}, 200),
        ({"Origin": "https://portal.example.org", "Sec-Fetch-Site": "same-site"}, 200),
        ({"Origin": "https://portal.example.org", "Sec-Fetch-Site": "cross-site"}, 200),
        ({"Origin": "http://www.example.org", "Host": "127.0.0.1:8042"}, 403),
        ({"Origin": "https://www.example.org:8443", "Host": "127.0.0.1:8042"}, 403),
        ({"Origin": "https://www.example.org", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://portal.example.org"}, 403),
        ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}, 403),
        ({"Referer": "https://evil.example/https://www.example.org/"}, 403),
    ],
)
def test_pages_of_the_public_address_and_of_allowed_origins_may_change_something(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    client = client_of(tmp_path, "https://www.example.org/pacs", allowed_origins=("https://portal.example.org",))
    answer = client.post(f"{API_PATH}/change", headers=headers)
    assert answer.status_code == status
    assert [name for name, _ in answer.headers if name.lower().startswith("access-control")] == []


@pytest.mark.parametrize(
    ("host", "status"),
    [("www.example.org", 200), ("WWW.example.org:8443", 200), ("localhost:8042", 200), ("evil.example", 403)],
)
def test_without_a_login_the_public_name_is_answered_beside_this_machines(
    tmp_path: Path, host: str, status: int
) -> None:
    client = client_of(tmp_path, "https://www.example.org/pacs")
    assert client.get("/treegarth/page", headers={"Host": host}).status_code == status


class TestOrthancsOwnPort:
    """Nobody takes the path away there."""

    def test_a_page_is_answered_under_the_path_as_without_it(self, client: FlaskClient) -> None:
        assert client.get("/pacs/treegarth/page?count=1").text == client.get("/treegarth/page?count=1").text
        assert client.post(f"/pacs{API_PATH}/change").get_json() == {"text": "done"}
        assert client.get("/pacs/treegarth/nothing").status_code == 404

    def test_what_orthanc_serves_is_where_orthanc_serves_it(self, client: FlaskClient) -> None:
        answer = client.get("/pacs/instances/1/rendered?width=9")
        assert (answer.status_code, answer.headers["Location"]) == (307, "/instances/1/rendered?width=9")
        named = client.get(f"/pacs/studies/{quote('김 %')}")
        assert named.headers["Location"] == f"/studies/{quote('김 %')}"

    def test_nothing_leads_out_of_this_server(self, client: FlaskClient) -> None:
        for path in ("/pacs//evil.example/", "/pacs/\\evil.example", "/pacs/%2F%2Fevil.example"):
            location = client.get(path).headers.get("Location", "")
            assert not location.replace("\\", "/").startswith("//"), path

    def test_orthanc_hands_on_what_pages_lead_to_and_no_more(self, client: FlaskClient) -> None:
        site = client.application.extensions["treegarth"]
        patterns = handed_on(site.services.reach)

        def is_handed_on(path: str) -> bool:
            return any(re.fullmatch(pattern, path) for pattern in patterns)

        ours = ["/treegarth", "/treegarth/x", "/pacs/treegarth", "/pacs/treegarth/x", "/pacs/dicom-web/studies"]
        ours += ["/pacs/app/explorer.html", "/pacs/instances/1/rendered", "/pacs/wado", "/pacs/ui/app/"]
        assert [path for path in ours if not is_handed_on(path)] == []
        theirs = [
            "/",
            "/pacs",
            "/pacs/",
            "/instances",
            "/studies/1",
            "/app/explorer.html",
            "/pacs/system",
            "/treegarthy",
        ]
        assert [path for path in theirs if is_handed_on(path)] == []


def test_the_document_of_the_api_names_the_public_address(tmp_path: Path) -> None:
    for public_url, server in (("https://www.example.org/pacs", "https://www.example.org/pacs"), (None, "/")):
        services = make_services(ROOT / "web", settings=Settings(sign_in=SignIn.NONE, public_url=public_url))
        client = make_application(services).test_client()  # type: ignore[attr-defined]
        assert client.get(f"{API_PATH}/openapi.json").get_json()["servers"][0]["url"] == server


def test_no_template_and_no_script_writes_a_path_by_hand() -> None:
    """Each address comes from route_url, orthanc_url or file_url, which know the path."""
    by_hand = re.compile(
        r"""(?:href|src|action|hx-(?:get|post|put|delete))=["']/|["'`](?:/treegarth|/instances|/studies|/app/|/ui/|/dicom-web)"""
    )
    files = [*(ROOT / "web" / "templates").rglob("*.*"), *(ROOT / "web" / "static").glob("*.js")]
    found = []
    for file in files:
        text = re.sub(r"orthanc_url\(\s*'[^']*'", "", file.read_text(encoding="utf-8"))
        found += [f"{file.name}: {match[0]}" for match in by_hand.finditer(text)]
    assert found == []


@pytest.mark.parametrize("file", ["orthanc.json", "docker/orthanc.json"])
def test_the_button_in_explorer_2_leads_to_a_page_from_wherever_the_explorer_is(file: str) -> None:
    configuration = json5.loads((ROOT / file).read_text(encoding="utf-8"))
    (button,) = configuration["OrthancExplorer2"]["UiOptions"]["CustomButtons"]["study"]
    filled_in = button["Url"].replace("{StudyInstanceUID}", "1.2.3")
    for prefix in ("", "/pacs"):
        for page in ("/ui/app/", "/ui/app/filtered-studies?StudyInstanceUID=1.2.3"):
            assert (
                urljoin(f"{prefix}{page}", filled_in)
                == f"{prefix}{filled(STUDY_PATH, {'study_instance_uid': '1.2.3'})}"
            )


def test_the_page_of_a_study_is_where_mails_lead(tmp_path: Path) -> None:
    site = make_application(make_services(ROOT / "web")).extensions["treegarth"]  # type: ignore[attr-defined]
    assert site.routes["archive.study_page"].path == STUDY_PATH
