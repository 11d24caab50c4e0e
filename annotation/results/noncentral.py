"""How often a t test rejects when there is an effect: the noncentral t distribution, summed over the standard error.

Given the standard error the test statistic is normal, so the chance of rejecting is a mean of normal chances over the
chi-square distribution of the variance. That needs no series, which library versions of this distribution lose to
underflow for large effects, and it is quick to load.
"""

from functools import lru_cache

import numpy as np
from scipy import special

from annotation.results.data import Floats
from annotation.results.intervals import t_quantile

# Gauss-Legendre points; from 1 degree of freedom up the sum is right to five digits.
POINTS = 400
HALVINGS = 40


def rejection(shift: float, df: float, level: float) -> float:
    """Chance that a two-sided t test at this level rejects; `shift`: the effect in standard errors."""
    critical = t_quantile((1 + level) / 2, df)
    scale, weight = _standard_errors(df)
    chance = special.ndtr(shift - critical * scale) + special.ndtr(-shift - critical * scale)
    return min(1.0, float(weight @ chance))


def detectable_shift(df: float, level: float, power: float) -> float:
    """The effect, in standard errors, that the test finds with this power (which has to be above 1 - level)."""
    low, high = 0.0, 1.0
    while rejection(high, df, level) < power:
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rejection(middle, df, level) < power else (low, middle)
    return high


@lru_cache(maxsize=256)
def _standard_errors(df: float) -> tuple[Floats, Floats]:
    """Estimated over true standard error, at points of its distribution, with their weights."""
    chance, weight = _chances()
    scale = np.sqrt(special.gammaincinv(df / 2, chance) * 2 / df)
    return np.asarray(scale, dtype=float), weight


@lru_cache(maxsize=1)
def _chances() -> tuple[Floats, Floats]:
    """Points between 0 and 1 with their weights, squeezed towards both ends, where quantiles run away."""
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    half = np.pi / 2 * (nodes + 1)
    return (1 - np.cos(half)) / 2, weights * np.pi / 4 * np.sin(half)
