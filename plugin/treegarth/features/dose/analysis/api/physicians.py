"""Fluoroscopy by physician over HTTP."""

from __future__ import annotations

from treegarth.features.dose.analysis.physicians import PhysiciansAsked, wanted_of
from treegarth.features.dose.analysis.store.physicians import Physician, physicians
from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.web.call import Call
from treegarth.web.routes import Answer, Route


class PhysiciansAnswer(Answer):
    """Those with the most exams first; exams whose objects name nobody are the last."""

    items: list[Physician]


def physicians_answer(call: Call[PhysiciansAsked, None, None]) -> PhysiciansAnswer:
    with call.connect() as connection:
        return PhysiciansAnswer(items=physicians(connection, wanted_of(call.query), call.query.modality))


def routes() -> list[Route]:
    return [
        dose_route(
            "dose_analysis_physicians",
            "analysis/physicians",
            physicians_answer,
            "Fluoroscopy by who performed it: dose-area product, time and dose at the reference point.",
        )
    ]
