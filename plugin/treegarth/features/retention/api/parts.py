"""What the endpoints of retention have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from treegarth.web.routes import API_PATH, Answer, Handler, Method, Parameters, Permission, Route

TAG = "retention"


class Listed(Answer):
    """Base of what is made from a record of the same names."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, from_attributes=True)


class PolicyPath(Parameters):
    policy_id: int
    """The policy's number."""


def retention_route(
    name: str,
    path: str,
    handler: Handler,
    summary: str,
    *,
    answer: type[BaseModel] | None,
    method: Method = "GET",
    permission: Permission = Permission.VIEW,
    problems: tuple[int, ...] = (503,),
    **given: Any,
) -> Route:
    """The endpoint `api.{name}` at `retention/{path}`."""
    return Route(
        name=f"api.{name}",
        path=f"{API_PATH}/retention/{path}",
        method=method,
        permission=permission,
        handler=handler,
        summary=summary,
        answer=answer,
        problems=problems,
        tag=TAG,
        **given,
    )
