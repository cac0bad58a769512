"""Sizes and weights of patients out of files, over HTTP: send one, see what it would do, apply it, undo it."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Annotated

from pydantic import Field, model_validator

from treegarth.access.actors import Permission
from treegarth.errors import InvalidRequest, NotFound
from treegarth.features.dose.registry.api.parts import dose_route
from treegarth.features.dose.registry.paths import SizeImportPath
from treegarth.features.dose.registry.rule_parameters import Reason
from treegarth.features.dose.registry.size_file import decoded
from treegarth.features.dose.registry.size_parameters import LARGEST_BODY, LARGEST_FILE, FileName, FileText, Unit
from treegarth.features.dose.registry.store import size_imports
from treegarth.features.dose.registry.store.size_imports import SizeImport, SizeOutcomes, SizeSource
from treegarth.features.dose.registry.store.studies import study_of_uid
from treegarth.phrases import N_, P_
from treegarth.web.call import AnyCall, Call
from treegarth.web.path_models import StudyPath
from treegarth.web.routes import Answer, AnyText, Parameters, Route
from treegarth.web.which_study import WhichStudy


class SizeFileBody(Parameters):
    """A CSV file with sizes and weights of patients: its text, or the bytes of the file."""

    text: FileText | None = None
    """With a line of headings: see docs/sizes.md."""
    content_base64: Annotated[AnyText, Field(max_length=2 * LARGEST_FILE)] | None = None
    """The file itself in base64: UTF-8, UTF-16 or CP949."""
    file_name: FileName | None = None
    size_unit: Unit | None = None
    """Where the heading of the size says none."""

    @model_validator(mode="after")
    def _has_one(self) -> SizeFileBody:
        if (self.text is None) == (self.content_base64 is None):
            raise ValueError(N_("Give either text or content_base64."))
        return self


class WhyBody(Parameters):
    """Why it is done."""

    reason: Reason
    """For whoever looks at it later."""


class SizeFile(Answer):
    """A file, and what its lines would do, or do."""

    file: SizeImport
    outcomes: SizeOutcomes
    is_running: bool
    """Whether a long work is still at it."""


class SizesOfExam(Answer):
    """Who tells the size and the weight of an exam."""

    items: list[SizeSource]
    """Files before objects, the latest first. The first one that holds tells the value, for size and weight each."""


class Discarded(Answer):
    """A file that is forgotten."""

    id: int


def _shown(call: AnyCall, number: int) -> SizeFile:
    with call.connect() as connection:
        work = size_imports.work_of(connection, number)
        return SizeFile(
            file=size_imports.read_import(connection, number),
            outcomes=size_imports.outcomes_of(connection, number),
            is_running=work is not None and work.is_running,
        )


def send(call: Call[None, SizeFileBody, None]) -> SizeFile:
    body, by, now = call.body, call.actor.name, call.services.clock()
    text = _text(body)
    with call.begin() as connection:
        number = size_imports.receive(
            connection, text, file_name=body.file_name, size_unit=body.size_unit, by=by, now=now
        )
    return _shown(call, number)


def _text(body: SizeFileBody) -> str:
    if body.text is not None:
        return body.text
    try:
        return decoded(b64decode(body.content_base64 or "", validate=True))
    except (NotBase64, ValueError):
        raise InvalidRequest(P_("content_base64 is no base64.")) from None


def one(call: Call[None, None, SizeImportPath]) -> SizeFile:
    return _shown(call, call.path.size_import_id)


def apply(call: Call[None, WhyBody, SizeImportPath]) -> SizeFile:
    number, by, now = call.path.size_import_id, call.actor.name, call.services.clock()
    with call.begin() as connection:
        size_imports.apply_import(connection, number, reason=call.body.reason, by=by, now=now)
    return _shown(call, number)


def undo(call: Call[None, WhyBody, SizeImportPath]) -> SizeFile:
    number, by, now = call.path.size_import_id, call.actor.name, call.services.clock()
    with call.begin() as connection:
        size_imports.undo_import(connection, number, reason=call.body.reason, by=by, now=now)
    return _shown(call, number)


def discard(call: Call[None, None, SizeImportPath]) -> Discarded:
    with call.begin() as connection:
        size_imports.discard_import(connection, call.path.size_import_id)
    return Discarded(id=call.path.size_import_id)


def of_exam(call: Call[WhichStudy, None, StudyPath]) -> SizesOfExam:
    with call.connect() as connection:
        key = study_of_uid(connection, call.path.study_instance_uid, call.query.orthanc_study_id)
        if key is None:
            raise NotFound(P_("There is no study with this Study Instance UID."))
        return SizesOfExam(items=size_imports.sizes_of(connection, key.orthanc_study_id))


def routes() -> list[Route]:
    operate, conflicts = Permission.DECIDE_DOSE, (409, 503)
    return [
        dose_route(
            "dose_send_sizes",
            "sizes",
            send,
            "Send a file with sizes and weights of patients, and see what its lines would do. Nothing holds yet.",
            method="POST",
            permission=operate,
            status=201,
            largest_body=LARGEST_BODY,
            example={"text": "accession_number,patient_size_cm,patient_weight_kg\nA20261120,172,70.5\n"},
        ),
        dose_route("dose_size_import", "sizes/{size_import_id}", one, "A file with sizes, and what its lines do."),
        dose_route(
            "dose_discard_sizes",
            "sizes/{size_import_id}",
            discard,
            "Forget a file with sizes that never held.",
            method="DELETE",
            permission=operate,
            problems=conflicts,
        ),
        dose_route(
            "dose_apply_sizes",
            "sizes/{size_import_id}/apply",
            apply,
            "Let the lines of a file with sizes hold, for what arrives later, too.",
            method="POST",
            permission=operate,
            problems=conflicts,
        ),
        dose_route(
            "dose_undo_sizes",
            "sizes/{size_import_id}/undo",
            undo,
            "Undo a file with sizes as a whole: what was before it holds again.",
            method="POST",
            permission=operate,
            problems=conflicts,
        ),
        dose_route(
            "dose_sizes_of_study",
            "studies/{study_instance_uid}/sizes",
            of_exam,
            "Who tells the size and the weight of an exam.",
            problems=conflicts,
        ),
    ]
