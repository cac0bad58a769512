"""The form that sets reference levels: the set, its publication, and lines of levels that come and go."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from flask import Response

from treegarth.access.actors import Permission
from treegarth.documents.differences import Newer, newer_than, version_of
from treegarth.documents.pages import problems_of
from treegarth.documents.store import EditedMeanwhile, Stored
from treegarth.errors import DocumentRefused, RequestConflict
from treegarth.features.dose.analysis.levels.documents import SET_DOCUMENTS
from treegarth.features.dose.analysis.levels.form import (
    PARTS,
    ROWS,
    SetFields,
    blank,
    fits,
    lines_of,
    pressed,
    quantity_choices,
    set_document,
    too_many,
    typed_of_set,
    without_empty_lines,
)
from treegarth.features.dose.analysis.levels.paths import LevelSetPath
from treegarth.features.dose.analysis.levels.quantities import LEVEL_QUANTITIES
from treegarth.features.dose.analysis.levels.store import names_of_standard
from treegarth.features.dose.registry.lacking import DOSE_MODALITIES
from treegarth.phrases import P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.forms import MOST_ROWS, Typed, form_of, sent_values
from treegarth.web.parts import in_words, translated
from treegarth.web.routes import Route
from treegarth.web.templates import render_page
from treegarth.web.told import leave, see_other

NEW = "/treegarth/dose/levels/new/form"
ONE = "/treegarth/dose/levels/{level_set_id}/form"


def routes() -> list[Route]:
    administer = Permission.DECIDE_DOSE
    return [
        route(
            name="dose_levels.new_form_page",
            path=NEW,
            permission=administer,
            handler=new_page,
            summary="A new set of reference levels, as a form.",
        ),
        route(
            name="dose_levels.create_form_page",
            path=NEW,
            method="POST",
            permission=administer,
            handler=create_page,
            summary="Add or remove a level in the form of a new set, or save it.",
        ),
        route(
            name="dose_levels.edit_form_page",
            path=ONE,
            permission=administer,
            handler=edit_page,
            summary="A set of reference levels to edit, as a form.",
        ),
        route(
            name="dose_levels.change_form_page",
            path=ONE,
            method="POST",
            permission=administer,
            handler=change_page,
            summary="Add or remove a level in the form of a set, or save it.",
        ),
    ]


def new_page(call: Call[None, None, None]) -> Response:
    return _form(call, blank(), None)


def create_page(call: Call[None, None, None]) -> Response:
    return _posted(call, None)


def edit_page(call: Call[None, None, LevelSetPath]) -> Response:
    """A set that no form can hold is edited as text."""
    stored = _read(call)
    if not fits(stored.document):
        address = call.site.url("dose_levels.document_page", level_set_id=stored.id)
        return see_other(call, address, too_many(), kind="attention")
    return _form(call, typed_of_set(stored.document), stored)


def change_page(call: Call[None, None, LevelSetPath]) -> Response:
    return _posted(call, _read(call))


def _read(call: Call[None, None, LevelSetPath]) -> Stored:
    with call.connect() as connection:
        return SET_DOCUMENTS.read(call, connection, call.path.level_set_id)


def _posted(call: AnyCall, stored: Stored | None) -> Response:
    typed, act = sent_values(call.http.form), call.http.form.get("act", "")
    over = act.removeprefix("save over ") if act.startswith("save over ") else None
    if (act != "save" and over is None) or lines_of(typed) > MOST_ROWS:
        after, problems = pressed(typed, act)
        return _form(call, after, stored, problems)
    typed = without_empty_lines(typed)
    since = version_of(call.http.form.get("version", "") if over is None else over)
    try:
        with call.begin() as connection:
            if stored is None:
                number = SET_DOCUMENTS.create(call, connection, set_document(typed)).id
            else:
                number = SET_DOCUMENTS.edit(call, connection, stored.id, set_document(typed), since=since).id
    except EditedMeanwhile as error:
        return _form(call, typed, stored, newer=newer_than(error))
    except (DocumentRefused, RequestConflict) as error:
        return _form(call, typed, stored, _placed(call, error))
    return leave(call, call.site.url("dose_levels.document_page", level_set_id=number))


def _placed(call: AnyCall, error: DocumentRefused | RequestConflict) -> dict[str, list[str]]:
    """What is wrong, by the input that it is about."""
    found: dict[str, list[str]] = {}
    for one in problems_of(error):
        place = re.sub(r"\[(\d+)\]", r".\1", one.place.removeprefix("document").lstrip("."))
        said = " ".join(in_words(call, part) for part in (one.wrong, one.right) if part)
        if line := re.fullmatch(rf"{ROWS}\.(\d+)", place):
            place, said = ROWS, in_words(call, P_("Level %(number)s: %(what)s", number=int(line[1]) + 1, what=said))
        found.setdefault("" if place == "request" else place, []).append(said)
    return found


def _form(
    call: AnyCall,
    typed: Typed,
    stored: Stored | None,
    problems: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    newer: Newer | None = None,
) -> Response:
    """What is kept is the version that the form began from, also where it is shown again."""
    url = call.site.url
    number = None if stored is None else {"level_set_id": stored.id}
    with call.connect() as connection:
        names = names_of_standard(connection)
    words = {name: translated(call, one.label) for name, one in LEVEL_QUANTITIES.items()}
    choices = {
        f"{ROWS}.modality": {"": "–", **{one: one for one in DOSE_MODALITIES}},
        f"{ROWS}.quantity": quantity_choices(words),
    }
    return render_page(
        call,
        "dose/level_set_form.html",
        name=stored.name if stored else None,
        version=call.http.form.get("version", stored.version if stored else ""),
        newer=newer,
        form=form_of(typed, SetFields, problems, parts=PARTS, choices=choices),
        names=names,
        address=url("dose_levels.create_form_page")
        if number is None
        else url("dose_levels.change_form_page", **number),
        as_text=url("dose_levels.new_page") if number is None else url("dose_levels.edit_page", **number),
        leave=url("dose_levels.sets_page") if number is None else url("dose_levels.document_page", **number),
    )
