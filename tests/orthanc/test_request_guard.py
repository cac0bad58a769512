"""The guard before all of Orthanc's addresses: a page of another site gets nothing and changes nothing, what is no
UTF-8 is never answered 500, and nothing that a script does opens the door or ends Orthanc."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from random import Random

import pytest
import requests

from tests.foreign_requests import ALLOWED_ORIGINS, CROSS, EVIL, FOREIGN, LINK, NAMES, ORTHANC_URL, PUBLIC_URL, Told
from tests.orthanc.conftest import ServerFactory, rounds
from tests.raw_http import RawAnswer, ask
from tests.servers import OrthancServer, resident_bytes
from treegarth.host.orthanc_checks import GUARD

LOGIN = ("kim", "a long passphrase")
ORTHANCS = {"GET": "/system", "POST": "/tools/lookup", "DELETE": "/patients/none"}
OURS = {method: f"/treegarth/api/v1/rules{below}" for method, below in (("GET", ""), ("POST", ""), ("DELETE", "/77"))}
PROXYS = {method: f"/pacs{path}" for method, path in OURS.items()}  # below the path of PublicUrl


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """An Orthanc with a login that other sites may ask."""
    settings = {"AuthenticationEnabled": True, "RegisteredUsers": dict([LOGIN])}
    section = {"SignIn": "orthanc", "PublicUrl": PUBLIC_URL, "AllowedOrigins": ALLOWED_ORIGINS}
    server = OrthancServer(tmp_path_factory.mktemp("guard") / "server", treegarth=section, settings=settings)
    with server.start(wait=False):
        server.wait_until_ready(login=LOGIN)
        yield server


def said(server: OrthancServer) -> list[str]:
    return [line for line in server.log_text().splitlines() if "Lua says" in line and "guard" in line]


def asked(server: OrthancServer, method: str, path: str, headers: dict[str, str]) -> RawAnswer:
    login = base64.b64encode(":".join(LOGIN).encode())
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return ask(server.http_port, method, path.encode(), [*encoded, (b"Authorization", b"Basic " + login)], b"{}")


@pytest.mark.parametrize("told", FOREIGN, ids=[one.about for one in FOREIGN])
def test_orthancs_addresses_and_ours_are_held_to_one_table(published: OrthancServer, told: Told) -> None:
    for method in told.methods:
        for path in (ORTHANCS[method], OURS[method], PROXYS[method]):
            answer = asked(published, method, path, told.all_headers)
            assert (answer.status != 403) is told.allowed, (method, path, answer)
            if not told.allowed:
                assert (b"another site" in answer.body) is (path != ORTHANCS[method]), answer


def test_without_a_login_only_our_own_names_are_answered(new_server: ServerFactory) -> None:
    server = new_server(environment={"TREEGARTH_ORTHANC_URL": ORTHANC_URL}).start()  # a setting of the environment
    for name in NAMES:
        for path in ("/system", "/treegarth/api/v1/health"):
            answer = ask(server.http_port, "GET", path.encode(), [(b"Host", name.host.encode())])
            is_ours = name.known and not name.host.lower().startswith("pacs.")  # of no PublicUrl here
            assert answer.status == (200 if is_ours else 403), (name, path)


def test_with_a_login_every_name_is_answered(published: OrthancServer) -> None:
    for name in NAMES:
        assert asked(published, "GET", "/system", {"Host": name.host}).status == 200


def test_a_link_that_hides_another_method_is_judged_by_that(published: OrthancServer) -> None:
    """Orthanc takes `?_method=` of a GET for its method."""
    for path in ("/patients/none?_method=DELETE", "/treegarth/api/v1/rules/77?_method=DELETE"):
        assert asked(published, "GET", path, {"Host": "pacs.example.org", **LINK}).status == 403
        assert asked(published, "GET", path, {"Host": "pacs.example.org"}).status == 404


def test_a_path_that_is_written_oddly_is_judged_as_it_is_answered(published: OrthancServer) -> None:
    for path in ("/treegarth/../system", "/treegarth/%2e%2e/system", "//system", "/treegarth/..%2fsystem", "/system/"):
        assert asked(published, "GET", path, {"Host": "pacs.example.org", **CROSS}).status == 403
        assert asked(published, "GET", path, {"Host": "pacs.example.org"}).status == 200


def test_a_form_that_orthanc_would_keep_to_itself_is_refused(shared_server: OrthancServer) -> None:
    """It takes multipart/form-data for an upload of files, and answers 200 without asking a plugin."""
    body = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n- name: x\r\n--b--\r\n'
    for path in (b"/treegarth/rules/import", b"/treegarth/api/v1/rules", b"/treegarth/nowhere"):
        for kind in (b"multipart/form-data; boundary=b", b"Multipart/Form-Data;boundary=b"):
            given = [(b"Host", b"localhost"), (b"Content-Type", kind)]
            assert ask(shared_server.http_port, "POST", path, given, body).status == 403
    given = [(b"Host", b"localhost"), (b"Content-Type", b"multipart/form-data; boundary=b")]
    assert ask(shared_server.http_port, "POST", b"/instances", given, body).status != 403


# ---- what is no UTF-8 ----

ODD_BYTES = (b"\xff", b"\x80", b"\xc3", b"\xc0\xaf", b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xb1\xe8")
PLACES = (b"/", b"/system", b"/studies", b"/treegarth", b"/treegarth/studies", b"/treegarth/api/v1/studies", b"/a")
NAMES_OF_HEADERS = (b"X-A", b"Cookie", b"Accept", b"Accept-Language", b"Origin", b"Referer", b"User-Agent", b"Host")


def quoted(odd: bytes) -> bytes:
    return b"".join(b"%%%02x" % byte for byte in odd)


def test_what_is_no_utf_8_is_never_answered_500(server: OrthancServer) -> None:
    answers = {}
    for odd in ODD_BYTES:
        for place in PLACES:
            for target in (
                place + b"/" + odd,
                place + b"/" + quoted(odd),
                place + b"?q=" + odd,
                place + b"?q=" + quoted(odd),
            ):
                answers[target] = ask(server.http_port, "GET", target, [(b"Host", b"localhost")]).status
            for name in NAMES_OF_HEADERS:
                given = [(b"Host", b"localhost")] * (name != b"Host") + [(name, b"a" + odd)]
                answers[place, name, odd] = ask(server.http_port, "GET", place, given).status
    assert {key: status for key, status in answers.items() if status >= 500} == {}
    ours = {status for key, status in answers.items() if isinstance(key, tuple) and key[0].startswith(b"/treegarth")}
    assert ours == {403}
    assert answers[b"/system", b"Cookie", b"\xff"] == 200  # Orthanc itself reads no header that it does not need
    for text in ("é".encode(), "김".encode(), "😀".encode(), b"\xed\x9f\xbf", b"\xef\xbf\xbf", b"\xf4\x8f\xbf\xbf"):
        good = ask(server.http_port, "GET", b"/treegarth/studies", [(b"Host", b"localhost"), (b"Cookie", b"a=" + text)])
        assert good.status == 200, text
    assert len(said(server)) == 1
    assert server.get("health")["healthy"] is True
    assert "UTF-8" not in "".join(server.error_lines())


def test_random_bytes_in_headers_are_answered_and_never_with_500(shared_server: OrthancServer) -> None:
    chance = Random(7)
    names = [*CROSS, "Origin", "Referer", "Host", "Accept", "X-HTTP-Method-Override"]
    pieces = [
        b"http",
        b"https",
        b"://",
        b":",
        b"/",
        b"[",
        b"]",
        b"::1",
        b"localhost",
        b"%",
        b"@",
        b"#",
        b"\\",
        b"=",
        b".",
    ]
    statuses = set()
    for number in range(rounds(500, 10_000)):
        headers = [
            (name.encode(), b"".join(chance.choice([*pieces, chance.randbytes(1)]) for _ in range(chance.randrange(8))))
            for name in chance.sample(names, chance.randrange(1, 5))
        ]
        headers = [(name, value.translate(None, b"\r\n\0")) for name, value in headers]
        path = chance.choice((b"/system", b"/treegarth/api/v1/health"))
        status = ask(shared_server.http_port, chance.choice(("GET", "POST")), path, headers).status
        statuses.add(status)
        assert status < 500, (number, path, headers)
    assert {200, 403} <= statuses


# ---- its words, its failures, its neighbours ----


def test_a_refusal_is_said_once_a_minute_without_an_address(server: OrthancServer) -> None:
    for number in range(3):
        answer = requests.get(f"{server.url}/patients/4711{number}", headers={"Origin": EVIL, **CROSS}, timeout=120)
        assert (answer.status_code, answer.content) == (403, b"")
    (line,) = said(server)
    assert f"(1 so far): a page of {EVIL} made a browser send it" in line
    assert "4711" not in server.log_text()


def with_scripts(new_server: ServerFactory, tmp_path: Path, *, before: str = "", after: str = "") -> OrthancServer:
    """An Orthanc whose site has Lua scripts before the guard and after it."""
    scripts = []
    for name, text in (("before", before), ("after", after)):
        scripts.append(tmp_path / f"{name}.lua")
        scripts[-1].write_text(text, encoding="utf-8")
    order = [str(scripts[0]), str(GUARD), str(scripts[1])]
    return new_server(settings={"LuaScripts": order}).start()


def test_a_filter_that_the_site_had_is_asked_as_well_and_any_refusal_holds(
    new_server: ServerFactory, tmp_path: Path
) -> None:
    own = """
    function IncomingHttpRequestFilter(method, uri, ip, username, headers)
      if uri == "/own-fault" then error("the site's filter is at fault") end
      return method .. uri .. ip .. (headers["x-a"] or "") ~= "GET/changes127.0.0.1refused"
    end
    """
    server = with_scripts(new_server, tmp_path, before=own)
    statuses = [
        requests.get(f"{server.url}/{path}", headers={"X-A": value, **more}, timeout=120).status_code
        for path, value, more in (
            ("changes", "good", {}),
            ("changes", "refused", {}),
            ("changes", "good", CROSS),
            ("own-fault", "good", {}),  # as without the guard
        )
    ]
    assert statuses == [200, 403, 403, 500]
    server.log.write_text("", encoding="utf-8")


def test_what_fails_in_the_guard_refuses(new_server: ServerFactory, tmp_path: Path) -> None:
    spoil = """
    local find = string.find
    string.find = function(text, ...) return text == "/spoil" and error("not by the guard") or find(text, ...) end
    """
    server = with_scripts(new_server, tmp_path, after=spoil)
    assert requests.get(f"{server.url}/system", timeout=120).status_code == 200
    answer = requests.get(f"{server.url}/spoil", timeout=120)
    assert (answer.status_code, answer.content) == (403, b"")
    assert "it could not be judged" in said(server)[0]


def test_routes_of_a_sites_script_are_guarded_too_wherever_they_are(new_server: ServerFactory, tmp_path: Path) -> None:
    script = tmp_path / "own.py"
    script.write_text(
        "import orthanc\n"
        "answer = lambda output, uri, **request: output.AnswerBuffer('own', 'text/plain')\n"
        "orthanc.RegisterRestCallback('/treegarth/own/(.*)', answer)\n"
        "orthanc.RegisterRestCallback('/own/(.*)', answer)\n",
        encoding="utf-8",
    )
    server = new_server(treegarth={"ChainedScripts": [str(script)]}).start()
    here = (b"Host", b"localhost")
    for path in (b"/treegarth/own/a", b"/own/a", b"/treegarth/api/v1/health"):
        foreign = [(name.encode(), value.encode()) for name, value in CROSS.items()]
        assert ask(server.http_port, "GET", path, [here]).status == 200
        assert ask(server.http_port, "GET", path, [here, *foreign]).status == 403
        assert ask(server.http_port, "GET", path, [here, (b"X-A", b"\xff")]).status == 403
        assert ask(server.http_port, "GET", path + b"%ff", [here]).status == 403


def test_where_orthanc_does_not_load_it_the_system_page_says_which_line_to_add(new_server: ServerFactory) -> None:
    server = new_server(settings={"LuaScripts": []}).start()
    assert requests.get(f"{server.url}/system", headers={"Origin": EVIL, **CROSS}, timeout=120).status_code == 200
    page = requests.get(f"{server.base_url}/system", timeout=120).text
    assert str(GUARD) in page
    assert "LuaScripts" in page


def test_without_treegarth_it_answers_this_machines_own_pages_alone(new_server: ServerFactory) -> None:
    server = new_server(treegarth=None, settings={"LuaScripts": [str(GUARD)]}).start()
    assert requests.get(f"{server.url}/system", timeout=120).status_code == 200
    assert requests.get(f"{server.url}/system", headers={"Host": "pacs.example.org"}, timeout=120).status_code == 403
    assert requests.get(f"{server.url}/system", headers={"Origin": EVIL}, timeout=120).status_code == 403
    assert "Treegarth is not loaded" in said(server)[0]


def test_it_keeps_nothing_of_a_request(server: OrthancServer) -> None:
    with closing(HTTPConnection("127.0.0.1", server.http_port, timeout=120)) as connection:
        for number in range(rounds(9_000, 25_000)):
            if number == 3_000:
                before = resident_bytes(server.pid)
            connection.request("GET", "/system", headers={"Referer": f"http://localhost/{number}"})
            connection.getresponse().read()
    assert (resident_bytes(server.pid) - before) / (number - 3_000) < 100
