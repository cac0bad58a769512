"""The page about devices that name a wrong character set: where text looks broken, what the site says, and works."""

from __future__ import annotations

from typing import Annotated

from flask import Response
from pydantic import Field

from treegarth.access.actors import Permission
from treegarth.dicom.relabelling import DEVICE
from treegarth.errors import DocumentRefused, RequestConflict
from treegarth.features.archive.charsets.documents import CHARACTER_SET_DOCUMENTS, CHARACTER_SETS, PAGE
from treegarth.features.archive.charsets.model import DEVICE_WORDS, REALLY
from treegarth.features.archive.charsets.paths import CharacterSetPath
from treegarth.features.archive.charsets.preview import CharacterSetPreview, preview
from treegarth.features.archive.charsets.store import LOOKED_AT, broken_text
from treegarth.features.archive.works import MENDING, RELABELLING
from treegarth.phrases import P_, Phrase
from treegarth.web.call import Call
from treegarth.web.endpoints import route
from treegarth.web.paths import API_PATH
from treegarth.web.routes import AnyText, Parameters, Route, Text
from treegarth.web.templates import render_page
from treegarth.web.told import see_other
from treegarth.work.pages import work_part
from treegarth.work.store import recent, running


class CharacterSetsQuery(Parameters):
    """What the form of the page begins with, as a link from a study says it."""

    removed: bool = False
    """Whether those that were removed are listed too."""
    manufacturer: Text = ""
    manufacturer_model_name: Text = ""
    station_name: Text = ""
    device_serial_number: Text = ""
    remote_ae_title: Text = ""
    labelled: Text = "any"


class CharacterSetForm(Parameters):
    """What the form of the page sends; the model of the documents says what is wrong with it."""

    name: Text = ""
    manufacturer: Text = ""
    manufacturer_model_name: Text = ""
    station_name: Text = ""
    device_serial_number: Text = ""
    remote_ae_title: Text = ""
    labelled: Text = ""
    really: Text = ""
    reason: Annotated[AnyText, Field(max_length=1000)] = ""


def routes() -> list[Route]:
    return [
        route(
            name=PAGE,
            path="/treegarth/character-sets",
            permission=Permission.SEE_SYSTEM,
            handler=page,
            summary="Devices that name a wrong character set, and what this site says of them.",
        ),
        route(
            name="archive.add_character_set_page",
            path="/treegarth/character-sets",
            method="POST",
            permission=Permission.ADMINISTER,
            handler=add,
            summary="Say which character set a device really writes; it is off until it was looked at.",
        ),
        route(
            name="api.character_set_preview",
            path=f"{API_PATH}/character-sets/{{character_set_id}}/preview",
            permission=Permission.SEE_SYSTEM,
            handler=preview_of,
            summary="What would read otherwise by it: texts of some of the device's newest series, read from Orthanc.",
            problems=(404, 503),
            tag="archive",
        ),
    ]


def page(call: Call[CharacterSetsQuery, None, None]) -> Response:
    with call.connect() as connection:
        works = [*recent(connection, RELABELLING.name, limit=1), running(connection, MENDING.name)]
        own = CHARACTER_SETS.all(connection, removed=call.query.removed)
        broken = broken_text(connection)
    return render_page(
        call,
        "archive/character_sets.html",
        given=call.query,
        device=DEVICE,
        words=DEVICE_WORDS,
        sets=REALLY,
        looked_at=LOOKED_AT,
        works=[(one, work_part(call, one)) for one in works if one is not None],
        titles={one.name: one.title for one in (RELABELLING, MENDING)},
        may_change=call.actor.may(Permission.ADMINISTER),
        own=own,
        broken=broken,
    )


def add(call: Call[None, CharacterSetForm, None]) -> Response:
    """To its own page afterwards, which shows what it would change; called by its device and set if it has no name."""
    given = {name: value.strip() for name, value in call.body.model_dump().items() if value.strip()}
    named = [given[one] for one in (*DEVICE, "really") if one in given]
    given.setdefault("name", " · ".join(named)[:100])
    try:
        with call.begin() as connection:
            made = CHARACTER_SET_DOCUMENTS.create(call, connection, given)
    except DocumentRefused as refused:
        wrong = [Phrase(one.wrong) for one in refused.problems]
    except RequestConflict as refused:
        wrong = [Phrase(refused.sentence)]
    else:
        url = call.site.url("character_sets.document_page", character_set_id=made.id)
        return see_other(call, url, P_("It is kept, and off: look at what it would change, then switch it on."))
    begun = {name: value for name, value in given.items() if name in CharacterSetsQuery.model_fields}
    return see_other(call, call.site.url(PAGE, **begun), *wrong, kind="attention")


def preview_of(call: Call[None, None, CharacterSetPath]) -> CharacterSetPreview:
    with call.connect() as connection:
        stored = CHARACTER_SET_DOCUMENTS.read(call, connection, call.path.character_set_id)
    return preview(call, stored)
