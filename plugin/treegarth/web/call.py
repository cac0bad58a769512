"""One request as a handler gets it, and an answer that needs more than a body."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Generic, TypeAlias, TypeVar

from flask import Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from treegarth.access.actors import Actor
from treegarth.index.study_search import StudySearch
from treegarth.web.noted import Noted
from treegarth.web.routes import Route
from treegarth.web.services import Services
from treegarth.web.site import Site

QueryT = TypeVar("QueryT", covariant=True)
BodyT = TypeVar("BodyT", covariant=True)
PathT = TypeVar("PathT", covariant=True)
AnswerT = TypeVar("AnswerT", bound=BaseModel | Response | str, covariant=True)
PartT = TypeVar("PartT")


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Who asks for rows or does something with them, and when: a request, or a long work in the name of who started it.

    `path` has the parts of the list's address, where it has any; `zone` is that of the server; `search` is the
    archive's.
    """

    actor: Actor
    now: datetime
    path: Any = None
    zone: tzinfo = UTC
    search: StudySearch | None = None

    @property
    def today(self) -> date:
        """The day where the server stands."""
        return self.now.astimezone(self.zone).date()


@dataclass(frozen=True, kw_only=True)
class Call(Generic[QueryT, BodyT, PathT]):
    """One request, checked: what a handler gets. `query`, `body` and `path` are instances of the route's models."""

    query: QueryT
    body: BodyT
    path: PathT
    actor: Actor
    site: Site
    language: str
    theme: str
    http: Request
    route: Route
    noted: Noted = field(default_factory=Noted)  # what a handler adds to the audit trail's event of its request

    @property
    def services(self) -> Services:
        """What the host serves with: settings, Orthanc, the clock."""
        return self.site.services

    @property
    def asker(self) -> Asker:
        """Who asks, for what is asked in a work's name, too."""
        services, search = self.services, self.site.parts.get(StudySearch)
        assert search is None or isinstance(search, StudySearch)
        return Asker(actor=self.actor, now=services.clock(), path=self.path, zone=services.zone, search=search)

    def connect(self) -> AbstractContextManager[Connection]:
        """A connection that only reads, for who asks. Raises DatabaseUnavailable."""
        return self.services.database.connect()

    def begin(self) -> AbstractContextManager[Connection]:
        """A connection in a transaction that commits at the end, for who asks. Raises DatabaseUnavailable."""
        return self.services.database.begin()

    def part(self, kind: type[PartT]) -> PartT:
        """What a feature works with, by its class. Raises KeyError where no feature has such a part."""
        part = self.site.parts[kind]
        assert isinstance(part, kind)
        return part

    @property
    def wants_fragment(self) -> bool:
        """Whether htmx asks for a part of the page (a boosted link still wants the whole)."""
        return self.http.headers.get("HX-Request") == "true" and self.http.headers.get("HX-Boosted") != "true"


AnyCall: TypeAlias = Call[object, object, object]
"""A request, whatever it asks for: what is common to all pages takes it."""


@dataclass(frozen=True, kw_only=True)
class Answered(Generic[AnswerT]):
    """A handler's answer where 200 is not right: 503 with a body, 202, headers."""

    body: AnswerT
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
