"""How far a figure may lie from what is expected before chance alone is no excuse. Pure: no Django.

A figure is a weighted sum of independent scores of known chances. Chernoff's bound holds at any number of judgements,
also for a few lopsided ones, where a normal interval is passed far more often than it says: for the sum S with
cumulant K(t) = log E exp(tS), at the point K'(t), P(S at least K'(t)) is at most exp(K(t) - t K'(t)).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from annotation.rehearsal.rule import Expected

# All figures of a right rehearsal hold together but for this chance.
MISS_CHANCE = 0.001
# Larger exponents say nothing more in double precision.
LARGEST_EXPONENT = 300.0


@dataclass(frozen=True)
class Term:
    """`count` scores of one distribution, each of which enters the sum with this weight."""

    expected: Expected
    weight: float
    count: int


def allowance(terms: Sequence[Term], chance: float) -> float:
    """Return the half-width about the mean of the sum that is left with at most this chance, to either side."""
    varying = [term for term in terms if term.expected.variance > 0 and term.weight and term.count]
    return max((_reach(varying, sign, chance / 2) for sign in (1, -1)), default=0.0) if varying else 0.0


def _reach(terms: Sequence[Term], sign: int, chance: float) -> float:
    """Return the distance above the mean (below, for sign -1) that is passed with at most this chance."""
    weights = sign * np.array([term.weight for term in terms])
    counts = np.array([term.count for term in terms])
    shares = np.array([_shares(term.expected) for term in terms])
    mean = float(counts @ (weights * np.array([term.expected.mean for term in terms])))

    def tilted(t: float) -> tuple[float, float]:
        """Return K(t) and K'(t)."""
        points = weights[:, None] * np.array([0.0, 0.5, 1.0])
        largest = (t * points).max(axis=1)
        parts = shares * np.exp(t * points - largest[:, None])
        totals = parts.sum(axis=1)
        return float(counts @ (largest + np.log(totals))), float(counts @ ((parts * points).sum(axis=1) / totals))

    def excess(t: float) -> float:
        cumulant, slope = tilted(t)
        return cumulant - t * slope - math.log(chance)

    end = LARGEST_EXPONENT / float(np.abs(weights).min())
    # Where even the most extreme sum is likelier than the chance, nothing is out of reach.
    t = end if excess(end) > 0 else brentq(excess, 0.0, end)
    return tilted(t)[1] - mean


def _shares(expected: Expected) -> tuple[float, float, float]:
    """Return the chances of the scores 0, 1/2 and 1 that have these two moments."""
    half = max(4 * (expected.mean - expected.variance - expected.mean**2), 0.0)
    one = max(expected.mean - half / 2, 0.0)
    return max(1 - half - one, 0.0), half, one
