"""What a document about a device's character set would change: texts as they are, and as they would read.

Objects are read from Orthanc, some of the device's newest series; nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from markupsafe import Markup

from treegarth.dicom.headers import read_header
from treegarth.dicom.relabelling import Relabelling, Relabellings
from treegarth.documents.store import Stored
from treegarth.errors import NotFound, OrthancRefused, OrthancUnavailable, UnreadableObject
from treegarth.features.archive.charsets.model import REALLY, relabelling_of
from treegarth.features.archive.charsets.store import SeriesOfDevice, count_series, sample_series
from treegarth.index.relabelling import read_relabellings
from treegarth.orthanc.client import OrthancClient
from treegarth.orthanc.header_fetch import read_beginning
from treegarth.web.call import AnyCall
from treegarth.web.parts import render_part
from treegarth.web.routes import Answer

READ_AT_MOST = 40
"""Series that are opened."""
_READ_TOGETHER = 4
SHOWN = ("patient_name", "study_description", "series_description", "institution_name")


class TextChange(Answer):
    """One series of the device: each text as it reads now, and as it would."""

    study_instance_uid: str
    orthanc_study_id: str
    text: str
    """Which: `patient_name`, `study_description`, `series_description`, `institution_name`."""
    now: str
    then: str


class CharacterSetPreview(Answer):
    """What would change, as far as some of the device's newest series tell."""

    series_count: int
    """Of the device, with this label."""
    opened_count: int
    """Series of which an object was read for this."""
    unread_count: int
    """Of these, those whose object could not be read."""
    changes: list[TextChange]
    """Texts that would read otherwise; of several alike one."""


def preview(call: AnyCall, stored: Stored) -> CharacterSetPreview:
    """What this document would change, if it was the first of those that are on."""
    one = relabelling_of(stored.document)
    with call.connect() as connection:
        now = Relabellings([it for it in read_relabellings(connection).every if it != one])
        series_count = count_series(connection, [one])
        sample = sample_series(connection, one, READ_AT_MOST)
    then = Relabellings([one, *now.every])
    with ThreadPoolExecutor(_READ_TOGETHER, thread_name_prefix="preview") as pool:
        read = list(pool.map(lambda it: _read(call.services.orthanc, it, now, then), sample))
    changes: dict[tuple[str, str], TextChange] = {}
    for found in read:
        for change in found or ():
            changes.setdefault((change.text, change.now), change)
    unread = sum(found is None for found in read)
    return CharacterSetPreview(
        series_count=series_count, opened_count=len(sample), unread_count=unread, changes=list(changes.values())
    )


def preview_section(call: AnyCall, stored: Stored) -> Markup:
    """The same on its page; where Orthanc does not answer, why."""
    if stored.removed_at is not None:
        return Markup("")
    one: Relabelling = relabelling_of(stored.document)
    values = {"document": stored, "rule": one, "sets": REALLY}
    return render_part(call, "archive/character_set.html", preview=preview(call, stored), **values)


def _read(
    orthanc: OrthancClient, one: SeriesOfDevice, now: Relabellings, then: Relabellings
) -> Sequence[TextChange] | None:
    """What would change of this series; None where its object cannot be read."""
    try:
        data = read_beginning(orthanc, one.header_orthanc_instance_id)
        before, after = (read_header(data, which.sent_by(one.remote_ae_title)) for which in (now, then))
    except (NotFound, OrthancRefused, OrthancUnavailable, UnreadableObject):
        return None
    texts = [(name, getattr(before, name) or "", getattr(after, name) or "") for name in SHOWN]
    return [
        TextChange(
            study_instance_uid=one.study_instance_uid,
            orthanc_study_id=one.orthanc_study_id,
            text=name,
            now=was,
            then=would_be,
        )
        for name, was, would_be in texts
        if was != would_be
    ]
