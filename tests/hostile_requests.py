"""Hostile requests of every route of a table: made from its models, the same ones in every run.

One thing of a request is hostile at a time, the rest is as an honest caller has it, so that it gets as far as it can.

What several routes have in common is asked in full of the first of them. A parameter of the others, of the same name
and type, is asked again what its type takes, for behind it is other code, of texts some; of what its type refuses,
which gets no further, one value, another for each route. `make soak` asks everything of every model.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticUndefined

from tests.hostile_values import BODIES, JSON_VALUES, LONG, ODD_TEXTS, TEXTS, WRONG_TYPES, in_address
from treegarth.web.routes import Route

IS_SOAK = os.environ.get("TREEGARTH_SOAK") == "1"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "PROPFIND")
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it goes over the wire: path and query with their escapes."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    media_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    about: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path[:120]}?{self.query[:120]} {self.body[:80]!r} ({self.about[:80]})"


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Known:
    """What an honest caller would say: parts of paths, fields of queries and bodies, whole bodies, by name."""

    values: Mapping[str, Any]
    bodies: Mapping[str, Any]  # by the name of the route
    forms: Mapping[str, Mapping[str, str]]  # of pages that read their form themselves

    def part(self, name: str) -> str:
        return quote(str(self.values.get(name, "1")), safe="")

    def path(self, route: Route, **parts: str) -> str:
        """The route's path; `parts` are escaped already."""
        path = route.path
        for name in route.path_names:
            part = parts.get(name, self.part(name))
            path = path.replace(f"{{{name}:path}}", part).replace(f"{{{name}}}", part)
        return path

    def document(self, route: Route) -> dict[str, Any]:
        """A good body."""
        if route.name in self.bodies:
            return dict(self.bodies[route.name])
        fields = route.body.model_fields if route.body else {}
        return {
            name: self.values.get(name, field.default)
            for name, field in fields.items()
            if name in self.values or field.default is not PydanticUndefined
        }


class Seen:
    """What was asked already in a run over a table."""

    def __init__(self) -> None:
        self.common: set[object] = set()
        self._times: Counter[object] = Counter()

    def times(self, key: object) -> int:
        """How often it was asked before this time."""
        self._times[key] += 1
        return self._times[key] - 1

    def asked(self, route: Route, model: type[BaseModel] | None, name: str, values: tuple[str, ...]) -> tuple[str, ...]:
        """All the values where the parameter is a new one, else some that its type takes and one that it refuses."""
        assert model is not None
        field = model.model_fields[name]
        before = self.times((name, route.is_api, route.method == "GET", str(field.annotation), str(field.metadata)))
        if not before or IS_SOAK:
            return values
        taken = tuple(value for value in values if _is_taken(model, name, value))
        refused = tuple(value for value in values if value not in taken)
        some = taken[before % 5 :: 5] if len(taken) > 10 else taken
        return (*some, refused[before % len(refused)]) if refused else some


def requests_of(routes: Iterable[Route], known: Known) -> Iterator[Request]:
    """Everything hostile that is thought of for these routes; of what several have in common only a part again."""
    all_seen = Seen()
    seen = all_seen.common
    for route in routes:
        found = [*_paths(route, known, all_seen), *_part(_queries(route, known, all_seen), route.query, seen)]
        if route.body is not None and route.is_api:
            found += [*_part(_whole_bodies(route, known), "whole", seen)]
            found += _part(_bodies(route, known), frozenset(known.document(route)), seen)
        elif route.method == "POST":
            form = frozenset(known.forms.get(route.name, ()))
            found += _part(_forms(route, known, all_seen), form or route.body, seen)
        yield from found


def _part(requests: Iterator[Request], common: object, seen: set[object]) -> Iterator[Request]:
    """All of them where nothing was asked yet of what they have in common, else every seventh."""
    is_known = common in seen
    seen.add(common)
    return islice(requests, 0, None, 7 if is_known else 1)


def honest_body(route: Route, known: Known) -> dict[str, Any]:
    """An honest body, where the method takes one."""
    if route.method in ("GET", "DELETE"):
        return {}
    if route.is_api:
        return {"body": json.dumps(known.document(route)).encode() if route.body else b"", "media_type": JSON}
    return {"body": _form(_good_form(route, known)), "media_type": FORM}


def _paths(route: Route, known: Known, seen: Seen) -> Iterator[Request]:
    if route.path_parameters is None:
        return
    good = honest_body(route, known)
    for name, field in route.path_parameters.model_fields.items():
        for value in seen.asked(route, route.path_parameters, name, in_address(name, field.annotation)):
            path = known.path(route, **{name: value})
            yield Request(method=route.method, path=path, about=f"path: {name}", **good)


def _queries(route: Route, known: Known, seen: Seen) -> Iterator[Request]:
    path, good = known.path(route), honest_body(route, known)

    def ask(query: str, about: str) -> Request:
        return Request(method=route.method, path=path, query=query, about=about, **good)

    for name, values in hostile_values(route.query).items():
        asked = seen.asked(route, route.query, name, values)
        for value in asked:
            yield ask(f"{name}={value}", f"query: {name}")
        if len(asked) == len(values):
            yield ask(f"{name}=1&{name}=2", "a key twice")
            yield ask(f"{name}", "a key without a value")
    odd = ("x=1", "%00=1", "%ff=1", "=1", "&&&", "lang=%00&theme=%ff", "lang=ko&x=1", "x" * 9000, "=".join("x" * 3000))
    if route.method != "GET" and route.query is None:
        return  # Orthanc hands no query on
    odd = (*odd, "&".join(f"k{number}=1" for number in range(2000)), "StudyInstanceUIDs=%00,..,%ff")
    before = seen.times(("odd", route.is_api, route.query is None))
    for query in odd[before % 4 :: 4] if before and not IS_SOAK else odd:
        yield ask(query, "an odd query")


def _is_taken(model: type[BaseModel], name: str, value: str) -> bool:
    """Whether a parameter's type takes a value, whatever else is wrong."""
    try:
        text = unquote_to_bytes(value).decode()
        model.model_validate({name: text})
    except UnicodeDecodeError:
        return False
    except ValidationError as error:
        return all(one["loc"][:1] != (name,) for one in error.errors(include_url=False, include_input=False))
    return True


def hostile_values(model: type[BaseModel] | None) -> dict[str, tuple[str, ...]]:
    """Of each field; of fields that take the same, the first is given all of them and the others a quarter each."""
    like: dict[tuple[str, ...], int] = defaultdict(int)
    found = {}
    for name, field in (model.model_fields if model else {}).items():
        values = in_address(name, field.annotation)
        before = like[values]
        like[values] += 1
        found[name] = values[before % 4 :: 4] if before else values
    return found


def _whole_bodies(route: Route, known: Known) -> Iterator[Request]:
    path, good = known.path(route), json.dumps(known.document(route)).encode()
    for body in BODIES:
        yield Request(method=route.method, path=path, body=body, media_type=JSON, about="a whole body")
    for media_type in ("", "text/plain", FORM, "multipart/form-data", "application/json; charset=utf-16", "x" * 5000):
        yield Request(method=route.method, path=path, body=good, media_type=media_type, about="a media type")


def _bodies(route: Route, known: Known) -> Iterator[Request]:
    path = known.path(route)

    def send(body: bytes, about: str) -> Request:
        return Request(method=route.method, path=path, body=body, media_type=JSON, about=about)

    document = known.document(route)
    fields = dict.fromkeys(route.body.model_fields if route.body else ())
    for place in ((), *_places({**fields, **document}), ("\0",)):
        for value in JSON_VALUES if len(place) < 2 else WRONG_TYPES:
            yield send(_with({**document}, place, value) if place else value.encode(), f"body: {place}")


Place = tuple[str | int, ...]


def _places(document: Any, above: Place = ()) -> Iterator[Place]:
    """Every key and every entry of a document, also of what is nested in it, and a key that nobody knows."""
    keys: Iterable[str | int] = ()
    if isinstance(document, Mapping):
        keys = (*document, "unknown")
    elif isinstance(document, list):
        keys = range(len(document))
    for key in keys:
        yield (*above, key)
        if key != "unknown":
            yield from _places(document[key], (*above, key))


def _with(document: Any, place: Place, value: str) -> bytes:
    """The document as JSON, with this text at a place."""
    mark = "\ue000"
    changed = deepcopy(document)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = mark
    return json.dumps(changed, ensure_ascii=False).replace(f'"{mark}"', value).encode("utf-8", "surrogatepass")


def _good_form(route: Route, known: Known) -> dict[str, str]:
    form = {name: _typed(value) for name, value in known.document(route).items() if value is not None}
    return {**form, **known.forms.get(route.name, {})}


def _typed(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _form(fields: Mapping[str, str]) -> bytes:
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in fields.items()).encode()


def _forms(route: Route, known: Known, seen: Seen) -> Iterator[Request]:
    path, good = known.path(route), _good_form(route, known)

    def send(body: bytes, about: str, media_type: str = FORM) -> Request:
        return Request(method="POST", path=path, body=body, media_type=media_type, about=about)

    annotations = {name: field.annotation for name, field in (route.body.model_fields if route.body else {}).items()}
    for name in sorted({*good, *annotations}):
        rest = _form({key: value for key, value in good.items() if key != name}) + b"&"
        is_checked = name in annotations
        values = seen.asked(route, route.body, name, in_address(name, annotations[name])) if is_checked else ODD_TEXTS
        for value in values:
            yield send(rest + f"{quote(name, safe='')}={value}".encode(), f"form: {name}")
        yield send(rest + f"{name}=1&{name}=2".encode(), "a field twice")
    whole = _form(good)
    odd = (b"", b"%ff", b"\xff=\xff", b"%00=%00", b"&" * 5000, b"a=" + LONG.encode(), b"=" * 5000, b"x" * 600_000)
    for body in odd:
        yield send(body, "a whole form")
        yield send(whole + b"&" + body, "a form with more")
    for media_type in ("", "text/plain", JSON, "multipart/form-data", "multipart/form-data; boundary=x"):
        yield send(whole, "a media type", media_type)
    for body in BODIES[:4]:
        yield send(body, "JSON in place of a form", JSON)


def odd_headers(path: str) -> Iterator[Request]:
    """A good address with headers that nobody expects."""
    values = ("", "\x00", "\xff", "x" * 9000, "ko;q=x", "*", "[::", "a=b; " * 500, "Basic " + "/" * 99, "Basic \xff")
    names = ("ACCEPT_LANGUAGE", "COOKIE", "AUTHORIZATION", "HX_REQUEST", "IF_NONE_MATCH", "IF_MODIFIED_SINCE", "RANGE")
    for name in (*names, "ACCEPT", "ORIGIN", "REFERER", "SEC_FETCH_SITE", "HOST", "X_FORWARDED_HOST", "CONTENT_LENGTH"):
        for value in values:
            yield Request(method="GET", path=path, headers=((f"HTTP_{name}", value),), about=f"header: {name}")


def wrong_methods(routes: Iterable[Route], known: Known) -> Iterator[Request]:
    """Every method on every path that the path has not."""
    taken: dict[str, set[str]] = defaultdict(set)
    for route in routes:
        taken[known.path(route)].add(route.method)
    for path, methods in sorted(taken.items()):
        for method in METHODS:
            if method not in methods and not (method == "HEAD" and "GET" in methods):
                yield Request(method=method, path=path, media_type=JSON, body=b"{}", about="a method")


def strange_paths(base: str = "/treegarth") -> Iterator[Request]:
    for text in TEXTS:
        for below in (text, f"api/v1/{text}", f"rules/1/{text}", f"studies/{text}/{text}"):
            yield Request(method="GET", path=f"{base}/{below}", about="a path of nothing")


def answered(application: Application, request: Request) -> Answer:
    """What a WSGI application answers, asked as Orthanc's bridge asks it."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8042",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "CONTENT_TYPE": request.media_type,
        "HTTP_HOST": "localhost:8042",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **dict(request.headers),
    }
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        started.append((status, headers))

    parts = application(environ, start_response)
    body = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    status, headers = started[-1]
    return Answer(status=int(status[:3]), headers=dict(headers), body=body)
