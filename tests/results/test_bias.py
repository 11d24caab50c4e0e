"""Position and length bias: by hand, by a known truth, and against statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm

from annotation.results import bias
from annotation.results.data import NotEstimable
from annotation.results.intervals import clustered
from tests.results.made import judgements, random_rows, row


def biased(seed=0, *, left=0.0, longer=0.0, items=400, lengths=True, b_left=0.5):
    """Judgements that lean to the left response, or to the longer one, by known amounts of the win chance."""
    rng = np.random.default_rng(seed)
    rows = []
    for item in range(items):
        ratio = rng.normal(0.2, 0.5)
        for person in rng.permutation(12)[:3]:
            on_left = rng.random() < b_left
            chance = 0.5 + left * (0.5 if on_left else -0.5) + longer * ratio
            one = row(f"i{item}", f"r{person}", "B" if rng.random() < chance else "A")
            one["shown_left"] = "guided" if on_left else "plain"
            if lengths:
                one |= {"length_a": "100", "length_b": str(100 * np.exp(ratio))}
            rows.append(one)
    return judgements(rows)


def test_left_share_by_hand():
    sides = [("A", "plain"), ("A", "guided"), ("B", "guided"), ("B", "guided"), ("tie", "plain"), ("B", "")]
    rows = [row(f"i{n}", f"r{n % 2}", label, shown_left=side) for n, (label, side) in enumerate(sides)]
    found = bias.position(judgements(rows), level=0.95)
    assert found.left_share.estimate == pytest.approx(3 / 4)
    assert found.left_share.n == 4
    assert found.b_shown_left == pytest.approx(3 / 5)


def test_no_known_side_gives_no_position_bias():
    assert bias.position(judgements([row(), row("i2")]), level=0.95) is None
    assert bias.length(judgements([row(), row("i2")]), level=0.95) is None


def test_known_pull_to_the_left_is_found_and_taken_out():
    found = bias.position(biased(left=0.3, b_left=0.8), level=0.95)
    assert found.effect.low < 0.3 < found.effect.high
    assert found.p < 0.01
    assert found.corrected_win_score_b.low < 0.5 < found.corrected_win_score_b.high


def test_known_pull_to_the_longer_is_found_and_taken_out():
    found = bias.length(biased(seed=1, longer=0.3), level=0.95)
    assert found.slope.low < 0.3 < found.slope.high
    assert found.p < 0.01
    assert found.at_equal_length.low < 0.5 < found.at_equal_length.high
    assert found.mean_ratio == pytest.approx(np.exp(0.2), rel=0.1)


def test_corrections_are_least_squares_of_statsmodels_with_both_covariates():
    data = biased(seed=2, left=0.2, longer=0.2, items=80)
    ratio = np.log(data.length_b / data.length_a)
    design = np.column_stack([np.ones(len(data)), data.b_left - 0.5, ratio - ratio.mean()])
    model = sm.OLS(data.score, design)
    by_item, by_person, alone = (
        model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}).cov_params()
        for groups in (data.item, data.annotator, np.arange(len(data)))
    )
    position, length = bias.position(data, level=0.95), bias.length(data, level=0.95)
    weights = {
        "effect": (position.effect, np.array([0, 1, 0])),
        "corrected": (position.corrected_win_score_b, np.array([1, 0, 0])),
        "slope": (length.slope, np.array([0, 0, 1])),
        "equal": (length.at_equal_length, np.array([1, 0, -ratio.mean()])),
    }
    for figure, weight in weights.values():
        assert figure.estimate == pytest.approx(weight @ model.fit().params)
        v_item = weight @ by_item @ weight * 80 / 79
        v_person = weight @ by_person @ weight * 12 / 11
        v_alone = weight @ alone @ weight * len(data) / (len(data) - 1)
        assert figure.se**2 == pytest.approx(v_item + max(v_person - v_alone, 0))


def test_without_lengths_the_side_is_corrected_alone():
    found = bias.position(biased(lengths=False), level=0.95)
    assert found.corrected_win_score_b.n == 1200


def test_balanced_sides_leave_the_win_score_as_it_is():
    rows = random_rows(items=40, annotators=6, k=2, seed=3)
    for place, one in enumerate(rows):
        one["shown_left"] = ("plain", "guided")[place % 2]
    data = judgements(rows)
    corrected = bias.position(data, level=0.95).corrected_win_score_b
    assert corrected.estimate == pytest.approx(data.score.mean(), abs=1e-12)


def test_one_side_only_cannot_be_corrected():
    rows = [{**one, "shown_left": "plain"} for one in random_rows(seed=1)]
    found = bias.position(judgements(rows), level=0.95)
    assert "same side" in found.corrected_win_score_b.reason
    assert isinstance(found.effect, NotEstimable)


def test_empty_responses_have_no_length_ratio():
    rows = [{**one, "length_a": "0", "length_b": "5"} for one in random_rows(seed=1)]
    assert bias.length(judgements(rows), level=0.95) is None


def test_side_and_length_that_go_together_cannot_be_told_apart():
    rows = random_rows(seed=1)
    for place, one in enumerate(rows):
        one |= {"shown_left": ("plain", "guided")[place % 2], "length_a": "10", "length_b": ("10", "20")[place % 2]}
    assert isinstance(bias.position(judgements(rows), level=0.95).effect, NotEstimable)


def test_influence_of_a_mean_gives_the_variance_of_the_win_score():
    data = judgements(random_rows(seed=5))
    residual = (data.score - data.score.mean()) / len(data)
    assert clustered(residual, data.item, data.annotator).two_way > 0
