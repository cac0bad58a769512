"""Errors as answers: RFC 9457 problem documents. Never a stack trace, always a reference.

The reference stands in the log beside the cause, so that a person can quote it and an operator can find it.
"""

from __future__ import annotations

import logging
import secrets
from http import HTTPStatus

from flask import Response
from pydantic import BaseModel, Field, ValidationError
from werkzeug.exceptions import HTTPException

from treegarth.errors import (
    DatabaseUnavailable,
    InvalidRequest,
    NotFound,
    OrthancRefused,
    OrthancUnavailable,
    RequestConflict,
    RequestForbidden,
    TreegarthError,
    Unauthenticated,
    UnsupportedBody,
)
from treegarth.web.languages import N_
from treegarth.web.routes import Answer

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
STATUSES: dict[type[TreegarthError], int] = {
    InvalidRequest: 400,
    Unauthenticated: 401,
    RequestForbidden: 403,
    NotFound: 404,
    RequestConflict: 409,
    UnsupportedBody: 415,
    OrthancRefused: 502,
    OrthancUnavailable: 503,
    DatabaseUnavailable: 503,
}
FRAME_DETAILS = {
    404: N_("There is nothing at this address."),
    405: N_("This address does not take this method."),
    413: N_("The request is larger than this server takes."),
}


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


class InvalidFields(InvalidRequest):
    """The request has fields that are not right."""

    def __init__(self, errors: list[FieldProblem]) -> None:
        super().__init__(" ".join(f"{error.field}: {error.detail}" for error in errors))
        self.errors = errors


def validated(model: type[BaseModel], values: object, *, what: str) -> BaseModel:
    """The values as an instance of the model.

    Raises InvalidFields naming each field and what would be right; `what` is "query parameter" or "field".
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidFields([_field_problem(model, details, what) for details in error.errors()]) from None


def _field_problem(model: type[BaseModel], details: object, what: str) -> FieldProblem:
    assert isinstance(details, dict)
    name = ".".join(str(part) for part in details["loc"]) or "body"
    if details["type"] == "extra_forbidden":
        known = ", ".join(model.model_fields) or "none"
        return FieldProblem(field=name, detail=f"is not a {what} here. Known: {known}.")
    sentence = str(details["msg"]).removeprefix("Value error, ").rstrip(".")
    return FieldProblem(field=name, detail=f"{sentence}.")


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
    if status >= 500 and not isinstance(error, TreegarthError):
        logger.error("%s %s failed, reference %s", method, place, reference, exc_info=error)
        detail = N_(
            "Treegarth failed at this. Nothing stored in Orthanc is affected. Quote the reference to who runs it."
        )
    else:
        level = logging.WARNING if status >= 500 else logging.DEBUG
        logger.log(level, "%s %s answered %d, reference %s: %s", method, place, status, reference, type(error).__name__)
        detail = FRAME_DETAILS.get(status, str(error.description)) if isinstance(error, HTTPException) else str(error)
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=f"urn:treegarth:{reference}",
        errors=error.errors if isinstance(error, InvalidFields) else [],
    )


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
