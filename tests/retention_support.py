"""Objects of the index with every fact that retention looks at, made at random, and the state that each must have."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, insert, select

from treegarth.assembly import vocabulary
from treegarth.database.metadata import metadata
from treegarth.features.retention.model import ObjectState, Policy, Proof, ProofVoid
from treegarth.features.retention.store.ledger_sums import tell_studies
from treegarth.features.retention.tables import hold, prune_ledger, prune_rescue, retention_policy, study_use

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
POLICY_ID, VERSION = 1, 3
DESTINATIONS = ("LONGTERM", "OTHER", "REMOVED")

vocabulary()  # every feature's tables are known from here on


def table(name: str) -> Table:
    return metadata.tables[name]


def add_up_ledger(connection: Connection) -> None:
    """After a test wrote entries by itself: whose they are, and how much of each study is gone."""
    tell_studies(connection, connection.execute(select(prune_ledger.c.orthanc_study_id).distinct()).scalars())


def write_destinations(connection: Connection) -> None:
    for number, name in enumerate(DESTINATIONS, 1):
        connection.execute(
            insert(table("destination")).values(
                id=number, name=name, kind="folder", address={}, removed_at=NOW if name == "REMOVED" else None
            )
        )
    connection.execute(insert(retention_policy).values(id=POLICY_ID, name="p", version=VERSION))


class RandomArchive:
    """Writes studies of one series with a few objects; remembers what is to be read of them."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self._connection = connection
        self._chance = random.Random(seed)
        self.expected: dict[str, ObjectState] = {}

    def write(self, studies: int) -> None:
        for number in range(studies):
            self._study(number)

    def _one_in(self, count: int) -> bool:
        return self._chance.randrange(count) == 0

    def _moment(self) -> datetime:
        return NOW - timedelta(days=self._chance.randrange(1, 500), minutes=self._chance.randrange(3))

    def _add(self, name: str, **values: Any) -> None:
        self._connection.execute(insert(table(name)).values(**values))

    def _study(self, number: int) -> None:
        names = {"orthanc_study_id": f"study-{number:05}"}
        series = {"orthanc_series_id": f"series-{number:05}", **names}
        received = [self._moment() for _ in range(self._chance.randrange(1, 4))]
        study_date = None if self._one_in(5) else date(2026, 11, 20) - timedelta(days=self._chance.randrange(500))
        modality = self._chance.choice(["CT", "MR"])
        self._add("patient", orthanc_patient_id=f"patient-{number}")
        self._add(
            "study",
            orthanc_patient_id=f"patient-{number}",
            study_instance_uid=f"1.2.{number}",
            study_date=study_date,
            modalities=[modality],
            last_received_at=max(received),
            **names,
        )
        header = f"instance-{number:05}-{self._chance.randrange(4)}"  # which may not be there
        self._add("series", series_instance_uid="1", modality=modality, header_orthanc_instance_id=header, **series)
        shared: dict[str, Any] = {
            "study_date": study_date,
            "matches": modality == "CT",
            **self._study_facts(number, max(received), names, series),
        }
        objects = [f"instance-{number:05}-{position}" for position in range(len(received))]
        own = [self._object(one, at, names, series, shared) for one, at in zip(objects, received, strict=True)]
        self._note_kept(objects, header, own, shared)

    def _study_facts(
        self, number: int, used: datetime, names: dict[str, str], series: dict[str, str]
    ) -> dict[str, Any]:
        found: dict[str, Any] = {"is_arriving": self._one_in(6), "rules_wait": self._one_in(6), "holds": ()}
        if found["is_arriving"]:
            self._add("arrival", last_arrived_at=NOW, **{**series, "orthanc_series_id": ""})
        if found["rules_wait"]:
            self._add("rule_event", trigger="study stable", state=self._chance.choice(["waiting", "failed"]), **names)
        if self._one_in(3):
            force = self._chance.choice(["now", "now", "over", "released"])
            self._connection.execute(
                insert(hold).values(
                    study_instance_uid="1",
                    kind="legal",
                    reason="r",
                    set_at=NOW,
                    until=NOW - timedelta(days=1) if force == "over" else None,
                    released_at=NOW if force == "released" else None,
                    **names,
                )
            )
            found["holds"] = ("legal",) if force == "now" else ()
        if self._one_in(4):
            opened = self._moment()
            self._connection.execute(insert(study_use).values(last_used_at=opened, way="viewer", **names))
            used = max(used, opened)
        found["is_dose_unread"] = self._one_in(8)
        if found["is_dose_unread"]:
            self._add("dose_sampling", first_at=NOW, due_at=NOW, **series)
        if self._one_in(4):
            state = self._chance.choice(["waiting", "measured", "none", "failed"])
            uids = {"study_instance_uid": "1", "series_instance_uid": "1"}
            self._add("series_ssde", state=state, **uids, **series)
            found["is_dose_unread"] |= state == "waiting"
        return {**found, "last_used_at": used}

    def _object(
        self, one: str, received: datetime, names: dict[str, str], series: dict[str, str], shared: dict[str, Any]
    ) -> dict[str, Any]:
        again = self._moment() if self._one_in(4) else None
        self._add(
            "instance",
            orthanc_instance_id=one,
            orthanc_series_id=series["orthanc_series_id"],
            sop_instance_uid=f"1.{one}",
            size_bytes=10,
            received_at=received,
            content_since=again,
        )
        found: dict[str, Any] = {"received_at": received, "is_dose": False}
        if self._one_in(3):
            state = self._chance.choice(["unread", "read", "refused", "failed"])
            source = self._chance.choice(["report", "capture", "header"])
            uids = {"sop_instance_uid": one, "study_instance_uid": "1"}
            self._add("dose_report", orthanc_instance_id=one, state=state, source=source, **uids, **series)
            found["is_dose"] = state == "read" and source != "header"
            found["is_dose_unread"] = shared["is_dose_unread"] or state in ("unread", "failed")
        found.update(self._deliveries(one, series, again or received))
        if self._one_in(6):
            version, until = self._chance.choice([VERSION, 1]), NOW + timedelta(days=self._chance.choice([-3, 3]))
            self._connection.execute(
                insert(prune_rescue).values(
                    orthanc_instance_id=one, policy_id=POLICY_ID, policy_version=version, rescued_at=NOW, until=until
                )
            )
            found["rescued_until"] = until if version == VERSION else None
        return found

    def _deliveries(self, one: str, series: dict[str, str], stored_at: datetime) -> dict[str, Any]:
        still_open, proofs = [], []
        for number, name in enumerate(DESTINATIONS, 1):
            if self._one_in(2):
                continue
            state = self._chance.choice(["waiting", "sent", "confirmed", "confirmed", "confirmed", "gone", "given up"])
            proof = (
                self._chance.choice(["commitment", "find", "stored", "status"])
                if state in ("sent", "confirmed")
                else None
            )
            is_final, at = self._one_in(2), self._moment()
            via = self._chance.choice([None, None, None, 2]) if state == "confirmed" else None
            begun, had_other, is_shared = at - timedelta(minutes=1), self._one_in(6), self._one_in(6)
            names: dict[str, Any] = {
                "destination_id": number,
                "study_instance_uid": "1",
                "series_instance_uid": "1",
                "sop_instance_uid": one,
                "size_bytes": 1,
                **series,
            }
            if is_shared:
                twin = {"orthanc_instance_id": f"twin of {one}", "state": "gone", "attempts": 1}
                self._add("delivery_object", **names, **twin, proof_wanted="best")
            self._add(
                "delivery_object",
                orthanc_instance_id=one,
                state=state,
                proof=proof,
                proof_wanted="best",
                next_attempt_at=datetime(9999, 1, 1, tzinfo=UTC) if is_final else NOW,
                confirmed_at=at if state == "confirmed" else None,
                via=via,
                had_other_content=had_other,
                **({"begun_at": begun} if self._one_in(2) else {"sent_at": begun}),
                **names,
            )
            if name == "REMOVED":
                continue
            if state in ("waiting", "given up") or (state == "sent" and not is_final):
                still_open.append(name)
            if state == "confirmed" and proof != "status" and via in (None, number):
                void = ProofVoid.STORED_SINCE if begun < stored_at else None
                void = void or (ProofVoid.OTHER_CONTENT if had_other and proof != "stored" else None)
                void = void or (ProofVoid.SHARED_UID if is_shared and proof != "stored" else None)
                proofs.append(Proof(destination=name, kind=str(proof), at=at, void=void))
        return {"open_deliveries": tuple(still_open), "proofs": tuple(proofs)}

    def _note_kept(self, objects: list[str], header: str, own: list[dict[str, Any]], shared: dict[str, Any]) -> None:
        """With `keep: dose and one image per series`."""
        images = [one for one, found in zip(objects, own, strict=True) if not found["is_dose"]]
        representative = header if header in images else min(images, default=None)
        for one, found in zip(objects, own, strict=True):
            is_kept = found.pop("is_dose") or one == representative
            values = {"is_kept": is_kept, "size_bytes": 10, **shared, **found}
            self.expected[one] = ObjectState(orthanc_instance_id=one, **values)


def policy(**given: Any) -> Policy:
    return Policy(name="p", why="w", **given)
