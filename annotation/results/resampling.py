"""Bootstrap of Krippendorff's alpha over items, all resamples at once.

Alpha depends on an item only through its counts of labels. Items with equal counts ("patterns") are exchangeable, so a
resample is a multinomial draw of how often each pattern comes up, and all resamples are a few matrix products.
Interval: BCa (Efron 1987), acceleration from the jackknife over items.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from annotation.results.data import Codes, Estimate, Figure, Floats, NotEstimable, Rows
from annotation.results.intervals import exact_upper_of_none

type Scale = Literal["ordinal", "nominal"]

ONE_UNIT = "one item only has two or more judgements; an interval needs two or more such items"
SAME_IN_ALL = "alpha is the same in every resample of the items, so no interval can be given"
UNDEFINED_LIMIT = 0.05

# Cells of the largest array that resampling holds at once: 32 MB.
CELLS = 4_000_000


@dataclass(frozen=True)
class Patterns:
    """Which units have equal counts: the first unit of each pattern, and how many units it has."""

    first: Rows
    units: Codes

    @classmethod
    def of(cls, counts: Floats) -> "Patterns":
        """counts: shape (units, categories), whole numbers."""
        key = np.zeros(len(counts), np.int64)
        size = 1
        for column in counts.astype(np.int64).T:
            base = int(column.max()) + 1
            if size > np.iinfo(np.int64).max // base:
                key = np.unique(key, return_inverse=True)[1].astype(np.int64)
                size = len(counts)
            key, size = key * base + column, size * base
        _, first, units = np.unique(key, return_index=True, return_counts=True)
        return cls(first, units.astype(np.int64))

    @property
    def n_units(self) -> int:
        return int(self.units.sum())


@dataclass(frozen=True)
class Resampling:
    """How to resample: how often, from which seed, for which level."""

    level: float = 0.95
    resamples: int = 2000
    seed: int = 0


def alpha_intervals(
    estimates: Mapping[Scale, float], counts: Mapping[Scale, Floats], resampling: Resampling
) -> dict[Scale, Figure]:
    """Intervals around alphas of the same units, from the same resamples.

    counts: per scale, shape (units, categories); every unit has two or more judgements, two or more categories occur.
    Units that are equal in the last table have to be equal in the others.
    """
    finest = list(counts.values())[-1]
    if len(finest) < 2:
        return {scale: NotEstimable(ONE_UNIT) for scale in counts}
    patterns = Patterns.of(finest)
    of_patterns = {scale: table[patterns.first] for scale, table in counts.items()}
    draws = draw_alphas(patterns, of_patterns, resampling)
    return {
        scale: _interval(estimates[scale], draws[scale], of_patterns[scale], scale, patterns.units, resampling)
        for scale in counts
    }


def _interval(
    estimate: float, draws: Floats, counts: Floats, scale: Scale, units: Codes, resampling: Resampling
) -> Figure:
    if not (np.count_nonzero(counts, axis=1) > 1).any():
        return _perfect(counts, units, scale, resampling.level)
    undefined = np.isnan(draws)
    if undefined.mean() > UNDEFINED_LIMIT:
        return NotEstimable(
            f"{undefined.sum()} of {len(draws)} resamples of the items hold one label only; too few items differ"
        )
    defined = draws[~undefined]
    if np.ptp(defined) < 1e-12:
        return NotEstimable(SAME_IN_ALL)
    low, high = bca(estimate, defined, left_out(counts, units, scale), units, resampling.level)
    method = f"BCa bootstrap over items, {resampling.resamples} resamples"
    if undefined.any():
        method += f" ({int(undefined.sum())} undefined left out)"
    n = int(units @ counts.sum(axis=1))
    return Estimate(
        estimate, low, high, method, n=n, level=resampling.level, n_items=int(units.sum()), seed=resampling.seed
    )


def _perfect(counts: Floats, units: Codes, scale: Scale, level: float) -> Estimate:
    """No item shows disagreement, so resampling sees none: alpha 1 and an exact lower limit.

    Up to the Clopper-Pearson upper limit of 0 items may disagree; each is taken to disagree as far as the scale goes.
    """
    totals = units @ counts
    n = float(totals.sum())
    place = _mid_ranks(totals[None, :])[0]
    distance = np.subtract.outer(place, place) ** 2 if scale == "ordinal" else 1 - np.eye(len(totals))
    expected = float(totals @ distance @ totals) / (n * (n - 1))
    n_items = int(units.sum())
    low = 1 - exact_upper_of_none(n_items, level) * float(distance.max()) / expected
    method = "Clopper-Pearson on items (no item shows disagreement)"
    return Estimate(1.0, max(low, -1.0), 1.0, method, n=int(n), level=level, n_items=n_items)


def draw_alphas(patterns: Patterns, counts: Mapping[Scale, Floats], resampling: Resampling) -> dict[Scale, Floats]:
    """Alphas of each resample of the units; nan where a resample holds one label only. counts: one row a pattern."""
    rng = np.random.default_rng(resampling.seed)
    widest = patterns.n_units if _draws_units(patterns) else len(patterns.units)
    step = max(1, CELLS // widest)
    drawn: dict[Scale, list[Floats]] = {scale: [] for scale in counts}
    for start in range(0, resampling.resamples, step):
        weights = _draw(patterns, min(step, resampling.resamples - start), rng)
        for scale, table in counts.items():
            drawn[scale].append(alphas(table, weights, scale))
    return {scale: np.concatenate(parts) for scale, parts in drawn.items()}


def _draws_units(patterns: Patterns) -> bool:
    """With many patterns, one draw for each unit is cheaper than one binomial for each pattern."""
    return len(patterns.units) > patterns.n_units / 8


def _draw(patterns: Patterns, size: int, rng: np.random.Generator) -> Floats:
    """How often each pattern comes up in `size` resamples: shape (size, patterns)."""
    n, kinds = patterns.n_units, len(patterns.units)
    if not _draws_units(patterns):
        return rng.multinomial(n, patterns.units / n, size=size).astype(float)
    picked = np.repeat(np.arange(kinds), patterns.units)[rng.integers(0, n, size=(size, n))]
    picked += np.arange(size)[:, None] * kinds
    return np.bincount(picked.ravel(), minlength=size * kinds).reshape(size, kinds).astype(float)


def alphas(counts: Floats, weights: Floats, scale: Scale) -> Floats:
    """Alpha where row p of counts stands for weights[r, p] units; one value a row of weights, nan without variation."""
    totals = weights @ counts
    if scale == "nominal":
        size = counts.sum(axis=1)
        within = (size**2 - (counts**2).sum(axis=1)) / (size - 1)
        return _alpha(weights @ within, totals, None)
    place = _mid_ranks(totals)
    return _alpha(_ordinal_disagreement(counts, weights, place), totals, place)


def _ordinal_disagreement(counts: Floats, weights: Floats, place: Floats) -> Floats:
    """Sum over units of squared distances between their judgements' places, each unit's over (judgements - 1).

    place: shape (resamples, categories), as the places of the categories depend on the totals of the resample.
    """
    size = counts.sum(axis=1)
    spread = size * (place**2 @ counts.T) - (place @ counts.T) ** 2
    spread *= weights
    return np.asarray(2 * (spread @ (1 / (size - 1))), dtype=float)


def _mid_ranks(totals: Floats) -> Floats:
    """Place of each category on the ordinal scale: all judgements below it and half of its own.

    The squared distance of two such places is Krippendorff's ordinal metric.
    """
    return np.cumsum(totals, axis=1) - totals / 2


def _alpha(observed: Floats, totals: Floats, place: Floats | None) -> Floats:
    """1 - observed / expected disagreement; nominal without places, ordinal with places (resamples, categories)."""
    n = totals.sum(axis=1)
    if place is None:
        expected = n**2 - (totals**2).sum(axis=1)
    else:
        expected = 2 * (n * (totals * place**2).sum(axis=1) - (totals * place).sum(axis=1) ** 2)
    several = np.count_nonzero(totals, axis=1) > 1
    return np.where(several, 1 - (n - 1) * observed / np.where(several, expected, 1), np.nan)


def left_out(counts: Floats, units: Codes, scale: Scale) -> Floats:
    """Alpha without one unit of each row of counts, row p standing for units[p] units (jackknife)."""
    size = counts.sum(axis=1)
    totals = units @ counts - counts
    if scale == "nominal":
        within = (size**2 - (counts**2).sum(axis=1)) / (size - 1)
        return _alpha(units @ within - within, totals, None)
    place = _mid_ranks(totals)
    weight = units / (size - 1)
    form = np.diag((weight * size) @ counts) - (counts * weight[:, None]).T @ counts
    own = (size * (counts * place**2).sum(axis=1) - (counts * place).sum(axis=1) ** 2) / (size - 1)
    return _alpha(2 * (((place @ form) * place).sum(axis=1) - own), totals, place)


def bca(estimate: float, draws: Floats, jackknife: Floats, units: Codes, level: float) -> tuple[float, float]:
    """Bias-corrected and accelerated limits. jackknife: one value a pattern, each standing for units[p] units."""
    equal = np.isclose(draws, estimate, rtol=0, atol=1e-12)
    below = float(np.mean((draws < estimate) & ~equal) + np.mean(equal) / 2)
    bias = float(special.ndtri(min(max(below, 0.5 / len(draws)), 1 - 0.5 / len(draws))))
    acceleration = _acceleration(jackknife, units)
    z = float(special.ndtri((1 + level) / 2))
    limits = [bias + (bias + side * z) / (1 - acceleration * (bias + side * z)) for side in (-1, 1)]
    low, high = np.quantile(draws, special.ndtr(limits))
    return float(low), float(high)


def _acceleration(jackknife: Floats, units: Codes) -> float:
    defined = np.isfinite(jackknife)
    values, weights = jackknife[defined], units[defined]
    deviation = np.average(values, weights=weights) - values
    squares = float(weights @ deviation**2)
    return float(weights @ deviation**3) / (6 * math.pow(squares, 1.5)) if squares > 0 else 0.0
