"""Policies as text: read, written, refused with every problem at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time, timedelta

import pytest

from treegarth.conditions.model import Field, Kind, Level
from treegarth.features.retention.model import Age, Hours, ProofDemand, Since, Space
from treegarth.features.retention.policy_text import PolicyRefused, parse_policy, policy_document

FULL = {
    "name": "old CT images",
    "why": "the long-term archive keeps them",
    "if": {"all": ["Modality = CT", "StudyDescription not like '*trial*'"]},
    "keep": ["dose and one image per series", {"instance": "Modality = SR"}],
    "after": "90 days since study date",
    "space": {"high": "800 GB", "low": "1.5 GB"},
    "minimum age": "14 days",
    "proof": [{"at": "LONGTERM", "within": "30 days"}, {"at": "S3", "within": "1 day"}],
    "grace": "2 days",
    "hours": "22:00-06:00",
    "rate": 120,
    "ask twice above": "5 %",
}


class SomeFields:
    def field(self, name: str) -> Field | None:
        level = {"Modality": Level.SERIES, "StudyDescription": Level.STUDY}.get(name)
        return None if level is None else Field(name=name, level=level, kind=Kind.TEXT)

    def nearest(self, name: str) -> Sequence[str]:
        return ["Modality"]


def test_every_key_is_read() -> None:
    policy = parse_policy(FULL, SomeFields())
    assert policy.age == Age(since=Since.STUDY_DATE, least=timedelta(days=90))
    assert policy.space == Space(high_bytes=800 * 10**9, low_bytes=1_500_000_000)
    assert policy.proofs == (
        ProofDemand(destination="LONGTERM", fresh=timedelta(days=30)),
        ProofDemand(destination="S3", fresh=timedelta(days=1)),
    )
    assert policy.hours == Hours(begin=time(22), end=time(6))
    assert (policy.per_minute, policy.asks_twice_above, policy.minimum_age) == (120, 0.05, timedelta(days=14))
    assert policy.keep.dose_and_representatives
    assert policy.keep.level == "instance"


def test_what_is_written_reads_as_the_same() -> None:
    for document in (FULL, {"name": "n", "why": "w", "keep": "nothing", "proof": "none"}):
        policy = parse_policy(document, SomeFields())
        assert parse_policy(policy_document(policy), SomeFields()) == policy


def test_every_problem_is_told_at_once_with_what_would_be_right() -> None:
    wrong = {
        "name": "",
        "iff": 1,
        "if": "Modalty = CT",
        "keep": "dose",
        "after": "90 days",
        "space": {"high": "1 GB", "low": "2 GB"},
        "hours": "25:00-06:00",
        "rate": 0,
        "ask twice above": "half",
    }
    with pytest.raises(PolicyRefused) as refused:
        parse_policy(wrong, SomeFields(), "policies[0]")
    places = {problem.place.removeprefix("policies[0].") for problem in refused.value.problems}
    assert places == {*wrong, "why", "proof"}
    assert all(problem.right for problem in refused.value.problems)


@pytest.mark.parametrize("size", ["1" + "0" * 400 + " GB", "9" * 5000 + " MB", "9223373 TB"])
def test_a_size_beyond_every_archive_is_refused_as_a_size(size: str) -> None:
    policy = {"name": "n", "why": "w", "keep": "nothing", "proof": "none", "space": {"high": size, "low": "1 GB"}}
    with pytest.raises(PolicyRefused, match="a size such as 800 GB"):
        parse_policy(policy, SomeFields())


def test_that_the_only_copy_may_go_must_be_said() -> None:
    with pytest.raises(PolicyRefused, match="the only copy may go"):
        parse_policy({"name": "n", "why": "w", "keep": "nothing"}, SomeFields())
