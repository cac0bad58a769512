"""The assembled site: the route table with its templates, languages and files. What a Call refers to; changes never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment

from treegarth.web.access import Access
from treegarth.web.languages import Language
from treegarth.web.paths import filled
from treegarth.web.routes import Route
from treegarth.web.services import Services


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything a request needs beside itself."""

    routes: Mapping[str, Route]
    services: Services
    access: Access
    languages: Mapping[str, Language]
    environments: Mapping[str, Environment]  # by language
    parts: Mapping[type, object]  # what features work with, by class

    @cached_property
    def navigated(self) -> tuple[Route, ...]:
        """The routes that the navigation leads to, in its order."""
        found = [(route.navigation.order, route) for route in self.routes.values() if route.navigation is not None]
        return tuple(route for _, route in sorted(found, key=lambda one: one[0]))

    def url(self, name: str, /, **values: Any) -> str:
        """The address of a route: parts of its path by name, everything else into the query. None is left out.

        Raises KeyError for a route or a part of the path that is not there.
        """
        route = self.routes[name]
        parts = {part: values.pop(part) for part in route.path_names}
        return self.orthanc_url(filled(route.path, parts), **values)

    def orthanc_url(self, path: str, /, **query: Any) -> str:
        """The address of what Orthanc or another plugin serves at a path below Orthanc's root. None is left out."""
        given = {key: value for key, value in query.items() if value is not None}
        return self.services.reach.path(f"{path}?{urlencode(given)}" if given else path)
