"""The ledger by study: whose it was, kept when its objects leave whoever deleted them, with sums that are right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, insert, select, text

from tests.index_support import NOON, write_study
from tests.places import HERE
from tests.retention_support import table
from tests.unit.web.web_support import make_services
from treegarth.bootstrap import make_application
from treegarth.features.archive.store import removal
from treegarth.features.retention.follower import LedgerFollower
from treegarth.features.retention.model import HoldKind
from treegarth.features.retention.store import deletion, ledger_sums
from treegarth.features.retention.store.holds import set_holds
from treegarth.features.retention.tables import prune_ledger, retention_policy
from treegarth.index.instances import Level
from treegarth.index.names import name_study
from treegarth.index.studies import StudyKey
from treegarth.index.tables import departed_study

WEB = Path(__file__).resolve().parents[2] / "web"
KEY = "study-00001"
UID = "1.2.840.99999.1.1"
SUMS = text("""
SELECT orthanc_study_id, count(*) FILTER (WHERE state = 'deleted' AND returned_at IS NULL) AS gone,
    coalesce(sum(size_bytes) FILTER (WHERE state = 'deleted' AND returned_at IS NULL), 0) AS bytes,
    count(*) FILTER (WHERE returned_at IS NOT NULL) AS returned
FROM prune_ledger GROUP BY 1 ORDER BY 1
""")


@dataclass(frozen=True)
class Arrived:
    """What the ledger asks of an instance that was indexed."""

    orthanc_instance_id: str
    orthanc_series_id: str = "series-00001"
    orthanc_study_id: str = KEY
    is_stored_again: bool = False
    is_known: bool = False


def write_named(connection: Connection, number: int = 1, **given: Any) -> None:
    named = {
        "patient_name": "Kim^Minsu=金^民秀=김^민수",
        "patient_id": f"P{number}",
        "patient_birth_date": date(1960, 1, 2),
        "study_date": date(2026, 11, 20),
        "study_description": "흉부 CT",
        "accession_number": f"A{number}",
    }
    write_study(connection, number, **{**named, **given})


def delete(connection: Connection, level: Level, *identifiers: str, at: datetime = NOON) -> None:
    """As somebody does in Orthanc Explorer."""
    removed = removal.remove(connection, level, identifiers)
    LedgerFollower().left(connection, removed, at)
    removal.remove_empty(connection, removed)


def row_of(connection: Connection, key: str = KEY) -> Any:
    return connection.execute(select(departed_study).where(departed_study.c.orthanc_study_id == key)).one()


def adds_up(connection: Connection) -> bool:
    """Whether every study's row says what its entries say."""
    kept = departed_study.c
    columns = (kept.orthanc_study_id, kept.instance_count, kept.size_bytes, kept.returned_instance_count)
    rows = connection.execute(select(*columns).order_by(kept.orthanc_study_id)).all()
    return [tuple(one) for one in rows] == [tuple(one) for one in connection.execute(SUMS).all()]


def test_whose_study_it_was_is_kept_when_somebody_deletes_it_in_orthanc(engine: Engine) -> None:
    with engine.begin() as connection:
        write_named(connection)
        delete(connection, Level.STUDY, KEY)
        row, name = row_of(connection), name_study(connection, KEY)
        assert adds_up(connection)
    assert (row.patient_name, row.patient_id, row.patient_birth_date) == (
        "Kim^Minsu=金^民秀=김^민수",
        "P1",
        date(1960, 1, 2),
    )
    assert (row.study_date, row.study_description, row.accession_number) == (date(2026, 11, 20), "흉부 CT", "A1")
    assert (row.modalities, row.instance_count, row.size_bytes) == (["CT"], 2, 1000)
    assert (row.state, row.by_others, row.policy_ids, row.left_at) == ("deleted", True, [], NOON)
    assert name is not None
    assert (name.patient_name, name.found_in) == (row.patient_name, "ledger")


def test_a_study_that_is_deleted_bit_by_bit_is_one_row(engine: Engine) -> None:
    with engine.begin() as connection:
        write_named(connection)
        delete(connection, Level.INSTANCE, "instance-00001-1")
        assert row_of(connection).instance_count == 1
        delete(connection, Level.INSTANCE, "instance-00001-2", at=NOON + timedelta(hours=1))
        row = row_of(connection)
        assert adds_up(connection)
    assert (row.instance_count, row.patient_id, row.left_at) == (2, "P1", NOON + timedelta(hours=1))


def test_what_somebody_deleted_and_sends_again_is_here_again(engine: Engine) -> None:
    with engine.begin() as connection:
        write_named(connection)
        delete(connection, Level.STUDY, KEY)
        write_named(connection, patient_name="Kim^Minsoo")
        back = [Arrived(f"instance-00001-{position}") for position in (1, 2)]
        LedgerFollower().indexed(connection, back[:1], NOON + timedelta(days=1))
        assert (row_of(connection).state, row_of(connection).instance_count) == ("deleted", 1)
        LedgerFollower().indexed(connection, back, NOON + timedelta(days=1))
        row = row_of(connection)
        assert adds_up(connection)
        delete(connection, Level.STUDY, KEY)
        again = row_of(connection)
        assert adds_up(connection)
    assert (row.state, row.instance_count, row.returned_instance_count) == ("returned", 0, 2)
    assert (again.state, again.instance_count, again.returned_instance_count) == ("deleted", 2, 2)
    assert again.patient_name == "Kim^Minsoo"  # as it was last


def intend(connection: Connection, position: int) -> deletion.Intention:
    values = {
        "orthanc_instance_id": f"instance-00001-{position}",
        "orthanc_series_id": "series-00001",
        "orthanc_study_id": KEY,
        "study_instance_uid": UID,
        "series_instance_uid": "1.2.840.99999.2.1",
        "sop_instance_uid": f"1.2.840.99999.3.1.{position}",
    }
    state = {"state": "intended", "policy_id": 1, "policy_version": 1, "intended_at": NOON, "received_at": NOON}
    statement = insert(prune_ledger).values(**values, **state, size_bytes=500).returning(prune_ledger.c.id)
    number = connection.execute(statement).scalar_one()
    ledger_sums.tell_studies(connection, [KEY])
    return deletion.Intention(id=number, orthanc_instance_id=values["orthanc_instance_id"], orthanc_study_id=KEY)


def test_a_policys_deletion_counts_when_it_is_done_and_a_hold_keeps_the_rest(engine: Engine) -> None:
    with engine.begin() as connection:
        write_named(connection)
        connection.execute(insert(retention_policy).values(id=1, name="p", version=1))
        first = intend(connection, 1)
        intend(connection, 2)
        assert (row_of(connection).state, row_of(connection).instance_count) == ("intended", 0)
        deletion.record_deleted(connection, first, NOON + timedelta(hours=1))
        assert ledger_sums.untold(connection, NOON) == [KEY]  # whoever deleted it vanished before it was told
        ledger_sums.tell_studies(connection, [KEY])
        assert ledger_sums.untold(connection, NOON) == []
        study = StudyKey(orthanc_study_id=KEY, study_instance_uid=UID)
        held = {"reason": "a court", "until": None, "set_by": None, "now": NOON}
        set_holds(connection, [study], kind=HoldKind.LEGAL, **held)
        row = row_of(connection)
        assert adds_up(connection)
    assert (row.state, row.instance_count, row.policy_ids, row.by_others) == ("deleted", 1, [1], False)


@pytest.fixture
def client(engine: Engine) -> FlaskClient:
    services = make_services(WEB, settings=HERE, engine=lambda: engine)
    made: FlaskClient = make_application(services).test_client()
    return made


def test_the_list_is_filtered_by_patient_day_and_who_deleted(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(insert(retention_policy).values(id=1, name="p", version=1))
        for number in (1, 2, 3):
            write_named(connection, number, **({"patient_name": "Lee^Anna"} if number == 3 else {}))
        delete(connection, Level.STUDY, "study-00003", at=NOON + timedelta(days=3))
        first = intend(connection, 1)
        deletion.record_deleted(connection, first, NOON)
        delete(connection, Level.INSTANCE, "instance-00001-1", at=NOON)

    def found(**query: str) -> list[str]:
        answer = client.get("/treegarth/api/v1/retention/ledger", query_string=query)
        assert answer.status_code == 200, answer.text
        return [one["patient_id"] for one in answer.get_json()["items"]]

    day = (NOON + timedelta(days=3)).date().isoformat()
    assert found() == ["P3", "P1"]  # what left last first
    assert found(study="lee anna") == ["P3"]
    assert found(study="민수") == ["P1"]
    assert found(study="A1") == ["P1"]
    assert found(study="1.2.840.99999.3.1.1") == ["P1"]  # the object that left
    assert found(by="others") == ["P3"]
    assert found(by="policy") == found(policy_id="1") == ["P1"]
    assert found(left_from=day) == found(left_from=day, left_to=day) == ["P3"]
    assert found(left_to="2020-01-01") == found(study_date_to="2020-01-01") == found(study="nobody") == []
    csv = client.get("/treegarth/retention/ledger.csv?study=lee").text
    assert "Lee, Anna" in csv
    assert "김민수" not in csv


def test_bringing_back_is_offered_only_where_somebody_has_it(client: FlaskClient, engine: Engine) -> None:
    with engine.begin() as connection:
        for number in (1, 2):
            write_named(connection, number)
        connection.execute(insert(table("destination")).values(id=1, name="FAR", kind="folder", address={"path": "/x"}))
        has = {"destination_id": 1, "state": "confirmed", "proof_wanted": "find", "confirmed_at": NOON}
        series = {"orthanc_series_id": "series-00001", "series_instance_uid": "1.2.840.99999.2.1"}
        study = {"orthanc_study_id": KEY, "study_instance_uid": UID, **series}
        one = {"orthanc_instance_id": "instance-00001-1", "sop_instance_uid": "1.2.840.99999.3.1.1", "size_bytes": 500}
        connection.execute(insert(table("delivery_object")).values(**has, **study, **one))
        delete(connection, Level.STUDY, KEY, "study-00002")
    listed = client.get("/treegarth/retention/ledger").text
    assert "FAR" in listed
    assert "nobody" in listed
    pages = {}
    for number in (1, 2):
        key = {"study_instance_uid": f"1.2.840.99999.1.{number}", "orthanc_study_id": f"study-0000{number}"}
        pages[number] = client.get("/treegarth/retention/ledger/objects", query_string=key).text
        assert "김민수" in pages[number]
    assert "proved to have 1 of 2 objects" in pages[1]
    assert 'id="bring-back-study"' in pages[1]
    assert 'id="bring-back-study"' not in pages[2]
    assert "nothing can bring it back" in pages[2]
    api = "/treegarth/api/v1/retention/ledger/studies"
    assert client.get(f"{api}/study-00002").get_json()["holders"] == []
    assert client.post(f"{api}/study-00002/bring-back").status_code == 409
    asked = client.post(f"{api}/{KEY}/bring-back")
    assert (asked.status_code, asked.get_json()["total"]) == (202, 1)  # the one that somebody has
    with engine.begin() as connection:
        connection.execute(table("destination").update().values(removed_at=NOON))
    key = {"study_instance_uid": UID, "orthanc_study_id": KEY}
    assert 'id="bring-back-study"' not in client.get("/treegarth/retention/ledger/objects", query_string=key).text
