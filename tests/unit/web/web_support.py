"""A site of its own for each test: the real application on a small folder of templates, without a database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import Engine

from treegarth.access.known import Known
from treegarth.access.snapshot import Snapshot
from treegarth.orthanc.client import OrthancAddress, OrthancClient
from treegarth.reach import reach_of
from treegarth.settings import Settings, SignIn
from treegarth.web.app import create_app
from treegarth.web.routes import Route
from treegarth.web.services import Database, HostStatus, Services, WorkerStatus

NOW = datetime(2026, 11, 20, 5, 5, 9, tzinfo=UTC)


@dataclass
class KnownHost:
    """The host's figures as a test sets them, and how often a comparison was asked for."""

    status: HostStatus = field(
        default_factory=lambda: HostStatus(
            queue_length=0,
            queue_bytes=0,
            indexed=0,
            pending=0,
            dropped_headers=0,
            requests_given_up=0,
            refused_nested=0,
            callback_median_ms=None,
            callback_p99_ms=None,
            lag_median_s=0.2,
            lag_p99_s=0.5,
            indexer_alive=True,
            indexer_restarts=0,
            workers=(WorkerStatus(pid=1, alive=True, restarts=0),),
            started_at=NOW,
            versions={"orthanc": "1.10.1"},
            database_state="up",
        )
    )
    comparisons: int = 0

    def figures(self) -> HostStatus:
        return self.status

    def request_reconcile(self) -> None:
        self.comparisons += 1


def make_services(
    web_directory: Path,
    *,
    settings: Settings | None = None,
    engine: Callable[[], Engine | None] = lambda: None,
    host: KnownHost | None = None,
    orthanc_url: str = "http://127.0.0.1:9",
    configuration: Mapping[str, Any] | None = None,
) -> Services:
    """`configuration` is the whole of Orthanc's."""
    settings = settings or Settings(sign_in=SignIn.NONE)
    known = Known(engine, lambda: NOW)
    known.learn(Snapshot(version=0))  # no administrator is named: a user of Orthanc may do everything
    return Services(
        database=Database(engine),
        settings=settings,
        reach=reach_of(settings.public_url, settings.allowed_origins, configuration or {}),
        orthanc=OrthancClient(OrthancAddress(url=orthanc_url), pause_s=0),
        host=host or KnownHost(),
        clock=lambda: NOW,
        zone=ZoneInfo("Asia/Seoul"),
        web_directory=web_directory,
        known=known,
    )


def make_site(
    web_directory: Path,
    routes: Iterable[Route],
    *,
    settings: Settings | None = None,
    configuration: Mapping[str, Any] | None = None,
) -> Flask:
    return create_app(routes, make_services(web_directory, settings=settings, configuration=configuration))


def web_folder(folder: Path, **templates: str) -> Path:
    """A folder like `web/` with these templates: `web_folder(tmp_path, page="...")`."""
    for name in ("templates", "static", "ohif", "vendor/ohif/assets", "locales/ko/LC_MESSAGES"):
        (folder / name).mkdir(parents=True)
    for name, text in templates.items():
        (folder / "templates" / f"{name}.html").write_text(text, encoding="utf-8")
    return folder
