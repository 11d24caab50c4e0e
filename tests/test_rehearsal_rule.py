"""Simulated annotators: the rule that they prefer by, and what a study of it must give back."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.rehearsal.rule import (
    CHARACTERS,
    Expected,
    chances,
    expected_score,
    feature_of,
    guess,
    lean,
    length,
    variety,
)
from annotation.rehearsal.rule import warmth as warmth_of
from annotation.rehearsal.verdict import Check, Found, Scores, Verdict, check_slope, check_win_score, table

LONG = "I hear you, and I am sorry that this week has been so hard for you and for your friend."
SHORT = "Okay."


@pytest.mark.parametrize(
    ("question", "feature"),
    [
        ("Which reply sounds more natural here?", variety),
        ("Which reply is kinder and more responsible?", warmth_of),
        ("Which reply makes you want to keep talking?", length),
    ],
)
def test_each_question_has_its_feature(question, feature):
    assert feature_of(question) is feature


@given(st.text(), st.text(), st.sampled_from(CHARACTERS))
def test_chances_of_any_two_texts_are_chances(left, right, character):
    found = chances("Which is better?", left, right, character)
    assert min(found.left, found.same, found.right) >= 0
    assert found.left + found.same + found.right == pytest.approx(1)


@given(st.text(), st.text())
def test_expected_score_does_not_depend_on_who_is_called_treatment(one, other):
    there, back = expected_score("Which is better?", one, other), expected_score("Which is better?", other, one)
    assert there.mean + back.mean == pytest.approx(1)
    assert there.variance == pytest.approx(back.variance)


def test_longer_text_wins_and_equal_texts_are_even():
    assert expected_score("Which keeps you talking?", LONG, SHORT).mean > 0.95
    assert expected_score("Which keeps you talking?", LONG, LONG).mean == pytest.approx(0.5)


def test_many_drawn_answers_give_back_the_expected_score_from_either_side():
    rng, question, other = random.Random(7), "Which keeps you talking?", "I hear you, and I am sorry about the week."
    expected = expected_score(question, LONG, other)
    scores = []
    for n in range(20_000):
        character = CHARACTERS[n % 4]
        if (n // 4) % 2:
            scores.append((1 - lean(question, LONG, other, character, rng)) / 2)
        else:
            scores.append((1 + lean(question, other, LONG, character, rng)) / 2)
    mean = sum(scores) / len(scores)
    assert mean == pytest.approx(expected.mean, abs=0.01)
    assert sum((score - mean) ** 2 for score in scores) / len(scores) == pytest.approx(expected.variance, abs=0.01)


def test_win_score_to_expect_weighs_comparisons_by_their_judgements():
    check = check_win_score([Scores(Expected(1.0, 0.0), [1, 1, 1]), Scores(Expected(0.5, 0.25), [0])], 0.75)
    assert check.expected == pytest.approx(0.875)
    # The one judgement that may come out otherwise can be a quarter of one half away.
    assert check.allowed == pytest.approx(0.125)


def test_slope_is_1_where_answers_follow_the_rule_and_minus_1_where_sides_are_mixed_up():
    judged = [Scores(Expected(0.9, 0.09), [1.0] * 9 + [0.0]), Scores(Expected(0.1, 0.09), [0.0] * 9 + [1.0])]
    turned = [each._replace(scores=[1 - score for score in each.scores]) for each in judged]
    assert check_slope(judged).recovered == pytest.approx(1)
    assert check_slope(turned).recovered == pytest.approx(-1)
    assert check_slope(judged).holds
    assert not check_slope(turned).holds


def test_texts_without_a_favourite_have_no_slope():
    assert check_slope([Scores(Expected(0.5, 0.2), [1.0, 0.0])]) is None


def test_who_guesses_pulls_the_expected_score_to_one_half_and_the_expected_slope_to_0():
    """Of 20 judgements of a pair that the rule scores 0.9, five are guesses: (15 * 0.9 + 5 * 0.5) / 20."""
    rule, guesses = Expected(0.9, 0.09), guess([-1, 0, 1])
    judged = [Scores(rule, [1.0] * 14 + [0.0]), Scores(rule, [1.0, 1.0, 0.5, 0.0, 0.0], guesses)]
    assert check_win_score(judged, 0.8).expected == pytest.approx(0.8)
    assert check_slope(judged).expected == pytest.approx(0.75)
    assert check_slope(judged).holds


@pytest.mark.parametrize(
    ("values", "variance"), [([-1, 1], 1 / 4), ([-1, 0, 1], 1 / 6), ([-2, -1, 0, 1, 2], 1 / 5), ([-1], 1 / 4)]
)
def test_a_guess_scores_one_half_and_varies_less_the_likelier_a_tie(values, variance):
    assert guess(values) == Expected(0.5, pytest.approx(variance))


@pytest.mark.parametrize(("score", "holds"), [(0.65, True), (0.4, False), (0.81, False)])
def test_a_score_outside_the_interval_is_a_miss(score, holds):
    found = Found(score, 0, 1 - score, score, None, None, 72)
    verdict = Verdict("Naturalness", "B against A", found, Check(0.7, score, 0.1), None)
    assert verdict.holds == holds
    assert ("MISSED" in "\n".join(table([verdict]))) != holds
