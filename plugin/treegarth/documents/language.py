"""A kind of documents as people and programs work with it: how one is read and written, switched and shown.

The endpoints (`routes.py`) and the pages do what they do by this.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from markupsafe import Markup
from pydantic import BaseModel
from sqlalchemy import Connection

from treegarth.access.actors import READING, WRITING, Permission
from treegarth.documents.answers import OrderedStateBody, StateBody
from treegarth.documents.importing import Imported, import_text
from treegarth.documents.store import Author, Kind, StoredT, Wording
from treegarth.documents.yaml_text import dump
from treegarth.errors import DocumentRefused, NotFound, Problem
from treegarth.phrases import Phrase
from treegarth.web.call import AnyCall
from treegarth.web.routes import Navigation, Parameters
from treegarth.web.validation import InvalidFields, validated

logger = logging.getLogger(__name__)


class SwitchForm(Parameters):
    """On or off, as a page's button says it."""

    on: bool
    """Whether it is to act."""


@dataclass(frozen=True, kw_only=True)
class Pages:
    """Where the pages of a kind are, and which of them its feature makes itself."""

    title: str  # a msgid: of the list of them
    place: str  # below the dashboard: "rules"
    prefix: str  # of the routes' names: "rules"
    frame: str = "documents/frame.html"  # the template that all of them stand in
    list_page: str = ""  # the name of the feature's own list
    one_page: str = ""  # of its own page of one; then its forms are its own, too
    navigation: Navigation | None = None
    section: Callable[[AnyCall, Any], Markup] | None = None  # what its feature says of one, on its page
    begin: str = "name: \n"  # what a new one is written from
    help: Mapping[str, str] = field(default_factory=dict)  # what can be written: msgids by key


@dataclass(frozen=True, kw_only=True)
class Documents(Generic[StoredT]):
    """What a feature says of its documents."""

    kind: Kind[StoredT]
    name: str  # of one, as endpoints are named: "retention_policy"
    names: str  # "retention_policies"
    one: str  # in a sentence of the API: "policy"
    many: str  # "policies"; a problem of the first document of a text is at policies[0]
    path: str  # below the API's: "retention/policies"
    tag: str
    number: type[Parameters]  # what stands in the address of one: a field alone
    parse: Callable[[AnyCall, Connection, Any, str], Wording]
    """What a document at this place means. Raises DocumentRefused with every problem, RequestConflict."""
    check: Callable[[AnyCall, Connection, Sequence[Wording]], None] = lambda *_: None
    """What the database has against these, which come together. Raises RequestConflict."""
    sees: Callable[[AnyCall, StoredT], bool] = lambda *_: True
    """Whether it is for the eyes of who asks."""
    check_may: Callable[[AnyCall, StoredT | None, Mapping[str, Any]], None] = lambda *_: None
    """Whether who asks may make one, or change this one into that. Raises RequestForbidden."""
    example: Mapping[str, Any]  # of a document, which the API's reference shows
    model: type[BaseModel] | None = None  # of a document, where its parts are known; else a JSON object
    answer: type[BaseModel] | None = None  # what is said of one; the kind's record, if nothing else
    answers: Callable[[AnyCall, Connection, Sequence[StoredT]], Sequence[Any]] = lambda call, connection, found: found
    state: type[Parameters] | None = None  # what switching takes, where more than that
    switch_form: type[Parameters] = SwitchForm  # what a page's button sends, where more than that
    state_of: Callable[[Any], Parameters] = lambda form: StateBody(is_on=form.on)
    check_on: Callable[[AnyCall, Connection, StoredT, Any], None] = lambda *_: None
    """Before one is switched on, with what was sent. Raises RequestConflict."""
    write: Callable[[AnyCall, Sequence[StoredT]], str] = lambda call, found: dump([one.document for one in found])
    is_listed: bool = True  # else its feature has a list of them at this address
    write_permission: Permission | None = None  # None: what its tag says
    switch_permission: Permission | None = None
    pages: Pages | None = None

    @property
    def may_read(self) -> Permission:
        return READING[self.tag]

    @property
    def may_write(self) -> Permission:
        return self.write_permission or WRITING[self.tag]

    @property
    def may_switch(self) -> Permission:
        return self.switch_permission or self.may_write

    @property
    def state_body(self) -> type[Parameters]:
        return self.state or (OrderedStateBody if self.kind.is_ordered else StateBody)

    def all(self, call: AnyCall, connection: Connection, *, removed: bool = False) -> list[StoredT]:
        """Those that who asks can see, as `Kind.all`."""
        return [one for one in self.kind.all(connection, removed=removed) if self.sees(call, one)]

    def read(self, call: AnyCall, connection: Connection, number: int, *, removed: bool = False) -> StoredT:
        """One that who asks can see. Raises NotFound."""
        stored = self.kind.read(connection, number, removed=removed)
        if not self.sees(call, stored):
            raise NotFound(Phrase(self.kind.missing))
        return stored

    def create(self, call: AnyCall, connection: Connection, document: Any) -> StoredT:
        """A new one. Raises DocumentRefused, RequestConflict."""
        worded = self._worded(call, connection, document)
        self.check_may(call, None, worded.document)
        made = self.kind.create(connection, worded.document, author_of(call), is_on=worded.is_on, source=worded.source)
        self._log(call, made.id, "made")
        return made

    def edit(self, call: AnyCall, connection: Connection, number: int, document: Any, *, since: int | None) -> StoredT:
        """Another wording. Raises NotFound, DocumentRefused, RequestConflict, EditedMeanwhile."""
        worded, author = self._worded(call, connection, document), author_of(call)
        self.check_may(call, self.read(call, connection, number), worded.document)
        edited = self.kind.edit(
            connection, number, worded.document, author, since=since, is_on=worded.is_on, source=worded.source
        )
        self._log(call, number, "edited")
        return edited

    def set_state(self, call: AnyCall, connection: Connection, number: int, body: Any) -> StoredT:
        """Switch it on or off, or move it. Raises NotFound, RequestConflict."""
        stored, author = self.read(call, connection, number), author_of(call)
        self.check_may(call, stored, stored.document)
        if body.is_on is not None:
            if body.is_on:
                self.check_on(call, connection, stored, body)
            self.kind.switch(connection, number, author, is_on=body.is_on)
            self._log(call, number, f"switched {'on' if body.is_on else 'off'}")
        if getattr(body, "place", None) is not None:
            self.kind.move(connection, number, body.place, author)
        return self.kind.read(connection, number)

    def remove(self, call: AnyCall, connection: Connection, number: int) -> StoredT:
        """It acts no more, and stays on record. As it was. Raises NotFound."""
        stored = self.read(call, connection, number)
        self.check_may(call, stored, stored.document)
        removed = self.kind.remove(connection, number, author_of(call))
        self._log(call, number, "removed")
        return removed

    def shown(self, call: AnyCall, connection: Connection, stored: StoredT) -> Any:
        """What is said of one."""
        (shown,) = self.answers(call, connection, [stored])
        return shown

    def text(self, call: AnyCall, connection: Connection) -> str:
        """All of them as a text that `take_in` reads."""
        return self.write(call, self.all(call, connection))

    def take_in(self, call: AnyCall, connection: Connection, text: str, *, dry_run: bool) -> list[Imported]:
        """Make or change the documents of a text, by their names, or only say what would be. All or nothing.

        Raises UnreadableYaml, DocumentRefused with every problem, RequestConflict.
        """

        def parse(document: Any, place: str) -> Wording:
            return self.parse(call, connection, document, place)

        def check(wordings: Sequence[Wording]) -> None:
            self.check(call, connection, wordings)
            for one in wordings:
                self.check_may(call, None, one.document)

        author = author_of(call)
        done = import_text(connection, self.kind, text, parse, author, check=check, many=self.many, dry_run=dry_run)
        if not dry_run:
            logger.info("%d %s were imported by %s.", len(done), self.many, call.actor)
        return done

    def _worded(self, call: AnyCall, connection: Connection, document: Any) -> Wording:
        worded = self.parse(call, connection, document, "document")
        self.check(call, connection, [worded])
        return worded

    def _log(self, call: AnyCall, number: int, what: str) -> None:
        logger.info("The %s %d was %s by %s.", self.name.replace("_", " "), number, what, call.actor)


def parse_by(model: type[BaseModel]) -> Callable[[AnyCall, Connection, Any, str], Wording]:
    """How documents are read that are all that a model of theirs knows; it has a `name`."""

    def parse(call: AnyCall, connection: Connection, document: Any, place: str) -> Wording:
        return Wording(document=validated_at(model, document, place).model_dump(mode="json", exclude_none=True))

    return parse


def validated_at(model: type[BaseModel], document: Any, place: str) -> Any:
    """The document as an instance of its model. Raises DocumentRefused with every problem at its place."""
    try:
        return validated(model, document)
    except InvalidFields as refused:
        raise at_place(refused, place) from None


def at_place(refused: InvalidFields, place: str) -> DocumentRefused:
    """The same problems, as those of a document at this place."""
    return DocumentRefused(
        [Problem(place=f"{place}.{one.field}", wrong=Phrase(one.message, one.values)) for one in refused.faults]
    )


def author_of(call: AnyCall) -> Author:
    """Who changes documents by this request, and when."""
    services = call.services
    return Author(name=call.actor.name, now=services.clock().astimezone(services.zone))
