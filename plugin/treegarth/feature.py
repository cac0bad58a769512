"""What a feature plugs into the house: one declaration in its front door, over which bootstrap, assembly and the worker
loop.

Each part is a function that is called when it is needed, and imports what it stands on then: an indexer loads no pages,
a worker no templates. What no loop could collect, a single query that one feature lends another, is in `Lent`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:  # of floors that not every process loads
    from zoneinfo import ZoneInfo

    from procrastinate import Blueprint
    from sqlalchemy import Connection

    from treegarth.conditions.action import Action
    from treegarth.conditions.vocabulary import Term, Vocabulary
    from treegarth.documents.language import Documents
    from treegarth.errors import Problem
    from treegarth.index.follower import IndexFollower
    from treegarth.index.study_search import StudySearch
    from treegarth.outgoing.gate import Gate
    from treegarth.settings import Settings
    from treegarth.tasks.app import TaskContext, TaskHints
    from treegarth.web.listing import Listing
    from treegarth.web.metrics import Measure
    from treegarth.web.parts import HealthCheck, PageSection, StudyAddress, StudyNotes, StudySection
    from treegarth.web.routes import Route
    from treegarth.web.row_actions import RowAction, RowActions
    from treegarth.work.kinds import Carry, WorkKind, WorkKinds

FollowStable: TypeAlias = "Callable[[Connection, Sequence[Any], datetime], object]"
ReadAgain: TypeAlias = "Callable[[Connection, Sequence[str]], int]"
FollowDoseRead: TypeAlias = "Callable[[Connection, str, datetime], object]"


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A feature, by what it adds. A part that it does not have is empty."""

    name: str
    terms: Callable[[], Sequence[Term]] = tuple
    """What conditions can speak of in its tables."""
    actions: Callable[[House], Sequence[Action[Any]]] = lambda house: ()
    """What rules can do by it."""
    parts: Callable[[House], Sequence[object]] = lambda house: ()
    """What its handlers work with: each gets one by `call.part(its class)`."""
    routes: Callable[[], Sequence[Route]] = tuple
    """Its endpoints and pages, beside those of its lists and documents."""
    listings: Callable[[], Sequence[Listing[Any, Any]]] = tuple
    """Its lists."""
    documents: Callable[[], Sequence[Documents[Any]]] = tuple
    """Its kinds of documents."""
    row_actions: Callable[[], Sequence[RowAction]] = tuple
    """What it offers for many rows of lists, its own and others'."""
    tasks: Callable[[House, Work], Sequence[Blueprint]] = lambda house, work: ()
    """Its background work."""
    works: Callable[[], Sequence[WorkKind]] = tuple
    """Its kinds of long work."""
    carries: Callable[[House, Work], Mapping[str, Carry]] = lambda house, work: {}
    """What carries each of them on, by the kind's name."""
    checks: Callable[[], Sequence[HealthCheck]] = tuple
    """Its findings about health."""
    study_sections: Callable[[House], Sequence[StudySection]] = lambda house: ()
    """What it lends to a study's page."""
    panel_sections: Callable[[], Sequence[StudySection]] = tuple
    """What it lends to the panel of a study in lists."""
    study_notes: Callable[[], Sequence[StudyNotes]] = tuple
    """What it says of each study in others' lists, in a cell."""
    system_sections: Callable[[], Sequence[PageSection]] = tuple
    """What it lends to the page about the system."""
    kept_studies: Callable[[], Sequence[StudyAddress]] = tuple
    """Where its pages show something of a study that has left the archive."""
    measures: Callable[[], Sequence[Measure]] = tuple
    """What it measures for a monitoring system."""
    follower: Callable[[TaskHints], IndexFollower] | None = None
    """What it does in the transaction of the index; the hints are for what is to be done after it."""
    read_again: Callable[[], ReadAgain] | None = None
    """Notes that what it reads of the objects of these series by itself is to be read again; how many there are."""
    follow_stable: Callable[[], FollowStable] | None = None
    """Is told in their transaction of studies and series that have come to rest."""
    task_after_rest: Callable[[], str] | None = None
    """The task that takes up what `follow_stable` noted."""
    follow_dose_read: Callable[[], FollowDoseRead] | None = None
    """Is told in its transaction of a study whose last dose source was read."""


@dataclass(frozen=True, kw_only=True)
class Lent:
    """What single features lend to others."""

    dose_objects: Callable[[Connection, str], tuple[frozenset[str], frozenset[str]]]
    destination_names: Callable[[Connection], Sequence[str]]
    missing_destination: Callable[[Connection, str, str], Problem | None]
    count_stale: Callable[[Connection], int]
    count_dose_waiting: Callable[[Connection], int]
    announce_deliveries: Callable[[TaskHints], None]
    copies: Callable[[Work], Any]
    search: Callable[[], StudySearch]
    tell: Callable[..., object]
    """Writes down that e-mail addresses, webhooks and the dashboard are to be told of a study."""
    settle: Callable[[Connection, str, str | None, datetime], object]
    """What the dashboard was told about something needs nobody any more."""


@dataclass(frozen=True, kw_only=True)
class House:
    """All features together, at a site with these settings."""

    settings: Settings
    features: Sequence[Feature]
    vocabulary: Callable[[], Vocabulary]
    lent: Lent

    def routes(self) -> list[Route]:
        """Every endpoint of every feature: the one route table."""
        from treegarth.documents.pages import document_pages
        from treegarth.documents.routes import document_routes
        from treegarth.work.lists import routes_of

        acts = self.row_actions()
        lists = [route for one in self.listings() for route in (*one.routes(), *routes_of(one, acts.of(one.name)))]
        documents = [route for one in self.documents() for route in (*document_routes(one), *document_pages(one))]
        return [*lists, *documents, *(one for feature in self.features for one in feature.routes())]

    def listings(self) -> list[Listing[Any, Any]]:
        return [one for feature in self.features for one in feature.listings()]

    def listing(self, name: str) -> Listing[Any, Any]:
        """The list of this name. Raises StopIteration."""
        return next(one for one in self.listings() if one.name == name)

    def documents(self) -> list[Documents[Any]]:
        return [one for feature in self.features for one in feature.documents()]

    def row_actions(self) -> RowActions:
        from treegarth.web.row_actions import RowActions

        return RowActions(every=[one for feature in self.features for one in feature.row_actions()])

    def works(self) -> WorkKinds:
        from treegarth.work.kinds import WorkKinds

        return WorkKinds(every=[one for feature in self.features for one in feature.works()])

    def carried(self, work: Work) -> list[tuple[WorkKind, Carry]]:
        """Every kind of long work with what carries it on in a worker."""
        carries = {name: one for feature in self.features for name, one in feature.carries(self, work).items()}
        return [(kind, carries[kind.name]) for kind in self.works().every if kind.name in carries]

    def parts(self) -> list[object]:
        """What handlers work with."""
        return [
            self,
            self.row_actions(),
            self.works(),
            *(one for feature in self.features for one in feature.parts(self)),
        ]

    def actions(self) -> list[Action[Any]]:
        return [one for feature in self.features for one in feature.actions(self)]

    def checks(self) -> list[HealthCheck]:
        return [one for feature in self.features for one in feature.checks()]

    def study_sections(self) -> list[StudySection]:
        return [one for feature in self.features for one in feature.study_sections(self)]

    def panel_sections(self) -> list[StudySection]:
        return [one for feature in self.features for one in feature.panel_sections()]

    def study_notes(self) -> list[StudyNotes]:
        return [one for feature in self.features for one in feature.study_notes()]

    def system_sections(self) -> list[PageSection]:
        return [one for feature in self.features for one in feature.system_sections()]

    def kept_studies(self) -> list[StudyAddress]:
        return [one for feature in self.features for one in feature.kept_studies()]

    def measures(self) -> list[Measure]:
        return [one for feature in self.features for one in feature.measures()]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What background work is done with. `sending` has connections of its own for work that waits for others."""

    context: TaskContext
    sending: TaskContext
    hints: TaskHints
    zone: ZoneInfo
    gate: Gate
