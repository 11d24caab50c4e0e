"""Win scores: worked by hand, by properties, and against statsmodels and scipy."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import ttost_paired

from annotation.results import intervals, win_scores
from annotation.results.data import Estimate, NotEstimable
from tests.results.made import by_table, examples, judgements, random_rows, row

# Four items, three annotators. Scores of B: 1 1 0 / 1 1/2 . / 0 0 . / 1 . 1; mean 11/18.
HAND = {"i1": "BBA", "i2": "Bt.", "i3": "AA.", "i4": "B.B"}


def test_win_score_counts_ties_half():
    assert win_scores.win_score(by_table(HAND)).estimate == pytest.approx(5.5 / 9)


def test_two_way_interval_worked_by_hand():
    n, items, annotators = 9, 4, 3
    m = 5.5 / 9
    sums_by_item = [2 - 3 * m, 1.5 - 2 * m, 0 - 2 * m, 2 - 2 * m]
    sums_by_annotator = [3 - 4 * m, 1.5 - 3 * m, 1 - 2 * m]
    residuals = [1 - m, 1 - m, -m, 1 - m, 0.5 - m, -m, -m, 1 - m, 1 - m]
    v_item = sum(s * s for s in sums_by_item) / n**2 * items / (items - 1)
    v_annotator = sum(s * s for s in sums_by_annotator) / n**2 * annotators / (annotators - 1)
    v_alone = sum(e * e for e in residuals) / n**2 * n / (n - 1)
    variance = v_item + max(v_annotator - v_alone, 0)
    df = variance**2 / (v_item**2 / (items - 1) + v_annotator**2 / (annotators - 1))
    score = win_scores.win_score(by_table(HAND))
    assert score.se == pytest.approx(math.sqrt(variance))
    assert score.df == pytest.approx(df)
    half = stats.t.ppf(0.975, df) * math.sqrt(variance)
    assert (score.low, score.high) == pytest.approx((max(m - half, 0), min(m + half, 1)))
    assert score.p == pytest.approx(2 * stats.t.sf(abs(m - 0.5) / math.sqrt(variance), df))


def test_item_interval_is_statsmodels_cluster_robust_mean():
    data = judgements(random_rows(items=30, seed=3))
    model = sm.OLS(data.score, np.ones(len(data))).fit(
        cov_type="cluster", cov_kwds={"groups": data.item, "use_correction": False}, use_t=True
    )
    score = win_scores.win_score_of_these_annotators(data)
    items = data.n_items
    assert score.se == pytest.approx(model.bse[0] * math.sqrt(items / (items - 1)))
    low, high = model.params[0] + np.array([-1, 1]) * stats.t.ppf(0.975, items - 1) * score.se
    assert (score.low, score.high) == pytest.approx((low, high))


def test_two_way_variance_is_statsmodels_two_way_cluster_variance():
    data = judgements(random_rows(items=60, annotators=8, k=4, seed=5))
    fit = sm.OLS(data.score, np.ones(len(data)))
    v_item, v_annotator, v_alone = (
        fit.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}).cov_params()[0, 0]
        for groups in (data.item, data.annotator, np.arange(len(data)))
    )
    variance = intervals.mean_variance(data.score, data.item, data.annotator)
    assert variance.items == pytest.approx(v_item * 60 / 59)
    assert variance.annotators == pytest.approx(v_annotator * 8 / 7)
    assert variance.judgements == pytest.approx(v_alone * len(data) / (len(data) - 1))


@examples
@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(2, 6))
def test_exchanging_the_systems_mirrors_the_win_score(seed, items, annotators):
    rows = random_rows(items=items, annotators=annotators, k=2, seed=seed)
    turned = {"A": "B", "B": "A", "tie": "tie"}
    score = win_scores.win_score(judgements(rows))
    mirrored = win_scores.win_score(judgements([{**one, "label": turned[one["label"]]} for one in rows]))
    if isinstance(score, NotEstimable):
        assert mirrored == score
    else:
        assert mirrored.estimate == pytest.approx(1 - score.estimate)
        assert (mirrored.low, mirrored.high) == pytest.approx((1 - score.high, 1 - score.low))
        assert mirrored.p == pytest.approx(score.p)


@examples
@given(st.integers(0, 10_000), st.integers(2, 10), st.integers(2, 5), st.sampled_from(["AB", "At", "AtB", "tB", "B"]))
def test_an_interval_is_within_the_scale_holds_the_estimate_and_has_width(seed, items, annotators, letters):
    words = {"A": "A", "B": "B", "t": "tie"}
    rows = random_rows(items=items, annotators=annotators, k=2, seed=seed, labels=[words[letter] for letter in letters])
    data = judgements(rows)
    for figure in (win_scores.win_score(data), win_scores.win_score_of_these_annotators(data)):
        if isinstance(figure, Estimate):
            assert 0 <= figure.low <= figure.estimate <= figure.high <= 1
            assert figure.low < figure.high
            assert 0 <= figure.p <= 1


def test_all_wins_give_the_exact_interval_on_items_and_say_so():
    score = win_scores.win_score(by_table({f"i{number}": "BBB" for number in range(10)}))
    low, high = proportion_confint(10, 10, method="beta")
    assert (score.estimate, score.low, score.high) == pytest.approx((1, low, high))
    assert score.method == intervals.EXACT_ON_ITEMS
    assert score.p == pytest.approx(stats.binomtest(10, 10).pvalue)


def test_all_ties_give_half_with_room_for_the_items_that_might_be_decided():
    score = win_scores.win_score(by_table({f"i{number}": "ttt" for number in range(20)}))
    _, decided = proportion_confint(0, 20, method="beta")
    assert (score.low, score.high) == pytest.approx((0.5 - decided / 2, 0.5 + decided / 2))
    assert score.p == 1


def test_one_annotator_has_no_two_way_interval_but_the_item_clustered_one():
    data = by_table({"i1": "A", "i2": "B", "i3": "B", "i4": "t"})
    two_way = win_scores.win_score(data)
    assert two_way == NotEstimable(intervals.ONE_ANNOTATOR)
    assert "one annotator" in two_way.reason
    assert win_scores.win_score_of_these_annotators(data).estimate == pytest.approx(0.625)


def test_one_item_has_no_interval():
    assert win_scores.win_score(by_table({"i1": "ABt"})) == NotEstimable(intervals.ONE_ITEM)


def test_judgements_that_cancel_out_have_no_zero_width_interval():
    assert win_scores.win_score(by_table({"i1": "AB", "i2": "BA"})) == NotEstimable(intervals.CANCELLED)


def test_win_rate_without_ties_is_the_win_score_of_the_decided_judgements():
    data = by_table(HAND)
    rate = win_scores.win_rate_without_ties(data)
    assert rate.estimate == pytest.approx(5 / 8)
    assert rate == win_scores.win_score(data.take(data.grade != 0))
    assert isinstance(win_scores.win_rate_without_ties(by_table({"i1": "tt", "i2": "tx"})), NotEstimable)


def test_both_bad_is_half_a_win_with_its_share_told():
    data = by_table({"i1": "xB", "i2": "xA", "i3": "BB"})
    assert win_scores.win_score(data).estimate == pytest.approx(4 / 6)
    assert win_scores.shares(data).both_bad == pytest.approx(2 / 6)
    assert win_scores.outcome_counts(data) == (1, 2, 3)


def test_shares_of_outcomes_add_up_to_one():
    shares = win_scores.shares(judgements(random_rows(seed=2)))
    assert shares.a_wins.estimate + shares.ties.estimate + shares.b_wins.estimate == pytest.approx(1)
    assert shares.b_wins.p is None


def test_majority_is_strict_and_no_draw_is_broken():
    outcome = win_scores.majority(
        by_table({"i1": "AAB", "i2": "AB", "i3": "ttA", "i4": "BBBB", "i5": "ABt", "i6": "B"})
    )
    assert outcome == win_scores.Majority(a_wins=1, ties=1, b_wins=2, no_majority=2)


@examples
@given(st.integers(0, 60), st.integers(0, 60))
def test_sign_test_is_the_exact_binomial_test(wins, losses):
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1
    assert intervals.sign_test_p(wins, losses) == pytest.approx(expected)


def test_sign_test_by_hand():
    assert intervals.sign_test_p(5, 0) == pytest.approx(2 / 32)


@pytest.mark.parametrize("tests", [1, 2, 5, 12])
def test_holm_is_statsmodels_holm(tests):
    p_values = np.random.default_rng(tests).beta(0.3, 1, tests).tolist()
    assert intervals.holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_by_hand():
    assert intervals.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])


@examples
@given(st.integers(0, 40), st.integers(1, 40))
def test_wilson_is_statsmodels_wilson(wins, more):
    n = max(wins, more)
    assert intervals.wilson(wins, n, level=0.95) == pytest.approx(
        proportion_confint(wins, n, method="wilson"), abs=1e-12
    )


def test_signed_rank_is_scipys_with_zeros_after_pratt():
    rows = random_rows(items=30, seed=4, labels=("-2", "-1", "0", "1", "2"))
    data = judgements(rows)
    means = win_scores.item_means(data.grade.astype(float), data.item)
    expected = stats.wilcoxon(means, zero_method="pratt", method="asymptotic").pvalue
    assert win_scores.signed_rank(data).p == pytest.approx(expected)


def test_signed_rank_of_few_items_by_hand():
    rows = [row(f"i{grade}", rater, grade) for grade in (1, 2, 3) for rater in ("r1", "r2")]
    assert win_scores.signed_rank(judgements(rows)).p == pytest.approx(2 / 8)


def test_signed_rank_of_nothing_but_zeros_is_not_estimable():
    assert isinstance(win_scores.signed_rank(judgements([row("i1", "r1", 0), row("i2", "r1", 0)])), NotEstimable)


def test_equivalence_is_two_one_sided_tests():
    rows = random_rows(items=200, annotators=20, k=1, seed=8)
    data = judgements(rows)
    score = win_scores.win_score_of_these_annotators(data)
    means = win_scores.item_means(data.score, data.item)
    expected = ttost_paired(means, np.full(len(means), 0.5), -0.1, 0.1)[0]
    test = win_scores.equivalence(score, margin=0.1)
    assert test.p == pytest.approx(expected)
    assert test.is_equivalent == (expected < 0.05)


def test_no_difference_is_not_claimed_from_a_wide_interval():
    assert not win_scores.equivalence(win_scores.win_score(by_table(HAND)), margin=0.05).is_equivalent


def test_variance_shares_by_moments_by_hand():
    data = by_table({"i1": "BB", "i2": "BA", "i3": "AA", "i4": "AB"})
    split = win_scores.variance_shares(data)
    # Every residual is 1/2 or -1/2. Item sums 1 0 -1 0: (2 - 2) / 8 = 0. Annotator sums 0, 0: negative, so 0.
    assert (split.items, split.annotators, split.rest) == pytest.approx((0, 0, 1))
    split = win_scores.variance_shares(by_table({"i1": "BB", "i2": "BB", "i3": "AA", "i4": "AB"}))
    # Mean 5/8; item sums 3/4 3/4 -5/4 -1/4: sum of squares 2.75; squares of residuals 1.875; annotator sums -1/2, 1/2.
    items, annotators, total = (2.75 - 1.875) / 8, max((0.5 - 1.875) / 24, 0), 1.875 / 8
    assert (split.items, split.annotators) == pytest.approx((items / total, annotators / total))
    assert split.rest_sd == pytest.approx(math.sqrt(total - items))


def test_variance_shares_recover_the_spread_they_were_made_with():
    rng = np.random.default_rng(1)
    item_effect, annotator_effect = rng.normal(0, 1, 2000), rng.normal(0, 0.7, 300)
    item = np.repeat(np.arange(2000), 6)
    annotator = rng.integers(0, 300, len(item))
    value = item_effect[item] + annotator_effect[annotator] + rng.normal(0, 1.2, len(item))
    residual = value - value.mean()
    assert win_scores._component(residual, item) == pytest.approx(1, rel=0.1)
    assert win_scores._component(residual, annotator) == pytest.approx(0.49, rel=0.2)


def test_variance_cannot_be_split_where_nothing_is_shared():
    assert isinstance(win_scores.variance_shares(by_table({"i1": "B", "i2": "A"})), NotEstimable)
    assert isinstance(win_scores.variance_shares(by_table({"i1": "BB", "i2": "BB"})), NotEstimable)
