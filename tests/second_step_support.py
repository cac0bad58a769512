"""A site that knows its users by their sign-in, and a browser of it, without an Orthanc."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from pyotp import TOTP
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from tests.unit.web.web_support import make_services
from treegarth.access.known import Known
from treegarth.access.store import create_user
from treegarth.bootstrap import make_application
from treegarth.settings import Settings, SignIn

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "a long enough word"
BEGIN = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@dataclass
class Clock:
    """As a test sets it."""

    now: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **given: float) -> None:
        self.now += timedelta(**given)


class PlainPasswords:
    """`Passwords` that take no time: what Argon2id does is tested by itself."""

    def hashed(self, password: str) -> str:
        return f"plain:{password}"

    def fits(self, password: str, password_hash: str) -> bool:
        return password_hash == f"plain:{password}"


@dataclass
class SignInSite:
    """The whole application on a database."""

    engine: Engine
    settings: Settings = field(default_factory=lambda: Settings(sign_in=SignIn.TREEGARTH))
    passwords: Any = field(default_factory=PlainPasswords)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.known = Known(lambda: self.engine, self.clock)
        made = make_services(ROOT / "web", settings=self.settings, engine=lambda: self.engine)
        self.services = replace(made, known=self.known, passwords=self.passwords, clock=self.clock)
        self.application = make_application(self.services)
        self.known.refresh()

    def add_user(self, name: str, *roles: str, password: str | None = PASSWORD, **given: Any) -> int:
        hashed = self.passwords.hashed(password) if password else None
        with self.engine.begin() as connection:
            number = create_user(connection, name, self.clock(), by=None, roles=roles, password_hash=hashed, **given).id
        self.known.refresh()
        return number

    def browser(self) -> Browser:
        return Browser(site=self, client=self.application.test_client())


@dataclass
class Browser:
    """One that keeps its cookies."""

    site: SignInSite
    client: FlaskClient

    def get(self, path: str, **given: Any) -> TestResponse:
        return self.client.get(path, **given)

    def post(self, path: str, **form: str) -> TestResponse:
        return self.client.post(path, data=form)

    def sign_in(self, name: str, password: str = PASSWORD, next_place: str = "") -> TestResponse:
        return self.post("/treegarth/sign-in", name=name, password=password, next=next_place)

    def send_code(self, code: str) -> TestResponse:
        return self.post("/treegarth/sign-in/code", code=code)

    @property
    def is_in(self) -> bool:
        return self.get("/treegarth/account").status_code == 200

    def set_up_app(self, password: str = PASSWORD) -> tuple[TOTP, list[str]]:
        """The app, and the recovery codes that were shown."""
        assert self.post("/treegarth/account/second-step", password=password).status_code == 303
        shown = self.get("/treegarth/account/second-step").get_data(as_text=True)
        found = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', shown)
        assert found, shown
        app = TOTP(found[1].replace(" ", ""))
        answer = self.post("/treegarth/account/second-step/confirm", code=app.at(self.site.clock()))
        assert answer.status_code == 200
        codes = re.findall(r"<li><code>([a-z2-7-]+)</code>", answer.get_data(as_text=True))
        return app, codes
