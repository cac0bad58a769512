"""The assembled site: the route table with its templates, languages and files. What a Call refers to; changes never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment

from treegarth.web.access import Access
from treegarth.web.languages import Language
from treegarth.web.routes import Route, sealed
from treegarth.web.services import Services


@dataclass(frozen=True, kw_only=True)
class Site:
    """Everything a request needs beside itself."""

    routes: Mapping[str, Route]
    services: Services
    access: Access
    languages: Mapping[str, Language]
    environments: Mapping[str, Environment]  # by language

    def url(self, name: str, /, **values: Any) -> str:
        """The address of a route: parts of its path by name, everything else into the query. None is left out.

        Raises KeyError for a route or a part of the path that is not there.
        """
        route = self.routes[name]
        path = route.path
        for part in route.path_names:
            value = str(values.pop(part))
            given = quote(value, safe="/") if f"{{{part}:path}}" in path else quote(sealed(value), safe="")
            path = path.replace(f"{{{part}:path}}", given).replace(f"{{{part}}}", given)
        query = {key: value for key, value in values.items() if value is not None}
        return f"{path}?{urlencode(query)}" if query else path
