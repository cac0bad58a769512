"""The whole application on a database, at a site whose users sign in by its page; users of each role to ask it as."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from tests.places import HERE
from tests.unit.web.web_support import NOW, make_services
from treegarth.access.actors import PERMISSION_WORDS, Permission
from treegarth.access.known import Known
from treegarth.access.passwords import Argon2id
from treegarth.access.secrets import digest_of, new_secret, new_token
from treegarth.access.store import begin_session, create_token, create_user
from treegarth.bootstrap import make_application
from treegarth.settings import SignIn
from treegarth.web.access import SESSION_COOKIE

ROOT = Path(__file__).resolve().parents[1]
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class AccountsSite:
    """The application, and what stands behind it."""

    app: Flask
    engine: Engine
    known: Known

    def add(self, name: str, *roles: str, password: str | None = None, now: datetime = NOW) -> int:
        """The number of a new user."""
        hashed = Argon2id().hashed(password) if password else None
        with self.engine.begin() as connection:
            made = create_user(connection, name, now, by=None, roles=roles, password_hash=hashed)
        self.known.refresh()
        return made.id

    def browser(
        self, user_id: int, *, address: str = "192.0.2.1", browser: str = "Test", now: datetime = NOW
    ) -> Browser:
        """A browser that is signed in as this user."""
        secret, ends_at = new_secret(), now + timedelta(hours=12)
        with self.engine.begin() as connection:
            number = begin_session(
                connection, user_id, digest_of(secret), now, ends_at, address=address, browser=browser
            )
        self.known.refresh()
        client = self.app.test_client()
        client.set_cookie(SESSION_COOKIE, secret)
        return Browser(client=client, session_id=number)

    def token(self, user_id: int, permissions: Sequence[Permission] = tuple(PERMISSION_WORDS)) -> dict[str, str]:
        """The headers of a program of this user."""
        secret = new_token()
        with self.engine.begin() as connection:
            create_token(
                connection, user_id, "t", digest_of(secret), permissions, NOW, NOW + timedelta(days=1), by=None
            )
        self.known.refresh()
        return {"Authorization": f"Bearer {secret}"}


@dataclass(frozen=True, kw_only=True)
class Browser:
    """What somebody does in it."""

    client: FlaskClient
    session_id: int

    def page(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        answer = self.client.get(f"/treegarth/{path}", headers=OWN_PAGE)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:800]}"
        return answer.text

    def send(self, path: str, status: int = 303, **form: str | list[str]) -> str:
        """What a form of a page answers."""
        answer = self.client.post(f"/treegarth/{path}", data=form, headers=OWN_PAGE, content_type=FORM)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:800]}"
        return answer.text


def accounts_site(engine: Engine, sign_in: SignIn = SignIn.TREEGARTH, *, public_url: str | None = None) -> AccountsSite:
    known = Known(lambda: engine, lambda: NOW)
    known.refresh()
    settings = HERE.model_copy(update={"sign_in": sign_in, "public_url": public_url})
    services = replace(make_services(ROOT / "web", engine=lambda: engine, settings=settings), known=known)
    return AccountsSite(app=make_application(services), engine=engine, known=known)
