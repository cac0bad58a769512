"""Errors as answers: RFC 9457 problem documents. Never a stack trace, always a reference.

The reference stands in the log beside the cause, so that a person can quote it and an operator can find it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from http import HTTPStatus

from flask import Response
from pydantic import Field
from werkzeug.exceptions import HTTPException

from treegarth.errors import (
    DatabaseUnavailable,
    DocumentRefused,
    InvalidRequest,
    NotFound,
    OrthancRefused,
    OrthancUnavailable,
    RequestConflict,
    RequestForbidden,
    SignInNeeded,
    TreegarthError,
    Unauthenticated,
    UnreadableObject,
    UnsupportedBody,
)
from treegarth.phrases import N_, in_language
from treegarth.web.routes import Answer
from treegarth.web.validation import InvalidFields

ERRORS_ARE_PLAIN = "treegarth.errors_are_plain"
"""In the WSGI environment, where a page of an error would be shown as its source."""

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
STATUSES: dict[type[TreegarthError], int] = {
    InvalidRequest: 400,
    Unauthenticated: 401,
    SignInNeeded: 403,
    RequestForbidden: 403,
    NotFound: 404,
    RequestConflict: 409,
    UnsupportedBody: 415,
    UnreadableObject: 422,
    OrthancRefused: 502,
    OrthancUnavailable: 503,
    DatabaseUnavailable: 503,
}
FRAME_DETAILS = {
    400: N_("The request is not one that can be read."),
    404: N_("There is nothing at this address."),
    405: N_("This address does not take this method."),
    413: N_("The request is larger than this server takes."),
}
# In place of what the error says, which can name servers and files: that is for the log.
GUARDED_DETAILS: dict[type[TreegarthError], str] = {
    DatabaseUnavailable: N_(
        "PostgreSQL does not answer. Stored objects are safe in Orthanc; the index catches up when it is back."
    ),
    OrthancUnavailable: N_("Orthanc does not answer."),
    OrthancRefused: N_("Orthanc refused this."),
}
UNFORESEEN = N_("Treegarth failed at this. Nothing stored in Orthanc is affected. Quote the reference to who runs it.")
FROM_LOWER_FLOORS = (N_("cursor: is not one that an answer of this list and sort gave. Start without a cursor."),)


class FieldProblem(Answer):
    """One field of a request that is not right."""

    field: str
    """The parameter, or the path into the body: `study_date_from`, `items.0.name`."""
    detail: str
    """What is wrong, and what would be right."""


class Problem(Answer):
    """What went wrong (RFC 9457)."""

    type: str = "about:blank"
    title: str
    """The status in words."""
    status: int
    detail: str
    """What happened to this request, and what to do."""
    instance: str
    """The reference of this occurrence; the server's log has it too."""
    errors: list[FieldProblem] = Field(default_factory=list)
    """The fields that are not right, of a status 400."""
    choices: list[dict[str, str | None]] = Field(default_factory=list)
    """Of a status 409 where what was asked for means several: each by what tells it from the others."""


def status_of(error: Exception) -> int:
    """The HTTP status that an error is answered with."""
    if isinstance(error, HTTPException):
        return error.code or 500
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return 500


def problem_of(error: Exception, *, method: str, place: str) -> Problem:
    """The problem document of an error, which is logged with the same reference.

    `place` is the route's pattern, not the path as it was asked for, which can hold identifiers of a patient.
    """
    status = status_of(error)
    reference = f"treegarth-{secrets.token_hex(6)}"
    if status == 500:
        logger.error("%s %s failed, reference %s", method, place, reference, exc_info=error)
    else:
        level = logging.WARNING if status > 500 else logging.DEBUG
        cause = str(error) if status > 500 else type(error).__name__
        logger.log(level, "%s %s answered %d, reference %s: %s", method, place, status, reference, cause)
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail_of(error, status),
        instance=f"urn:treegarth:{reference}",
        errors=field_problems(error),
        choices=[dict(one) for one in error.choices] if isinstance(error, RequestConflict) else [],
    )


def detail_of(error: Exception, status: int) -> str:
    """What the asker is told: never what could name a server, a file or a line of code."""
    if status == 500:
        return UNFORESEEN
    if isinstance(error, HTTPException):
        return FRAME_DETAILS.get(status, str(error.description))
    own = error.sentence if isinstance(error, TreegarthError) else str(error)
    return next((said for kind, said in GUARDED_DETAILS.items() if isinstance(error, kind)), own)


def field_problems(error: Exception, gettext: Callable[[str], str] = str) -> list[FieldProblem]:
    """The fields that are not right, in English if not told otherwise."""
    faults = error.faults if isinstance(error, InvalidFields) else []
    problems = error.problems if isinstance(error, DocumentRefused) else ()
    return [
        *(FieldProblem(field=fault.field, detail=fault.said(gettext)) for fault in faults),
        *(
            FieldProblem(field=one.place, detail=" ".join(in_language(part, gettext) for part in one[1:] if part))
            for one in problems
        ),
    ]


def headers_of(error: Exception) -> dict[str, str]:
    """The headers that belong to an error's status: Allow, Retry-After, WWW-Authenticate."""
    headers: dict[str, str] = {}
    if isinstance(error, HTTPException):
        allowed = getattr(error, "valid_methods", None)
        if allowed:
            headers["Allow"] = ", ".join(sorted(allowed))
    if isinstance(error, DatabaseUnavailable | OrthancUnavailable):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Basic realm="Orthanc"'
    return headers


def problem_response(problem: Problem, headers: dict[str, str]) -> Response:
    return Response(problem.model_dump_json(), status=problem.status, mimetype=PROBLEM_TYPE, headers=headers)
