"""A list: declared once, it is a page, an endpoint and three files, with filters, sort, pages and a count.

A feature says what a row is (a `Record`), which query finds them, what may be asked for and which columns a page shows.
From that follow: `{path}` for people, `{api_path}` for programs, `.csv`, `.xlsx` and `.parquet` of both, sort by each
column, the page before and the page after, the chips of what holds, and what is said where nothing is found. Page,
endpoint and files ask one query; they cannot differ. ARCHITECTURE.md has an example.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cached_property
from tempfile import TemporaryFile
from typing import Any, Generic, Literal, TypeAlias, TypeVar, get_args
from urllib.parse import urlencode

from flask import Response
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy import ColumnElement, Connection, Label, Select, func, literal, select

from treegarth.access.actors import READING, Permission
from treegarth.database.keyset import SortKey, read_page
from treegarth.errors import RequestConflict
from treegarth.index.names import OfNamedStudy, StudyName, name_of, with_names
from treegarth.index.studies import told_apart
from treegarth.phrases import N_, P_
from treegarth.record import Record
from treegarth.web.call import AnyCall, Asker, Call
from treegarth.web.export import (
    FORMAT_WORDS,
    FORMATS,
    MEDIA_TYPES,
    Field,
    Format,
    Sheet,
    fields_of,
    without_none,
    write_export,
)
from treegarth.web.filters import Filter
from treegarth.web.formats import readable_name
from treegarth.web.forms import Fault
from treegarth.web.lists import Cursor, PageQuery
from treegarth.web.parts import ngettext_for, translated
from treegarth.web.paths import API_PATH, BASE_PATH
from treegarth.web.problems import ERRORS_ARE_PLAIN
from treegarth.web.routes import Answer, Navigation, Parameters, Route, make_model
from treegarth.web.row_actions import RowAction, RowActions
from treegarth.web.saved_views import SavedView, SavedViews
from treegarth.web.templates import render_page, url_with
from treegarth.web.validation import Fault as InvalidField
from treegarth.web.validation import InvalidFields, validated

RecordT = TypeVar("RecordT", bound=Record)
AskedT = TypeVar("AskedT", bound=Parameters)
OneCall: TypeAlias = Call[Any, Any, Any]
"""A request; a query of a list whose address has parts names the model of these in its place."""
Form: TypeAlias = Literal[
    "text", "texts", "person", "number", "size", "day", "moment", "modalities", "yes", "study", "own"
]
"""How a value is written in a cell; what no form fits, the list's own template writes, and `own` is all its own."""

LookUp: TypeAlias = Callable[[Connection, Sequence[Any]], Mapping[str, Any]]
"""For a page of rows, what a field of each has, by what is unique of it."""

ANY_BYTES = "application/octet-stream"  # the format is in the path; the document knows one type an endpoint
ROWS_ON_A_PAGE = 50
ROWS_OF_A_PIECE = 1000
"""Of a file, read at once."""
COUNTED = 10_000
"""A title counts no further: it costs little, and says so. Of more rows a page offers files as long works."""
LARGEST_FILE = 100_000
"""Rows of a file that is answered at once."""
TOO_MANY = P_("There are more than %(count)s rows: ask for the file as a long work.", count=LARGEST_FILE)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the page: a field of the record, or what the list's template makes of the row."""

    name: str
    label: str  # a msgid, or DICOM's own name
    form: Form | None = None  # as the field's type asks without
    sorts_by: Sequence[str] | None = None  # fields; its own without; none where no order makes sense
    nulls_first: bool = False  # of the ascending order, so that one index answers both
    unit: str = ""
    narrow: str = ""  # the class that takes it from narrow screens


@dataclass(frozen=True, kw_only=True)
class Empty:
    """What is said where nothing is found, all msgids: what the list will hold, and what to do about filters."""

    title: str
    text: str
    filtered: str
    advice: str = N_("Take a filter away.")


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[RecordT, AskedT]):
    """A list. `query(asker, connection, asked)` selects every field of the record under its name, in no order."""

    name: str  # "retention.holds": its page is retention.holds_page
    title: str  # a msgid
    counts: tuple[str, str]  # "%(num)s hold", "%(num)s holds"
    path: str  # below /treegarth/, as the API's with the parts of `parts`: "studies/{study_instance_uid}/images"
    api_name: str  # of the endpoint, api.{api_name}
    api_path: str  # below the API's own
    tag: str
    summary: str
    record: type[RecordT]
    parts: type[Parameters] | None = None  # of the addresses; the query finds their values in `call.path`
    kept: Sequence[str] = ()  # of what may be asked for, what belongs to the address and is no filter: which of two
    asked: type[AskedT]
    query: Callable[[Asker, Connection, AskedT], Select[Any]]
    unique: str | tuple[str, ...]  # the field that ends every order, or those that do together
    chosen_by: str = ""  # the field by which rows are chosen for an action, where that is another
    columns: Sequence[Column]
    order: str  # "-set_at": the order that nobody asked for
    filters: Sequence[Filter] = ()
    empty: Empty
    template: str = "list.html"
    shown: Callable[[AskedT, Sequence[RecordT]], Sequence[Column]] | None = None  # of the columns, those of these rows
    extras: Callable[[OneCall, Connection, AskedT, Sequence[RecordT]], Mapping[str, Any]] = lambda *_: {}
    permits: Permission | None = None  # to see it; None: what its tag says
    navigation: Navigation | None = None
    page_fields: Mapping[str, tuple[Any, FieldInfo]] = field(default_factory=dict)  # what only the page's address has
    period: str = ""  # of what may be asked for, the days as they are when it is asked: its choices are offered at once
    looked_up: Mapping[str, LookUp] = field(default_factory=dict)  # fields that pages and answers have, and no file
    sheets: Sequence[Sheet] = ()  # of an XLSX file, where one for all rows would be of empty columns
    searches: bool = False  # whether the query itself looks for the words of `study`
    views: Sequence[str] = ()  # of these, those that stay when another order or page is asked for

    @property
    def permission(self) -> Permission:
        """What it takes to see it."""
        return self.permits or READING[self.tag]

    # ---- what can be asked for ----

    @cached_property
    def sorts(self) -> tuple[str, ...]:
        """Each order by its name in an address; a minus in front is descending."""
        names = [column.name for column in self.columns if column.sorts_by is None or column.sorts_by]
        return tuple(sign + name for name in names for sign in ("", "-"))

    @cached_property
    def _top(self) -> dict[str, None]:
        """What an address leaves out that leads to the beginning of the list."""
        return dict.fromkeys(("cursor", *(one for one in self.page_fields if one not in self.views)))

    @property
    def beside(self) -> tuple[str, ...]:
        """Of what may be asked for, what only says which of several studies another filter means."""
        named = {one.name for one in self.filters}
        return tuple(one for one in self.asked.model_fields if one == _WHICH and one not in (*named, *self.kept))

    @property
    def has_views(self) -> bool:
        """Whether what it shows can be saved under a name; a list of parts of one thing is looked at once."""
        return self.parts is None

    @property
    def key(self) -> str:
        """The field by which rows are chosen. Raises ValueError where it takes several to tell them apart."""
        if self.chosen_by:
            return self.chosen_by
        if not isinstance(self.unique, str):
            raise ValueError(f"{self.name}: by which field are its rows chosen?")
        return self.unique

    @cached_property
    def list_query(self) -> type[BaseModel]:
        """The parameters of the endpoint."""
        return self._query("Query", (PageQuery, self.asked))

    @cached_property
    def page_query(self) -> type[BaseModel]:
        """The parameters of the page and of its files."""
        cursor = (Cursor | None, FieldInfo(default=None, description="Where the page begins, from a page's links."))
        return self._query("PageQuery", (self.asked,), cursor=cursor, **self.page_fields)

    @cached_property
    def file_query(self) -> type[BaseModel]:
        """The parameters of the endpoint of files."""
        return self._query("FileQuery", (self.asked,))

    @cached_property
    def file_parts(self) -> type[Parameters]:
        """The parts of the address of the endpoint of files."""
        if self.parts is None:
            return FormatPath
        return make_model(f"{self.record.__name__}FilePath", self.parts, FormatPath, doc=None)

    @cached_property
    def answer(self) -> type[Answer]:
        """A page of the list, as the endpoint answers it."""
        kind: Any = self.record
        rows: Any = list[kind]
        return make_model(
            f"{self.record.__name__}List",
            Answer,
            doc=self.summary,
            items=(rows, FieldInfo(description="In the order that was asked for.")),
            next=(str | None, FieldInfo(description="The cursor of the next page; null on the last.")),
            previous=(str | None, FieldInfo(description="The cursor of the page before; null on the first.")),
        )

    def _query(self, suffix: str, bases: tuple[type[Parameters], ...], **fields: Any) -> type[BaseModel]:
        said = "The order, by a field of the rows; with a minus the other way round."
        sort: Any = (Literal[self.sorts], FieldInfo(default=self.order, description=said))
        name = f"{self.record.__name__}{suffix}"
        return make_model(name, *bases, doc=self.summary, sort=sort, **fields)

    # ---- what is found ----

    def selected(self, asker: Asker, connection: Connection, asked: Any) -> Select[Any]:
        """What the query finds, of rows of studies only those of the studies that are asked for by words."""
        found, words = self.query(asker, connection, asked), getattr(asked, "study", None)
        if not words or self.searches or asker.search is None:
            return found
        return found.where(found.selected_columns["orthanc_study_id"].in_(asker.search.identifiers(words)))

    def rows(
        self,
        connection: Connection,
        found: Select[Any],
        *,
        sort: str | None = None,
        limit: int = ROWS_ON_A_PAGE,
        cursor: str | None = None,
    ) -> Rows[RecordT]:
        """A page of what a query of this list finds. Raises InvalidRequest for a cursor of another list or order."""
        sort = sort or self.order
        keys, name = self._keys(found, sort), f"{self.name} {sort}"
        page = read_page(connection, found, keys, name=name, limit=limit, cursor=cursor)
        rows = [row._asdict() for row in page.rows]
        if issubclass(self.record, OfNamedStudy):
            rows = with_names(connection, rows)
        items = [self.record.model_validate(row) for row in rows]
        return Rows(items=items, next=page.next, previous=page.previous)

    def complete(self, connection: Connection, found: Rows[RecordT]) -> Rows[RecordT]:
        """The same page with what is looked up for all of its rows at once."""
        if not self.looked_up or not found.items:
            return found
        values = {name: look_up(connection, found.items) for name, look_up in self.looked_up.items()}
        items = [
            row.model_copy(update={name: of[getattr(row, self.key)] for name, of in values.items()})
            for row in found.items
        ]
        return replace(found, items=items)

    def count(self, connection: Connection, found: Select[Any], *, at_most: int = COUNTED) -> int:
        """How many rows a query of this list finds, counted to one more than `at_most`."""
        some = found.with_only_columns(literal(1), maintain_column_froms=True).limit(at_most + 1).subquery()
        return connection.execute(select(func.count()).select_from(some)).scalar_one()

    def _sort(self, query: object) -> str:
        """The order that is asked for: the usual one where a form that was refused shows the list."""
        return str(getattr(query, "sort", self.order))

    def _keys(self, found: Select[Any], sort: str) -> list[SortKey]:
        column = next(one for one in self.columns if one.name == sort.removeprefix("-"))
        ends = (self.unique,) if isinstance(self.unique, str) else self.unique
        names = [*(column.sorts_by or [column.name]), *ends]
        keys = [self._key(found, name, column.nulls_first) for name in dict.fromkeys(names)]
        return [key.reversed() for key in keys] if sort.startswith("-") else keys

    def _key(self, found: Select[Any], name: str, nulls_first: bool) -> SortKey:
        selected: ColumnElement[Any] = found.selected_columns[name]
        column = selected.element if isinstance(selected, Label) else selected
        nullable = type(None) in get_args(self.record.model_fields[name].annotation)
        return SortKey(column=column, name=name, nullable=nullable, nulls_first=nulls_first)

    # ---- what answers ----

    def routes(self) -> list[Route]:
        """The page, the endpoint, and their files."""
        api = f"{API_PATH}/{self.api_path}"
        return [
            Route(
                name=f"{self.name}_page",
                path=f"{BASE_PATH}/{self.path}",
                permission=self.permission,
                handler=self.page,
                summary=self.summary,
                query=self.page_query,
                path_parameters=self.parts,
                navigation=self.navigation,
                refuse=self.refuse,
            ),
            *(self._file_route(wanted) for wanted in FORMATS),
            Route(
                name=f"api.{self.api_name}",
                path=api,
                permission=self.permission,
                handler=self.endpoint,
                summary=self.summary,
                query=self.list_query,
                path_parameters=self.parts,
                answer=self.answer,
                problems=(409, 503),
                tag=self.tag,
            ),
            Route(
                name=f"api.{self.api_name}_file",
                path=f"{api}/export/{{format}}",
                permission=self.permission,
                further=(Permission.EXPORT,),
                handler=lambda call: self.file(call, call.path.format, for_people=False),
                summary=f"{self.summary} All of it as a CSV, XLSX or Parquet file.",
                query=self.file_query,
                path_parameters=self.file_parts,
                media_type=ANY_BYTES,
                problems=(409, 503),
                tag=self.tag,
            ),
        ]

    def _file_route(self, wanted: Format) -> Route:
        def file(call: AnyCall) -> Response:
            return self.file(call, wanted, for_people=True)

        return Route(
            name=f"{self.name}_{wanted}",
            path=f"{BASE_PATH}/{self.path}.{wanted}",
            permission=self.permission,
            further=(Permission.EXPORT,),
            handler=file,
            summary=f"{self.summary} As {wanted}.",
            query=self.page_query,
            path_parameters=self.parts,
            media_type=MEDIA_TYPES[wanted],
        )

    def endpoint(self, call: Call[Any, None, None]) -> Answer:
        query = call.query
        with call.connect() as connection:
            selected = self.selected(call.asker, connection, query)
            rows = self.rows(connection, selected, sort=query.sort, limit=query.limit, cursor=query.cursor)
            found = self.complete(connection, rows)
        return self.answer(**vars(found))

    def page(self, call: Call[Any, None, None]) -> Response:
        return render_page(call, self.template, **self.values(call))

    def refuse(self, call: OneCall, faults: Sequence[InvalidField]) -> Response:
        """The page with what is wrong at its filters, and no rows; without what is wrong the list could be another.
        Raises InvalidFields for a fault of no
        parameter alone, and for a NUL, which Orthanc could not send back."""
        said = "".join(call.http.args.values())
        if "\0" in said or any(fault.field not in self.page_query.model_fields for fault in faults):
            raise InvalidFields(list(faults))
        wrong = {fault.field: fault.said(call.site.languages[call.language].gettext) for fault in faults}
        asked = {
            name: value for name, value in call.http.args.items() if value and name not in (*wrong, "lang", "theme")
        }
        values = self.values(replace(call, query=validated(self.page_query, asked)))
        labels = {one.name: one.label for one in self.filters if not one.is_own}
        listed = [
            Fault(said, labels.get(name, name), f"filter-{name}" if name in labels else "")
            for name, said in wrong.items()
        ]
        counted = ngettext_for(call, "%(num)s thing is not right yet", "%(num)s things are not right yet", len(listed))
        values |= {
            "items": [],
            "faults": listed,
            "wrong_filters": wrong,
            "counted": counted,
            "files": [],
            "actions": [],
        }
        status = 200 if call.http.environ.get(ERRORS_ARE_PLAIN) else 400
        return render_page(replace(call, query=self.page_query()), self.template, status=status, **values)

    def values(self, call: Call[Any, Any, Any]) -> dict[str, Any]:
        """What the template is given."""
        query = call.query
        with call.connect() as connection:
            selected = self.selected(call.asker, connection, query)
            cursor = getattr(query, "cursor", None)
            found = self.complete(connection, self.rows(connection, selected, sort=self._sort(query), cursor=cursor))
            count = self.count(connection, selected)
            filters = [one.with_words(call, connection) for one in self.filters]
            actions = self._offered(call, connection) if found.items else []
            views = call.part(SavedViews).of(call, connection, self.name) if self.has_views else ()
            whose = self._asked_study(connection, query)
            extras = {**self._named(connection, found.items), **self.extras(call, connection, query, found.items)}
        counted = ngettext_for(call, *self.counts, min(count, COUNTED))
        held = self._held(call, filters, whose)
        sorted_otherwise = self._sort(query) != self.order
        return {
            "listing": self,
            "items": found.items,
            "faults": (),
            "wrong_filters": {},
            "first_url": url_with(call, **self._top) if found.previous else None,
            "previous_url": url_with(call, **{**self._top, "cursor": found.previous}) if found.previous else None,
            "next_url": url_with(call, **{**self._top, "cursor": found.next}) if found.next else None,
            "counted": counted if count <= COUNTED else translated(call, N_("more than %(what)s"), what=counted),
            "shown": ngettext_for(call, "%(num)s on this page", "%(num)s on this page", len(found.items)),
            "filters": filters,
            "more_held": any(one.is_more and call.http.args.get(one.name) for one in filters),
            "held": held,
            "filtered": bool(held),
            "heads": [self._head(call, column) for column in self._shown(query, found.items)],
            "presets": self._presets(call),
            "files": [(FORMAT_WORDS[one], self._file_url(call, one)) for one in FORMATS] if found.items else [],
            "page_url": call.site.url(f"{self.name}_page", **self._place(call)),
            "is_large": count > COUNTED,
            "formats": FORMAT_WORDS,
            "place": self._place_parts(call),
            "there_are_more": bool(found.next or found.previous),
            "actions": actions,
            "here_and_page": urlencode({**self._asked_for(call), **({"cursor": cursor} if cursor else {})}),
            "views": [self._view(call, one) for one in views],
            "to_save": urlencode(self._asked_for(call)) if self.has_views and (held or sorted_otherwise) else "",
            **extras,
        }

    def _named(self, connection: Connection, items: Sequence[Any]) -> Mapping[str, Any]:
        """Of rows of studies, what their addresses say beside a UID."""
        return {"which": told_apart(connection, items)} if issubclass(self.record, OfNamedStudy) else {}

    def _offered(self, call: AnyCall, connection: Connection) -> list[RowAction]:
        """What the reader may do with chosen rows, its inputs with their choices in words; not where there is no
        choice, as no destination to send to."""
        offered = [
            replace(one, inputs=[field.with_words(call, connection) for field in one.inputs])
            for one in call.part(RowActions).of(self.name)
            if call.actor.may(one.permission)
        ]
        return [one for one in offered if all(field.choices or not field.find_choices for field in one.inputs)]

    def _view(self, call: AnyCall, view: SavedView) -> ShownView:
        url = call.site.url(f"{self.name}_page", **view.query)
        is_on, is_own = view.query == self._asked_for(call), view.saved_by == call.actor.name
        return ShownView(view=view, url=url, is_on=is_on, is_own=is_own)

    def file(self, call: AnyCall, wanted: Format, *, for_people: bool) -> Response:
        """All rows as a file, read piece by piece into one on disk; only its bytes are answered at once. Raises
        RequestConflict where there are so many that they are asked for as a long work."""
        query: Any = call.query
        with TemporaryFile() as file, call.connect() as connection:
            selected = self.selected(call.asker, connection, query)
            if self.count(connection, selected, at_most=LARGEST_FILE) > LARGEST_FILE:
                raise RequestConflict(TOO_MANY)
            pieces = self.pieces(connection, selected, self._sort(query))
            write_export(
                wanted, translated(call, self.title), self.fields, pieces, file, mark=for_people, sheets=self.sheets
            )
            file.seek(0)
            name = self.file_name(wanted, call.services.clock().astimezone(call.services.zone))
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return Response(file.read(), mimetype=MEDIA_TYPES[wanted] if for_people else ANY_BYTES, headers=headers)

    def file_name(self, wanted: Format, when: datetime) -> str:
        """After the list and when it was so."""
        words = "-".join(dict.fromkeys(self.name.split("."))).replace("_", "-")  # works.works is said once
        return f"{words}-{when:%Y-%m-%dT%H%M}.{wanted}"

    @property
    def fields(self) -> Mapping[str, Field]:
        """What a file has of each row."""
        return {name: one for name, one in fields_of(self.record).items() if name not in self.looked_up}

    def pieces(self, connection: Connection, selected: Select[Any], sort: str) -> Iterator[Sequence[RecordT]]:
        """Every row that a query of this list finds, in this order."""
        cursor = None
        while True:
            piece = self.rows(connection, selected, sort=sort, limit=ROWS_OF_A_PIECE, cursor=cursor)
            yield piece.items
            cursor = piece.next
            if cursor is None:
                return

    def walk(self, connection: Connection, found: Select[Any], *, cursor: str | None, limit: int) -> Rows[RecordT]:
        """The next rows in an order that nothing changes which is done with them."""
        ends = (self.unique,) if isinstance(self.unique, str) else self.unique
        keys = [self._key(found, name, nulls_first=False) for name in ends]
        page = read_page(connection, found, keys, name=f"{self.name} every", limit=limit, cursor=cursor)
        return Rows(items=[self.record.model_validate(row._asdict()) for row in page.rows], next=page.next)

    # ---- what a page says of itself ----

    def _shown(self, query: Any, items: Sequence[RecordT]) -> Sequence[Column]:
        return self.columns if self.shown is None else self.shown(query, items)

    def _head(self, call: AnyCall, column: Column) -> Head:
        sort = self._sort(call.query)
        sorted_by, descending = sort.removeprefix("-"), sort.startswith("-")
        if column.sorts_by is not None and not column.sorts_by:
            return Head(column=column, form=self.form(column), url=None, direction=None)
        is_own = sorted_by == column.name
        wanted = column.name if is_own and descending else f"-{column.name}" if is_own else self._first(column)
        return Head(
            column=column,
            form=self.form(column),
            url=url_with(call, sort=None if wanted == self.order else wanted, **self._top),
            direction=("descending" if descending else "ascending") if is_own else None,
        )

    def _first(self, column: Column) -> str:
        """What a first click sorts by: the latest and the greatest first, texts from A."""
        return column.name if self.form(column) in ("text", "texts", "person", "modalities") else f"-{column.name}"

    def form(self, column: Column) -> Form | None:
        """How the column's values are written; None where the list's template writes them."""
        if column.form is not None or column.name not in self.record.model_fields:
            return column.form
        return _FORMS.get(fields_of(self.record)[column.name].kind)

    def _asked_study(self, connection: Connection, query: Any) -> StudyName | None:
        """Whose the study is that is asked for by its UID."""
        uid, which = (getattr(query, name, None) for name in ("study_instance_uid", "orthanc_study_id"))
        return name_of(connection, uid, which) if uid else None

    def _held(self, call: AnyCall, filters: Sequence[Filter], whose: StudyName | None) -> list[Held]:
        """What is asked for, in words, each with the address without it."""
        labels = {one.name: one for one in filters}
        found = []
        for name in self.asked.model_fields:
            value = getattr(call.query, name)
            if value in (None, self.asked.model_fields[name].default) or name in self.kept:
                continue
            asked = labels.get(name, _WHICH_STUDY)
            text = f"{value:g}" if isinstance(value, float) else str(value.value if isinstance(value, Enum) else value)
            words = asked.choices.get(text.lower() if isinstance(value, bool) else text, f"{asked.sign} {text}".strip())
            if asked is _WHICH_STUDY:
                words = translated(call, asked.hint)
            also = {_WHICH: None} if name in _NAMES_A_STUDY else {}
            url = url_with(call, **{name: None, **also, **self._top})
            label = asked.label
            if name == "study_instance_uid" and whose is not None:
                label, words = N_("Study"), _in_a_line(whose)
            found.append(Held(label=translated(call, label), words=words, url=url))
        return found

    def _presets(self, call: AnyCall) -> list[Preset]:
        """Spans of days to be chosen at once, where there are days to be asked for."""
        names = [one.name.removesuffix("_from") for one in self.filters if one.name.endswith("_from")]
        days = next((one for one in names if _is_day(self.asked.model_fields[f"{one}_from"].annotation)), None)
        if days is None:
            return []
        if self.period:
            return self._periods(call, days)
        today = call.services.clock().astimezone(call.services.zone).date()
        found = []
        for label, length in ((N_("Today"), 1), (N_("7 days"), 7), (N_("30 days"), 30)):
            first = today - timedelta(days=length - 1)
            last = getattr(call.query, f"{days}_to", None)
            is_on = getattr(call.query, f"{days}_from") == first and last in (None, today)
            span = {f"{days}_from": None if is_on else first.isoformat(), f"{days}_to": None}
            found.append(Preset(label=translated(call, label), url=url_with(call, **span, **self._top), is_on=is_on))
        return found

    def _periods(self, call: AnyCall, days: str) -> list[Preset]:
        """The same under names that stay true when they are saved."""
        choices = next(one.choices for one in self.filters if one.name == self.period)
        now = getattr(call.query, self.period, None)
        found = []
        for value, label in choices.items():
            asked = {self.period: None if now == value else value, f"{days}_from": None, f"{days}_to": None}
            url = url_with(call, **asked, **self._top)
            found.append(Preset(label=translated(call, label), url=url, is_on=now == value))
        return found

    def _file_url(self, call: AnyCall, wanted: Format) -> str:
        return call.site.url(f"{self.name}_{wanted}", **{**self._asked_for(call), **self._place(call)})

    def _asked_for(self, call: AnyCall) -> dict[str, str]:
        """What the address asks for: filters and order."""
        return {name: value for name, value in call.http.args.items() if name in self.file_query.model_fields and value}

    def _place(self, call: AnyCall) -> dict[str, str]:
        """What the address of the list says whatever is asked of it: its parts, and what is kept."""
        kept = {name: call.http.args[name] for name in self.kept if call.http.args.get(name)}
        return {**kept, **self._place_parts(call)}

    def _place_parts(self, call: AnyCall) -> dict[str, str]:
        """The parts of its address."""
        return {name: str(getattr(call.path, name)) for name in (self.parts.model_fields if self.parts else ())}


@dataclass(frozen=True, kw_only=True)
class Rows(Generic[RecordT]):
    """A page of rows."""

    items: list[RecordT]
    next: str | None
    previous: str | None = None


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column's head: where a click leads, and the direction in which the list is sorted by it now."""

    column: Column
    form: Form | None
    url: str | None
    direction: Literal["ascending", "descending"] | None


@dataclass(frozen=True, kw_only=True)
class Held:
    """A filter that holds."""

    label: str
    words: str
    url: str  # the list without it


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A span of days to be chosen at once."""

    label: str
    url: str
    is_on: bool


@dataclass(frozen=True, kw_only=True)
class ShownView:
    """A saved view of the list."""

    view: SavedView
    url: str
    is_on: bool  # it is what the page shows now
    is_own: bool  # the reader saved it


class FormatPath(Parameters):
    format: Format
    """`csv`, `xlsx` or `parquet`."""


_NAMES_A_STUDY = ("study_instance_uid", "uid")
_WHICH = "orthanc_study_id"
"""Beside these filters it says which of several studies is meant: it goes with them."""
_WHICH_STUDY = Filter(name=_WHICH, label=N_("Study"), hint=N_("one of several with this UID"))
_FORMS: Mapping[str, Form] = {
    "text": "text",
    "texts": "texts",
    "person": "person",
    "count": "number",
    "number": "number",
    "day": "day",
    "moment": "moment",
    "yes": "yes",
}


def _in_a_line(study: StudyName) -> str:
    """Who, when, what."""
    who = readable_name(study.patient_name) or study.patient_id
    when = study.study_date.isoformat() if study.study_date else None
    return " · ".join(one for one in (who, when, study.study_description) if one) or study.study_instance_uid


def _is_day(hint: Any) -> bool:
    found = without_none(hint)
    return date in (found, *get_args(found))


def without(listing: Listing[RecordT, AskedT], *names: str) -> Listing[RecordT, AskedT]:
    """The list without some columns, as where a page is about their value."""
    return replace(listing, columns=[one for one in listing.columns if one.name not in names])
