"""One examination comes out of a study's reports, whatever their order and repetition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from treegarth.features.dose.rules import ReportFacts, Rule, resolve_exam


def facts(name, *events, kind="ct"):
    return ReportFacts(orthanc_instance_id=name, sop_instance_uid=name, kind=kind, events=frozenset(events))


def test_one_report_counts():
    decision = resolve_exam([facts("a", "1")])
    assert (decision.counted, decision.rules) == (("a",), (Rule.SINGLE,))


def test_of_cumulative_reports_the_last_counts():
    decision = resolve_exam([facts("a", "1"), facts("b", "1", "2"), facts("c", "1", "2", "3")])
    assert (decision.counted, decision.rules) == (("c",), (Rule.CUMULATIVE,))


def test_continued_reports_add_up():
    decision = resolve_exam([facts("a", "1"), facts("b", "2")])
    assert (decision.counted, decision.rules) == (("a", "b"), (Rule.CONTINUED,))


def test_a_report_that_was_sent_again_counts_once():
    decision = resolve_exam([facts("a", "1"), facts("b", "1")])
    assert (decision.counted, decision.rules) == (("b",), (Rule.REPEATED,))


def test_overlapping_reports_have_no_known_total():
    decision = resolve_exam([facts("a", "1", "2"), facts("b", "2", "3")])
    assert decision.rules == (Rule.OVERLAPPING,)
    assert not decision.totals_are_known


def test_kinds_are_resolved_apart():
    assert resolve_exam([facts("a", "1"), facts("b", "1", "2", kind="projection")]).counted == ("a", "b")


def test_reports_of_totals_only_all_count():
    assert resolve_exam([facts("a"), facts("b", "1")]).counted == ("a", "b")


reports = st.lists(
    st.builds(
        lambda name, events: facts(name, *events),
        st.text("abcdef", min_size=1, max_size=2),
        st.frozensets(st.sampled_from("12345"), max_size=4),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda report: report.orthanc_instance_id,
)


@given(reports, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(given_reports, chance):
    shuffled = [*given_reports, *chance.choices(given_reports, k=3)]
    chance.shuffle(shuffled)
    assert resolve_exam(shuffled) == resolve_exam(given_reports)
    counted = {
        event for r in given_reports if r.orthanc_instance_id in resolve_exam(shuffled).counted for event in r.events
    }
    assert counted == {event for report in given_reports for event in report.events}
