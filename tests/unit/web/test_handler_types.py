"""What a route takes and answers is what its handler's types say, and a handler that does not say it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Response

from treegarth.assembly import house
from treegarth.documents.pages import document_pages
from treegarth.documents.routes import document_routes
from treegarth.settings import Settings
from treegarth.web.call import Answered, AnyCall, Call
from treegarth.web.endpoints import types_of
from treegarth.web.listing import Listing
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Answer, Parameters


class Query(Parameters):
    """A query."""

    number: int = 1


class Item(Answer):
    """An answer."""

    number: int


def item(call: Call[Query, None, StudyPath]) -> Item:
    return Item(number=call.query.number)


def accepted(call: Call[None, Query, None]) -> Answered[Item]:
    return Answered(body=Item(number=1), status=202)


def page(call: Call[None, None, None]) -> Response:
    return Response("")


def test_the_types_of_a_handler_are_those_of_its_route() -> None:
    assert types_of(item) == {"query": Query, "body": None, "path_parameters": StudyPath, "answer": Item}
    assert types_of(accepted) == {"query": None, "body": Query, "path_parameters": None, "answer": Item}
    assert types_of(page) == {"query": None, "body": None, "path_parameters": None, "answer": None}


def of_any_call(call: AnyCall) -> Response:
    return Response("")


def without_types(call):  # type: ignore[no-untyped-def]
    return Response("")


def of_two(call: Call[None, None, None], other: int) -> Response:
    return Response("")


def of_something(call: Call[dict[str, Any], None, None]) -> Response:  # type: ignore[type-var]
    return Response("")


@pytest.mark.parametrize("handler", [of_any_call, without_types, of_two, of_something])
def test_a_handler_that_does_not_say_what_it_takes_is_refused(handler: Any) -> None:
    with pytest.raises(TypeError, match=handler.__name__):
        types_of(handler)


OF_LISTS = "treegarth.work.lists"
OF_DOCUMENTS = (document_routes.__module__, document_pages.__module__)


def test_no_route_of_the_house_is_untyped() -> None:
    routes = house(Settings()).routes()
    assert len(routes) > 150
    for route in routes:
        if route.handler.__module__ in (Listing.__module__, OF_LISTS):  # of a list, whose declaration says it
            assert issubclass(route.query or route.body, Parameters), route.name
            continue
        if route.handler.__module__ in OF_DOCUMENTS:  # the same
            assert route.answer is not None or not route.is_api, route.name
            continue
        assert (route.query, route.body, route.path_parameters, route.answer) == tuple(types_of(route.handler).values())
        assert route.answer is not None or not route.is_api or route.answers_as != "application/json", route.name
