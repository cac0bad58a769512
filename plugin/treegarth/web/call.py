"""One request as a handler gets it, and an answer that needs more than a body."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from flask import Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from treegarth.web.actors import Actor

if TYPE_CHECKING:
    from treegarth.web.routes import Route
    from treegarth.web.site import Site

QueryT = TypeVar("QueryT")
BodyT = TypeVar("BodyT")
PathT = TypeVar("PathT")


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

    def connect(self) -> AbstractContextManager[Connection]:
        """A connection that only reads, for who asks. Raises DatabaseUnavailable."""
        return self.site.services.database.connect()

    def begin(self) -> AbstractContextManager[Connection]:
        """A connection in a transaction that commits at the end, for who asks. Raises DatabaseUnavailable."""
        return self.site.services.database.begin()

    @property
    def wants_fragment(self) -> bool:
        """Whether htmx asks for a part of the page (a boosted link still wants the whole)."""
        return self.http.headers.get("HX-Request") == "true" and self.http.headers.get("HX-Boosted") != "true"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A handler's answer where 200 is not right: 503 with a body, 202, headers."""

    body: BaseModel | Response | str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
