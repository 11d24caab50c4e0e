"""Whether a rehearsal gave back what the rule puts in. Pure: no Django."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from annotation.rehearsal.rule import Expected

# The normal quantile of a two-sided 99.9 % interval.
Z_999 = 3.2905


@dataclass(frozen=True)
class Verdict:
    """One question of one matchup: the expected win score, the recovered one, and how far apart chance can put them."""

    criterion: str
    matchup: str
    expected: float
    recovered: float
    allowed: float

    @property
    def holds(self) -> bool:
        return abs(self.recovered - self.expected) <= self.allowed

    def __str__(self) -> str:
        verb = "recovered" if self.holds else "MISSED"
        return (
            f"{self.criterion}: win score {self.recovered:.3f}, expected {self.expected:.3f}, "
            f"{verb} (a 99.9 % interval allows {self.allowed:.3f} either way)"
        )


def expected_win_score(pairs: Sequence[tuple[Expected, int]]) -> tuple[float, float]:
    """Return the win score to expect and its 99.9 % half-width, from each comparison's moments and its judgements.

    The texts are given, so only answers vary: the variance of the mean is the sum of their variances over n squared.
    """
    n = sum(count for _, count in pairs)
    mean = sum(expected.mean * count for expected, count in pairs) / n
    return mean, Z_999 * math.sqrt(sum(expected.variance * count for expected, count in pairs)) / n
