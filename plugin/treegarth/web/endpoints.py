"""How a route is made: what it takes and answers is read from its handler's types when the table is put together."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any, TypedDict, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict

from treegarth.access.actors import READING, Permission
from treegarth.web.call import Answered, Call
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Handler, Method, Route


class Listed(Answer):
    """Base of what is made from a record of the same names."""

    model_config = ConfigDict(from_attributes=True)


class Retried(Answer):
    """How many wait again to be done once more."""

    retried: int


class Types(TypedDict):
    """A handler's types, as a route has them."""

    query: type[BaseModel] | None
    body: type[BaseModel] | None
    path_parameters: type[BaseModel] | None
    answer: type[BaseModel] | None


def route(*, handler: Handler, **given: Any) -> Route:
    """A route of this handler: a function of one `Call[query, body, path]` that is annotated with what it answers."""
    return Route(handler=handler, **types_of(handler), **given)


def endpoint(
    name: str,
    path: str,
    handler: Handler,
    summary: str,
    *,
    tag: str,
    under: str = API_PATH,
    method: Method = "GET",
    permission: Permission | None = None,
    problems: tuple[int, ...] = (503,),
    **given: Any,
) -> Route:
    """The endpoint `api.{name}` at `{under}/{path}`; without a permission, that of reading what has its tag."""
    return route(
        name=f"api.{name}",
        path=f"{under}/{path}",
        method=method,
        permission=permission or READING[tag],
        handler=handler,
        summary=summary,
        problems=problems,
        tag=tag,
        **given,
    )


def types_of(handler: Callable[..., object]) -> Types:
    """What a handler takes and answers. Raises TypeError where its types do not say it."""
    hints = get_type_hints(handler)
    answer = hints.pop("return", None)
    taken = [get_args(hint) for hint in hints.values() if get_origin(hint) is Call]
    if len(hints) != 1 or len(taken) != 1 or len(inspect.signature(handler).parameters) != 1:
        raise TypeError(f"{handler!r} must take one Call[query, body, path], and be annotated with it.")
    query, body, path = (_model(one, handler) for one in taken[0])
    return Types(query=query, body=body, path_parameters=path, answer=_answered(answer))


def _model(hint: Any, handler: object) -> type[BaseModel] | None:
    if hint is type(None):
        return None
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    raise TypeError(f"{handler!r} takes {hint!r}, which is neither a model nor None.")


def _answered(hint: Any) -> type[BaseModel] | None:
    """The model of an answer; None of pages and files."""
    if get_origin(hint) is Answered:
        (hint,) = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        hint = next((one for one in get_args(hint) if isinstance(one, type) and issubclass(one, BaseModel)), None)
    return hint if isinstance(hint, type) and issubclass(hint, BaseModel) else None
