"""The wide export: texts and votes of every comparison, in agreement with the judgements and the report."""

from collections import Counter

import pytest

from annotation.services import reports
from annotation.services.exports.comparisons import VOTES
from annotation.states import Outcome
from annotation.votes import Votes
from tests import build
from tests.console.judging import make_judged_study
from tests.exports.hostile import LONG, NASTY, SAID, make_hostile_study
from tests.exports.reading import csv_rows

pytestmark = pytest.mark.django_db


def test_a_row_has_the_votes_of_people_who_count_and_says_who_does_not():
    rows = csv_rows(make_hostile_study(), "comparisons.csv")
    assert len(rows) == len(SAID)
    assert {row["judged"] for row in rows} == {"3"}
    assert [row["left_out"] for row in rows] == ["2", "1", "1", "1", "1", "1"]
    votes = [[row[f"naturalness_{part}"] for part in VOTES] for row in rows]
    assert votes[1] == ["1", "0", "2", "0", "B"]
    assert votes[2] == ["2", "1", "0", "0", "A"]
    assert votes[3] == ["1", "1", "1", "0", ""]
    assert votes[4] == ["0", "1", "0", "2", "tie"]
    assert [bool(row["excluded_reason"]) for row in rows] == [False] * 5 + [True]


def test_texts_of_any_length_and_kind_come_back_as_they_were():
    first, second, third, *_ = csv_rows(make_hostile_study(), "comparisons.csv")
    assert first["social_context"] == LONG
    assert second["response_a"] == LONG
    assert second["length_a"] == "20000"
    assert third["response_a"] == f"'{NASTY} plain 2"
    assert third["dialogue"].startswith("Ana: =HYPERLINK")
    assert third["skill_b"] == "'=Empathy"
    assert third["note_b"] == "demo augmenter, not Thanos"


def test_majorities_are_those_of_the_report():
    study = make_judged_study()
    rows = csv_rows(study, "comparisons.csv")
    for criterion in reports.make_report(study)["criteria"]:
        found = Counter(row[f"{criterion['criterion']}_majority"] for row in rows)
        of = criterion["matchups"][0]["majority"]
        assert (found["A"], found["tie"], found["B"], found[""]) == (
            of["a_wins"],
            of["ties"],
            of["b_wins"],
            of["no_majority"],
        )


def test_a_comparison_without_answers_or_responses_has_its_row():
    study = build.make_running_study(dialogues=2)
    study.comparisons.filter(pk=study.comparisons.first().pk).update(baseline_response=None)
    rows = csv_rows(study, "comparisons.csv")
    assert [row["judged"] for row in rows] == ["0", "0"]
    assert (rows[0]["response_a"], rows[0]["length_a"], rows[0]["naturalness_majority"]) == ("", "", "")


def test_many_comparisons_cost_few_statements(django_assert_max_num_queries):
    study = make_judged_study(dialogues=40, k=1)
    with django_assert_max_num_queries(12):
        assert len(csv_rows(study, "comparisons.csv")) == 40


@pytest.mark.parametrize(
    ("votes", "said"),
    [(Votes(), ""), (Votes(1, 0, 1), ""), (Votes(2, 0, 1), "A"), (Votes(1, 1, 0, 1), "tie"), (Votes(2, 1, 1), "")],
)
def test_only_more_than_half_is_a_majority(votes, said):
    assert votes.majority == said


def test_votes_are_added_to_their_own_outcome():
    assert Votes().plus(Outcome.TREATMENT, 2).plus(Outcome.BOTH_BAD, 1) == Votes(0, 0, 2, 1)
