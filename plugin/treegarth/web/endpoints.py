"""What endpoints of the API have in common: answers that several give, their base, and how a route is made."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from treegarth.web.actors import Permission
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Handler, Method, Route


class Listed(Answer):
    """Base of what is made from a record of the same names."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, from_attributes=True)


class Retried(Answer):
    """How many wait again to be done once more."""

    retried: int


def endpoint(
    name: str,
    path: str,
    handler: Handler,
    summary: str,
    *,
    tag: str,
    answer: type[BaseModel] | None,
    under: str = API_PATH,
    method: Method = "GET",
    permission: Permission = Permission.VIEW,
    problems: tuple[int, ...] = (503,),
    **given: Any,
) -> Route:
    """The endpoint `api.{name}` at `{under}/{path}`."""
    return Route(
        name=f"api.{name}",
        path=f"{under}/{path}",
        method=method,
        permission=permission,
        handler=handler,
        summary=summary,
        answer=answer,
        problems=problems,
        tag=tag,
        **given,
    )
