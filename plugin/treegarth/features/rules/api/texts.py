"""Rules as texts over HTTP: check a document, import, export."""

from __future__ import annotations

from typing import Any

from flask import Response
from pydantic import Field

from treegarth.documents.answers import ImportOutcome
from treegarth.documents.yaml_text import LARGEST_BYTES
from treegarth.errors import InvalidRequest, Problem
from treegarth.features.rules.api.parts import as_fields, rule_route
from treegarth.features.rules.requests import author_of
from treegarth.features.rules.service import export_rules, import_rules, problems_with
from treegarth.features.rules.service.book import RuleBook
from treegarth.features.rules.text import RuleRefused, WrittenRule, parse_rule, parse_rules
from treegarth.web.actors import Permission
from treegarth.web.call import AnyCall, Call
from treegarth.web.routes import Answer, AnyText, Parameters, Route
from treegarth.web.validation import Fault, InvalidFields

MEDIA_TYPES = ("application/yaml", "text/plain")  # generated clients know no YAML


class RuleTextBody(Parameters):
    """A YAML text, or one rule as a document."""

    text: AnyText | None = Field(default=None, max_length=LARGEST_BYTES)
    """Rules as YAML: a list, or one."""
    document: dict[str, Any] | None = None
    """One rule, as `POST rules` takes it. Either this or `text`."""


class ImportBody(Parameters):
    """Rules to import."""

    text: AnyText = Field(max_length=LARGEST_BYTES)
    """Rules as YAML: a list, or one."""
    dry_run: bool = False
    """Only say what would change."""


class ProblemItem(Answer):
    """What is wrong at one place."""

    place: str
    """`rules[0].if.all[1]`"""
    wrong: str
    right: str
    """What would be right there."""


class CheckedRule(Answer):
    """A rule that is right, in its canonical form."""

    document: dict[str, Any]
    is_on: bool
    """Whether it acts where it is new: a document must say so, a text may leave it out."""
    does: list[str]
    """What each of its actions does, in a sentence."""


class Checked(Answer):
    """What a text or document means, or everything that is wrong with it."""

    problems: list[ProblemItem]
    rules: list[CheckedRule]
    """Empty where there are problems."""


def check(call: Call[None, RuleTextBody, None]) -> Checked:
    body = call.body
    if (body.text is None) == (body.document is None):
        raise InvalidFields([Fault(field="text", message="give either text or document.")])
    try:
        written = _written(call, body)
    except RuleRefused as refused:
        return _checked(refused.problems, [])
    except InvalidRequest as unreadable:
        return _checked([Problem("text", str(unreadable))], [])
    problems: list[Problem] = []
    with call.connect() as connection:
        for index, one in enumerate(written):
            place = "rule" if body.text is None else f"rules[{index}]"
            problems.extend(problems_with(connection, one, place))
    return _checked(problems, [] if problems else written, is_text=body.text is not None)


def _written(call: AnyCall, body: RuleTextBody) -> list[WrittenRule]:
    book = call.part(RuleBook)
    if body.text is not None:
        return parse_rules(body.text, book.language)
    return [parse_rule(body.document, book.language)]


def take_in(call: Call[None, ImportBody, None]) -> ImportOutcome:
    book = call.part(RuleBook)
    body = call.body
    with call.begin() as connection:
        try:
            author = author_of(call)
            made = import_rules(connection, book.language, body.text, author, dry_run=body.dry_run)
        except RuleRefused as refused:
            raise as_fields(refused) from None
    return ImportOutcome(dry_run=body.dry_run, items=list(made))


def export(call: Call[None, None, None]) -> Response:
    book = call.part(RuleBook)
    with call.connect() as connection:
        text = export_rules(connection, book)
    headers = {"Content-Disposition": 'attachment; filename="rules.yaml"'}
    media_type = call.http.accept_mimetypes.best_match(MEDIA_TYPES, default=MEDIA_TYPES[0])
    return Response(text.encode(), mimetype=media_type, headers=headers)


def _checked(problems: Any, written: list[WrittenRule], *, is_text: bool = False) -> Checked:
    return Checked(
        problems=[ProblemItem(place=one.place, wrong=one.wrong, right=one.right) for one in problems],
        rules=[
            CheckedRule(
                document=dict(one.document),
                is_on=one.rule.is_on and (one.says_on or is_text),
                does=[step.describe() for step in one.rule.steps],
            )
            for one in written
        ],
    )


def routes() -> list[Route]:
    """The endpoints about texts."""
    return [
        rule_route(
            "check_rules",
            "rules/check",
            check,
            "What a rule's text means, or everything that is wrong with it; changes nothing.",
            method="POST",
            permission=Permission.OPERATE,
            problems=(400, 503),
        ),
        rule_route(
            "import_rules",
            "rules/import",
            take_in,
            "Make the rules as a YAML text says, all or nothing.",
            description=f"At most {LARGEST_BYTES // 1024} KB. Rules that the text does not name stay as they are.",
            method="POST",
            permission=Permission.ADMINISTER,
            problems=(400, 503),
        ),
        rule_route(
            "export_rules",
            "rules/export",
            export,
            "Every rule as YAML, with the comments that it was imported with.",
            media_type=MEDIA_TYPES[0],
            other_media_types=MEDIA_TYPES[1:],
        ),
    ]
