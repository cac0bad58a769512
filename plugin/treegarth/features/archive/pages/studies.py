"""The list of studies, with a panel that shows the study that a row opens.

Orders by date, arrival, name and ID are read from indexes. The others sort what the filters leave: about a second for a
million studies, where an index for each would cost every store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pydantic.fields import FieldInfo
from sqlalchemy import Connection, Select

from treegarth.feature import House
from treegarth.features.archive.conditions import StudyConditions
from treegarth.features.archive.pages.study import notes_of, open_study
from treegarth.features.archive.search_model import StudySummary
from treegarth.features.archive.store.departed import count_departed
from treegarth.features.archive.store.search import select_studies
from treegarth.index.studies import StudyKey, find_study, told_apart
from treegarth.index.study_search import StudySearch
from treegarth.phrases import N_, NN_
from treegarth.web.call import AnyCall, Asker
from treegarth.web.filters import Filter, label_choices
from treegarth.web.listing import ROWS_ON_A_PAGE, Column, Empty, Listing
from treegarth.web.routes import Navigation, Text
from treegarth.web.templates import url_with

MOST_DEPARTED = 100
"""Studies that left the archive and fit the words too: counted no further."""
COMMON_MODALITIES = ("CT", "MR", "PT", "NM", "MG", "XA", "RF", "DX", "CR", "US")


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A modality to switch on or off."""

    modality: str
    on: bool
    url: str


def find(asker: Asker, connection: Connection, asked: StudyConditions) -> Select[Any]:
    return select_studies(asked.filter())


def extras(
    call: AnyCall, connection: Connection, asked: StudyConditions, studies: Sequence[StudySummary]
) -> Mapping[str, Any]:
    uid, identifier = getattr(call.query, "open", None), getattr(call.query, "orthanc_study_id", None)
    key = find_study(connection, uid, identifier) if uid and studies else None
    return {
        "opened": open_study(call, connection, key) if key else None,
        "panel_sections": _panel_sections(call, key) if key else [],
        "which": told_apart(connection, studies),
        "notes": notes_of(call, connection, [study.orthanc_study_id for study in studies]),
        "chips": _chips(call, asked.filter().modalities),
        "departed": count_departed(connection, call.part(StudySearch), asked.filter().text or "", at_most=MOST_DEPARTED)
        if len(studies) < ROWS_ON_A_PAGE
        else 0,
        "most_departed": MOST_DEPARTED,
    }


def _panel_sections(call: AnyCall, key: StudyKey) -> list[Markup]:
    lent = call.part(House).panel_sections()
    return [section for make in lent if (section := make(call, key)) is not None]


def _chips(call: AnyCall, chosen: tuple[str, ...]) -> list[Chip]:
    shown = [*COMMON_MODALITIES, *(modality for modality in chosen if modality not in COMMON_MODALITIES)]
    chips = []
    for modality in shown:
        on = modality in chosen
        after = [m for m in shown if (m in chosen) != (m == modality)]
        url = url_with(call, modality=",".join(after) or None, cursor=None, open=None, orthanc_study_id=None)
        chips.append(Chip(modality=modality, on=on, url=url))
    return chips


STUDIES = Listing(
    name="archive.studies",
    title=N_("Studies"),
    counts=NN_("%(num)s study", "%(num)s studies"),
    path="studies",
    api_name="list_studies",
    api_path="studies",
    tag="archive",
    summary="The studies of the archive, by filter, sort and page.",
    record=StudySummary,
    asked=StudyConditions,
    query=find,
    unique="orthanc_study_id",
    order="-study_date",
    columns=(
        Column(name="patient_name", label=N_("Patient")),
        Column(name="patient_id", label=N_("Patient ID"), narrow="c-0"),
        Column(name="patient_birth_date", label=N_("Birth date, sex"), narrow="c-4"),
        Column(name="study_date", label=N_("Study date"), sorts_by=("study_date", "study_time"), nulls_first=True),
        Column(name="modalities", label=N_("Modalities"), form="modalities"),
        Column(name="study_description", label=N_("Description")),
        Column(name="notes", label=N_("Dose"), form="own", sorts_by=(), narrow="c-2"),
        Column(name="accession_number", label=N_("Accession number"), narrow="c-3"),
        Column(name="series_count", label=N_("Series"), narrow="c-4"),
        Column(name="instance_count", label=N_("Instances"), narrow="c-1"),
        Column(name="last_received_at", label=N_("Received"), narrow="c-3"),
    ),
    filters=(
        Filter(name="q", label=N_("Search"), is_shown=False),
        Filter(name="modality", label=N_("Modality"), is_shown=False),
        Filter(name="patient_id", label=N_("Patient ID")),
        Filter(name="patient_name", label=N_("Name")),
        Filter(name="accession_number", label=N_("Accession number")),
        Filter(name="study_description", label=N_("Description"), width="wide"),
        Filter(name="study_date_from", label=N_("From")),
        Filter(name="study_date_to", label=N_("To")),
        Filter(name="label", label=N_("Label"), find_choices=label_choices),
        Filter(name="study_instance_uid", label="Study Instance UID", is_shown=False),
        Filter(name="issues", label=N_("Objects"), choices={"true": N_("not read in every part")}, is_shown=False),
    ),
    empty=Empty(
        title=N_("No studies yet"),
        text=N_("Every study that arrives is listed here, newest first."),
        filtered=N_("No study fits these filters"),
        advice=N_(
            "Names and descriptions match in any part; identifiers match whole, or with * and ? for what may vary. "
            "Take a filter away, or widen the dates."
        ),
    ),
    template="archive/studies.html",
    extras=extras,
    navigation=Navigation(label=N_("Studies"), icon="studies", order=20, key="s"),
    page_fields={
        "open": (Text | None, FieldInfo(default=None, description="The Study Instance UID that the panel shows.")),
        "orthanc_study_id": (Text | None, FieldInfo(default=None, description="Which of several studies of this UID.")),
    },
)
