"""Orthanc's C-FIND out of our index: its own answers know no repaired name, and lose letters.

Orthanc asks here on a thread of its DICOM server, after it has judged the node (`DicomModalities`), one request at a
time; while PostgreSQL is waited for, nothing else is held up, stores neither. Where it is away the node is told that
the question failed, never that there is nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from pydicom.datadict import keyword_for_tag
from sqlalchemy import Connection, Engine

from treegarth.audit.model import (
    LONGEST_QUERY,
    MOST_STUDIES,
    Event,
    EventOutcome,
    NothingRecorded,
    Recorder,
    Way,
    What,
    storable,
)
from treegarth.database.engine import connect
from treegarth.dicom.find_answers import FindAnswers, FindSite, is_of_text
from treegarth.errors import DatabaseUnavailable, TreegarthError
from treegarth.host.request_threads import NotAnsweredInTime, RequestThreads
from treegarth.orthanc.client import OrthancClient

PATIENT_ID, STUDY_INSTANCE_UID = 0x00100020, 0x0020000D
MOST_ANSWERS = 10_000
ANSWERED_WITHIN_S = 25.0  # nodes wait some 30 s
_THREADS = 4  # those that a silent database holds are not waited for

logger = logging.getLogger(__name__)

AnswerFind = Callable[[Connection, OrthancClient, list[tuple[int, str]], FindSite], FindAnswers]


def find_site(configuration: Mapping[str, Any]) -> FindSite:
    """Orthanc turns each answer into `DefaultEncoding`, one for all nodes; what is in it already it leaves alone."""
    limit = configuration.get("LimitFindResults", 0)
    return FindSite(
        ae_title=str(configuration.get("DicomAet", "ORTHANC")),
        character_set="\\ISO 2022 IR 149" if configuration.get("DefaultEncoding") == "Korean" else "ISO_IR 192",
        limit=min(limit, MOST_ANSWERS) if isinstance(limit, int) and limit > 0 else MOST_ANSWERS,
    )


class FindAnswerer:
    """The callback. Raises, which Orthanc tells the node as a failure (0xC000)."""

    def __init__(
        self,
        engine: Callable[[], Engine | None],
        orthanc: OrthancClient,
        answer: AnswerFind,
        site: FindSite,
        *,
        audit: Recorder | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._audit, self._clock = audit or NothingRecorded(), clock
        self._engine = engine
        self._orthanc = orthanc
        self._answer = answer
        self._site = site
        self._threads = RequestThreads(_THREADS, answer_within_s=ANSWERED_WITHIN_S)
        self.answered = self.failed = 0

    def __call__(self, answers: Any, query: Any, issuer: str, called: str) -> None:
        begin, outcome = perf_counter(), EventOutcome.FAILED
        asked: list[tuple[int, str]] = []
        try:
            asked = _asked(query)
            found = self._threads.run(lambda: self._found(asked))
            for one in found.answers:
                answers.FindAddAnswer(one)
            if not found.is_complete:
                answers.FindMarkIncomplete()
            outcome = EventOutcome.DONE
        except (TreegarthError, NotAnsweredInTime) as error:
            self.failed += 1
            logger.warning("A C-FIND of %r was not answered: %s", issuer[:16], str(error) or "it took too long")
            raise
        except Exception:
            self.failed += 1
            logger.exception("A C-FIND of %r failed.", issuer[:16])
            raise
        finally:
            self._audit.put(find_event(issuer, asked, outcome, self._clock()))
        self.answered += 1
        logger.info(
            "Answered a C-FIND of %r, level %s, by %d%s in %.0f ms.",
            *(issuer[:16], found.level, len(found.answers)),
            *("" if found.is_complete else " and not all", (perf_counter() - begin) * 1000),
        )

    def _found(self, asked: list[tuple[int, str]]) -> FindAnswers:
        engine = self._engine()
        if engine is None:
            raise DatabaseUnavailable
        with connect(engine) as connection:
            return self._answer(connection, self._orthanc, asked, self._site)


def find_event(issuer: str, asked: list[tuple[int, str]], outcome: EventOutcome, at: datetime) -> Event:
    """For the audit trail: which node looked for what."""
    given = [(tag, value) for tag, value in asked if value]
    of = {tag: storable(value, 200) for tag, value in given}
    said = "&".join(f"{_keyword(tag)}={value}" for tag, value in given)
    studies = of.get(STUDY_INSTANCE_UID, "").split("\\")
    return Event(
        what=What.SEARCH,
        outcome=outcome,
        at=at,
        way=Way.DICOM,
        actor=storable(issuer, 100) or None,
        place="C-FIND",
        query=storable(said, LONGEST_QUERY),
        studies=tuple(uid for uid in studies if uid and set(uid) <= set("0123456789."))[:MOST_STUDIES],
        patients=(of[PATIENT_ID],) if of.get(PATIENT_ID) and not set(of[PATIENT_ID]) & set("*?") else (),
        may_join=True,
    )


def _keyword(tag: int) -> str:
    """As DICOM names it; by its number where it does not."""
    return keyword_for_tag(tag) or f"{tag:08X}"


def _asked(query: Any) -> list[tuple[int, str]]:
    """Of what is binary there is no value to be had, and Orthanc logs an error where it is asked for."""
    tags = [
        query.GetFindQueryTagGroup(at) << 16 | query.GetFindQueryTagElement(at)
        for at in range(query.GetFindQuerySize())
    ]
    return [(tag, str(query.GetFindQueryValue(at) or "") if is_of_text(tag) else "") for at, tag in enumerate(tags)]
