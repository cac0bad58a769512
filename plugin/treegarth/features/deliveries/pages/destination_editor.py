"""The form of a destination: its settings by kind, what is wrong at its field, and saving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from flask import Response

from treegarth.access.actors import Permission
from treegarth.documents.differences import Newer, newer_than, version_of
from treegarth.documents.store import EditedMeanwhile
from treegarth.errors import DocumentRefused, RequestConflict
from treegarth.features.deliveries.address_parts import Guarded
from treegarth.features.deliveries.addresses import ADDRESSES, Kind
from treegarth.features.deliveries.destinations import Destination, DestinationSettings
from treegarth.features.deliveries.destinations_api import DESTINATION_DOCUMENTS
from treegarth.features.deliveries.kinds import KINDS
from treegarth.features.deliveries.paths import DestinationPath
from treegarth.features.deliveries.refusals import guarded_fields
from treegarth.features.deliveries.store.destinations import (
    DESTINATIONS,
    list_destinations,
    read_destination,
)
from treegarth.phrases import N_, P_, Phrase
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.forms import Typed, acted, begun, document_of, form_of, numbered, sent_values, shown_fields, typed_of
from treegarth.web.parts import in_words
from treegarth.web.routes import Handler, Route
from treegarth.web.templates import render_page
from treegarth.web.told import leave

BASE = "/treegarth/deliveries/destinations"
ONE = "/{destination_id}"
OTHERS = {"kind": (N_("Kind"), "kind"), "address": (N_("How it is reached"), "where")}


def destination_route(
    name: str,
    path: str,
    handler: Handler,
    summary: str,
    permission: Permission,
    *,
    method: Literal["GET", "POST"] = "GET",
    **given: Any,
) -> Route:
    """A page below the list of destinations."""
    return route(
        name=f"deliveries.{name}",
        path=f"{BASE}{path}",
        method=method,
        permission=permission,
        handler=handler,
        summary=summary,
        **given,
    )


def routes() -> list[Route]:
    administer = Permission.ADMINISTER
    return [
        destination_route(
            "new_destination_page",
            "/new",
            new_page,
            "A new destination.",
            administer,
        ),
        destination_route(
            "create_destination_page",
            "/new",
            create_page,
            "Change the form of a new destination, or save it.",
            administer,
            method="POST",
        ),
        destination_route(
            "edit_destination_page", f"{ONE}/edit", edit_page, "The settings of a destination.", administer
        ),
        destination_route(
            "change_destination_page",
            f"{ONE}/edit",
            change_page,
            "Change the form of a destination, or save it.",
            administer,
            method="POST",
        ),
    ]


def new_page(call: Call[None, None, None]) -> Response:
    return _form(call, begun(DestinationSettings), None)


def create_page(call: Call[None, None, None]) -> Response:
    return _posted(call, None)


def change_page(call: Call[None, None, DestinationPath]) -> Response:
    return _posted(call, call.path.destination_id)


def edit_page(call: Call[None, None, DestinationPath]) -> Response:
    with call.connect() as connection:
        one = read_destination(connection, call.path.destination_id)
    document = _settings(call, one.id)
    address = typed_of(document["address"], ADDRESSES[one.kind], "address.")
    return _form(call, {**typed_of(document, DestinationSettings), **address, "kind": (one.kind,)}, one)


def _settings(call: AnyCall, destination_id: int) -> dict[str, Any]:
    with call.connect() as connection:
        return DESTINATIONS.read(connection, destination_id).document


def _posted(call: AnyCall, destination_id: int | None) -> Response:
    act = call.http.form.get("act", "")
    typed = acted(numbered(sent_values(call.http.form), "windows"), act, DestinationSettings)
    one = None
    if destination_id is not None:
        with call.connect() as connection:
            one = read_destination(connection, destination_id)
    over = act.removeprefix("save over ") if act.startswith("save over ") else None
    if act != "save" and over is None:
        return _form(call, typed, one)
    since = version_of(call.http.form.get("version", "") if over is None else over)
    document = _document(typed, _settings(call, one.id) if one else None)
    try:
        with call.begin() as connection:
            if destination_id is None:
                saved = DESTINATION_DOCUMENTS.create(call, connection, document)
            else:
                saved = DESTINATION_DOCUMENTS.edit(call, connection, destination_id, document, since=since)
    except DocumentRefused as error:
        problems: dict[str, list[str]] = {}
        for problem in error.problems:
            problems.setdefault(problem.place.removeprefix("document."), []).append(in_words(call, problem.wrong))
        return _form(call, typed, one, problems)
    except EditedMeanwhile as error:
        return _form(call, typed, one, newer=newer_than(error))
    except RequestConflict as error:
        return _form(call, typed, one, {error.field: [in_words(call, error.sentence)]})
    return leave(call, call.site.url("deliveries.destination_page", destination_id=saved.id))


def _kind(typed: Typed) -> Kind:
    kind = next(iter(typed.get("kind", ())), "")
    return Kind(kind) if kind in KINDS else Kind.DICOM


def _document(typed: Typed, before: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the form means, with what it has no input for (HTTP headers) kept from before."""
    kind = _kind(typed)
    address = document_of(typed, ADDRESSES[kind], "address.")
    if before is not None and before["kind"] == kind:
        shown = shown_fields(ADDRESSES[kind])
        kept = {key: value for key, value in before["address"].items() if key not in shown}
        address = {**kept, **address}
    return {**document_of(typed, DestinationSettings), "kind": kind, "address": address}


def _form(
    call: AnyCall,
    typed: Typed,
    one: Destination | None,
    problems: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    newer: Newer | None = None,
) -> Response:
    """What is kept is the version that the form began from, also where it is shown again."""
    with call.connect() as connection:
        others = [other.name for other in list_destinations(connection) if one is None or other.id != one.id]
    url, kind = call.site.url, _kind(typed)
    nowhere = shown_fields(DestinationSettings)["alternate"][0].choices[""]
    return render_page(
        call,
        "deliveries/destination_form.html",
        name=one.name if one else None,
        version=call.http.form.get("version", one.version if one else ""),
        newer=newer,
        form=form_of(
            typed,
            DestinationSettings,
            problems,
            parts={"address": ADDRESSES[kind]},
            choices={"alternate": {"": Phrase(nowhere), **{name: name for name in others}}},
            notes=_listed(call, kind),
            others=OTHERS,
        ),
        kind=kind,
        kinds=KINDS,
        address=url("deliveries.create_destination_page")
        if one is None
        else url("deliveries.change_destination_page", destination_id=one.id),
        leave=url("deliveries.destinations_page")
        if one is None
        else url("deliveries.destination_page", destination_id=one.id),
    )


def _listed(call: AnyCall, kind: Kind) -> dict[str, list[Phrase]]:
    """What the site's settings let the fields of this kind name, in words, by field."""
    places = call.services.settings.destination_places
    secrets = [*places.secret_environment, *map(str, places.secret_files)]
    lists: dict[Guarded, tuple[Sequence[object] | None, str]] = {
        Guarded.FOLDER: (places.folders, "DestinationPlaces.Folders"),
        Guarded.SECRET: (secrets, "DestinationPlaces.SecretEnvironment, SecretFiles"),
        Guarded.CERTIFICATES: (places.certificate_files or None, "DestinationPlaces.CertificateFiles"),
    }
    found = {}
    for name, guarded in guarded_fields(ADDRESSES[kind]).items():
        listed, setting = lists.get(guarded, (None, ""))
        if listed:
            words = ", ".join(map(str, listed))
            found[f"address.{name}"] = [P_("The settings allow: %(listed)s", listed=words)]
        elif listed is not None:
            found[f"address.{name}"] = [P_("The settings allow none yet: %(setting)s", setting=setting)]
    return found
