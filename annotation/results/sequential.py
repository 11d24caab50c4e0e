"""A confidence band that may be looked at while a study runs.

After Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (asymptotic confidence sequences, Annals of Statistics 2024), with
the two-way clustered variance in place of the item variance. With annotator effects it is a heuristic, not a theorem:
simulation finds 2 to 7 % false alarms under continuous peeking, where a fixed interval gives 35 to 58 %.
"""

import math
from dataclasses import dataclass

import numpy as np

from annotation.results.data import Codes, Estimate, Figure, Flags, Floats, Judgements, NotEstimable, compact
from annotation.results.intervals import CANCELLED, Variance, mean_variance
from annotation.results.settings import Settings

MIN_ITEMS = 20
MIN_ANNOTATORS = 5
METHOD = "confidence band for continuous looking (asymptotic sequence, two-way variance; a heuristic)"


def half_width(variance: float | Floats, items: int | Floats | Codes, *, planned_items: int, level: float) -> Floats:
    """Half-width of the band after `items` finished items whose two-way variance of the mean is `variance`.

    The band is tightest, relative to a fixed interval, at half the planned items.
    """
    a = 1 - level
    tuned_to = planned_items / 2
    r2 = (-2 * math.log(a) + math.log(-2 * math.log(a) + 1)) / tuned_to
    t = np.asarray(items, dtype=float)
    widen = np.sqrt(2 * (t * r2 + 1) / (t * r2) * np.log(np.sqrt(t * r2 + 1) / a))
    return np.asarray(np.sqrt(variance) * widen, dtype=float)


def band(finished: Judgements, *, planned_items: int, level: float = 0.95, family: int = 1) -> Figure:
    """Win score of B over the finished items with its band; not estimable before 20 items and 5 annotators.

    finished: judgements of one criterion and pair, only of items that have all of theirs. family: number of bands that
    are to hold together; each gets its share of 1 - level (Bonferroni).
    """
    if finished.n_items < MIN_ITEMS or finished.n_annotators < MIN_ANNOTATORS:
        return NotEstimable(
            f"the band starts at {MIN_ITEMS} finished comparisons by {MIN_ANNOTATORS} annotators; "
            f"there are {finished.n_items} by {finished.n_annotators}"
        )
    score = finished.score
    variance = mean_variance(score, finished.item, finished.annotator)
    if variance.two_way <= 0:
        return NotEstimable(CANCELLED)
    return _estimate(float(score.mean()), variance, planned_items, 1 - (1 - level) / family)


def running_band(judgements: Judgements, settings: Settings, *, planned_items: int, family: int = 1) -> Figure:
    """The band over the items that are finished by the settings' judgements_per_item; judgements of one pair."""
    item = compact(judgements.item)
    finished = np.bincount(item) >= (settings.judgements_per_item or 1)
    return band(judgements.take(finished[item]), planned_items=planned_items, level=settings.level, family=family)


def _estimate(value: float, variance: Variance, planned_items: int, level: float) -> Estimate:
    half = float(half_width(variance.two_way, variance.n_items, planned_items=planned_items, level=level))
    return Estimate(
        estimate=value,
        low=max(value - half, 0.0),
        high=min(value + half, 1.0),
        method=METHOD,
        n=variance.n,
        level=level,
        n_items=variance.n_items,
        n_annotators=variance.n_annotators,
        se=math.sqrt(variance.two_way),
    )


@dataclass(frozen=True)
class BandPath:
    """The band after each finished item: arrays of length t, nan where it is not shown yet."""

    items: Codes
    win_score: Floats
    low: Floats
    high: Floats

    @property
    def shown(self) -> Flags:
        return np.isfinite(self.low)


def band_path(score: Floats, item: Codes, annotator: Codes, *, planned_items: int, level: float = 0.95) -> BandPath:
    """The band as it stood after each item, items in the order of their codes. All arrays have length n."""
    item, annotator = compact(item), compact(annotator)
    items = int(item.max()) + 1
    by_item = _ItemSums.of(score, item, annotator, items)
    t = np.arange(1, items + 1, dtype=np.int64)
    mean, variance, annotators = by_item.running_variance()
    with np.errstate(divide="ignore", invalid="ignore"):
        half = half_width(variance, t, planned_items=planned_items, level=level)
    shown = (t >= MIN_ITEMS) & (annotators >= MIN_ANNOTATORS) & (variance > 0)
    low = np.where(shown, np.maximum(mean - half, 0), np.nan)
    high = np.where(shown, np.minimum(mean + half, 1), np.nan)
    return BandPath(t, mean, low, high)


@dataclass(frozen=True)
class _ItemSums:
    """Sums by item, and running sums by annotator after each item (items x annotators)."""

    n: Floats
    total: Floats
    squares: Floats
    annotator_n: Floats
    annotator_total: Floats

    @classmethod
    def of(cls, score: Floats, item: Codes, annotator: Codes, items: int) -> "_ItemSums":
        annotators = int(annotator.max()) + 1
        cell = item * annotators + annotator
        size = items * annotators
        by_cell = np.bincount(cell, minlength=size).reshape(items, annotators).astype(float)
        sums = np.bincount(cell, score, minlength=size).reshape(items, annotators)
        return cls(
            n=by_cell.sum(axis=1),
            total=sums.sum(axis=1),
            squares=np.bincount(item, score**2, minlength=items),
            annotator_n=by_cell.cumsum(axis=0),
            annotator_total=sums.cumsum(axis=0),
        )

    def running_variance(self) -> tuple[Floats, Floats, Floats]:
        """After each item: mean score, two-way variance of it, number of annotators."""
        n = self.n.cumsum()
        mean = self.total.cumsum() / n
        t = np.arange(1, len(n) + 1)
        annotators = (self.annotator_n > 0).sum(axis=1)
        within_item = (
            (self.total**2).cumsum() - 2 * mean * (self.total * self.n).cumsum() + mean**2 * (self.n**2).cumsum()
        )
        by_annotator = ((self.annotator_total - mean[:, None] * self.annotator_n) ** 2).sum(axis=1)
        alone = self.squares.cumsum() - n * mean**2
        with np.errstate(divide="ignore", invalid="ignore"):
            v_item = within_item / n**2 * t / (t - 1)
            v_annotator = by_annotator / n**2 * annotators / (annotators - 1)
            v_alone = alone / n**2 * n / (n - 1)
            return mean, v_item + np.maximum(v_annotator - v_alone, 0), annotators.astype(float)
