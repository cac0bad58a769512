"""What the endpoints of dose have in common: the base of their answers, the path of a source, how a route is made."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from treegarth.web.routes import API_PATH, Answer, Handler, Method, Parameters, Permission, Route, Text

TAG = "dose"
Kind = Literal["ct", "projection", "mammography", "radiopharmaceutical"]


class Listed(Answer):
    """Base of what is made from a record of the same names."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, from_attributes=True)


class SourcePath(Parameters):
    orthanc_instance_id: Text
    """The object's identifier in Orthanc."""


def dose_route(
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
    """The endpoint `api.{name}` at `dose/{path}`."""
    return Route(
        name=f"api.{name}",
        path=f"{API_PATH}/dose/{path}",
        method=method,
        permission=permission,
        handler=handler,
        summary=summary,
        answer=answer,
        problems=problems,
        tag=TAG,
        **given,
    )
