"""The endpoints of a kind of documents, in one dialect: read, write, switch, remove, versions, the text form."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from treegarth.access.actors import Permission
from treegarth.documents.answers import (
    DocumentBody,
    DocumentsQuery,
    EditBody,
    ImportOutcome,
    TextAnswer,
    TextBody,
    VersionList,
)
from treegarth.documents.language import Documents
from treegarth.documents.store import Stored
from treegarth.documents.yaml_text import dump
from treegarth.web.call import Answered
from treegarth.web.paths import API_PATH
from treegarth.web.routes import Answer, Method, Route, make_model


def document_routes(documents: Documents[Any]) -> list[Route]:
    """Every endpoint of this kind."""
    return _Endpoints(documents).routes()


class _Endpoints:
    def __init__(self, documents: Documents[Any]) -> None:
        self._documents = documents
        self._kind = documents.kind
        (self._part,) = documents.number.model_fields

    # ---- what they do ----

    def all(self, call: Any) -> BaseModel:
        with call.connect() as connection:
            found = self._documents.all(call, connection, removed=call.query.removed)
            return self._answers(items=self._documents.answers(call, connection, found))

    def read(self, call: Any) -> Any:
        with call.connect() as connection:
            stored = self._documents.read(call, connection, self._number(call))
            return self._documents.shown(call, connection, stored)

    def create(self, call: Any) -> Any:
        with call.begin() as connection:
            made = self._documents.create(call, connection, call.body.document)
            shown = self._documents.shown(call, connection, made)
        location = call.site.url(f"api.{self._documents.name}", **{self._part: made.id})
        return Answered(body=shown, status=201, headers={"Location": location})

    def edit(self, call: Any) -> Any:
        with call.begin() as connection:
            number, body = self._number(call), call.body
            edited = self._documents.edit(call, connection, number, body.document, since=body.version)
            return self._documents.shown(call, connection, edited)

    def set_state(self, call: Any) -> Any:
        with call.begin() as connection:
            stored = self._documents.set_state(call, connection, self._number(call), call.body)
            return self._documents.shown(call, connection, stored)

    def remove(self, call: Any) -> Any:
        with call.begin() as connection:
            removed = self._documents.remove(call, connection, self._number(call))
            return self._documents.shown(call, connection, removed)

    def versions(self, call: Any) -> VersionList:
        with call.connect() as connection:
            self._documents.read(call, connection, self._number(call), removed=True)
            return VersionList(items=self._kind.history(connection, self._number(call)))

    def text(self, call: Any) -> TextAnswer:
        with call.connect() as connection:
            return TextAnswer(text=self._documents.text(call, connection))

    def take_in(self, call: Any) -> ImportOutcome:
        dry_run = call.body.dry_run
        with call.begin() as connection:
            items = self._documents.take_in(call, connection, call.body.text, dry_run=dry_run)
        return ImportOutcome(dry_run=dry_run, items=items)

    def _number(self, call: Any) -> int:
        number: int = getattr(call.path, self._part)
        return number

    # ---- what they take and answer ----

    @property
    def _answer(self) -> type[BaseModel]:
        return self._documents.answer or self._kind.record

    @cached_property
    def _answers(self) -> type[BaseModel]:
        one: Any = self._answer
        items: Any = list[one]
        summary = f"The {self._documents.many}, in the order in which they {self._order}."
        own = self._answer.__name__ if self._answer is not Stored else self._documents.name.title().replace("_", "")
        return make_model(f"{own}List", Answer, doc=summary, items=(items, ...))

    @property
    def _order(self) -> str:
        return "act" if self._kind.is_ordered else "were made"

    def _body(self, base: type[BaseModel]) -> type[BaseModel]:
        if self._documents.model is None:
            return base
        document: Any = (self._documents.model, ...)
        name = f"{self._documents.name.title().replace('_', '')}{base.__name__.removeprefix('Document')}"
        return make_model(name, base, doc=base.__doc__, document=document)

    # ---- where they are ----

    def routes(self) -> list[Route]:
        """As one table. What is below `/text` stands before what has a number there."""
        it, name, names, one = self._documents, self._documents.name, self._documents.names, self._documents.one
        new, edited = "on" if self._kind.starts_on else "off", "" if self._kind.stays_on else "; it is off then"
        write = it.may_write
        below, answer = f"/{{{self._part}}}", self._answer
        listed = self._route(names, "", self.all, f"The {it.many}.", query=DocumentsQuery, answer=self._answers)
        return [
            *([listed] if it.is_listed else []),
            self._route(
                f"create_{name}",
                "",
                self.create,
                f"Make a {one}; it is {new} unless it says otherwise.",
                method="POST",
                status=201,
                permission=write,
                body=self._body(DocumentBody),
                example={"document": it.example},
                answer=answer,
            ),
            self._route(f"{names}_text", "/text", self.text, f"Every {one} as YAML.", answer=TextAnswer),
            self._route(
                f"import_{names}",
                "/text",
                self.take_in,
                f"Make or change {it.many} as a YAML text says, all or nothing, or only say what would be.",
                method="PUT",
                permission=write,
                body=TextBody,
                example={"text": dump([it.example]), "dry_run": True},
                answer=ImportOutcome,
            ),
            self._route(name, below, self.read, f"One {one}.", answer=answer),
            self._route(
                f"edit_{name}",
                below,
                self.edit,
                f"Replace what a {one} says{edited}.",
                method="PUT",
                permission=write,
                body=self._body(EditBody),
                example={"document": it.example, "version": 1},
                answer=answer,
            ),
            self._route(
                f"remove_{name}",
                below,
                self.remove,
                f"Remove a {one}; it stays on record. As it was.",
                method="DELETE",
                permission=write,
                answer=answer,
            ),
            self._route(
                f"switch_{name}",
                f"{below}/state",
                self.set_state,
                f"Switch a {one} on or off{', or move it in the order' if self._kind.is_ordered else ''}.",
                method="PUT",
                permission=it.may_switch,
                body=it.state_body,
                answer=answer,
            ),
            self._route(
                f"{name}_versions",
                f"{below}/versions",
                self.versions,
                f"Every version of a {one}, with who and when; also of a removed one.",
                answer=VersionList,
            ),
        ]

    def _route(
        self,
        name: str,
        below: str,
        handler: Callable[[Any], Any],
        summary: str,
        *,
        method: Method = "GET",
        permission: Permission | None = None,
        **given: Any,
    ) -> Route:
        return Route(
            name=f"api.{name}",
            path=f"{API_PATH}/{self._documents.path}{below}",
            handler=handler,
            summary=summary,
            method=method,
            permission=permission or self._documents.may_read,
            path_parameters=self._documents.number if "{" in below else None,
            problems=(503,) if method == "GET" else (409, 503),
            tag=self._documents.tag,
            **given,
        )
