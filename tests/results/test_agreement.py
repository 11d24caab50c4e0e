"""Agreement: worked by hand, by properties, and against krippendorff, statsmodels, evalica and irrCAC's figures."""

import itertools

import evalica
import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats import inter_rater

from annotation.results import agreement, resampling
from annotation.results.data import Estimate, NotEstimable
from annotation.results.resampling import Resampling
from tests.results.made import by_table, examples, judgements, random_rows, row, sample

# Grades of 8 items by 3 annotators, and what irrCAC 0.4.4 gives for them (AC2 with ordinal weights).
GRADES = ["2 1 2", "0 0 1", "-1 -2 -1", "1 1 1", "2 2 0", "-2 -1", "0 1 -1", "1 2 2"]
IRRCAC = {"ac1": 0.17219078, "ac2": 0.69364665, "fleiss": 0.14381271, "alpha": 0.19117647, "percent": 0.33333333}


def graded():
    return judgements(
        [
            row(f"i{item}", f"r{place}", grade)
            for item, grades in enumerate(GRADES)
            for place, grade in enumerate(grades.split())
        ]
    )


def counts_of(table, labels="AtB"):
    """Counts by item, from {item: letters}."""
    return np.array([[letters.count(label) for label in labels] for letters in table.values()], float)


def random_counts(seed, *, items=30, categories=3, most=5):
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.ones(categories) * 1.5, items)
    return np.array([rng.multinomial(rng.integers(1, most + 1), chance) for chance in chances], float)


def pattern_of_units(counts):
    """Which pattern each unit has, found by comparing rows."""
    kinds = counts[resampling.Patterns.of(counts).first]
    return np.array([int(np.flatnonzero((kinds == unit).all(axis=1))[0]) for unit in counts])


def test_nominal_alpha_by_hand():
    # Coincidences: AA 2, BB 2, AB 1 and BA 1; observed 2 of 6, expected 2 * 3 * 3 / (6 * 5).
    counts = counts_of({"i1": "AA", "i2": "BB", "i3": "AB"})
    assert agreement.alpha_point(counts, "nominal") == pytest.approx(1 - (2 / 6) / (18 / 30))


def test_ordinal_alpha_by_hand():
    # Places of A, tie, B with totals 2, 2, 2 are 1, 3, 5, so squared distances are 4 (A tie, tie B) and 16 (A B).
    counts = counts_of({"i1": "At", "i2": "tB", "i3": "AB"})
    observed, expected = 2 * (4 + 4 + 16), 2 * (4 * 4 + 16 * 4 + 4 * 4) / 5
    assert agreement.alpha_point(counts, "ordinal") == pytest.approx(1 - observed / expected)


def test_labels_are_ordered_baseline_tie_treatment():
    counts = agreement.count_labels(by_table({"i1": "BtA", "i2": "tx"}), graded=False)
    assert counts.ordinal_names == ("A", "tie", "B")
    assert counts.ordinal.tolist() == [[1, 1, 1], [0, 2, 0]]
    assert counts.nominal.tolist() == [[1, 1, 1, 0], [0, 1, 0, 1]]


def test_units_are_items_times_pairs():
    rows = [row("i1", "r1", "A"), row("i1", "r2", "A", b="third"), row("i2", "r1", "B"), row("i2", "r2", "B")]
    counts = agreement.count_labels(judgements(rows), graded=False)
    assert sorted(counts.ordinal.sum(axis=1)) == [1, 1, 2]


def test_grades_are_categories_of_their_own():
    counts = agreement.count_labels(graded(), graded=True)
    assert counts.ordinal_names == ("-2", "-1", "0", "1", "2")
    assert counts.ordinal[0].tolist() == [0, 0, 0, 1, 2]


@examples
@given(st.integers(0, 10_000), st.integers(2, 7), st.sampled_from(["ordinal", "nominal"]))
def test_our_own_sums_give_the_alpha_of_the_package(seed, categories, scale):
    counts = random_counts(seed, categories=categories)
    counts = counts[counts.sum(axis=1) >= 2]
    counts = counts[:, counts.any(axis=0)]
    if len(counts) and counts.shape[1] > 1:
        ours = resampling.alphas(counts, np.ones((1, len(counts))), scale)[0]
        theirs = krippendorff.alpha(
            value_counts=counts, value_domain=range(counts.shape[1]), level_of_measurement=scale
        )
        assert ours == pytest.approx(theirs, abs=1e-12)
        assert agreement.alpha_point(counts, scale) == theirs


@pytest.mark.parametrize("scale", ["ordinal", "nominal"])
def test_large_tables_take_our_own_sums(monkeypatch, scale):
    counts = random_counts(3, items=200)
    counts = counts[counts.sum(axis=1) >= 2]
    by_package = agreement.alpha_point(counts, scale)
    monkeypatch.setattr(agreement, "PACKAGE_CELLS", 10)
    assert agreement.alpha_point(counts, scale) == pytest.approx(by_package, abs=1e-12)


def test_nominal_alpha_is_evalicas():
    letters = {f"i{number}": word for number, word in enumerate(["AAB", "BBB", "AtA", "ttB", "AAA", "BtB"])}
    data = np.array([["AtB".index(letter) for letter in word] for word in letters.values()], float).T
    figure = agreement.alpha(counts_of(letters), "nominal")
    assert figure.estimate == pytest.approx(evalica.alpha(pd.DataFrame(data), distance="nominal").alpha)


@examples
@given(st.integers(0, 10_000), st.sampled_from(["ordinal", "nominal"]))
def test_a_resample_of_patterns_is_the_alpha_of_the_resampled_items(seed, scale):
    rng = np.random.default_rng(seed)
    counts = random_counts(seed, items=25)
    counts = counts[counts.sum(axis=1) >= 2]
    patterns = resampling.Patterns.of(counts)
    picked = rng.integers(0, len(counts), len(counts))
    weights = np.bincount(pattern_of_units(counts)[picked], minlength=len(patterns.units))[None, :].astype(float)
    by_pattern = resampling.alphas(counts[patterns.first], weights, scale)[0]
    resampled = counts[picked]
    if np.count_nonzero(resampled.any(axis=0)) < 2:
        assert np.isnan(by_pattern)
    else:
        assert by_pattern == pytest.approx(agreement.alpha_point(resampled[:, resampled.any(axis=0)], scale), abs=1e-12)


@examples
@given(st.integers(0, 10_000), st.sampled_from(["ordinal", "nominal"]))
def test_jackknife_leaves_one_item_out(seed, scale):
    counts = random_counts(seed, items=15)
    counts = counts[counts.sum(axis=1) >= 2]
    patterns = resampling.Patterns.of(counts)
    left_out = resampling.left_out(counts[patterns.first], patterns.units, scale)
    for unit, pattern in enumerate(pattern_of_units(counts)):
        rest = np.delete(counts, unit, axis=0)
        if np.count_nonzero(rest.any(axis=0)) > 1:
            expected = agreement.alpha_point(rest[:, rest.any(axis=0)], scale)
            assert left_out[pattern] == pytest.approx(expected, abs=1e-10)


def test_bca_interval_is_scipys():
    from scipy import stats

    counts = random_counts(11, items=120, most=4)
    counts = counts[counts.sum(axis=1) >= 2]
    figure = agreement.alpha(counts, "ordinal", Resampling(resamples=6000))

    def statistic(index):
        return agreement.alpha_point(counts[index.astype(int)], "ordinal")

    theirs = stats.bootstrap(
        (np.arange(len(counts)),), statistic, n_resamples=1500, vectorized=False, method="BCa", rng=1
    ).confidence_interval
    assert (figure.low, figure.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_drawing_items_and_drawing_patterns_give_the_same_interval(monkeypatch):
    counts = random_counts(5, items=300, categories=3, most=3)
    by_pattern = agreement.alpha(counts, "nominal", Resampling(resamples=4000))
    monkeypatch.setattr(resampling, "_draws_units", lambda patterns: True)
    by_item = agreement.alpha(counts, "nominal", Resampling(resamples=4000))
    assert by_item.estimate == by_pattern.estimate
    assert (by_item.low, by_item.high) == pytest.approx((by_pattern.low, by_pattern.high), abs=0.01)


def test_patterns_are_exact_beyond_64_bits():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 40, (200, 15)).astype(float)
    counts[100:] = counts[:100]
    patterns = resampling.Patterns.of(counts)
    assert len(patterns.units) == 100
    assert (counts[patterns.first][pattern_of_units(counts)] == counts).all()


def test_seed_gives_the_same_interval_again_and_another_seed_another():
    counts = random_counts(1, items=60)
    first, again, other = (agreement.alpha(counts, "ordinal", Resampling(seed=seed)) for seed in (4, 4, 5))
    assert first == again
    assert first.seed == 4
    assert first.low != other.low
    assert first.estimate == other.estimate


@examples
@given(st.integers(0, 5_000))
def test_alpha_does_not_depend_on_how_the_items_are_ordered(seed):
    counts = random_counts(seed, items=20)
    shuffled = np.random.default_rng(seed).permutation(counts)
    figure, other = (agreement.alpha(table, "ordinal", Resampling(resamples=200)) for table in (counts, shuffled))
    assert (figure.estimate, figure.low, figure.high) == pytest.approx(
        (other.estimate, other.low, other.high), abs=1e-12
    )


def test_no_variation_is_not_estimable_with_a_reason():
    assert agreement.alpha(counts_of({"i1": "AA", "i2": "AA"}), "nominal") == NotEstimable(agreement.NO_VARIATION)


def test_single_judgements_are_not_estimable_with_a_reason():
    assert agreement.alpha(counts_of({"i1": "A", "i2": "B"}), "nominal") == NotEstimable(agreement.NO_PAIRS)


def test_one_item_has_no_interval():
    assert agreement.alpha(counts_of({"i1": "AB", "i2": "A"}), "nominal") == NotEstimable(resampling.ONE_UNIT)


def test_too_many_undefined_resamples_are_not_estimable():
    figure = agreement.alpha(counts_of({"i1": "AB", "i2": "AA", "i3": "AA"}), "nominal")
    assert "resamples" in figure.reason


def test_perfect_agreement_has_an_interval_with_width():
    counts = counts_of({f"i{number}": "AA" if number % 2 else "BB" for number in range(20)})
    figure = agreement.alpha(counts, "nominal")
    # At most 1 - .025^(1/20) of the items may disagree; expected disagreement is 2 * 20 * 20 / (40 * 39).
    assert figure.low == pytest.approx(1 - (1 - 0.025 ** (1 / 20)) / (800 / 1560))
    assert (figure.estimate, figure.high) == (1, 1)
    assert "Clopper-Pearson" in figure.method


@examples
@given(st.integers(0, 10_000), st.integers(2, 5), st.sampled_from(["ordinal", "nominal"]))
def test_an_interval_has_width_and_stays_at_most_1(seed, categories, scale):
    figure = agreement.alpha(random_counts(seed, items=12, categories=categories), scale, Resampling(resamples=300))
    if isinstance(figure, Estimate):
        assert figure.low < figure.high <= 1
        assert figure.low <= figure.estimate + 0.2


def test_percent_agreement_is_the_mean_over_items_of_agreeing_pairs():
    # i1: 1 of 3 pairs; i2: all; i3: alone, left out.
    assert agreement.percent_agreement(counts_of({"i1": "AAB", "i2": "BB", "i3": "A"})) == pytest.approx(
        (1 / 3 + 1) / 2
    )


def test_coefficients_are_those_of_irrcac():
    counts = agreement.count_labels(graded(), graded=True).ordinal
    assert agreement.gwet_ac1(counts) == pytest.approx(IRRCAC["ac1"])
    assert agreement.gwet_ac2(counts) == pytest.approx(IRRCAC["ac2"])
    assert agreement.fleiss_kappa(counts) == pytest.approx(IRRCAC["fleiss"])
    assert agreement.alpha_point(counts, "nominal") == pytest.approx(IRRCAC["alpha"])
    assert agreement.percent_agreement(counts) == pytest.approx(IRRCAC["percent"])


def test_ac1_by_hand():
    # pa = 2/3; shares A 1/2, B 1/2; pe = (1/4 + 1/4) / 1.
    counts = counts_of({"i1": "AA", "i2": "BB", "i3": "AB"})
    assert agreement.gwet_ac1(counts) == pytest.approx((2 / 3 - 1 / 2) / (1 - 1 / 2))
    assert agreement.gwet_ac1(counts_of({"i1": "AA", "i2": "AA"})) is None


@examples
@given(st.integers(0, 10_000))
def test_fleiss_kappa_is_statsmodels(seed):
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(4, [0.5, 0.3, 0.2], size=20)
    if np.count_nonzero(counts.any(axis=0)) == 3:
        assert agreement.fleiss_kappa(counts.astype(float)) == pytest.approx(inter_rater.fleiss_kappa(counts))


@examples
@given(st.integers(0, 10_000))
def test_cohen_kappa_is_statsmodels(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 3, 50), rng.integers(0, 3, 50)
    table = np.zeros((3, 3))
    np.add.at(table, (first, second), 1)
    assert agreement.cohen_kappa(first, second) == pytest.approx(inter_rater.cohens_kappa(table).kappa)


def test_kappas_without_variation_are_none():
    assert agreement.cohen_kappa(np.zeros(4, int), np.zeros(4, int)) is None
    assert agreement.fleiss_kappa(counts_of({"i1": "AA"})) is None


def whole(rows, graded=False):
    return agreement.agreement(judgements(rows), graded=graded, resampling=Resampling(resamples=300))


def test_report_of_agreement_tells_shares_units_and_reliability():
    found = whole(random_rows(items=60, annotators=5, k=4, seed=1))
    assert sum(found.label_shares.values()) == pytest.approx(1)
    assert (found.n_units, found.n_items_multi, found.judgements_per_unit) == (60, 60, 4)
    assert found.ac2 is None
    if found.alpha_ordinal.estimate > 0:
        reliability = 4 * found.alpha_ordinal.estimate / (1 + 3 * found.alpha_ordinal.estimate)
        assert found.reliability == pytest.approx(reliability)


def test_both_scales_have_the_interval_they_would_have_alone():
    counts = agreement.count_labels(judgements(random_rows(seed=6)), graded=False)
    both = agreement.alpha_figures({"ordinal": counts.ordinal, "nominal": counts.nominal}, Resampling())
    assert both["nominal"] == agreement.alpha(counts.nominal, "nominal", Resampling())
    assert both["ordinal"] == agreement.alpha(counts.ordinal, "ordinal", Resampling())


def test_paradox_and_rare_labels_are_pointed_out():
    rows = [row(f"i{item}", rater, "B") for item in range(60) for rater in ("r1", "r2")]
    rows += [row(f"x{item}", rater, label) for item in range(4) for rater, label in (("r1", "A"), ("r2", "B"))]
    notes = whole(rows).notes
    assert any("AC1" in note for note in notes)
    assert any("84 %" in note for note in notes)


def test_ordinary_labels_have_no_note():
    assert whole(random_rows(items=100, seed=2)).notes == ()


def test_agreement_with_oneself_comes_from_repeats():
    rows = [row(f"i{item}", f"r{item % 3}", "B" if item % 2 else "A") for item in range(6)]
    again = [row(f"i{item}", f"r{item % 3}", "B", kind="repeat") for item in range(6)]
    stranger = [row("i0", "nobody", "A", kind="repeat")]
    found = sample([*rows, *again, *stranger])
    intra = agreement.intra_agreement(found.main, found.repeats, level=0.95)
    assert intra.same.estimate == pytest.approx(1 / 2)
    assert (intra.same.n, intra.n_annotators) == (6, 3)


def test_repeats_without_a_first_judgement_are_not_estimable():
    found = sample([row("i1", "r1", "A"), row("i2", "r1", "A", kind="repeat")])
    assert isinstance(agreement.intra_agreement(found.main, found.repeats, level=0.95), NotEstimable)
    assert agreement.intra_agreement(found.main, found.main.take(slice(0, 0)), level=0.95) is None


def test_alpha_is_one_less_the_disagreement_of_all_pairs():
    """The definition itself: pairs within items against pairs of all judgements."""
    counts = random_counts(9, items=10, most=4)
    counts = counts[counts.sum(axis=1) >= 2]
    values = [np.repeat([0, 1, 2], unit.astype(int)) for unit in counts]
    within = sum(sum(a != b for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1) for unit in values)
    everything = np.concatenate(values)
    between = sum(a != b for a, b in itertools.permutations(everything, 2)) / (len(everything) - 1)
    assert agreement.alpha_point(counts, "nominal") == pytest.approx(1 - within / between)
