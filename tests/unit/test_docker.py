"""Docker's files are consistent with the rest of the checkout. They are parsed here; no image is built."""

from __future__ import annotations

import importlib.util
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import json5
import pytest
import yaml

from treegarth.command_line import make_parser
from treegarth.settings import problems_of_access, read_settings

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
MADE_IN_FIRST_STAGE = {"/opt/treegarth/web/vendor"}


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile: its name and the rest of its line."""
    text = (DOCKER / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(name, rest) for name, rest in (line.split(maxsplit=1) for line in lines)]


def arguments_of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def steps_called_by(text: str) -> set[str]:
    return set(re.findall(r"(?:docker/steps|steps)/(\w+\.sh)", text))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def configuration() -> dict[str, Any]:
    loaded: dict[str, Any] = json5.loads((DOCKER / "orthanc.json").read_text(encoding="utf-8"))
    return loaded


def test_every_image_is_pinned() -> None:
    for image in arguments_of("FROM"):
        assert re.search(r":[\w.-]*\d", image), image
        assert ":latest" not in image


def test_every_copied_source_exists() -> None:
    for line in arguments_of("COPY"):
        *sources, _target = line.split()
        if sources[0].startswith("--from="):
            assert set(sources[1:]) <= MADE_IN_FIRST_STAGE
        else:
            assert [source for source in sources if not (ROOT / source).exists()] == []


def test_nothing_copied_is_ignored() -> None:
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    copied = {source for line in arguments_of("COPY") if "--from" not in line for source in line.split()[:-1]}
    assert copied & set(ignored) == set()
    assert {".git", ".data", ".venv", "web/vendor"} <= set(ignored)


def test_what_the_python_packages_are_installed_by_is_copied_before_that() -> None:
    texts = [f"{name} {rest}" for name, rest in instructions()]
    before = texts[: next(number for number, text in enumerate(texts) if "python.sh runtime" in text)]
    copied = {source for text in before if text.startswith("COPY") for source in text.split()[1:-1]}
    assert {"pyproject.toml", "requirements.lock", "plugin", "README.md", "LICENSE"} <= copied


def test_the_image_is_built_by_the_steps_that_make_runs() -> None:
    in_docker = {step for line in arguments_of("RUN") for step in steps_called_by(line)}
    by_make = steps_called_by((ROOT / "docker/steps/install.sh").read_text(encoding="utf-8"))
    assert "docker/steps/install.sh" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert in_docker == by_make == {"packages.sh", "python.sh", "web.sh"}


@pytest.mark.parametrize("script", sorted((DOCKER / "steps").glob("*.sh")), ids=lambda script: str(script.name))
def test_each_step_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK) or script.name in {"speak.sh", "debian_tree.sh"}


def test_every_service_has_a_health_check(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"orthanc", "database", "proxy"}
    for service in compose["services"].values():
        assert service["healthcheck"]["test"]
    assert compose["services"]["orthanc"]["depends_on"]["database"]["condition"] == "service_healthy"


def test_the_health_check_of_image_and_compose_is_the_same(compose: dict[str, Any]) -> None:
    (line,) = arguments_of("HEALTHCHECK")
    command = yaml.safe_load(line.split("CMD ")[1])
    assert ["CMD", *command] == compose["services"]["orthanc"]["healthcheck"]["test"]
    assert command[-1] == "/opt/treegarth/docker/health.py"


def test_no_user_or_password_has_a_default() -> None:
    text = (DOCKER / "compose.yml").read_text(encoding="utf-8")
    secrets = re.findall(r"\$\{(\w*(?:USER|PASSWORD)\w*)([^}]*)\}", text)
    assert {name for name, _ in secrets} == {"POSTGRES_PASSWORD"}
    assert [name for name, how in secrets if not how.startswith(":?")] == []
    example = (DOCKER / "env.example").read_text(encoding="utf-8")
    assert re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE) == [("POSTGRES_PASSWORD", "")]


def test_ports_are_open_to_this_machine_only(compose: dict[str, Any]) -> None:
    for port in [*compose["services"]["orthanc"]["ports"], *compose["services"]["proxy"]["ports"]]:
        assert re.match(r"\$\{\w+_ADDRESS:-127\.0\.0\.1\}:", port)
    assert "ports" not in compose["services"]["database"]


def test_data_is_kept_in_named_volumes(compose: dict[str, Any]) -> None:
    services = [service for name, service in compose["services"].items() if name != "proxy"]
    mounted = {volume.split(":")[0] for service in services for volume in service["volumes"]}
    assert mounted == set(compose["volumes"])


def test_the_proxy_is_an_example_and_starts_only_where_it_is_asked_for(compose: dict[str, Any]) -> None:
    proxy = compose["services"]["proxy"]
    assert proxy["profiles"] == ["proxy"]
    example = DOCKER / proxy["volumes"][0].split(":")[0]
    wanted = set(re.findall(r"\{\$(\w+):", example.read_text(encoding="utf-8")))
    assert wanted == set(proxy["environment"])
    assert proxy["environment"]["ORTHANC"] == "orthanc:8042"
    assert compose["services"]["orthanc"]["environment"]["TREEGARTH_PUBLIC_URL"] == "${PUBLIC_URL:-null}"
    assert read_settings({}, {"TREEGARTH_PUBLIC_URL": "null"}).public_url is None


@pytest.mark.parametrize("example", sorted((DOCKER / "proxy").iterdir()), ids=lambda example: str(example.name))
def test_each_example_of_a_proxy_tells_forwarded_and_names_its_public_url(example: Path) -> None:
    """Whether it works is seen by tests/browser/test_proxies.py."""
    text = example.read_text(encoding="utf-8")
    found = re.search(r'"PublicUrl": "(https://[^"]*)"', text)
    assert found
    public_url = read_settings({"PublicUrl": found[1]}, {}).public_url
    assert public_url == found[1]
    path = "/pacs" if "prefix" in example.name else ""
    assert public_url.endswith(f".example.org{path}")
    assert re.search(rf"Forwarded \"host=[$\w{{}}]+{path};proto=[$\w{{}}]+\"", text)
    assert f"[{example.name}](../docker/proxy/{example.name})" in (ROOT / "docs/proxy.md").read_text(encoding="utf-8")


def test_the_configuration_is_accepted_and_people_sign_in_there(
    compose: dict[str, Any], configuration: dict[str, Any]
) -> None:
    given = compose["services"]["orthanc"]["environment"]
    environment = {name: re.sub(r"\$\{\w+:-(\w*)\}", r"\1", value) for name, value in given.items()}
    settings = read_settings(configuration["Treegarth"], environment)
    assert settings.sign_in == "treegarth"
    assert problems_of_access(settings, configuration) == []
    assert problems_of_access(settings, {**configuration, "AuthenticationEnabled": True}) != []


def test_the_first_administrator_is_made_as_compose_and_readme_say() -> None:
    for file in (DOCKER / "compose.yml", ROOT / "README.md"):
        (line,) = re.findall(r"docker compose exec orthanc (\S+) (.*)", file.read_text(encoding="utf-8"))
        assert line[0] == "/opt/treegarth/.venv/bin/treegarth"
        options = make_parser().parse_args(line[1].split())
        assert options.name == "NAME"
        assert f"COPY docker/orthanc.json {options.config}" in (DOCKER / "Dockerfile").read_text(encoding="utf-8")


def test_the_database_of_the_configuration_is_that_of_compose(
    compose: dict[str, Any], configuration: dict[str, Any]
) -> None:
    section, database = configuration["Treegarth"], compose["services"]["database"]["environment"]
    assert section["Database"] == f"postgresql://{database['POSTGRES_USER']}@database:5432/{database['POSTGRES_DB']}"
    password = compose["services"]["orthanc"]["environment"][section["DatabasePassword"]["Environment"]]
    assert password == database["POSTGRES_PASSWORD"]


def test_the_script_of_the_configuration_is_where_the_image_has_it(configuration: dict[str, Any]) -> None:
    assert arguments_of("WORKDIR") == ["/opt/treegarth", "/opt/treegarth"]
    script = configuration["PythonScript"].removeprefix("/opt/treegarth/")
    assert (ROOT / script).is_file()


@contextmanager
def server_that_answers(status: int) -> Iterator[str]:
    """An HTTP server on a free port: its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join(timeout=5)


@pytest.fixture(scope="module")
def health() -> ModuleType:
    specification = importlib.util.spec_from_file_location("docker_health", DOCKER / "health.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("status", "expected"), [(200, True), (503, False), (401, False)])
def test_the_health_check_believes_200_only(health: ModuleType, status: int, expected: bool) -> None:
    with server_that_answers(status) as url:
        assert health.is_healthy(url) is expected


def test_the_health_check_fails_where_nothing_answers(health: ModuleType) -> None:
    with server_that_answers(200) as url:
        pass
    assert health.is_healthy(url) is False


def test_the_readme_says_that_docker_was_not_run() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert "checked by parsing" in readme
    assert "not run" in readme
