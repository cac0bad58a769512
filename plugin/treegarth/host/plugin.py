"""What runs inside Orthanc: registers the callbacks, starts and ends everything with it, tells how it goes."""

from __future__ import annotations

import logging
import os
import platform
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import Engine

import treegarth
from treegarth.access.gate import Gate
from treegarth.access.known import Known
from treegarth.audit.keys import signing_key
from treegarth.audit.writer import Trail
from treegarth.database.embedded.cluster import Cluster
from treegarth.database.engine import DatabaseAddress
from treegarth.database.location import data_folder, embedded_folder, index_directory
from treegarth.errors import DatabaseUnavailable
from treegarth.host.bridge import WsgiBridge
from treegarth.host.callbacks import Dispatcher
from treegarth.host.chained_scripts import CHANGES, REQUESTS, SharedCallbacks
from treegarth.host.children import project_root
from treegarth.host.dicom_find import AnswerFind, FindAnswerer, find_site
from treegarth.host.explorer import EXPLORER_BUTTON, EXPLORER_SIGN_IN
from treegarth.host.feed import IndexerFeed
from treegarth.host.measuring import Measured, Sampler, disk_of, memory_of, postmaster_of, with_children
from treegarth.host.password_child import PasswordChild
from treegarth.host.request_filter import RequestFilter
from treegarth.host.request_guard import tell_guard
from treegarth.host.scripts import import_chained
from treegarth.host.self_check import memory_of_requests, self_checks
from treegarth.host.stored_by import stored
from treegarth.host.supervisor import DatabaseMonitor, Plan, Supervisor
from treegarth.host.uploads import Uploads
from treegarth.host.zone import local_zone
from treegarth.orthanc.client import OrthancAddress, OrthancClient
from treegarth.orthanc.frames import Frame, FrameKind
from treegarth.reach import reach_of
from treegarth.settings import Settings, SignIn
from treegarth.web.access import access_of
from treegarth.web.app import has_address
from treegarth.web.own_port import handed_on, own_paths
from treegarth.web.services import Database, DiskPlace, HostStatus, MemoryPart, SelfCheck, Services, WorkerStatus

ORTHANC_ENDS_WITHIN_S = 7.5  # of its telling us that it stops

logger = logging.getLogger(__name__)


class Plugin:
    """One Orthanc's Treegarth. `register` once, at load; all else follows Orthanc's own events."""

    def __init__(
        self,
        orthanc: Any,
        configuration: Mapping[str, Any],
        settings: Settings,
        database: DatabaseAddress | None,
        make_application: Callable[[Services], Flask],
        keep_sample: Callable[[Engine, HostStatus, str, datetime], None],
        answer_find: AnswerFind,
    ) -> None:
        self._orthanc = orthanc
        self._settings = settings
        self._feed = IndexerFeed(limit_bytes=settings.queue_megabytes * 2**20)
        self._shared = SharedCallbacks(orthanc)
        address = _loopback(orthanc, configuration)
        self._supervisor = Supervisor(
            Plan(
                database=database,
                embedded_folder=embedded_folder(
                    settings, index_directory(configuration, Path(orthanc.GetConfigurationPath()))
                ),
                workers=settings.workers,
                orthanc=address,
                settings=settings.model_dump(mode="json", by_alias=True),
            ),
            self._feed,
        )
        self._monitor = DatabaseMonitor(self._supervisor)
        self._folders = _folders(settings, configuration, Path(orthanc.GetConfigurationPath()), database is None)
        self._server_name = f"{socket.gethostname()}:{int(configuration.get('HttpPort', 8042))}"
        self._keep_sample = keep_sample
        self._sampler = Sampler(self._measure, self._sample)
        self._started_at = datetime.now(UTC)
        self._reach = reach_of(settings.public_url, settings.allowed_origins, configuration)
        self._self_checks = self_checks(settings, configuration, orthanc, Path(orthanc.GetConfigurationPath()).parent)
        self._known = Known(self._monitor.engine, lambda: datetime.now(UTC))
        self._passwords = PasswordChild()
        index = index_directory(configuration, Path(orthanc.GetConfigurationPath()))
        self._trail = _trail(settings, data_folder(settings, index), self._monitor.engine, self._server_name)
        services = Services(
            database=Database(self._monitor.engine),
            settings=settings,
            reach=self._reach,
            orthanc=OrthancClient(address, timeout_s=10.0),
            host=self,
            clock=lambda: datetime.now(UTC),
            zone=ZoneInfo(settings.time_zone) if settings.time_zone else local_zone(),
            web_directory=project_root() / "web",
            known=None if settings.sign_in is SignIn.NONE else self._known,
            passwords=self._passwords,
            audit=self._trail,
            site_name=str(configuration.get("Name") or "Orthanc"),
        )
        self._application = make_application(services)
        reach = self._reach
        self._filter = RequestFilter(
            access_of(settings, services.known),
            Gate(reach.dicom_web, reach.wado, tuple(own_paths(reach))),
            self._is_judged_by_us,
            self._trail,
            services.clock,
        )
        self._dispatcher = Dispatcher(
            orthanc,
            self._feed,
            self._shared,
            transcodes=bool(configuration.get("IngestTranscoding")),
            uploader=None if settings.sign_in is SignIn.NONE else Uploads(self._filter).uploader,
            by_orthanc_users=not settings.sign_in.by_session,
            told=self._tell_of_stored,
        )
        self._finds = FindAnswerer(
            self._monitor.engine, services.orthanc, answer_find, find_site(configuration), audit=self._trail
        )
        self._bridge = WsgiBridge(
            self._application,
            address,
            threads=int(configuration.get("HttpThreadsCount", 50)),
            remote_address=self._remote_address,
        )

    def register(self) -> None:
        """Register everything with Orthanc. Only possible while it loads its plugins."""
        orthanc = self._orthanc
        for pattern in handed_on(self._reach):
            self._shared.serve(pattern, self._bridge, self._is_ours)
        self._shared.add(CHANGES, self._follow_orthanc)
        if self._settings.sign_in is not SignIn.NONE:
            self._shared.add(REQUESTS, self._filter)
        import_chained(self._settings.chained_scripts, self._shared)
        if self._settings.find_from_index:
            self._shared.answer_finds(self._finds)
        tell_guard(os.environ, self._settings, self._reach, scripts_serve=self._shared.scripts_serve)
        if hasattr(orthanc, "SetDescription"):
            orthanc.SetDescription("Treegarth: research and radiation-dose PACS")
        if hasattr(orthanc, "SetRootUri"):
            orthanc.SetRootUri("../treegarth/")  # for Explorer's page of plugins, which is below /app/
        if hasattr(orthanc, "ExtendOrthancExplorer"):
            script = EXPLORER_BUTTON if self._settings.sign_in is SignIn.NONE else EXPLORER_BUTTON + EXPLORER_SIGN_IN
            orthanc.ExtendOrthancExplorer(script)

    def _tell_of_stored(self, about: Mapping[str, Any]) -> None:
        """Have the audit trail say by whom an object was stored, as far as Orthanc knows."""
        self._trail.put(stored(about, datetime.now(UTC)))

    def _remote_address(self, path: str) -> str:
        """Of the request of this path that Orthanc hands to this thread; empty without a filter."""
        asked = self._filter.bound(path)
        return asked.address if asked is not None else ""

    def _is_judged_by_us(self, path: str) -> bool:
        """Whether what answers at an address below ours asks for permissions itself: a site's script does not."""
        return not self._shared.scripts_serve or self._is_ours(path)

    def _is_ours(self, path: str) -> bool:
        """Whether we answer there; anything else under /treegarth/ may be a route of a site's own script."""
        return path == self._bridge.probe_path or has_address(self._application, path)

    def _follow_orthanc(self, change: int, _level: int, _orthanc_id: str) -> None:
        if change == self._orthanc.ChangeType.ORTHANC_STARTED:
            self._start()
        elif change == self._orthanc.ChangeType.ORTHANC_STOPPED:
            self._stop()

    def _start(self) -> None:
        self._supervisor.start()
        self._monitor.start()
        if self._settings.sign_in is not SignIn.NONE:
            self._known.start()
        self._trail.start()
        self._sampler.start()
        threading.Thread(target=self._bridge.probe, name="probe", daemon=True).start()
        place = self._reach.url("/treegarth/") or "/treegarth/"
        logger.info("Version %s serves %s with sign-in by %s.", treegarth.__version__, place, self._settings.sign_in)

    def _stop(self) -> None:
        """End our parts; then Orthanc ends its own, for which it waits until its last sender has hung up."""
        begin = monotonic()
        last_resort = threading.Timer(ORTHANC_ENDS_WITHIN_S, _end_without_waiting)
        last_resort.daemon = True
        last_resort.start()
        self._trail.stop()  # while the database still answers
        self._monitor.stop()
        if self._settings.sign_in is not SignIn.NONE:
            self._known.stop()
        self._passwords.stop()
        self._sampler.stop()
        self._supervisor.stop()
        logger.info("Stopped within %.1f s.", monotonic() - begin)

    def request_reconcile(self) -> None:
        """Ask for a comparison of the index with Orthanc now; returns at once."""
        self._feed.put(Frame(kind=FrameKind.RECONCILE, about={}))

    def figures(self) -> HostStatus:
        """The present figures; never waits."""
        supervisor, monitor = self._supervisor, self._monitor
        durations = sorted(self._dispatcher.durations_s)
        indexer, answered = supervisor.indexer, monitor.last_answer
        figures = self._feed.indexer_figures
        return HostStatus(
            queue_length=self._feed.waiting,
            queue_bytes=self._feed.waiting_bytes,
            indexed=self._feed.indexed,
            pending=self._feed.pending,
            dropped_headers=self._feed.dropped_headers,
            requests_given_up=self._bridge.given_up,
            refused_nested=self._dispatcher.refused_nested,
            callback_median_ms=_quantile_ms(durations, 0.5),
            callback_p99_ms=_quantile_ms(durations, 0.99),
            lag_median_s=figures.get("lag_median_s"),
            lag_p99_s=figures.get("lag_p99_s"),
            indexer_alive=bool(indexer and indexer.alive),
            indexer_restarts=max(0, indexer.restarts) if indexer else 0,
            workers=tuple(
                WorkerStatus(pid=child.pid or 0, alive=child.alive, restarts=max(0, child.restarts))
                for child in supervisor.workers
            ),
            started_at=self._started_at,
            versions=self._versions(),
            database_state=self._database_state(),
            database_last_answer_at=(
                datetime.fromtimestamp(datetime.now(UTC).timestamp() - (monotonic() - answered), UTC)
                if answered is not None
                else None
            ),
            self_check=(*self._self_checks, *self._memory_of_requests()),
            disks=self._sampler.latest.disks,
            memory_bytes=self._sampler.latest.memory_bytes or {},
            trail=self._trail.figures(),
        )

    def _memory_of_requests(self) -> tuple[SelfCheck, ...]:
        """Where every request is judged."""
        if self._settings.sign_in is SignIn.NONE:
            return ()
        return (memory_of_requests(self._filter.count, forgets=self._bridge.forgets_requests),)

    def _measure(self) -> Measured:
        indexer, workers = self._supervisor.indexer, self._supervisor.workers
        parts: dict[MemoryPart, list[int]] = {
            "orthanc": [os.getpid()],
            "indexer": [indexer.pid] if indexer and indexer.pid else [],
            "workers": [one.pid for one in workers if one.pid],
        }
        postmaster = (
            postmaster_of(self._folders["database"] / "postmaster.pid") if "database" in self._folders else None
        )
        if postmaster is not None:
            parts["database"] = with_children(postmaster)
        disks = (disk_of(place, folder) for place, folder in self._folders.items())
        return Measured(
            disks=tuple(one for one in disks if one is not None),
            memory_bytes={part: memory_of(pids) for part, pids in parts.items() if pids},
        )

    def _sample(self) -> None:
        engine = self._monitor.engine()
        if engine is None:
            return
        try:
            self._keep_sample(engine, self.figures(), self._server_name, datetime.now(UTC))
        except DatabaseUnavailable as error:
            logger.debug("A sample was not kept: %s", error)

    def _database_state(self) -> str:
        if self._supervisor.state != "up":
            return self._supervisor.state
        return "up" if self._monitor.is_up else "down"

    def _versions(self) -> dict[str, str]:
        return {
            "treegarth": treegarth.__version__,
            "python": platform.python_version(),
        }


def _trail(settings: Settings, folder: Path, engine: Callable[[], Engine | None], server: str) -> Trail:
    """The writer of this server's audit trail; ports tell servers of one folder apart."""
    return Trail(
        engine,
        server,
        folder / f"audit-waiting-{server.rpartition(':')[2]}.jsonl",
        lambda: signing_key(settings, folder, os.environ, make=True),
        lambda: datetime.now(UTC),
        keep=timedelta(days=settings.audit_days) if settings.audit_days is not None else None,
    )


def _folders(
    settings: Settings, configuration: Mapping[str, Any], source: Path, is_embedded: bool
) -> dict[DiskPlace, Path]:
    """Where this server keeps what."""
    index = index_directory(configuration, source)
    storage = index_directory({**configuration, "IndexDirectory": None}, source)
    found: dict[DiskPlace, Path] = {"storage": storage, "index": index}
    if is_embedded:
        found["database"] = Cluster(folder=embedded_folder(settings, index)).data
    return found


def _end_without_waiting() -> None:
    """What a sender was told is stored is stored; what it is still sending it will send again."""
    logger.warning("Orthanc still serves a sender that does not hang up, and ends without waiting for it.")
    os._exit(0)


def _loopback(orthanc: Any, configuration: Mapping[str, Any]) -> OrthancAddress:
    """How this process and its children reach Orthanc: with a token that is as good as root, and dies with it."""
    secure = bool(configuration.get("SslEnabled", False))
    return OrthancAddress(
        url=f"{'https' if secure else 'http'}://127.0.0.1:{int(configuration.get('HttpPort', 8042))}",
        authorization=orthanc.GenerateRestApiAuthorizationToken(),
        verify=not secure,  # loopback, where no certificate's name matches
    )


def _quantile_ms(ordered: list[float], share: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else None
