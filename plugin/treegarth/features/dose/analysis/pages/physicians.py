"""Fluoroscopy by physician: exams, dose-area product, time and dose at the reference point; one of them as boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from tempfile import TemporaryFile
from typing import Any

from flask import Response
from sqlalchemy import Connection

from treegarth.access.actors import Permission
from treegarth.features.dose.analysis.distribution import Distribution
from treegarth.features.dose.analysis.figures import OF_LEVEL
from treegarth.features.dose.analysis.physicians import PhysiciansAsked, wanted_of
from treegarth.features.dose.analysis.store.names import NamedCount, most_frequent_names
from treegarth.features.dose.analysis.store.physicians import (
    MODALITIES,
    QUANTITIES,
    FluoroscopyQuantity,
    Physician,
    by_physician,
    physicians,
)
from treegarth.features.dose.quantities import ShownQuantity
from treegarth.features.dose.registry.store.device_names import shown_devices
from treegarth.web.call import AnyCall, Call
from treegarth.web.endpoints import route
from treegarth.web.export import FORMAT_WORDS, FORMATS, MEDIA_TYPES, Format, fields_of, write_export
from treegarth.web.listing import ANY_BYTES
from treegarth.web.routes import Parameters, Route
from treegarth.web.templates import render_page

OF_QUANTITY: Mapping[FluoroscopyQuantity, ShownQuantity] = {one: OF_LEVEL["exam"][one] for one in QUANTITIES}


class PhysiciansPageAsked(PhysiciansAsked):
    """Which exams, and what is drawn."""

    quantity: FluoroscopyQuantity = "dose_area_product_gy_m2"
    """Whose distribution is drawn by physician."""


class PhysiciansFilePath(Parameters):
    format: Format
    """`csv`, `xlsx` or `parquet`."""


def routes() -> list[Route]:
    return [
        route(
            name="dose.analysis_physicians_page",
            path="/treegarth/dose/analysis/physicians",
            permission=Permission.SEE_DOSE,
            handler=page,
            summary="Fluoroscopy by physician: exams, dose-area product, time and dose at the reference point.",
        ),
        route(
            name="dose.analysis_physicians_file",
            path="/treegarth/dose/analysis/physicians/{format}",
            permission=Permission.SEE_DOSE,
            handler=file,
            summary="Fluoroscopy by physician as a CSV, XLSX or Parquet file.",
            media_type=ANY_BYTES,
        ),
    ]


def page(call: Call[PhysiciansPageAsked, None, None]) -> Response:
    query, wanted = call.query, wanted_of(call.query)
    with call.connect() as connection:
        found = physicians(connection, wanted, query.modality)
        drawn = by_physician(connection, replace(wanted, quantity=query.quantity), query.modality) if found else {}
        names = _standard_names(connection)
        device = shown_devices(connection, [query.device]).get(query.device) if query.device else None
    return render_page(
        call,
        "dose/analysis_physicians.html",
        physicians=found,
        drawn=_in_order(found, drawn),
        quantity=OF_QUANTITY[query.quantity],
        quantities=OF_QUANTITY,
        modalities=MODALITIES,
        names=names,
        device=device,
        files=_files(call),
    )


def _standard_names(connection: Connection) -> list[NamedCount]:
    """Those that exams of fluoroscopy have."""
    return [one for modality in MODALITIES for one in most_frequent_names(connection, "standard", modality=modality)]


def _in_order(found: Sequence[Physician], drawn: Mapping[str, Distribution]) -> list[tuple[str | None, Distribution]]:
    """The distributions in the order of the table, of those with values."""
    return [
        (one.physician, drawn[one.physician or ""])
        for one in found
        if (one.physician or "") in drawn and drawn[one.physician or ""].n
    ]


def _files(call: AnyCall) -> list[tuple[str, str]]:
    """What the files are called, and where they are."""
    kept: dict[str, Any] = {
        name: value for name, value in call.http.args.items() if name in PhysiciansAsked.model_fields and value
    }
    return [
        (
            FORMAT_WORDS[wanted],
            call.site.url("dose.analysis_physicians_file", format=wanted, **kept),
        )
        for wanted in FORMATS
    ]


def file(call: Call[PhysiciansAsked, None, PhysiciansFilePath]) -> Response:
    wanted = call.path.format
    with call.connect() as connection:
        rows = physicians(connection, wanted_of(call.query), call.query.modality)
    with TemporaryFile() as made:
        write_export(wanted, "dose physicians", fields_of(Physician), [rows], made, mark=True)
        made.seek(0)
        headers = {"Content-Disposition": f'attachment; filename="dose-analysis-physicians.{wanted}"'}
        return Response(made.read(), mimetype=MEDIA_TYPES[wanted], headers=headers)
