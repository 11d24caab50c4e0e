"""The band of a running study: the formula by hand, its path against itself, and when it stays hidden."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.results import sequential
from annotation.results.data import NotEstimable
from annotation.results.intervals import mean_variance
from annotation.results.settings import Settings
from annotation.results.summary import analyse
from tests.results.made import examples, judgements, random_rows, sample


def test_half_width_by_hand():
    a, planned, t, variance = 0.05, 200, 50, 0.0016
    r2 = (-2 * math.log(a) + math.log(-2 * math.log(a) + 1)) / (planned / 2)
    expected = math.sqrt(variance) * math.sqrt(2 * (t * r2 + 1) / (t * r2) * math.log(math.sqrt(t * r2 + 1) / a))
    assert sequential.half_width(variance, t, planned_items=planned, level=0.95) == pytest.approx(expected)


def test_band_is_wider_than_the_interval_for_a_fixed_size():
    data = judgements(random_rows(items=60, annotators=8, seed=1))
    band = sequential.band(data, planned_items=100)
    variance = mean_variance(data.score, data.item, data.annotator)
    assert band.high - band.low > 2 * 1.96 * math.sqrt(variance.two_way)
    assert "heuristic" in band.method


def test_band_is_relatively_tightest_near_half_the_plan():
    widths = [float(sequential.half_width(1.0, t, planned_items=200, level=0.95)) for t in range(20, 400)]
    assert abs(widths.index(min(widths)) + 20 - 100) < 40


@examples
@given(st.integers(0, 10_000))
def test_path_is_the_band_of_every_prefix(seed):
    data = judgements(random_rows(items=30, annotators=7, seed=seed))
    path = sequential.band_path(data.score, data.item, data.annotator, planned_items=60)
    for t in (20, 25, 30):
        seen = data.take(data.item < t)
        band = sequential.band(seen, planned_items=60)
        if isinstance(band, NotEstimable):
            assert not path.shown[t - 1]
        else:
            expected = (band.estimate, band.low, band.high)
            assert (path.win_score[t - 1], path.low[t - 1], path.high[t - 1]) == pytest.approx(expected)


@pytest.mark.parametrize(("items", "annotators"), [(19, 8), (40, 4)])
def test_band_is_hidden_below_20_items_or_5_annotators(items, annotators):
    data = judgements(random_rows(items=items, annotators=annotators, seed=1))
    band = sequential.band(data, planned_items=100)
    assert "20 finished comparisons by 5 annotators" in band.reason
    path = sequential.band_path(data.score, data.item, data.annotator, planned_items=100)
    assert not path.shown.any()


def test_bands_of_several_criteria_share_the_error():
    data = judgements(random_rows(items=60, annotators=8, seed=1))
    one, three = (sequential.band(data, planned_items=100, family=family) for family in (1, 3))
    assert three.level == pytest.approx(1 - 0.05 / 3)
    assert three.high - three.low > one.high - one.low


def test_scores_without_variance_have_no_band():
    data = judgements(random_rows(items=30, annotators=8, labels=("B",)))
    assert isinstance(sequential.band(data, planned_items=60), NotEstimable)


def test_report_of_a_running_study_bands_its_finished_items():
    rows = random_rows(items=40, annotators=8, k=3, seed=2)
    unfinished = [one for one in rows if one["item_id"] != "i0"] + [one for one in rows if one["item_id"] == "i0"][:1]
    settings = Settings(resamples=100, planned_items=80, judgements_per_item=3)
    band = analyse(sample(unfinished), settings).criteria[0].matchups[0].band
    assert (band.n_items, band.n) == (39, 117)
    assert analyse(sample(rows), Settings(resamples=100)).criteria[0].matchups[0].band is None


def test_bands_of_a_report_hold_together_only_when_they_are_wider():
    rows = [*random_rows(items=40, annotators=8, seed=2), *random_rows(items=40, annotators=8, seed=3, dimension="y")]
    matchup = analyse(sample(rows), Settings(resamples=100, planned_items=80)).criteria[0].matchups[0]
    assert matchup.band.level == pytest.approx(0.95)
    assert matchup.band_together.level == pytest.approx(0.975)
    assert matchup.band_together.low < matchup.band.low


def test_strata_of_a_running_study_have_bands_too():
    rows = [{**one, "language": "en" if int(one["item_id"][1:]) % 3 else "de"} for one in random_rows(items=90, seed=4)]
    settings = Settings(resamples=100, planned_items=180, strata=("language",))
    (found,) = analyse(sample(rows, strata=("language",)), settings).strata
    german, english = found.strata
    assert (german.band.n_items, english.band.n_items) == (30, 60)
    expected = sequential.half_width(english.band.se**2, 60, planned_items=120, level=0.95)
    assert english.band.high - english.band.estimate == pytest.approx(float(expected))


def test_path_of_scores_in_memory_has_one_value_an_item():
    path = sequential.band_path(np.array([0.0, 1.0]), np.array([0, 4]), np.array([0, 1]), planned_items=10)
    assert path.win_score.tolist() == [0.0, 0.5]
