"""Sizes and weights of patients out of files: send one, see line by line what it would do, apply it, undo it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from flask import Response
from markupsafe import Markup
from sqlalchemy import Connection, Select

from treegarth.access.actors import Permission
from treegarth.errors import RequestConflict
from treegarth.features.dose.registry.pages.addresses import dose_page_of
from treegarth.features.dose.registry.paths import SizeImportPath
from treegarth.features.dose.registry.rule_parameters import LONGEST_REASON
from treegarth.features.dose.registry.size_file import NoSizeFile
from treegarth.features.dose.registry.size_matching import Outcome
from treegarth.features.dose.registry.size_parameters import LARGEST_BODY, FileName, FileText, Unit
from treegarth.features.dose.registry.store import size_imports
from treegarth.features.dose.registry.store.size_imports import SizeImport, SizeLineRow, State
from treegarth.phrases import N_, NN_, P_
from treegarth.web.call import AnyCall, Asker, Call
from treegarth.web.endpoints import route
from treegarth.web.filters import Filter
from treegarth.web.listing import Column, Empty, Listing
from treegarth.web.parts import State as Sign
from treegarth.web.routes import Parameters, Route, Text
from treegarth.web.told import see_other
from treegarth.work.pages import work_part

FILES, LINES = "dose.sizes_page", "dose.size_lines_page"
STATES: Mapping[State, tuple[Sign, str]] = {
    "reading": ("busy", N_("being read")),
    "checked": ("waiting", N_("nothing holds yet")),
    "applied": ("ok", N_("holds")),
    "undone": ("off", N_("undone")),
    "failed": ("failed", N_("could not be read")),
}
OUTCOMES: Mapping[Outcome, tuple[Sign, str]] = {
    "found": ("ok", N_("of an exam")),
    "no dose": ("waiting", N_("of a study without a dose")),
    "waits": ("waiting", N_("of no study that is here yet")),
    "ambiguous": ("attention", N_("of studies of several patients")),
    "refused": ("failed", N_("not taken")),
}


class FilesAsked(Parameters):
    """All of them."""


class LinesAsked(Parameters):
    """Which lines of the file."""

    outcome: Outcome | None = None
    """What they do, or would."""
    differs: bool | None = None
    """Those of exams whose objects say otherwise."""


class SendForm(Parameters):
    """What the form of the page sends."""

    text: FileText = ""
    file_name: FileName = ""
    size_unit: Unit | Literal[""] = ""


class ActForm(Parameters):
    """What is done with a file."""

    act: Literal["apply", "undo", "discard"]
    reason: Text = ""


def routes() -> list[Route]:
    return [
        route(
            name="dose.send_sizes_page",
            path="/treegarth/dose/sizes",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=send,
            summary="Send a file with sizes and weights of patients; nothing holds yet.",
            largest_body=LARGEST_BODY,
        ),
        route(
            name="dose.act_on_sizes_page",
            path="/treegarth/dose/sizes/{size_import_id}",
            method="POST",
            permission=Permission.DECIDE_DOSE,
            handler=act,
            summary="Let a file with sizes hold, undo it as a whole, or forget one that never held.",
        ),
    ]


def send(call: Call[None, SendForm, None]) -> Response:
    """To the page of its lines, by GET."""
    form, by, now = call.body, call.actor.name, call.services.clock()
    try:
        with call.begin() as connection:
            number = size_imports.receive(
                connection,
                form.text,
                file_name=form.file_name.strip() or None,
                size_unit=form.size_unit or None,
                by=by,
                now=now,
            )
    except NoSizeFile as refused:
        return see_other(call, call.site.url(FILES), refused.sentence, kind="attention")
    return see_other(call, call.site.url(LINES, size_import_id=number))


def act(call: Call[None, ActForm, SizeImportPath]) -> Response:
    """Back to the page of its lines; to that of the files from one that is forgotten."""
    form, number, by, now = call.body, call.path.size_import_id, call.actor.name, call.services.clock()
    here, reason = call.site.url(LINES, size_import_id=number), form.reason.strip()
    if not reason and form.act != "discard":
        return see_other(call, here, P_("Say why, in a sentence: the reason is kept with it."), kind="attention")
    try:
        with call.begin() as connection:
            if form.act == "discard":
                size_imports.discard_import(connection, number)
                here = call.site.url(FILES)
            elif form.act == "apply":
                size_imports.apply_import(connection, number, reason=reason, by=by, now=now)
            else:
                size_imports.undo_import(connection, number, reason=reason, by=by, now=now)
    except RequestConflict as refused:
        return see_other(call, here, refused.sentence, kind="attention")
    return see_other(call, here)


def find_files(asker: Asker, connection: Connection, asked: FilesAsked) -> Select[Any]:
    return size_imports.select_imports()


def extras_of_files(
    call: AnyCall, connection: Connection, asked: FilesAsked, files: Sequence[SizeImport]
) -> Mapping[str, Any]:
    return {
        "states": STATES,
        "may_send": call.actor.may(Permission.DECIDE_DOSE),
        "addresses": {one.id: call.site.url(LINES, size_import_id=one.id) for one in files},
    }


def find_lines(asker: Asker, connection: Connection, asked: LinesAsked) -> Select[Any]:
    number = asker.path.size_import_id
    size_imports.read_import(connection, number)
    return size_imports.select_lines(number, outcome=asked.outcome, differs=asked.differs)


def extras_of_lines(
    call: Call[Any, Any, SizeImportPath], connection: Connection, asked: LinesAsked, lines: Sequence[SizeLineRow]
) -> Mapping[str, Any]:
    number = call.path.size_import_id
    file, work = size_imports.read_import(connection, number), size_imports.work_of(connection, number)
    uids = size_imports.uids_of(connection, {one.orthanc_study_id for one in lines if one.orthanc_study_id})
    outcomes = size_imports.outcomes_of(connection, number)
    may_act = call.actor.may(Permission.DECIDE_DOSE) and not (work and work.is_running)
    return {
        "file": file,
        "states": STATES,
        "outcome_words": OUTCOMES,
        "counts": [(name, words, getattr(outcomes, name.replace(" ", "_"))) for name, (_, words) in OUTCOMES.items()],
        "differing": outcomes.differs,
        "work": work,
        "progress_part": work_part(call, work) if work is not None else Markup(""),
        "may_act": may_act,
        "longest_reason": LONGEST_REASON,
        "addresses": {study: dose_page_of(call, uid, study) for study, uid in uids.items()},
    }


SIZE_FILES = Listing(
    name="dose.sizes",
    title=N_("Sizes and weights"),
    counts=NN_("%(num)s file", "%(num)s files"),
    path="dose/sizes",
    api_name="dose_size_files",
    api_path="dose/sizes",
    tag="dose",
    summary="Files with sizes and weights of patients, and what became of each.",
    record=SizeImport,
    asked=FilesAsked,
    query=find_files,
    unique="id",
    order="-sent_at",
    columns=(
        Column(name="file_name", label=N_("File"), form="own"),
        Column(name="state", label=N_("State"), form="own"),
        Column(name="line_count", label=N_("Lines")),
        Column(name="sent_at", label=N_("Sent")),
        Column(name="sent_by", label=N_("Sent by"), narrow="c-2"),
        Column(name="applied_at", label=N_("Holds since")),
        Column(name="reason", label=N_("Reason"), narrow="c-1"),
        Column(name="undone_at", label=N_("Undone"), narrow="c-3"),
    ),
    empty=Empty(
        title=N_("No file was sent yet"),
        text=N_(
            "Objects often lack the size and the weight of the patient. A CSV file of the hospital's information "
            "system gives them by accession number or Study Instance UID: choose one above, see what it would do, and "
            "apply it."
        ),
        filtered=N_("No file fits these filters"),
    ),
    template="dose/sizes.html",
    extras=extras_of_files,
)
SIZE_LINES = Listing(
    name="dose.size_lines",
    title=N_("Lines of a file with sizes"),
    counts=NN_("%(num)s line", "%(num)s lines"),
    path="dose/sizes/{size_import_id}",
    api_name="dose_size_lines",
    api_path="dose/sizes/{size_import_id}/lines",
    tag="dose",
    summary="The lines of a file with sizes, and what each does or would do.",
    record=SizeLineRow,
    parts=SizeImportPath,
    asked=LinesAsked,
    query=find_lines,
    unique="line",
    order="line",
    columns=(
        Column(name="line", label=N_("Line")),
        Column(name="outcome", label=N_("What it does"), form="own"),
        Column(name="accession_number", label=N_("Accession number")),
        Column(name="study_instance_uid", label="Study Instance UID", form="own", narrow="c-3"),
        Column(name="patient_id", label=N_("Patient ID"), narrow="c-2"),
        Column(name="patient_size_m", label=N_("Patient size"), unit="m"),
        Column(name="told_size_m", label=N_("Size of objects"), unit="m", narrow="c-1"),
        Column(name="patient_weight_kg", label=N_("Weight"), unit="kg"),
        Column(name="told_weight_kg", label=N_("Weight of objects"), unit="kg", narrow="c-1"),
        Column(name="text", label=N_("Text of the line"), narrow="c-2"),
    ),
    filters=(
        Filter(
            name="outcome", label=N_("What it does"), choices={name: words for name, (_, words) in OUTCOMES.items()}
        ),
        Filter(name="differs", label=N_("Objects say otherwise"), choices={"true": N_("yes"), "false": N_("no")}),
    ),
    empty=Empty(
        title=N_("No line was read yet"),
        text=N_("The lines of the file stand here as soon as they are read."),
        filtered=N_("No line fits these filters"),
    ),
    template="dose/size_lines.html",
    extras=extras_of_lines,
)
