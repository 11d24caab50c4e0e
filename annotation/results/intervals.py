"""Intervals for figures that are means of judgements which share dialogues and annotators.

Every such figure is, to first order, a sum of one influence value per judgement; what differs is only how these are
summed. Two-way cluster-robust variance after Cameron, Gelbach & Miller (2011), with the degrees of freedom of items and
annotators combined after Satterthwaite.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from annotation.results.data import Codes, Estimate, Figure, Floats, NotEstimable, compact

TWO_WAY = "two-way clustered over items and annotators, t with Satterthwaite df"
ITEM_CLUSTERED = "clustered over items, t"
EXACT_ON_ITEMS = "Clopper-Pearson on items (all scores equal)"
ONE_ITEM = "all judgements are about one dialogue; an interval needs two or more"
ONE_ANNOTATOR = (
    "one annotator gave all judgements, so what other annotators would say cannot be estimated; "
    "the interval for this annotator and new dialogues is the item-clustered one"
)
CANCELLED = "the judgements cancel out within every dialogue, so their variance is 0 and no interval can be given"

# Sums of squares below this are rounding of a variance of 0.
NO_VARIANCE = 1e-20


@dataclass(frozen=True)
class Variance:
    """Variance of a figure by what its judgements share, in squared units of the figure."""

    items: float
    annotators: float
    judgements: float
    n: int
    n_items: int
    n_annotators: int

    @property
    def two_way(self) -> float:
        """Items plus what annotators add beyond chance."""
        return self.items + max(self.annotators - self.judgements, 0.0)

    @property
    def two_way_df(self) -> float:
        """Satterthwaite degrees of freedom; the annotators' variance enters in full."""
        parts = self.items**2 / (self.n_items - 1) + self.annotators**2 / (self.n_annotators - 1)
        return self.two_way**2 / parts


def clustered(influence: Floats, item: Codes, annotator: Codes) -> Variance:
    """Variance of a sum of influence values; of a mean with residuals e they are e / n.

    Infinite where there is one cluster only.
    """
    n = len(influence)
    items, annotators = compact(item), compact(annotator)
    n_items, n_annotators = _size(items), _size(annotators)
    return Variance(
        items=_sum_of_squares(np.bincount(items, influence)) * _correction(n_items),
        annotators=_sum_of_squares(np.bincount(annotators, influence)) * _correction(n_annotators),
        judgements=_sum_of_squares(influence) * _correction(n),
        n=n,
        n_items=n_items,
        n_annotators=n_annotators,
    )


def _size(codes: Codes) -> int:
    return int(codes.max()) + 1 if len(codes) else 0


def _sum_of_squares(values: Floats) -> float:
    # Not values @ values: the product's last digit depends on the number of processors.
    return float(np.square(values).sum())


def _correction(clusters: int) -> float:
    return clusters / (clusters - 1) if clusters > 1 else math.inf


def mean_variance(values: Floats, item: Codes, annotator: Codes) -> Variance:
    """Variance of the mean of n values."""
    return clustered((values - values.mean()) / max(len(values), 1), item, annotator)


def two_way_interval(
    value: float,
    variance: Variance,
    *,
    level: float,
    null: float | None = 0.5,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Figure:
    """Value +- t sqrt(V) over items and annotators: what new annotators would say of new dialogues."""
    if variance.n_items < 2:
        return NotEstimable(ONE_ITEM)
    if variance.n_annotators < 2:
        return NotEstimable(ONE_ANNOTATOR)
    if variance.two_way < NO_VARIANCE:
        return NotEstimable(CANCELLED)
    spread = _Spread(math.sqrt(variance.two_way), variance.two_way_df, TWO_WAY)
    return _interval(value, spread, variance, level, null, limits)


def item_interval(
    value: float,
    variance: Variance,
    *,
    level: float,
    null: float | None = 0.5,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Figure:
    """Value +- t sqrt(V) over items: what these annotators would say of new dialogues."""
    if variance.n_items < 2:
        return NotEstimable(ONE_ITEM)
    if variance.items < NO_VARIANCE:
        return NotEstimable(CANCELLED)
    spread = _Spread(math.sqrt(variance.items), variance.n_items - 1.0, ITEM_CLUSTERED)
    return _interval(value, spread, variance, level, null, limits)


@dataclass(frozen=True)
class _Spread:
    se: float
    df: float
    method: str


def _interval(
    value: float, spread: _Spread, variance: Variance, level: float, null: float | None, limits: tuple[float, float]
) -> Estimate:
    half = t_quantile((1 + level) / 2, spread.df) * spread.se
    return Estimate(
        estimate=value,
        low=max(value - half, limits[0]),
        high=min(value + half, limits[1]),
        method=spread.method,
        n=variance.n,
        level=level,
        n_items=variance.n_items,
        n_annotators=variance.n_annotators,
        se=spread.se,
        df=spread.df,
        null=null,
        p=None if null is None else t_p_value((value - null) / spread.se, spread.df),
    )


def share_interval(values: Floats, item: Codes, annotator: Codes, *, level: float, two_way: bool = True) -> Figure:
    """Mean of values between 0 and 1, with the two-way (or the item-clustered) interval and the test of 1/2.

    When all values are equal there is no variance to go by: the exact interval on items takes its place.
    """
    if not len(values):
        return NotEstimable("there are no judgements")
    variance = mean_variance(values, item, annotator)
    if two_way and variance.n_annotators == 1:
        return NotEstimable(ONE_ANNOTATOR)
    if np.ptp(values) == 0:
        return _all_equal(float(values[0]), variance, level)
    interval = two_way_interval if two_way else item_interval
    return interval(float(values.mean()), variance, level=level)


def _all_equal(value: float, variance: Variance, level: float) -> Figure:
    """Exact interval where every item has the same score.

    For 0 and 1 it is Clopper-Pearson for that many items out of as many. For ties only, at most the upper bound of
    0 decided items is decided, all of them one way or the other.
    """
    if variance.n_items < 2:
        return NotEstimable(ONE_ITEM)
    reach = exact_upper_of_none(variance.n_items, level)
    reach_down, reach_up = (reach * value, reach * (1 - value))
    return Estimate(
        estimate=value,
        low=value - reach_down,
        high=value + reach_up,
        method=EXACT_ON_ITEMS,
        n=variance.n,
        level=level,
        n_items=variance.n_items,
        n_annotators=variance.n_annotators,
        null=0.5,
        p=1.0 if value == 0.5 else sign_test_p(0, variance.n_items),
    )


def exact_upper_of_none(n: int, level: float) -> float:
    """Upper Clopper-Pearson limit for 0 of n."""
    return float(1 - ((1 - level) / 2) ** (1 / n))


def wilson(successes: int, n: int, *, level: float) -> tuple[float, float]:
    """Wilson's score interval for a share of independent trials. Raises: ZeroDivisionError for n = 0."""
    z = float(special.ndtri((1 + level) / 2))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def sign_test_p(wins: int, losses: int) -> float:
    """Exact two-sided sign test of even chances; 1 when there is neither win nor loss."""
    n = wins + losses
    return min(1.0, 2 * float(special.bdtr(min(wins, losses), n, 0.5))) if n else 1.0


def t_quantile(q: float, df: float) -> float:
    return float(special.stdtrit(df, q))


def t_p_value(t: float, df: float) -> float:
    """Two-sided p of a t statistic."""
    return float(2 * special.stdtr(df, -abs(t)))


def holm(p_values: list[float]) -> list[float]:
    """Step-down corrected p values in the order given (Holm 1979)."""
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = largest
    return corrected
