"""The Flask application: exactly the routes of one table, each behind the same checks. No endpoint is defined here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, get_origin
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

from flask import Flask, Request, Response, g, request
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from treegarth.access.actors import Permission
from treegarth.errors import DatabaseUnavailable, InvalidRequest, SignInNeeded, Unauthenticated, UnsupportedBody
from treegarth.phrases import N_, Phrase
from treegarth.reach import Reach
from treegarth.strict_json import read_json
from treegarth.web.access import access_of, check_host, check_permission, check_same_origin
from treegarth.web.audited import record
from treegarth.web.call import Answered, AnyCall, Call
from treegarth.web.documentation import documentation_routes
from treegarth.web.files import file_routes
from treegarth.web.languages import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, language_of, read_languages, theme_of
from treegarth.web.own_port import OwnPort
from treegarth.web.paths import BASE_PATH, is_api_path
from treegarth.web.problems import (
    ERRORS_ARE_PLAIN,
    Problem,
    detail_of,
    field_problems,
    headers_of,
    problem_of,
    problem_response,
)
from treegarth.web.routes import LARGEST_BODY_BYTES, Route, check_unique
from treegarth.web.services import Services
from treegarth.web.site import Site
from treegarth.web.templates import make_environments, render_page, url_with
from treegarth.web.validation import InvalidFields, validated
from treegarth.web.viewer import FirstSeries, InsteadOfViewer, viewer_routes

logger = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"
SIGN_IN_ROUTE = "accounts.sign_in_page"
COOKIE_AGE_S = 365 * 24 * 3600
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'self'; "
    "form-action 'self'; img-src 'self' data:",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app(
    routes: Iterable[Route],
    services: Services,
    *,
    parts: Iterable[object] = (),
    opened_in_viewer: Callable[[str], None] = lambda uid: None,
    instead_of_viewer: InsteadOfViewer = lambda call, uids: None,
    first_series: FirstSeries = lambda call, uids: None,
) -> Flask:
    """A WSGI application that answers these routes and the files of `services.web_directory`; nothing else.

    `parts` are what features work with; a handler gets one by `call.part(its class)`. `opened_in_viewer` is told the
    Study Instance UID of each study that is opened in OHIF; `instead_of_viewer` may answer in its place, and
    `first_series` says which series it shows first.
    """
    viewer = viewer_routes(services.web_directory, opened_in_viewer, instead_of_viewer, first_series)
    table = [*routes, *documentation_routes(), *file_routes(services.web_directory), *viewer]
    check_unique(table)
    languages = read_languages(services.web_directory / "locales")
    site = Site(
        routes={route.name: route for route in table},
        services=services,
        access=access_of(services.settings, services.known),
        languages=languages,
        environments=make_environments(services, languages),
        parts={type(part): part for part in parts},
    )
    app = Flask("treegarth.web", static_folder=None, template_folder=None)
    app.url_map.strict_slashes = False  # Orthanc strips the slash at the end before we see the path
    app.url_map.merge_slashes = False  # and makes one of several; Flask would lead to a host that only it knows
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    app.extensions["treegarth"] = site
    for route in table:
        app.add_url_rule(route.flask_rule, route.name, _view(site, route), methods=[route.method])
    app.register_error_handler(Exception, lambda error: _answer_error(site, error))
    app.after_request(lambda response: _finish(site, response))
    app.wsgi_app = OwnPort(app.wsgi_app, services.reach)  # type: ignore[method-assign]
    return app


def has_address(app: Flask, path: str) -> bool:
    """Whether any method of this path, of which the slash at the end may be missing, is answered here."""
    try:
        app.url_map.bind("").match(path or "/", method="GET")
    except RequestRedirect:
        return True
    except HTTPException as error:
        return error.code == HTTPStatus.METHOD_NOT_ALLOWED
    return True


def _view(site: Site, route: Route) -> Any:
    def view(**parts: str) -> Response:
        call = _checked_call(site, route, parts)
        try:
            query = _query(route, request)
        except InvalidFields as error:
            if route.refuse is None:
                raise
            return _response(route, route.refuse(call, error.faults))
        return _response(route, route.handler(replace(call, query=query)))

    return view


def _checked_call(site: Site, route: Route, parts: dict[str, str]) -> Call[Any, Any, Any]:
    """Without its query, which is read last."""
    reach = site.services.reach
    check_host(request, site.services.settings, reach)
    actor = g.actor = site.access.actor(_headers(request))
    needed = {route.permission, *route.further}
    if not needed <= actor.permissions and not site.services.knows_users:
        raise DatabaseUnavailable  # a moment after the start, or long after it went: it may well be permitted
    for permission in (route.permission, *route.further):
        check_permission(actor, permission)
    request.max_content_length = request.max_form_memory_size = route.largest_body
    check_same_origin(request, reach)
    _check_encoding(request)
    call: Call[Any, Any, Any] = Call(
        query=None,
        body=_body(route, request),
        path=validated(route.path_parameters, route.values_of_path(parts)) if route.path_parameters else None,
        actor=actor,
        site=site,
        language=language_of(request, site.languages),
        theme=theme_of(request),
        http=request,
        route=route,
    )
    g.noted = call.noted
    return call


def _headers(request: Request) -> dict[str, str]:
    """By names in small letters."""
    return {name.lower(): value for name, value in request.headers.items()}


class _NoParameters(BaseModel, extra="forbid"):
    """A query that takes nothing."""


def _query(route: Route, request: Request) -> BaseModel | None:
    """An empty value restricts nothing, as in a DICOM query (PS3.4 C.2.2.2.3); a form sends its empty fields, too."""
    if route.any_query or (route.method != "GET" and route.query is None):
        return None
    model = route.query or _NoParameters
    own = () if route.is_api else ("lang", "theme")
    given = {key: value for key, value in request.args.items() if key not in own}
    checked = validated(model, {key: value for key, value in given.items() if value or key not in model.model_fields})
    return checked if route.query else None


def _body(route: Route, request: Request) -> BaseModel | None:
    if route.body is None:
        return None
    if request.mimetype == "application/json":
        return validated(route.body, read_json(request.get_data()))
    if not route.is_api and request.mimetype == FORM:
        return validated(route.body, _form(route.body, request))
    raise UnsupportedBody("Send the body as application/json.")


def _form(model: type[BaseModel], request: Request) -> dict[str, Any]:
    """The fields of a form; one that takes several has each that was sent under its name."""
    lists = [name for name, one in model.model_fields.items() if get_origin(one.annotation) is list]
    return {name: values if name in lists else values[0] for name, values in request.form.lists()}


def _check_encoding(request: Request) -> None:
    """Refuse an address or a form that is not UTF-8: its bytes would be read as other letters, in silence."""
    _check_utf8(request.environ["PATH_INFO"].encode("latin-1"), N_("The address is not UTF-8."))
    _check_utf8(unquote_to_bytes(request.query_string), N_("The address is not UTF-8."))
    if request.mimetype == FORM:
        _check_utf8(unquote_to_bytes(request.get_data()), N_("The form is not UTF-8."))


def _check_utf8(data: bytes, wrong: str) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(wrong) from None


def _response(route: Route, given: BaseModel | Response | str | Answered[Any]) -> Response:
    answer = given if isinstance(given, Answered) else Answered(body=given, status=route.status)
    if isinstance(answer.body, Response):
        response = answer.body
    elif isinstance(answer.body, BaseModel):
        response = Response(answer.body.model_dump_json(), status=answer.status, mimetype=route.answers_as)
    else:
        response = Response(answer.body, status=answer.status, mimetype=route.answers_as)
    response.headers.update({**route.headers, **answer.headers})
    return response


def _answer_error(site: Site, error: Exception) -> Response:
    """Whatever a handler raised, as an answer: the one place where every exception ends."""
    place = str(request.url_rule) if request.url_rule else "(unknown path)"
    if isinstance(error, Unauthenticated) and site.services.settings.sign_in.by_session:
        if (way := _to_the_sign_in(site)) is not None:
            return way
        error = SignInNeeded(error.sentence)
    problem = problem_of(error, method=request.method, place=place)
    headers = headers_of(error)
    if is_api_path(request.path):
        return problem_response(problem, headers)
    translate = site.languages[language_of(request, site.languages)].gettext
    shown = problem.model_copy(update={"errors": field_problems(error, translate)})
    detail = detail_of(error, problem.status)
    said = detail.translated(translate) if isinstance(detail, Phrase) else translate(detail)
    return _error_page(site, shown, said, headers)


def _to_the_sign_in(site: Site) -> Response | None:
    """Where a person goes who asks for a page and is nobody, and from there back; None for a program."""
    if is_api_path(request.path) or request.method != "GET":
        return None
    shown = request.headers.get("HX-Current-URL")
    place = urlsplit(shown) if shown else urlsplit(site.services.reach.path(request.full_path.rstrip("?")))
    asked = urlunsplit(("", "", place.path, place.query, ""))
    address = site.url(SIGN_IN_ROUTE, next=asked)
    g.was_led_away = True
    if request.headers.get("HX-Request") == "true":  # it would put the sign-in into the page that asks
        return Response(status=204, headers={"HX-Redirect": address})
    return Response(status=303, headers={"Location": address})


def _error_page(site: Site, problem: Problem, said: str, headers: dict[str, str]) -> Response:
    """`said` is the problem's detail in the reader's language."""
    route = site.routes.get(request.endpoint or "") or _nowhere()
    call: AnyCall = Call(
        query=None,
        body=None,
        path=None,
        actor=site.access.actor(_headers(request)),
        site=site,
        language=language_of(request, site.languages),
        theme=theme_of(request),
        http=request,
        route=route,
    )
    is_plain = bool(request.environ.get(ERRORS_ARE_PLAIN))
    try:
        if choices := _choices(call, problem):  # to be clicked: of an error's status it would be shown as source
            status = 200 if is_plain else problem.status
            response = render_page(call, "choices.html", status=status, choices=choices)
        else:
            template = "error.txt" if is_plain else "error.html"
            again = problem.status == 503 and request.method == "GET"
            response = render_page(call, template, status=problem.status, problem=problem, said=said, asks_again=again)
    except Exception:  # a page that tells of a failure must not fail itself
        logger.exception("The page for the problem %s could not be made.", problem.instance)
        text = f"{problem.status} {problem.title}\n{problem.detail}\n{problem.instance}\n"
        response = Response(text, status=problem.status, mimetype="text/plain")
    text = response.get_data(as_text=True).replace("\0", "\ufffd")  # what was asked, repeated: Orthanc sends no NUL
    mark = "\ufeff" if response.mimetype == "text/plain" else ""  # Orthanc repeats the type without its character set
    response.set_data(mark + text)
    response.headers.update(headers)
    return response


def _choices(call: AnyCall, problem: Problem) -> list[tuple[dict[str, str | None], str | None]]:
    """The studies that an address can mean, each with the address that means it; None for what a form sent."""
    may_be_asked = call.http.method == "GET"
    return [
        (one, url_with(call, orthanc_study_id=one["orthanc_study_id"]) if may_be_asked else None)
        for one in problem.choices
        if "orthanc_study_id" in one
    ]


def _nowhere() -> Route:
    return Route(
        name="web.error", path=f"{BASE_PATH}/", permission=Permission.PUBLIC, handler=lambda call: "", summary=""
    )


def _finish(site: Site, response: Response) -> Response:
    _record(site, response.status_code)
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    reach = site.services.reach
    if request.args.get("lang") in site.languages:
        _remember(response, LANGUAGE_COOKIE, request.args["lang"], reach)
    if request.args.get("theme") in THEMES:
        _remember(response, THEME_COOKIE, request.args["theme"], reach)
    return response


def _record(site: Site, status: int) -> None:
    """Tell the audit trail of what was asked; what goes wrong with that is no reader's matter."""
    route = site.routes.get(request.endpoint or "")
    if route is None:
        return
    try:
        actor = g.get("actor") or site.access.actor(_headers(request))
        noted, was_led_away = g.get("noted"), bool(g.get("was_led_away"))
        services = site.services
        record(
            services.audit,
            services.clock,
            route,
            request,
            status,
            actor=actor,
            noted=noted,
            was_led_away=was_led_away,
        )
    except Exception:
        logger.exception("A request to %s is missing in the audit trail.", route.name)


def _remember(response: Response, name: str, value: str, reach: Reach) -> None:
    response.set_cookie(
        name,
        value,
        max_age=COOKIE_AGE_S,
        path=reach.path(f"{BASE_PATH}/"),
        secure=reach.is_secure,
        httponly=True,
        samesite="Lax",
    )
