"""Documents out of a text with several: what is new is made, what is known by its name is worded anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, Literal, Protocol, TypeVar

from sqlalchemy import Connection

from treegarth.documents.store import Author, Kind, Stored, Wording
from treegarth.documents.yaml_text import Piece, read_pieces
from treegarth.errors import DocumentRefused, Problem
from treegarth.phrases import P_
from treegarth.record import Record


class Written(Protocol):
    """What somebody wrote, right by itself."""

    @property
    def document(self) -> Mapping[str, Any]:
        """As it is kept; with its name."""


MOST_DOCUMENTS = 2_000
"""Of a text, of any kind: nobody else can change documents of the kind while they are kept."""
WrittenT = TypeVar("WrittenT", bound=Written)


class Imported(Record):
    """What became of one document of a text, or would."""

    name: str
    outcome: Literal["created", "changed", "same"]
    is_on: bool
    """Whether it acts afterwards."""
    id: int | None
    """Its number; null of one that would be made."""


def read_documents(
    text: str,
    parse: Callable[[Piece, str], WrittenT],
    many: str,
    key: Callable[[Mapping[str, Any]], object] = itemgetter("name"),
) -> list[WrittenT]:
    """What each document of a YAML text means, a list or one alone; the first is at `many[0]`.

    Raises UnreadableYaml, DocumentRefused with every problem of all of them.
    """
    problems: list[Problem] = []
    names: dict[object, int] = {}
    found: list[WrittenT] = []
    pieces = read_pieces(text)
    if len(pieces) > MOST_DOCUMENTS:
        wrong = P_("there are %(count)s, and a text brings at most %(most)s.", count=len(pieces), most=MOST_DOCUMENTS)
        raise DocumentRefused([Problem(place=many, wrong=wrong, right=P_("Send them in parts."))])
    for index, piece in enumerate(pieces):
        place = f"{many}[{index}]"
        try:
            one = parse(piece, place)
        except DocumentRefused as refused:
            problems.extend(refused.problems)
            continue
        if (first := names.setdefault(key(one.document), index)) != index:
            wrong = P_("%(rule)s has this name, too.", rule=f"{many}[{first}]")
            problems.append(Problem(place=f"{place}.name", wrong=wrong))
        found.append(one)
    if not found and not problems:
        problems.append(Problem(place=many, wrong=P_("nothing is there."), right=P_("Write a list: - name: ...")))
    if problems:
        raise DocumentRefused(problems)
    return found


def import_text(
    connection: Connection,
    kind: Kind[Any],
    text: str,
    parse: Callable[[Any, str], Wording],
    author: Author,
    *,
    many: str,
    check: Callable[[Sequence[Wording]], None] = lambda _: None,
    dry_run: bool = False,
) -> list[Imported]:
    """Make or change the documents of a text, by their names, or only say what would be.

    All or nothing, in the transaction of the caller. What the text does not name stays as it is. Those that act in an
    order act in the text's. Raises UnreadableYaml, DocumentRefused with every problem, RequestConflict.
    """

    def written(piece: Piece, place: str) -> Wording:
        return replace(parse(piece.value, place), source=piece.source if "source" in kind.versions.c else None)

    def key(document: Mapping[str, Any]) -> tuple[Any, ...]:
        return _key(kind, document, author)

    wordings = read_documents(text, written, many, key)
    check(wordings)
    return import_wordings(connection, kind, wordings, author, dry_run=dry_run)


def import_wordings(
    connection: Connection, kind: Kind[Any], wordings: Sequence[Wording], author: Author, *, dry_run: bool = False
) -> list[Imported]:
    """The same of documents that were read out of something else; no two of them have one name."""
    if not dry_run:
        kind.lock(connection)
    keys = [_key(kind, one.document, author) for one in wordings]
    known = {kind.key(dict(one)): one for one in kind.all(connection)}
    plan = [_planned(kind, one, known.get(key)) for one, key in zip(wordings, keys, strict=True)]
    if dry_run:
        return plan
    of_each = list(zip(plan, wordings, keys, strict=True))
    new = [wording for one, wording, _ in of_each if one.outcome == "created"]
    changed = [(known[key], wording) for one, wording, key in of_each if one.outcome == "changed"]
    numbers = iter(kind.create_all(connection, new, author))
    kind.edit_all(connection, changed, author)
    if kind.is_ordered:
        kind.put_in_order(connection, keys, author)
    return [one.model_copy(update={"id": next(numbers)}) if one.outcome == "created" else one for one in plan]


def _key(kind: Kind[Any], document: Mapping[str, Any], author: Author) -> tuple[Any, ...]:
    """What no other has in common with this document."""
    return kind.key({"name": document["name"], **kind.columns(None, document, True, author)})


def _planned(kind: Kind[Any], wording: Wording, before: Stored | None) -> Imported:
    name, document, source = wording.document["name"], wording.document, wording.source
    if before is None:
        is_on = (kind.starts_on or kind.acts_from_text) if wording.is_on is None else wording.is_on
        return Imported(name=name, outcome="created", is_on=is_on, id=None)
    is_same = before.document == document and source in (None, before.source)
    otherwise = before.is_on and (is_same or kind.stays_on)
    is_on = otherwise if wording.is_on is None else wording.is_on
    outcome: Literal["same", "changed"] = "same" if is_same and is_on == before.is_on else "changed"
    return Imported(name=name, outcome=outcome, is_on=is_on, id=before.id)
