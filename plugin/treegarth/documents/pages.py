"""The pages of a kind of documents: what its feature does not make itself. A list, one with its history, editing as
text, import and export, on and off, removing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response

from treegarth.access.actors import Permission
from treegarth.documents.differences import as_text, newer_than, shown_versions, version_of
from treegarth.documents.importing import Imported
from treegarth.documents.language import Documents, Pages
from treegarth.documents.store import EditedMeanwhile, Stored
from treegarth.documents.yaml_text import Places, read_pieces
from treegarth.errors import DocumentRefused, InvalidRequest, Problem, RequestConflict
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall
from treegarth.web.parts import in_words, reason_of, translated
from treegarth.web.paths import BASE_PATH
from treegarth.web.routes import Method, Route
from treegarth.web.templates import render_page
from treegarth.web.told import leave, see_other


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """What is wrong at a place of the text; `line` counts from 1, None where the text has no such place."""

    place: str
    line: int | None
    words: str


def document_pages(documents: Documents[Any]) -> list[Route]:
    """Those that the kind's feature does not make itself."""
    return _DocumentPages(documents, documents.pages).routes() if documents.pages is not None else []


class _DocumentPages:
    def __init__(self, documents: Documents[Any], pages: Pages) -> None:
        self._documents, self._pages = documents, pages
        (self._part,) = documents.number.model_fields

    # ---- reading ----

    def all(self, call: AnyCall) -> Response:
        with call.connect() as connection:
            found = self._documents.all(call, connection)
        urls = {one.id: self._url(call, "document_page", one.id) for one in found}
        return self._render(call, "list.html", documents=found, urls=urls)

    def one(self, call: AnyCall) -> Response:
        number = self._number(call)
        with call.connect() as connection:
            stored = self._documents.read(call, connection, number, removed=True)
            versions = shown_versions(self._documents.kind.history(connection, number))
        text = stored.source if stored.source is not None else as_text(stored.document)
        urls = {name: self._url(call, f"{name}_page", number) for name in ("edit", "switch", "remove")}
        section = None if self._pages.section is None else self._pages.section(call, stored)
        values = {"document": stored, "text": text, "versions": versions, "urls": urls, "section": section}
        return self._render(call, "document.html", **values)

    def export(self, call: AnyCall) -> Response:
        with call.connect() as connection:
            text = self._documents.text(call, connection)
        name = self._pages.place.rpartition("/")[2]
        headers = {"Content-Disposition": f'attachment; filename="{name}.yaml"'}
        return Response(text, mimetype="application/yaml", headers=headers)

    # ---- on, off, out ----

    def switch(self, call: Any) -> Response:
        """Back to the page whose button was pressed: the list, or the document's own."""
        number = self._number(call)
        own, form = self._one_url(call, number), call.body
        came_from = (call.http.headers.get("Referer") or "").split("?")[0].rstrip("/")
        try:
            with call.begin() as connection:
                self._documents.set_state(call, connection, number, self._documents.state_of(form))
        except RequestConflict as error:
            return see_other(call, own, error.sentence, kind="failed")
        return see_other(call, self._list_url(call) if came_from.endswith(self._list_url(call)) else own)

    def remove(self, call: AnyCall) -> Response:
        with call.begin() as connection:
            self._documents.remove(call, connection, self._number(call))
        return see_other(call, self._list_url(call))

    # ---- writing ----

    def new(self, call: AnyCall) -> Response:
        return self._form(call, self._pages.begin, None)

    def edit(self, call: AnyCall) -> Response:
        stored = self._read(call)
        return self._form(call, stored.source or as_text(stored.document), stored)

    def save_new(self, call: AnyCall) -> Response:
        return self._save(call, None)

    def save(self, call: AnyCall) -> Response:
        return self._save(call, self._read(call))

    def _save(self, call: AnyCall, stored: Stored | None) -> Response:
        text, act = call.http.form.get("text", "").replace("\r\n", "\n"), call.http.form.get("act", "")
        since = version_of(act.removeprefix("save over ") if "over" in act else call.http.form.get("version", ""))
        try:
            document = one_document(text)
            with call.begin() as connection:
                if stored is None:
                    number = self._documents.create(call, connection, document).id
                else:
                    number = self._documents.edit(call, connection, stored.id, document, since=since).id
        except EditedMeanwhile as error:
            return self._form(call, text, stored, newer=newer_than(error))
        except (DocumentRefused, RequestConflict, InvalidRequest) as error:
            return self._form(call, text, stored, wrong=wrong_in(call, text, error))
        return leave(call, self._one_url(call, number))

    def _form(
        self, call: AnyCall, text: str, stored: Stored | None, *, wrong: Sequence[Wrong] = (), newer: Any = None
    ) -> Response:
        """What is kept is the version that the form began from, also where it is shown again."""
        number = stored.id if stored else None
        return self._render(
            call,
            "edit.html",
            name=stored.name if stored else None,
            version=call.http.form.get("version", stored.version if stored else ""),
            address=self._url(call, "edit_page" if stored else "new_page", number),
            leave=self._one_url(call, number) if number else self._list_url(call),
            text=text,
            wrong=wrong,
            newer=newer,
            help=self._pages.help,
        )

    # ---- a text of several ----

    def import_form(self, call: AnyCall) -> Response:
        return self._import(call, "", [], [])

    def take_in(self, call: AnyCall) -> Response:
        """First what would change; the same text once more, with the second button, is imported."""
        text = call.http.form.get("text", "").replace("\r\n", "\n")
        really = call.http.form.get("act") == "import"
        try:
            with call.begin() as connection:
                made = self._documents.take_in(call, connection, text, dry_run=not really)
        except DocumentRefused as error:
            return self._import(call, text, _wrong_of_several(call, text, self._documents.many, error.problems), [])
        except (InvalidRequest, RequestConflict) as error:
            return self._import(call, text, [reason_of(call, error)], [])
        return leave(call, self._list_url(call)) if really else self._import(call, text, [], made)

    def _import(self, call: AnyCall, text: str, problems: Sequence[str], plan: Sequence[Imported]) -> Response:
        return self._render(call, "import.html", text=text, problems=problems, plan=plan)

    # ---- what all of them have ----

    def _render(self, call: AnyCall, template: str, **values: Any) -> Response:
        pages = self._pages
        urls = {name: self._url(call, f"{name}_page") for name in ("import", "export")}
        if not pages.one_page:
            urls["new"] = self._url(call, "new_page")
        return render_page(
            call,
            f"documents/{template}",
            frame=pages.frame,
            title=pages.title,
            list_url=self._list_url(call),
            pages=urls,
            may_write=call.actor.may(self._documents.may_write),
            may_switch=call.actor.may(self._documents.may_switch),
            **values,
        )

    def _read(self, call: AnyCall) -> Stored:
        with call.connect() as connection:
            stored: Stored = self._documents.read(call, connection, self._number(call))
            return stored

    def _number(self, call: Any) -> int:
        number: int = getattr(call.path, self._part)
        return number

    def _url(self, call: AnyCall, name: str, number: int | None = None) -> str:
        return call.site.url(f"{self._pages.prefix}.{name}", **({} if number is None else {self._part: number}))

    def _one_url(self, call: AnyCall, number: int) -> str:
        return call.site.url(self._pages.one_page or f"{self._pages.prefix}.document_page", **{self._part: number})

    def _list_url(self, call: AnyCall) -> str:
        return call.site.url(self._pages.list_page or f"{self._pages.prefix}.documents_page")

    # ---- where they are ----

    def routes(self) -> list[Route]:
        many, one, write = self._documents.many, self._documents.one, self._documents.may_write
        below = f"/{{{self._part}}}"
        shared = [
            self._route("export", ".yaml", self.export, f"Every {one} as YAML.", media_type="application/yaml"),
            self._route("import", "/import", self.import_form, f"Import {many}.", permission=write),
            self._route(
                "take_in", "/import", self.take_in, f"See what importing {many} would change, or do it.", write
            ),
            self._route(
                "switch",
                f"{below}/switch",
                self.switch,
                f"Switch a {one} on or off.",
                self._documents.may_switch,
                body=self._documents.switch_form,
            ),
            self._route("remove", f"{below}/remove", self.remove, f"Remove a {one}; it stays on record.", write),
        ]
        listed = self._route("documents", "", self.all, f"The {many}.", navigation=self._pages.navigation)
        own = [
            self._route("new", "/new", self.new, f"A new {one}, as text.", permission=write),
            self._route("create", "/new", self.save_new, f"Save a new {one}.", write),
            self._route("document", below, self.one, f"One {one}: what it says, and its history."),
            self._route("edit", f"{below}/edit", self.edit, f"A {one} to edit, as text.", permission=write),
            self._route("change", f"{below}/edit", self.save, f"Save a {one}.", write),
        ]
        return [
            *shared,
            *([] if self._pages.list_page else [listed]),
            *([] if self._pages.one_page else own),
        ]

    def _route(
        self,
        name: str,
        below: str,
        handler: Callable[[Any], Response],
        summary: str,
        posted: Permission | None = None,
        *,
        permission: Permission | None = None,
        **given: Any,
    ) -> Route:
        method: Method = "GET" if posted is None else "POST"
        return Route(
            name=f"{self._pages.prefix}.{name}_page",
            path=f"{BASE_PATH}/{self._pages.place}{below}",
            handler=handler,
            summary=summary,
            method=method,
            permission=posted or permission or self._documents.may_read,
            path_parameters=self._documents.number if "{" in below else None,
            **given,
        )


def one_document(text: str) -> Any:
    """The one document of a text. Raises InvalidRequest where it is no YAML or not one."""
    if "\0" in text:
        raise InvalidRequest(P_("The text has a character that cannot be stored."))
    found = read_pieces(text)
    if len(found) != 1:
        raise InvalidRequest(P_("Write one here; several are imported from their list."))
    return found[0].value


def wrong_in(call: AnyCall, text: str, error: RequestConflict | InvalidRequest) -> list[Wrong]:
    """What is wrong with the one document of a text, each at its line."""
    return wrong_at(call, text, problems_of(error))


def problems_of(error: RequestConflict | InvalidRequest) -> list[Problem]:
    """What an error says of one document, by place."""
    if isinstance(error, DocumentRefused):
        return list(error.problems)
    field = f"document.{error.field}" if isinstance(error, RequestConflict) else ""
    return [Problem(field, error.sentence)]


def wrong_at(call: AnyCall, text: str, problems: Sequence[Problem]) -> list[Wrong]:
    """Problems of one document, in words and each at its line of the text."""
    lines = Places(text)
    found = []
    for one in problems:
        place = one.place.removeprefix("document").lstrip(".")
        found.append(Wrong(place=place, line=lines.line_of(place), words=_words(call, one)))
    return found


def _wrong_of_several(call: AnyCall, text: str, many: str, problems: Sequence[Problem]) -> list[str]:
    """Problems of documents whose first is at `many[0]`, each with its place and line."""
    lines = Places(text)
    found = []
    for one in problems:
        line = lines.line_of(one.place.removeprefix(many))
        found.append(said_of(call, Wrong(place=one.place, line=line, words=_words(call, one))))
    return found


def _words(call: AnyCall, problem: Problem) -> str:
    return " ".join(in_words(call, part) for part in (problem.wrong, problem.right) if part)


def said_of(call: AnyCall, wrong: Wrong) -> str:
    """What is wrong with its place, and the line of the text where it stands."""
    line = translated(call, N_("line %(number)s"), number=wrong.line)
    where = f"{wrong.place} ({line})" if wrong.line else wrong.place
    return f"{where}: {wrong.words}" if where else wrong.words
