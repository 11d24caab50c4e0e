"""Whether a rehearsal gave back what the rule puts in. Pure: no Django."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from annotation.rehearsal.rule import Expected
from annotation.results.data import Estimate
from annotation.results.sample import prepare
from annotation.results.summary import Matchup, Report, analyse
from annotation.results.table import read_csv

# The normal quantile of a two-sided 99.9 % interval.
Z_999 = 3.2905


@dataclass(frozen=True)
class Found:
    """What the results say of one criterion of one matchup, in the treatment's favour."""

    win: float
    tie: float
    loss: float
    score: float
    limits: tuple[float, float] | None
    alpha: float | None
    judgements: int


@dataclass(frozen=True)
class Verdict:
    """One criterion of one matchup: what was found, the expected win score, and how far chance can put them apart."""

    criterion: str
    matchup: str
    expected: float
    allowed: float
    found: Found

    @property
    def holds(self) -> bool:
        return abs(self.found.score - self.expected) <= self.allowed


def expected_win_score(pairs: Sequence[tuple[Expected, int]]) -> tuple[float, float]:
    """Return the win score to expect and its 99.9 % half-width, from each comparison's moments and its judgements.

    The texts are given, so only answers vary: the variance of the mean is the sum of their variances over n squared.
    """
    n = sum(count for _, count in pairs)
    mean = sum(expected.mean * count for expected, count in pairs) / n
    return mean, Z_999 * math.sqrt(sum(expected.variance * count for expected, count in pairs)) / n


@dataclass(frozen=True)
class Recovered:
    """The results of an exported file."""

    report: Report

    def of(self, criterion: str, *, baseline: str, treatment: str) -> Found:
        """Return the figures of one criterion of one matchup, whichever way round the results put the pair."""
        for key, matchup in self.report.matchups():
            if key == criterion and {matchup.system_a, matchup.system_b} == {baseline, treatment}:
                return found(matchup, is_turned=matchup.system_a == treatment)
        raise KeyError(f"The results lack {criterion} of {treatment} against {baseline}.")


def found(matchup: Matchup, *, is_turned: bool) -> Found:
    """Return the treatment's figures; `is_turned` when the treatment is the results' system A."""
    n, ties, score = matchup.n_judgements, matchup.ties, matchup.win_score_b
    wins, losses = (matchup.a_wins, matchup.b_wins) if is_turned else (matchup.b_wins, matchup.a_wins)
    limits = (score.low, score.high) if isinstance(score, Estimate) else None
    if limits and is_turned:
        limits = (1 - limits[1], 1 - limits[0])
    alpha = matchup.agreement.alpha_ordinal.estimate
    return Found(wins / n, ties / n, losses / n, (wins + ties / 2) / n, limits, alpha, n)


def read_results(csv: Path) -> Recovered:
    """Analyse an exported file of judgements as anybody would."""
    return Recovered(analyse(prepare(read_csv(csv))))


def table(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the lines of the results table; shares and scores are the treatment's."""
    heading = f"  {'':16}   win   tie  loss  win score [95 %]        expected  allowed  alpha    n"
    lines = []
    for matchup in dict.fromkeys(verdict.matchup for verdict in verdicts):
        lines += [matchup, heading, *(row(verdict) for verdict in verdicts if verdict.matchup == matchup)]
    return lines


def row(verdict: Verdict) -> str:
    """Return one line of the table."""
    found = verdict.found
    shares = "".join(f"{share:6.1%}" for share in (found.win, found.tie, found.loss))
    limits = f"[{found.limits[0]:.3f}, {found.limits[1]:.3f}]" if found.limits else "[not estimable]"
    alpha = "-" if found.alpha is None else f"{found.alpha:.2f}"
    checked = f"{verdict.expected:.3f}   ±{verdict.allowed:.3f}  {alpha:>5} {found.judgements:4}"
    remark = "" if verdict.holds else "  MISSED"
    return f"  {verdict.criterion:16}{shares}  {found.score:.3f} {limits:16}  {checked}{remark}"
