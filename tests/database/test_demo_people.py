"""Who can sign in at a demonstration: each by the password that it says, with the role that the name is of."""

from __future__ import annotations

from sqlalchemy import Engine

from tests.unit.web.web_support import NOW
from treegarth.access.passwords import Argon2id
from treegarth.access.secrets import digest_of
from treegarth.access.store import find_user, password_of, read_snapshot
from treegarth.commands.demo import how_to_sign_in
from treegarth.database.engine import connect
from treegarth.demo.people import ROLES, make_people, token_for_checks


def test_each_has_their_role_and_a_password_that_is_said_and_new_each_time(engine: Engine) -> None:
    first, people = make_people(engine, NOW), make_people(engine, NOW)
    assert [one.name for one in people] == list(ROLES)
    assert not {one.password for one in first} & {one.password for one in people}
    with connect(engine) as connection:
        for old, one in zip(first, people, strict=True):
            user, kept = find_user(connection, one.name), password_of(connection, one.name)
            assert user is not None
            assert kept is not None
            assert (tuple(user.roles), user.must_change_password) == ((one.name,), False)
            assert Argon2id().fits(one.password, kept.password_hash)
            assert not Argon2id().fits(old.password, kept.password_hash)
    said = "\n".join(how_to_sign_in(people))
    assert all(one.name in said and one.password in said for one in people)


def test_the_demonstration_looks_by_a_token_that_ends_with_it(engine: Engine) -> None:
    make_people(engine, NOW)
    with token_for_checks(engine, NOW) as secret, connect(engine) as connection:
        assert digest_of(secret) in read_snapshot(connection, NOW).tokens
    with connect(engine) as connection:
        assert read_snapshot(connection, NOW).tokens == {}


def test_without_people_nothing_is_said_of_them() -> None:
    assert how_to_sign_in([]) == []
