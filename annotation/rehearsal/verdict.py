"""Whether a rehearsal gave back what the rule puts in. Pure: no Django.

Two figures are checked for every criterion of every matchup, each against an interval around what the rule leads to
expect of these texts: the win score, and the slope of the scores on the rule's scores over the comparisons. The slope
is 1 where answers land where they belong and -1 where sides are mixed up, also when wins and losses even out; people
who guess pull it towards 0 by their share. The intervals hold together: all figures of a right rehearsal lie in theirs
in at least 99.9 % of rehearsals.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from annotation.rehearsal.allowance import MISS_CHANCE, Term, allowance
from annotation.rehearsal.rule import Expected
from annotation.results.data import Estimate
from annotation.results.sample import prepare
from annotation.results.summary import Matchup, Report, analyse
from annotation.results.table import read_csv

SCORES = {"treatment": 1.0, "tie": 0.5, "both_bad": 0.5, "baseline": 0.0}


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
class Check:
    """A figure that must come out as expected, but for the `allowed` half-width of its interval."""

    expected: float
    recovered: float
    allowed: float

    @property
    def holds(self) -> bool:
        return abs(self.recovered - self.expected) <= self.allowed


@dataclass(frozen=True)
class Verdict:
    """One criterion of one matchup: what was found, and whether it is what the rule puts in."""

    criterion: str
    matchup: str
    found: Found
    win_score: Check
    slope: Check | None

    @property
    def holds(self) -> bool:
        return self.win_score.holds and (self.slope is None or self.slope.holds)


class Scores(NamedTuple):
    """Scores of judgements of one comparison: what the rule says of it, and what these people do where they do not
    follow the rule.
    """

    rule: Expected
    scores: Sequence[float]
    otherwise: Expected | None = None

    @property
    def expected(self) -> Expected:
        return self.otherwise or self.rule

    @property
    def pull(self) -> float:
        """How far the rule is from finding both alike."""
        return self.rule.mean - 0.5

    def weighing(self, weight: float) -> Term:
        return Term(self.expected, weight, len(self.scores))


def check_win_score(judged: Sequence[Scores], recovered: float, chance: float = MISS_CHANCE) -> Check:
    """Check the recovered win score. The texts are given, so only answers vary.

    `chance` is that of a miss where all is right.
    """
    n = sum(len(each.scores) for each in judged)
    mean = sum(each.expected.mean * len(each.scores) for each in judged) / n
    return Check(mean, recovered, allowance([each.weighing(1 / n) for each in judged], chance))


def check_slope(judged: Sequence[Scores], chance: float = MISS_CHANCE) -> Check | None:
    """Check the regression through (1/2, 1/2) of the scores on the rule's; None where the rule has no favourite.

    It is the sum of the scores' distances from 1/2, each weighed by (E - 1/2) over the sum of all (E - 1/2)^2.
    """
    weight = sum(len(each.scores) * each.pull**2 for each in judged)
    if weight == 0:
        return None
    slope = sum(each.pull * (score - 0.5) for each in judged for score in each.scores) / weight
    expected = sum(each.pull * (each.expected.mean - 0.5) * len(each.scores) for each in judged) / weight
    return Check(expected, slope, allowance([each.weighing(each.pull / weight) for each in judged], chance))


@dataclass(frozen=True)
class Recovered:
    """What an exported file says: the results, and who gave the treatment which score, by comparison and criterion."""

    report: Report
    scores: Mapping[tuple[str, str], Sequence[tuple[str, float]]]

    def judged(self, comparison: str, criterion: str, rule: Expected, others: Mapping[str, Expected]) -> list[Scores]:
        """Return the scores of a comparison, those of people who do not follow the rule apart."""
        groups: dict[Expected | None, list[float]] = {}
        for annotator, score in self.scores.get((comparison, criterion), ()):
            groups.setdefault(others.get(annotator), []).append(score)
        return [Scores(rule, scores, otherwise) for otherwise, scores in groups.items()]

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


def read_results(path: Path) -> Recovered:
    """Analyse an exported file of judgements as anybody would; what is left out of results is left out here."""
    scores: dict[tuple[str, str], list[tuple[str, float]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["excluded_reason"]:
                continue
            score = row["rater_id"], SCORES[row["outcome"]]
            scores.setdefault((row["comparison"], row["dimension"]), []).append(score)
    return Recovered(analyse(prepare(read_csv(path))), scores)


def table(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the lines of the results table; shares and scores are the treatment's."""
    heading = f"  {'':16}   win   tie  loss  win score [95 %]        expected          slope            alpha    n"
    lines = []
    for matchup in dict.fromkeys(verdict.matchup for verdict in verdicts):
        lines += [matchup, heading, *(line(verdict) for verdict in verdicts if verdict.matchup == matchup)]
    return lines


def line(verdict: Verdict) -> str:
    """Return one line of the table."""
    found, expected, slope = verdict.found, verdict.win_score, verdict.slope
    shares = "".join(f"{share:6.1%}" for share in (found.win, found.tie, found.loss))
    limits = f"[{found.limits[0]:.3f}, {found.limits[1]:.3f}]" if found.limits else "[not estimable]"
    slopes = f"{slope.recovered:5.2f} ({slope.expected:.2f} ±{slope.allowed:.2f})" if slope else "-"
    alpha = "-" if found.alpha is None else f"{found.alpha:.2f}"
    checked = f"{expected.expected:.3f} ±{expected.allowed:.3f}  {slopes:18} {alpha:>5} {found.judgements:4}"
    remark = "" if verdict.holds else "  MISSED"
    return f"  {verdict.criterion:16}{shares}  {found.score:.3f} {limits:16}  {checked}{remark}"
