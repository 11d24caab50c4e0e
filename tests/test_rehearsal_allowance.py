"""How far a figure of a rehearsal may lie from what is expected."""

import random
from itertools import product

import pytest
from scipy.stats import binom, norm

from annotation.rehearsal.allowance import Term, allowance
from annotation.rehearsal.rule import Expected


def coin(share: float) -> Expected:
    return Expected(share, share * (1 - share))


@pytest.mark.parametrize("n", [5, 12, 72, 500])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.97])
@pytest.mark.parametrize("chance", [0.001, 0.0001])
def test_no_lopsided_handful_passes_it_more_often_than_the_chance(n, share, chance):
    width = allowance([Term(coin(share), 1 / n, n)], chance)
    outside = sum(binom.pmf(wins, n, share) for wins in range(n + 1) if abs(wins / n - share) > width + 1e-9)
    assert outside <= chance


def test_a_normal_interval_would_be_passed_far_more_often():
    """Why it is not used: thirty times its chance with these twelve judgements."""
    half = norm.ppf(1 - 0.0005) * (0.9 * 0.1 / 12) ** 0.5
    assert sum(binom.pmf(wins, 12, 0.9) for wins in range(13) if abs(wins / 12 - 0.9) > half) > 0.004


def test_with_many_judgements_it_is_at_most_a_fifth_wider_than_a_normal_interval():
    width = allowance([Term(coin(0.6), 1 / 5000, 5000)], 0.001)
    normal = norm.ppf(1 - 0.0005) * (0.6 * 0.4 / 5000) ** 0.5
    assert normal < width < 1.2 * normal


def test_different_weights_and_ties_by_every_outcome():
    """All 3^6 outcomes of six judgements, listed."""
    expected = [Expected(0.7, 0.12), Expected(0.2, 0.08), Expected(0.5, 0.05)]
    weights = [0.5, -0.3, 0.2]
    width = allowance([Term(one, weight, 2) for one, weight in zip(expected, weights, strict=True)], 0.01)
    chances = [_chances(one) for one in expected for _ in range(2)]
    spread = [weight for weight in weights for _ in range(2)]
    mean = sum(2 * one.mean * weight for one, weight in zip(expected, weights, strict=True))
    outside = 0.0
    for outcome in product((0, 1, 2), repeat=6):
        total = sum(weight * score / 2 for weight, score in zip(spread, outcome, strict=True))
        if abs(total - mean) > width + 1e-9:
            outside += _product(chance[score] for chance, score in zip(chances, outcome, strict=True))
    assert outside <= 0.01


def test_what_cannot_vary_may_not_deviate():
    assert allowance([Term(Expected(1.0, 0.0), 0.1, 10)], 0.001) == 0
    assert allowance([], 0.001) == 0


def test_weights_of_very_different_size_are_no_trouble():
    rng = random.Random(5)
    terms = [Term(coin(rng.uniform(0.02, 0.98)), 10 ** rng.uniform(-9, 2), rng.randint(1, 40)) for _ in range(50)]
    assert 0 < allowance(terms, 0.0001) < sum(term.weight * term.count for term in terms)


def _chances(expected: Expected) -> tuple[float, float, float]:
    half = 4 * (expected.mean - expected.variance - expected.mean**2)
    one = expected.mean - half / 2
    return 1 - half - one, half, one


def _product(factors) -> float:
    result = 1.0
    for factor in factors:
        result *= factor
    return result
