"""Who is preferred: win score, shares, majorities, and the tests beside it, all in the frame (A, B) of one pair."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from annotation.results.data import Codes, Estimate, Figure, Floats, Judgements, NotEstimable, compact
from annotation.results.intervals import share_interval, sign_test_p, t_p_value
from annotation.results.noncentral import detectable_shift

FEW_ANNOTATORS = 5


@dataclass(frozen=True)
class Shares:
    """Share of judgements by outcome, each with its two-way interval; both_bad is part of ties."""

    a_wins: Figure
    ties: Figure
    b_wins: Figure
    both_bad: float


@dataclass(frozen=True)
class Majority:
    """Items by what more than half of their judgements say; where no outcome has more than half, no_majority."""

    a_wins: int
    ties: int
    b_wins: int
    no_majority: int


@dataclass(frozen=True)
class VarianceShares:
    """Shares of the variance of scores: between items, between annotators, and the rest; together 1.

    The standard deviations are those of item and annotator effects and of what is left, in units of the win score.
    """

    items: float
    annotators: float
    rest: float
    item_sd: float
    annotator_sd: float
    rest_sd: float


@dataclass(frozen=True)
class SignedRank:
    """Wilcoxon's signed-rank test of the items' mean grades against 0."""

    p: float
    n_items: int
    mean_grade: float
    method: str = "Wilcoxon signed-rank on item means, zeros after Pratt"


@dataclass(frozen=True)
class Equivalence:
    """Two one-sided tests of a win score within 1/2 +- margin."""

    p: float
    margin: float
    is_equivalent: bool
    method: str = "two one-sided t tests with the two-way variance"


def win_score(judgements: Judgements, *, level: float = 0.95) -> Figure:
    """Share of judgements that B wins, ties and both bad counted half; new annotators, new dialogues.

    Two-way clustered over items and annotators (Cameron, Gelbach & Miller 2011), Satterthwaite df. `p` tests 1/2.
    Not estimable with one item or one annotator.
    """
    return share_interval(judgements.score, judgements.item, judgements.annotator, level=level)


def win_score_of_these_annotators(judgements: Judgements, *, level: float = 0.95) -> Figure:
    """The win score with the item-clustered interval: these annotators, new dialogues."""
    return share_interval(judgements.score, judgements.item, judgements.annotator, level=level, two_way=False)


def win_rate_without_ties(judgements: Judgements, *, level: float = 0.95) -> Figure:
    """Share of decided judgements that B wins, with the two-way interval over these judgements."""
    decided = judgements.take(judgements.grade != 0)
    if not len(decided):
        return NotEstimable("no judgement is decided: all are ties")
    return share_interval(decided.score, decided.item, decided.annotator, level=level)


def outcome_counts(judgements: Judgements) -> tuple[int, int, int]:
    """Judgements that A wins, that neither wins, that B wins."""
    outcome = np.bincount(np.sign(judgements.grade) + 1, minlength=3)
    return int(outcome[0]), int(outcome[1]), int(outcome[2])


def shares(judgements: Judgements, *, level: float = 0.95) -> Shares:
    """Share of each outcome with its interval."""
    outcome = np.sign(judgements.grade)
    a, tie, b = (
        share_interval((outcome == sign).astype(float), judgements.item, judgements.annotator, level=level)
        for sign in (-1, 0, 1)
    )
    both_bad = float(judgements.both_bad.mean())
    return Shares(_untested(a), _untested(tie), _untested(b), both_bad)


def _untested(figure: Figure) -> Figure:
    """A share of one outcome is not tested against 1/2."""
    if isinstance(figure, NotEstimable):
        return figure
    return Estimate(**{**vars(figure), "null": None, "p": None})


def majority(judgements: Judgements) -> Majority:
    """Outcome by strict majority within each item; no draw is broken."""
    outcome = _majority_by_item(judgements)
    a, tie, b, none = (int((outcome == code).sum()) for code in (0, 1, 2, -1))
    return Majority(a, tie, b, none)


def _majority_by_item(judgements: Judgements) -> Codes:
    """0 A, 1 tie, 2 B, -1 no strict majority; one value an item."""
    item = compact(judgements.item)
    counts = np.bincount(item * 3 + np.sign(judgements.grade) + 1, minlength=3 * (int(item.max()) + 1)).reshape(-1, 3)
    most = counts.argmax(axis=1)
    return np.where(2 * counts.max(axis=1) > counts.sum(axis=1), most, -1)


def sign_test(outcome: Majority) -> float:
    """Exact two-sided p of the items decided by majority."""
    return sign_test_p(outcome.a_wins, outcome.b_wins)


def votes_p(judgements: Judgements) -> float:
    """Sign test on single judgements as if all were independent. For comparison only: it claims far too much."""
    a, _, b = outcome_counts(judgements)
    return sign_test_p(a, b)


def signed_rank(judgements: Judgements) -> SignedRank | NotEstimable:
    """Test of the graded judgements on item means, each item once."""
    # Loading scipy.stats takes longer than most reports; only graded scales need it.
    from scipy import stats

    means = item_means(judgements.grade.astype(float), judgements.item)
    if not means.any():
        return NotEstimable("the grades of every item average to 0")
    is_exact = len(means) <= 50 and bool(means.all()) and len(np.unique(abs(means))) == len(means)
    method: Literal["exact", "asymptotic"] = "exact" if is_exact else "asymptotic"
    test = stats.wilcoxon(means.tolist(), zero_method="pratt", correction=False, method=method)
    return SignedRank(p=float(test.pvalue), n_items=len(means), mean_grade=float(judgements.grade.mean()))


def item_means(values: Floats, item: Codes) -> Floats:
    """Mean of the values of each item that occurs, in order of the codes."""
    items = compact(item)
    return np.bincount(items, values) / np.bincount(items)


def equivalence(score: Figure, *, margin: float) -> Equivalence | NotEstimable:
    """Is the win score within 1/2 +- margin? The margin has to be set before the data are seen (Schuirmann 1987)."""
    if isinstance(score, NotEstimable):
        return score
    if score.se is None or score.df is None:
        return NotEstimable("all scores are equal, so there is no standard error to test with")
    above = t_p_value((score.estimate - (0.5 - margin)) / score.se, score.df) / 2
    below = t_p_value((0.5 + margin - score.estimate) / score.se, score.df) / 2
    p = max(
        above if score.estimate > 0.5 - margin else 1 - above,
        below if score.estimate < 0.5 + margin else 1 - below,
    )
    return Equivalence(p=p, margin=margin, is_equivalent=p < 1 - score.level)


def variance_shares(judgements: Judgements) -> VarianceShares | NotEstimable:
    """How the variance of scores splits, by moments: pairs of judgements that share an item, or an annotator.

    Negative components count as 0.
    """
    residual = judgements.score - judgements.score.mean()
    total = float(residual @ residual)
    if total == 0:
        return NotEstimable("all scores are equal, so there is no variance to split")
    items = _component(residual, judgements.item)
    annotators = _component(residual, judgements.annotator)
    if items is None:
        return NotEstimable("no item has two judgements, so what items share cannot be told from the rest")
    if annotators is None:
        return NotEstimable("no annotator gave two judgements, so what annotators share cannot be told from the rest")
    rest = max(total / len(residual) - items - annotators, 0.0)
    whole = items + annotators + rest
    return VarianceShares(
        *(part / whole for part in (items, annotators, rest)), *map(math.sqrt, (items, annotators, rest))
    )


def _component(residual: Floats, group: Codes) -> float | None:
    """Mean product of two residuals of one group; None where no group has two."""
    groups = compact(group)
    size = np.bincount(groups)
    pairs = int(size @ (size - 1))
    if not pairs:
        return None
    sums = np.bincount(groups, residual)
    return max(float(sums @ sums - residual @ residual) / pairs, 0.0)


def smallest_detectable_effect(score: Figure, *, power: float = 0.8) -> float | NotEstimable:
    """Distance from 1/2 that the study as it turned out would have found with this power, at its level."""
    if isinstance(score, NotEstimable):
        return score
    if score.se is None or score.df is None:
        return NotEstimable("all scores are equal, so there is no standard error to go by")
    return detectable_shift(score.df, score.level, power) * score.se
