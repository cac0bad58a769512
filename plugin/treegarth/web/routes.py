"""What an endpoint is: its path, who may call it, what it takes and answers. Data only; `app.py` makes it work.

There is one table of these, and everything that Treegarth answers stands in it. Paths are written as in OpenAPI:
`/treegarth/api/v1/studies/{study_instance_uid}`; `{path:path}` as the last part also takes slashes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from treegarth.access.actors import Permission
from treegarth.audit.model import NotAudited, What
from treegarth.described import Described, FromOutside
from treegarth.limits import LARGEST_BIGINT, LARGEST_INTEGER, LONGEST_TEXT, is_storable
from treegarth.web.paths import BASE_PATH, PART, is_api_path, unescaped

HTML = "text/html"
LARGEST_BODY_BYTES = 1 << 20
"""Of a request whose route says nothing else."""
Method = Literal["GET", "POST", "PUT", "DELETE"]  # Orthanc hands no other on


def _storable(value: str) -> str:
    if not is_storable(value):
        raise ValueError("must be text without NUL and without half characters")
    return value


# What PostgreSQL can keep and compare. Use these, or a bound of your own, for everything from outside.
AnyText = Annotated[str, AfterValidator(_storable)]  # give it a max_length
Text = Annotated[AnyText, Field(max_length=LONGEST_TEXT)]
Identifier = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
LongIdentifier = Annotated[int, Field(ge=1, le=LARGEST_BIGINT)]


class Parameters(FromOutside):
    """Base of the models of queries, paths and bodies: a name that nobody knows is an error, not ignored."""


class Answer(Described):
    """Base of the models of answers. Names as in DICOM, absent is null: every field is there, whatever its default."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


def make_model(name: str, *bases: type[BaseModel], doc: str | None, **fields: Any) -> type[Any]:
    """A model that no module has written, of these and of fields that say what they are by themselves."""
    return create_model(name, __base__=bases, __doc__=doc, **fields)


Refusal = Callable[[Any, Any], Any]  # of a Call without its query, and the faults of that, to an answer
Handler = Callable[[Any], Any]  # of a Call to an answer; `endpoints.py` reads its types


@dataclass(frozen=True, kw_only=True)
class Navigation:
    """An entry of the dashboard's navigation."""

    label: str  # a msgid, marked by N_()
    icon: str  # the name of a symbol in the page's icon set
    order: int
    key: str  # what is pressed after g to go there


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one path."""

    name: str  # unique, "archive.studies": what route_url() takes, and OpenAPI's operationId
    path: str
    permission: Permission
    handler: Handler
    summary: str
    method: Method = "GET"
    description: str = ""
    further: tuple[Permission, ...] = ()  # what is needed beside `permission`
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    path_parameters: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None  # None: a page, a file
    media_type: str | None = None  # of the answer: JSON of an endpoint, HTML of a page, where nothing is said
    other_media_types: tuple[str, ...] = ()  # that the handler gives to who asks for one by Accept
    status: int = 200  # when all goes well
    also: Mapping[int, type[BaseModel]] = field(default_factory=dict)  # other statuses with a body of their own
    problems: tuple[int, ...] = ()  # statuses of errors beyond those that every route of its kind can answer
    tag: str = "pages"
    navigation: Navigation | None = None
    largest_body: int = LARGEST_BODY_BYTES
    headers: Mapping[str, str] = field(default_factory=dict)  # replace the frame's own, such as a looser CSP
    refuse: Refusal | None = None  # answers a query that is not right, in place of the page of errors
    example: Mapping[str, Any] | None = None  # of the body, where one that is made of its schema says nothing
    audit: What | NotAudited | None = None  # what the audit trail calls it; None: as `audited.py` says of its kind
    any_query: bool = False  # let any query through unread: a file's version, the viewer's own parameters

    def __post_init__(self) -> None:
        if not self.path.startswith(f"{BASE_PATH}/"):
            raise ValueError(f"{self.name}: the path {self.path} is not under {BASE_PATH}/")
        expected = set(self.path_parameters.model_fields) if self.path_parameters else set()
        if expected != set(self.path_names):
            raise ValueError(f"{self.name}: {self.path} and its path_parameters do not name the same parts")

    @property
    def is_api(self) -> bool:
        return is_api_path(self.path)

    @property
    def answers_as(self) -> str:
        """The media type of the answer, when all goes well."""
        return self.media_type or ("application/json" if self.is_api else HTML)

    @property
    def is_html(self) -> bool:
        """Whether it answers what a browser shows: a page, or a part of one."""
        return self.method == "GET" and self.status == 200 and self.answers_as == HTML

    @property
    def path_names(self) -> list[str]:
        """The names of the path's variable parts, in order."""
        return [found[1] for found in PART.finditer(self.path)]

    @property
    def flask_rule(self) -> str:
        return re.sub(r"{(\w+)}", r"<\1>", re.sub(r"{(\w+):path}", r"<path:\1>", self.path))

    @property
    def openapi_path(self) -> str:
        return re.sub(r"{(\w+):path}", r"{\1}", self.path)

    def values_of_path(self, parts: Mapping[str, str]) -> dict[str, str]:
        """What the parts of a request's path mean."""
        return {name: part if f"{{{name}:path}}" in self.path else unescaped(part) for name, part in parts.items()}


def check_unique(routes: Iterable[Route]) -> None:
    """Raises ValueError where two routes have one name, one method of one path, or one key."""
    names: set[str] = set()
    keys: set[str] = set()
    places: set[tuple[str, str]] = set()
    for route in routes:
        place = (route.method, re.sub(r"{\w+(:path)?}", r"{\1}", route.path))
        if route.name in names or place in places:
            raise ValueError(f"two routes are named {route.name}, or answer {route.method} {route.path}")
        if route.navigation is not None and route.navigation.key in keys:
            raise ValueError(f"{route.name}: g {route.navigation.key} leads elsewhere already")
        keys.update([route.navigation.key] if route.navigation else [])
        names.add(route.name)
        places.add(place)
