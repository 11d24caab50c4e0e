"""How large a study has to be, before it starts: power and the smallest effect it can show.

The win score's variance is the sum of what items, annotators and single judgements add; the test is the report's t
test, with the degrees of freedom it will have. Effects are distances of the win score from 1/2.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from scipy import special

from annotation.results.errors import BadSetting
from annotation.results.noncentral import detectable_shift, rejection
from annotation.results.win_scores import VarianceShares

LARGEST_EFFECT = 0.5
MOST_ITEMS = 1_000_000


@dataclass(frozen=True)
class Spread:
    """Standard deviations of the item effects, the annotator effects and the rest, in units of the win score."""

    item_sd: float
    annotator_sd: float
    rest_sd: float

    def __post_init__(self) -> None:
        parts = (self.item_sd, self.annotator_sd, self.rest_sd)
        if not all(map(math.isfinite, parts)) or min(parts) < 0 or self.rest_sd + self.item_sd == 0:
            raise BadSetting("Standard deviations are 0 or more, and items or single judgements have to vary.")

    @classmethod
    def from_pilot(cls, shares: VarianceShares) -> "Spread":
        """As found in a study that has been run."""
        return cls(shares.item_sd, shares.annotator_sd, shares.rest_sd)

    @property
    def total_sd(self) -> float:
        """Standard deviation of one judgement's score."""
        return math.hypot(self.item_sd, self.annotator_sd, self.rest_sd)


@dataclass(frozen=True)
class Plan:
    """A study to be: n_items comparisons with k judgements each, by n_annotators who judge about equally many.

    load: judgements of each annotator, where they will not be equal.
    tests: criteria x matchups that are corrected together. Each is planned at its equal share of 1 - level
    (Bonferroni), below which Holm's correction never falls.
    """

    n_items: int
    k: int
    n_annotators: int
    spread: Spread
    level: float = 0.95
    load: Sequence[int] | None = None
    tests: int = 1

    def __post_init__(self) -> None:
        if self.n_items < 2 or self.k < 1 or self.n_annotators < 2:
            raise BadSetting("A plan needs two or more comparisons, one or more judgements each, and two annotators.")
        if self.k > self.n_annotators:
            raise BadSetting(f"{self.n_annotators} annotators cannot give {self.k} judgements each comparison.")
        if self.n_annotators > self.n:
            raise BadSetting(f"{self.n_annotators} annotators cannot share {self.n} judgements.")
        if not 0.5 < self.level < 1:
            raise BadSetting(f"The level is {self.level}; choose one between 0.5 and 1, such as 0.95.")
        if self.tests < 1:
            raise BadSetting(f"{self.tests} tests: count criteria times matchups; there is at least one.")

    @property
    def n(self) -> int:
        return self.n_items * self.k

    @property
    def test_level(self) -> float:
        """Level of one of the tests."""
        return 1 - (1 - self.level) / self.tests

    @property
    def annotator_weight(self) -> float:
        """Sum of the squared shares of the judgements that annotators give: 1 / annotators when equal."""
        if self.load is None:
            return 1 / self.n_annotators
        return sum((judgements / sum(self.load)) ** 2 for judgements in self.load)

    @property
    def variance(self) -> float:
        """Var = s_item^2/N + s_rater^2 sum(n_j^2)/n^2 + s_e^2/n."""
        spread = self.spread
        return (
            spread.item_sd**2 / self.n_items
            + spread.annotator_sd**2 * self.annotator_weight
            + spread.rest_sd**2 / self.n
        )

    @property
    def df(self) -> float:
        """Degrees of freedom of the two-way interval, at the expected clustered variances."""
        spread = self.spread
        by_item = spread.item_sd**2 / self.n_items + (spread.annotator_sd**2 + spread.rest_sd**2) / self.n
        by_annotator = spread.annotator_sd**2 * self.annotator_weight + (spread.item_sd**2 + spread.rest_sd**2) / self.n
        return self.variance**2 / (by_item**2 / (self.n_items - 1) + by_annotator**2 / (self.n_annotators - 1))


def power(plan: Plan, effect: float, *, reference: Literal["t", "normal"] = "t") -> float:
    """Probability that the study finds a win score of 1/2 + effect different from 1/2.

    The normal reference is that of Card et al. (2020), for comparison; plan with t.
    """
    shift = abs(effect) / math.sqrt(plan.variance)
    if reference == "normal":
        critical = float(special.ndtri((1 + plan.test_level) / 2))
        return float(special.ndtr(shift - critical) + special.ndtr(-shift - critical))
    return rejection(shift, plan.df, plan.test_level)


def check_wanted(wanted: float, level: float) -> None:
    """Raises: BadSetting for a power that cannot be planned for."""
    if not 1 - level < wanted < 1:
        raise BadSetting(f"A power of {wanted} cannot be planned for; choose one between {1 - level:.2f} and 1.")


def smallest_effect(plan: Plan, *, wanted: float = 0.8) -> float | None:
    """Smallest distance from 1/2 found with the wanted power; None where not even a win score of 1 would be."""
    check_wanted(wanted, plan.level)
    if power(plan, LARGEST_EFFECT) < wanted:
        return None
    return detectable_shift(plan.df, plan.test_level, wanted) * math.sqrt(plan.variance)


def items_needed(plan: Plan, effect: float, *, wanted: float = 0.8) -> int | None:
    """Fewest comparisons that reach the wanted power, everything else as planned; None where no number does.

    More dialogues do not average out what annotators differ by, so that there may be no such number.
    """
    check_wanted(wanted, plan.level)

    def is_enough(n_items: int) -> bool:
        return power(replace(plan, n_items=n_items), effect) >= wanted

    # So few that the annotators just have one judgement each.
    fewest = max(2, math.ceil(plan.n_annotators / plan.k))
    low, high = fewest - 1, fewest
    while not is_enough(high):
        low, high = high, 2 * high
        if high > MOST_ITEMS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


@dataclass(frozen=True)
class CurvePoint:
    """Power at one size of the study and one effect."""

    n_items: int
    n_annotators: int
    power: float
    smallest_effect: float | None


def power_curve(plan: Plan, effect: float, sizes: Iterable[int], *, wanted: float = 0.8) -> tuple[CurvePoint, ...]:
    """Power and smallest effect for other numbers of comparisons, everything else as planned."""
    plans = [replace(plan, n_items=size) for size in sizes]
    return tuple(
        CurvePoint(other.n_items, other.n_annotators, power(other, effect), smallest_effect(other, wanted=wanted))
        for other in plans
    )
