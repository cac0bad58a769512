"""Pages out of templates: the Jinja environments (one a language), and what every template is given."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from flask import Response, current_app
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from treegarth.phrases import in_language
from treegarth.reach import Reach
from treegarth.web.call import AnyCall
from treegarth.web.formats import ABSENT, Formats, scaled
from treegarth.web.languages import Language
from treegarth.web.paths import BASE_PATH
from treegarth.web.services import Services
from treegarth.web.signs import SIGNS
from treegarth.web.told import forget, told

HASH_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class NavigationEntry:
    """An entry of the navigation as a template shows it."""

    name: str  # of the route
    label: str  # translated
    url: str
    icon: str
    key: str
    current: bool


def make_environments(services: Services, languages: Mapping[str, Language]) -> dict[str, Environment]:
    """One environment for each language: autoescape on, an undefined name is an error."""
    address = FileAddress(services.web_directory, services.reach)
    return {
        code: make_environment(services.web_directory, language, services.zone, services.clock, address)
        for code, language in languages.items()
    }


def make_environment(
    web_directory: Path,
    language: Language,
    zone: ZoneInfo,
    clock: Callable[[], datetime],
    file_url: Callable[[str], str] | None = None,
) -> Environment:
    """What templates of one language are rendered with; without `file_url`, those that refer to no file."""
    environment = Environment(
        loader=FileSystemLoader(web_directory / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"],
    )
    environment.install_gettext_translations(language.translations, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["gettext"] = _careful(environment.globals["gettext"], language)
    formats = Formats(locale=language.locale, zone=zone)
    environment.filters.update(
        number=formats.number,
        significant=formats.significant,
        all_digits=formats.all_digits,
        scaled=scaled,
        size=formats.size,
        iso_date=formats.iso_date,
        date_in_words=formats.date_in_words,
        clock_time=formats.clock_time,
        instant=formats.instant,
        age=formats.age,
        duration=formats.duration,
        ago=lambda value: formats.ago(value, clock()),
        lasted=lambda value: formats.lasted(value, clock()),
        person_name=formats.person_name,
        with_code=with_code,
        in_words=lambda text: in_language(text, language.gettext),
        or_dash=lambda value: ABSENT if value in (None, "") else value,
    )
    environment.globals.update(look_of=SIGNS, **({"file_url": file_url} if file_url else {}))
    return environment


def _careful(installed: Any, language: Language) -> Any:
    """Jinja's `gettext`, which trusts what it is given: it takes it for HTML and fills in what stands behind a `%`. A
    label may be a name that somebody chose, in a list of what a site has: it is shown as it is, and escaped."""

    @pass_context
    def gettext(context: Context, message: str, /, **variables: Any) -> str:
        if variables:
            return installed(context, message, **variables)  # type: ignore[no-any-return]
        if message not in language.messages:
            return message
        return Markup(language.gettext(message).replace("%%", "%"))

    return gettext


def with_code(text: str) -> Markup:
    """A text whose `backticks` mean code, escaped."""
    parts = text.split("`")
    marked = (Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts))
    return Markup("").join(marked)


class FileAddress:
    """The address of a file of ours with its hash, so that browsers may keep it for good: `static/base.css`."""

    def __init__(self, web_directory: Path, reach: Reach) -> None:
        self._folder = web_directory
        self._reach = reach
        self._known: dict[str, tuple[float, str]] = {}

    def __call__(self, name: str) -> str:
        """Raises FileNotFoundError for a file that is not there: a page must not refer to it."""
        path = f"{self._folder}/{name}"
        changed = os.stat(path).st_mtime
        known = self._known.get(name)
        if known is None or known[0] != changed:
            known = (changed, sha256(Path(path).read_bytes()).hexdigest()[:HASH_DIGITS])
            self._known[name] = known
        return self._reach.path(f"{BASE_PATH}/{name}?v={known[1]}")


def render_page(call: AnyCall, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page of a template, given what every page has (see `page_values`) and these values."""
    environment = call.site.environments[call.language]
    said = told(call)
    body = environment.get_template(template).render({**page_values(call), "told": said, **values})
    response = Response(body, status=status, mimetype="text/plain" if template.endswith(".txt") else "text/html")
    if said is not None:
        forget(call, response)
    return response


def page_values(call: AnyCall) -> dict[str, Any]:
    """What every template is given beside `_`, `ngettext`, `file_url()` and the filters."""
    now: datetime = call.services.clock()
    return {
        "lang": call.language,
        "languages": list(call.site.languages.values()),
        "theme": call.theme,
        "actor": call.actor,
        "can": lambda name: can(call, name),
        "may_ask": lambda address, method="GET": may_ask(call, address, method),
        "site_name": call.services.site_name,
        "route": call.route,
        "route_url": call.site.url,
        "orthanc_url": call.site.orthanc_url,
        "here": lambda **changes: url_with(call, **changes),
        "here_as": _state(call),
        "query": call.query,
        "navigation": navigation(call),
        "fragment": call.wants_fragment,
        "now": now,
    }


def can(call: AnyCall, name: str) -> bool:
    """Whether who asks may call the route of this name."""
    route = call.site.routes[name]
    return all(map(call.actor.may, (route.permission, *route.further)))


def may_ask(call: AnyCall, address: str, method: str = "GET") -> bool:
    """The same of an address of ours that somebody else made; of what is not ours, yes."""
    path = urlsplit(address).path.removeprefix(call.services.reach.prefix)
    try:
        name, _ = current_app.url_map.bind("").match(path, method=method)
    except (RequestRedirect, HTTPException):
        return True
    return can(call, name)


def navigation(call: AnyCall) -> list[NavigationEntry]:
    """The entries that the actor may open, in order."""
    gettext = call.site.languages[call.language].gettext
    routes = [route for route in call.site.navigated if call.actor.may(route.permission)]
    return [
        NavigationEntry(
            name=route.name,
            label=gettext(route.navigation.label),
            url=call.site.url(route.name),
            icon=route.navigation.icon,
            key=route.navigation.key,
            current=call.http.path.rstrip("/") == route.path.rstrip("/")
            or (route.path != f"{BASE_PATH}/" and call.http.path.startswith(route.path.rstrip("/") + "/")),
        )
        for route in routes
        if route.navigation is not None
    ]


def url_with(call: AnyCall, /, **changes: Any) -> str:
    """This page's address with some of its query changed; None takes a key out. `lang` and `theme` are not kept."""
    query = {key: value for key, value in {**_state(call), **changes}.items() if value not in (None, "")}
    if call.route.name not in call.site.routes:  # the page of an error at an address that nothing answers
        return call.site.orthanc_url(quote(call.http.path), **query)
    return call.site.url(call.route.name, **{**query, **call.route.values_of_path(call.http.view_args or {})})


def _state(call: AnyCall) -> dict[str, str]:
    return {key: value for key, value in call.http.args.items() if key not in ("lang", "theme")}
