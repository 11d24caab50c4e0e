"""Plans before a launch: round trips, curves that agree with the figures, pilots, and words for what cannot be."""

import json
import math

import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from annotation.results import planning, power
from annotation.results.errors import BadSetting
from annotation.results.intervals import t_quantile
from annotation.results.noncentral import detectable_shift, rejection
from annotation.results.planning_text import as_text, effect, share
from annotation.results.sample import prepare
from annotation.results.summary import analyse
from annotation.results.table import from_columns
from annotation.results.win_scores import smallest_detectable_effect, win_score
from tests.results.made import judgements, random_rows

PLAN = planning.StudyPlan(power.Plan(120, 3, 20, planning.USUAL_SPREAD, tests=3), effect=0.1)


@pytest.mark.parametrize("df", [1, 2.5, 9, 60, 4000])
@pytest.mark.parametrize("shift", [0, 0.5, 2, 4])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_chance_of_rejecting_is_that_of_the_noncentral_t(df, shift, level):
    critical = stats.t.ppf((1 + level) / 2, df)
    expected = stats.nct.sf(critical, df, shift) + stats.nct.cdf(-critical, df, shift)
    assert rejection(shift, df, level) == pytest.approx(expected, abs=1e-5)


def test_chance_of_rejecting_stays_a_number_where_series_underflow():
    assert rejection(6, 50, 0.999) == pytest.approx(stats.nct.sf(stats.t.ppf(0.9995, 50), 50, 6), abs=1e-5)
    assert rejection(60, 3, 0.95) == pytest.approx(1)


def test_detectable_shift_is_the_effect_size_that_statsmodels_solves_for():
    expected = TTestPower().solve_power(nobs=21, alpha=0.05, power=0.8) * math.sqrt(21)
    assert detectable_shift(20, 0.95, 0.8) == pytest.approx(expected, rel=1e-4)


def test_many_degrees_of_freedom_give_the_two_quantiles_of_the_textbooks():
    assert detectable_shift(1e6, 0.95, 0.8) == pytest.approx(1.959964 + 0.841621, abs=1e-3)


def test_several_tests_are_planned_at_their_share_of_the_error():
    alone = power.Plan(120, 3, 20, planning.USUAL_SPREAD, level=1 - 0.05 / 3)
    assert PLAN.power == pytest.approx(power.power(alone, 0.1))
    assert PLAN.smallest_effect == pytest.approx(power.smallest_effect(alone))


def test_a_plan_reads_back_as_it_was_written():
    written = json.loads(json.dumps(PLAN.to_json()))
    assert planning.StudyPlan.from_json(written | {"planned_at": "2026-11-28T05:00:00+00:00"}) == PLAN
    assert written["power"] == pytest.approx(PLAN.power)


def test_the_curves_go_through_the_plan():
    outlook = PLAN.outlook()
    planned = next(line for line in outlook.by_items if line.factor == 1)
    assert dict(planned.points)[120] == pytest.approx(outlook.power)
    assert next(point for point in outlook.sizes if point.n_items == 120).smallest_effect == outlook.smallest_effect
    assert [line.plan.n_annotators for line in outlook.by_items] == [10, 20, 40]
    assert [line.plan.n_items for line in outlook.by_effect] == [60, 120, 240]
    assert outlook.by_effect[1].points[0] == (0, pytest.approx(0.05 / 3))


def test_curves_rise():
    outlook = PLAN.outlook()
    for line in (*outlook.by_items, *outlook.by_effect):
        chances = [chance for _, chance in line.points]
        assert chances == sorted(chances)


def test_items_needed_is_the_first_number_that_is_enough():
    needed = power.items_needed(PLAN.plan, 0.1)
    enough, short = (power.Plan(n, 3, 20, planning.USUAL_SPREAD, tests=3) for n in (needed, needed - 1))
    assert power.power(enough, 0.1) >= 0.8 > power.power(short, 0.1)


def test_no_number_of_comparisons_outweighs_annotators_who_differ():
    plan = power.Plan(100, 3, 5, power.Spread(0.1, 0.3, 0.3))
    assert power.items_needed(plan, 0.05) is None
    assert "plan more annotators" in as_text(planning.StudyPlan(plan, 0.05))


def test_a_tiny_plan_has_curves_too():
    text = as_text(planning.StudyPlan(power.Plan(2, 1, 2, planning.USUAL_SPREAD), 0.1))
    assert "not even 100 %" in text
    assert "nan" not in text


def report(**made):
    rows = random_rows(**made)
    return analyse(prepare(from_columns({name: [row[name] for row in rows] for name in rows[0]}))).to_json()


def test_a_pilot_gives_its_spread_to_four_digits():
    written = report(items=60, seed=3)
    (pilot,) = planning.pilots_in(written)
    shares = written["criteria"][0]["matchups"][0]["variance_shares"]
    assert pilot.spread.item_sd == round(shares["item_sd"], 4)
    assert f"{pilot.n_items} comparisons" in pilot.source


def test_the_most_demanding_pilot_is_chosen_unless_one_is_named():
    calm = planning.Pilot("calm", "a", "b", power.Spread(0.1, 0, 0.1), 10, 5)
    wild = planning.Pilot("wild", "a", "b", power.Spread(0.1, 0.2, 0.1), 10, 5)
    assert planning.most_demanding([calm, wild], PLAN.plan) is wild
    assert planning.most_demanding([calm, wild], PLAN.plan, "calm") is calm
    with pytest.raises(planning.NoPilot, match="has no criterion 'other'; it has calm, wild"):
        planning.most_demanding([calm, wild], PLAN.plan, "other")


def test_a_pilot_that_tells_nothing_says_why():
    written = report(items=5, k=1, annotators=1, seed=1)
    with pytest.raises(planning.NoPilot, match="no item has two judgements"):
        planning.pilots_in(written)


def test_the_achieved_effect_is_the_reports_under_the_same_level_and_power():
    score = win_score(judgements(random_rows(items=80, seed=2)))
    alone = planning.StudyPlan(power.Plan(80, 3, 20, planning.USUAL_SPREAD), effect=0.1)
    assert planning.achieved_effect(score.se, score.df, alone) == pytest.approx(smallest_detectable_effect(score))
    assert planning.achieved_effect(score.se, score.df, PLAN) > smallest_detectable_effect(score)
    assert smallest_detectable_effect(score) == pytest.approx(
        (t_quantile(0.975, score.df) + t_quantile(0.8, score.df)) * score.se, rel=0.02
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: planning.StudyPlan(PLAN.plan, effect=0), "win score of 50 %"),
        (lambda: planning.StudyPlan(PLAN.plan, effect=0.1, wanted=0.02), "power of 0.02"),
        (lambda: planning.StudyPlan(power.Plan(9, 2, 5, power.Spread(0.4, 0.2, 0.4)), 0.1), "choose smaller ones"),
        (lambda: power.Plan(9, 2, 50, planning.USUAL_SPREAD), "50 annotators cannot share 18 judgements"),
        (lambda: power.Plan(9, 2, 5, planning.USUAL_SPREAD, tests=0), "at least one"),
        (lambda: power.Spread(0.1, 0.1, float("nan")), "0 or more"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words(make, words):
    with pytest.raises(BadSetting, match=words):
        make()


def test_nothing_is_certain_that_is_not():
    assert share(0.9999) == "> 99 %"
    assert share(0.8) == "80 %"
    assert effect(None) == "none"
    assert effect(0.0525) == "5.2 points"
