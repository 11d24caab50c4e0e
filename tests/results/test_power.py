"""Planning: formulas by hand, properties, and a simulated study that finds what was planned."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.power import TTestPower

from annotation.results import power
from annotation.results.errors import BadSetting
from annotation.results.intervals import mean_variance, share_interval, two_way_interval
from annotation.results.win_scores import variance_shares
from tests.results.made import examples, judgements, random_rows

SPREAD = power.Spread(item_sd=0.15, annotator_sd=0.05, rest_sd=0.4)
PLAN = power.Plan(n_items=100, k=3, n_annotators=20, spread=SPREAD)


def test_variance_by_hand():
    assert PLAN.variance == pytest.approx(0.15**2 / 100 + 0.05**2 / 20 + 0.4**2 / 300)


def test_uneven_load_counts_the_squared_shares():
    uneven = power.Plan(10, 2, 3, SPREAD, load=(10, 5, 5))
    assert uneven.annotator_weight == pytest.approx(0.5**2 + 2 * 0.25**2)
    assert uneven.variance > power.Plan(10, 2, 3, SPREAD).variance


def test_degrees_of_freedom_by_hand():
    by_item = 0.15**2 / 100 + (0.05**2 + 0.4**2) / 300
    by_annotator = 0.05**2 / 20 + (0.15**2 + 0.4**2) / 300
    assert PLAN.df == pytest.approx(PLAN.variance**2 / (by_item**2 / 99 + by_annotator**2 / 19))


def test_power_with_normal_reference_by_hand():
    shift = 0.07 / math.sqrt(PLAN.variance)
    upper = 0.5 * math.erfc((1.959964 - shift) / math.sqrt(2))
    lower = 0.5 * math.erfc((1.959964 + shift) / math.sqrt(2))
    assert power.power(PLAN, 0.07, reference="normal") == pytest.approx(upper + lower, abs=1e-6)


def test_power_with_t_is_statsmodels_one_sample_power():
    df, shift = PLAN.df, 0.07 / math.sqrt(PLAN.variance)
    expected = TTestPower().power(effect_size=shift / math.sqrt(df + 1), nobs=df + 1, alpha=0.05)
    assert power.power(PLAN, 0.07) == pytest.approx(expected)


def test_no_effect_is_found_as_often_as_the_level_allows():
    assert power.power(PLAN, 0) == pytest.approx(0.05)
    assert power.power(PLAN, 0, reference="normal") == pytest.approx(0.05)


@examples
@given(st.integers(40, 300), st.integers(1, 5), st.integers(5, 40), st.floats(0.01, 0.3))
def test_power_grows_with_the_effect_and_with_the_study(items, k, annotators, effect):
    plan = power.Plan(items, k, annotators, SPREAD)
    larger = power.Plan(2 * items, k, annotators, SPREAD)
    assert power.power(plan, effect) <= power.power(plan, 1.5 * effect) + 1e-9
    assert power.power(plan, effect) <= power.power(larger, effect) + 1e-9
    assert 0 <= power.power(plan, effect) <= 1


@examples
@given(st.integers(40, 300), st.integers(1, 5), st.integers(8, 40))
def test_smallest_effect_has_exactly_the_wanted_power(items, k, annotators):
    plan = power.Plan(items, k, annotators, SPREAD)
    effect = power.smallest_effect(plan, wanted=0.8)
    assert power.power(plan, effect) == pytest.approx(0.8, abs=1e-3)


def test_very_large_effects_have_power_1():
    assert power.power(PLAN, 0.5) == pytest.approx(1)
    assert power.power(power.Plan(100_000, 5, 500, SPREAD), 0.5) == pytest.approx(1)


def test_a_study_too_small_for_any_effect_is_told_by_none():
    tiny = power.Plan(2, 1, 2, power.Spread(0.5, 0.3, 0.5))
    assert power.smallest_effect(tiny) is None


def test_curve_has_a_point_for_each_size():
    curve = power.power_curve(PLAN, 0.07, [50, 100, 200])
    assert [point.n_items for point in curve] == [50, 100, 200]
    assert curve[1].power == pytest.approx(power.power(PLAN, 0.07))
    assert curve[0].smallest_effect > curve[2].smallest_effect


def test_a_pilot_study_gives_the_spread():
    split = variance_shares(judgements(random_rows(items=80, seed=1)))
    assert power.Spread.from_pilot(split) == power.Spread(split.item_sd, split.annotator_sd, split.rest_sd)


def test_planned_power_is_what_simulated_studies_have():
    rng = np.random.default_rng(0)
    plan = power.Plan(n_items=60, k=3, n_annotators=12, spread=power.Spread(0.15, 0.08, 0.4))
    item = np.repeat(np.arange(60), 3)
    found = 0
    for _ in range(600):
        annotator = rng.random((60, 12)).argsort(axis=1)[:, :3].ravel()
        values = (
            0.6 + rng.normal(0, 0.15, 60)[item] + rng.normal(0, 0.08, 12)[annotator] + rng.normal(0, 0.4, len(item))
        )
        variance = mean_variance(values, item, annotator)
        found += two_way_interval(float(values.mean()), variance, level=0.95).p < 0.05
    assert found / 600 == pytest.approx(power.power(plan, 0.1), abs=0.06)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_items": 1}, "two or more comparisons"),
        ({"k": 30}, "cannot give 30 judgements"),
        ({"level": 95}, "level is 95"),
        ({"n_annotators": 1}, "two annotators"),
    ],
)
def test_impossible_plans_are_refused_in_words(change, words):
    sizes = {"n_items": 10, "k": 2, "n_annotators": 5, "spread": SPREAD} | change
    with pytest.raises(BadSetting, match=words):
        power.Plan(**sizes)


def test_impossible_spread_and_power_are_refused():
    with pytest.raises(BadSetting):
        power.Spread(0.1, -0.1, 0.3)
    with pytest.raises(BadSetting, match="power of 1"):
        power.smallest_effect(PLAN, wanted=1)


def test_interval_and_plan_agree_on_the_width():
    """A plan with the spread of a study has about the standard error that the study has."""
    rows = random_rows(items=300, annotators=20, k=3, seed=4)
    data = judgements(rows)
    plan = power.Plan(300, 3, 20, power.Spread.from_pilot(variance_shares(data)))
    score = share_interval(data.score, data.item, data.annotator, level=0.95)
    assert math.sqrt(plan.variance) == pytest.approx(score.se, rel=0.15)
