"""Put the indexer process together and run it until its input closes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import IO, TextIO

from sqlalchemy import Engine

from treegarth.features.archive.ingest.batch import BatchWriter
from treegarth.features.archive.ingest.mender import Mender, StaleHints
from treegarth.features.archive.ingest.process import Answers, FrameBuffer, Indexer
from treegarth.features.archive.ingest.reconciler import Reconciler
from treegarth.index.follower import IndexFollower
from treegarth.orthanc.client import OrthancClient
from treegarth.settings import Settings


def run_indexer(
    *,
    engine: Engine,
    orthanc: OrthancClient,
    followers: Sequence[IndexFollower],
    settings: Settings,
    clock: Callable[[], datetime],
    frames_from: IO[bytes],
    answers_to: TextIO,
) -> None:
    """Write what comes through the pipe, reconcile and mend beside it, until the pipe closes."""
    by_orthanc_users = not settings.sign_in.by_session
    stale = StaleHints()
    answers = Answers(answers_to)
    writer = BatchWriter(
        engine=engine,
        orthanc=orthanc,
        followers=followers,
        clock=clock,
        on_stale=stale.note,
        on_indexed=lambda count: answers.tell(indexed=count),
        by_orthanc_users=by_orthanc_users,
    )
    frames = FrameBuffer()
    mender = Mender(
        engine=engine,
        writer=writer,
        hints=stale,
        clock=clock,
        interval_s=settings.reconcile_seconds,
        is_busy=lambda: frames.is_busy,
    )
    reconciler = Reconciler(
        engine=engine,
        orthanc=orthanc,
        writer=writer,
        clock=clock,
        interval_s=settings.reconcile_seconds,
        full_comparison_every=timedelta(hours=settings.full_comparison_hours),
        is_idle=lambda: frames.is_empty,
    )
    indexer = Indexer(
        writer=writer,
        frames=frames,
        answers=answers,
        wake_reconciler=reconciler.wake,
        clock=clock,
    )
    threading.Thread(target=frames.fill_from, args=(frames_from,), name="frames", daemon=True).start()
    beside = [threading.Thread(target=one.run, name=type(one).__name__, daemon=True) for one in (reconciler, mender)]
    for thread in beside:
        thread.start()
    indexer.run()
    reconciler.stop()
    mender.stop()
    for thread in beside:
        thread.join(1.0)
