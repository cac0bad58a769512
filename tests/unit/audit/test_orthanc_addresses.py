"""What requests to Orthanc's own addresses are called."""

from __future__ import annotations

import pytest

from tests.audit_events import NOON
from treegarth.access.actors import Actor, Permission
from treegarth.access.gate import Gate
from treegarth.audit.model import Event, EventOutcome, What
from treegarth.audit.orthanc_addresses import event_of

ID = "-".join(["0123abcd"] * 5)
GATE = Gate("/dicom-web", "/wado", ("/treegarth",))
EVERYTHING = frozenset(Permission)


def asked(path: str, method: str = "GET", may: frozenset[Permission] = EVERYTHING, **arguments: str) -> Event | None:
    needs = GATE.needs(method, path, arguments)  # type: ignore[arg-type]
    return event_of(
        actor=Actor(name="anna", permissions=may, user_id=3, roles=("nurse",)),
        address="10.0.0.9",
        method=method,
        path=path,
        arguments=arguments,
        needs=needs,
        is_allowed=needs in may,
        at=NOON,
    )


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("GET", "/studies", What.SEARCH),
        ("GET", f"/studies/{ID}", What.VIEW),
        ("GET", f"/instances/{ID}/simplified-tags", What.VIEW),
        ("GET", f"/instances/{ID}/preview", What.IMAGES),
        ("GET", f"/instances/{ID}/frames/0/image-uint8", What.IMAGES),
        ("GET", f"/instances/{ID}/file", What.DOWNLOAD),
        ("GET", f"/studies/{ID}/archive", What.DOWNLOAD),
        ("DELETE", f"/studies/{ID}", What.DELETE),
        ("PUT", f"/studies/{ID}/labels/x", What.CHANGE),
        ("POST", "/tools/find", What.ADMINISTER),
        ("GET", "/dicom-web/studies", What.SEARCH),
        ("GET", "/dicom-web/studies/1.2.3/series", What.SEARCH),
        ("GET", "/dicom-web/studies/1.2.3/metadata", What.VIEW),
        ("GET", "/dicom-web/studies/1.2.3/series/1.4/instances/1.5/frames/1", What.IMAGES),
        ("GET", "/dicom-web/studies/1.2.3", What.DOWNLOAD),
        ("GET", "/dicom-web/servers", What.ADMINISTER),
    ],
)
def test_each_is_called_what_it_is(method: str, path: str, what: What) -> None:
    event = asked(path, method)

    assert event is not None
    assert (event.what, event.outcome, event.place) == (what, EventOutcome.PASSED, method)
    assert event.may_join is (method == "GET")


def test_studies_and_resources_are_known_by_the_address() -> None:
    found = asked("/dicom-web/studies/1.2.3/series/1.4")
    given = asked("/dicom-web/studies", StudyInstanceUID="1.2.9", PatientID="P1")
    wado = asked("/wado", requestType="WADO", studyUID="1.2.8", seriesUID="1.4", objectUID="1.5")
    own = asked(f"/series/{ID}")

    assert found is not None
    assert given is not None
    assert wado is not None
    assert own is not None
    assert found.studies == ("1.2.3",)
    assert (given.studies, given.patients, given.query) == (("1.2.9",), ("P1",), "StudyInstanceUID=1.2.9&PatientID=P1")
    assert (wado.studies, wado.what) == (("1.2.8",), What.IMAGES)
    assert own.resources == (f"series/{ID}",)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/system"), ("GET", "/app/explorer.html"), ("POST", "/instances")]
)
def test_what_shows_nothing_and_what_is_told_when_it_is_stored_leave_no_event(method: str, path: str) -> None:
    assert asked(path, method) is None


def test_what_is_refused_is_told_whatever_it_is() -> None:
    for method, path in (("GET", "/studies"), ("GET", "/system"), ("POST", "/instances"), ("POST", "/tools/shutdown")):
        event = asked(path, method, frozenset())
        assert event is not None
        assert (event.outcome, event.status, event.may_join) == (EventOutcome.REFUSED, 403, True)
