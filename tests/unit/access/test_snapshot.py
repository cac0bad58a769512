"""Whom a secret means, as far as memory goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from treegarth.access.actors import EVERY_PERMISSION, OF_EVERYBODY, Permission
from treegarth.access.known import Known
from treegarth.access.secrets import digest_of, new_token
from treegarth.access.snapshot import KnownSession, KnownToken, KnownUser, Snapshot

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
IDLE = timedelta(hours=1)
KIM = KnownUser(
    id=1, name="Kim", permissions=frozenset({Permission.SEE_DOSE, Permission.UPLOAD}), is_administrator=False
)
ADMIN = KnownUser(id=2, name="admin", permissions=frozenset({Permission.ADMINISTER}), is_administrator=True)
SESSION = KnownSession(id=7, user_id=1, last_used_at=NOW, ends_at=NOW + timedelta(hours=12))
TOKEN = KnownToken(
    id=8,
    user_id=1,
    permissions=frozenset({Permission.UPLOAD, Permission.ADMINISTER}),
    ends_at=NOW + timedelta(days=1),
)
SNAPSHOT = Snapshot(
    version=3,
    users={1: KIM, 2: ADMIN},
    names={"kim": KIM, "admin": ADMIN},
    sessions={digest_of("s"): SESSION},
    tokens={digest_of("t"): TOKEN},
)


def test_a_session_ends_after_idling_and_in_any_case_at_its_end() -> None:
    assert SNAPSHOT.by_session("s", NOW, IDLE, {}) is not None
    late = NOW + timedelta(minutes=60)
    assert SNAPSHOT.by_session("s", late, IDLE, {}) is None
    assert SNAPSHOT.by_session("s", late, IDLE, {7: NOW + timedelta(minutes=1)}) is not None
    assert SNAPSHOT.by_session("s", SESSION.ends_at, IDLE, {7: SESSION.ends_at}) is None
    assert SNAPSHOT.by_session("x", NOW, IDLE, {}) is None


def test_a_token_permits_what_both_it_and_its_user_have() -> None:
    actor = SNAPSHOT.by_token("t", NOW)
    assert actor is not None
    assert actor.permissions == {Permission.UPLOAD, *OF_EVERYBODY}
    assert (actor.name, actor.token_id, actor.session_id) == ("Kim", 8, None)
    assert SNAPSHOT.by_token("t", TOKEN.ends_at) is None
    assert SNAPSHOT.by_token("s", NOW) is None
    assert SNAPSHOT.by_session("t", NOW, IDLE, {}) is None


def test_who_is_switched_off_is_nobody() -> None:
    without = replace(SNAPSHOT, users={2: ADMIN})
    assert without.by_session("s", NOW, IDLE, {}) is None
    assert without.by_token("t", NOW) is None


def test_a_user_of_orthanc_may_all_until_somebody_administers_and_then_what_roles_permit() -> None:
    alone = Snapshot(version=1, users={1: KIM}, names={"kim": KIM})
    assert alone.by_orthanc_name("Lee").permissions == EVERY_PERMISSION
    assert alone.by_orthanc_name("KIM").permissions == KIM.permissions | OF_EVERYBODY
    assert SNAPSHOT.by_orthanc_name("Lee").permissions == OF_EVERYBODY
    assert SNAPSHOT.by_orthanc_name("Admin").may(Permission.ADMINISTER)
    assert Snapshot().by_orthanc_name("Lee").permissions == OF_EVERYBODY  # before the database told anything


def test_what_was_known_goes_on_for_a_while_without_the_database_and_then_nobody_is_known() -> None:
    for goes_on, is_known in ((timedelta(minutes=5), True), (timedelta(0), False)):
        known = Known(lambda: None, lambda: NOW, goes_on=goes_on)
        assert known.by_token("t") is None
        known.learn(SNAPSHOT)
        known.refresh()  # there is no database
        assert (known.by_token("t") is not None) is is_known
        assert (known.by_session("s") is not None) is is_known
        assert known.by_orthanc_name("admin").may(Permission.ADMINISTER) is is_known


def test_what_is_kept_of_a_secret_does_not_show_it() -> None:
    secret = new_token()
    assert secret.startswith("tg_")
    assert len(secret) > 40
    assert new_token() != secret
    assert secret.encode() not in digest_of(secret)
    assert len(digest_of("\ud800")) == 32
