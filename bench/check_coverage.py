"""Do the intervals hold what they promise? Simulated studies with a known truth; fails outside the bounds.

    python -m bench.check_coverage

Answers come from a log-odds scale: preference + dialogue effect + annotator effect + logistic noise, called A, tie or B
by two cuts. Standard deviations of annotators are on that scale. Everything is seeded: a run repeats itself.

A simulated share has an error of its own: one cell fails when it is beyond its bound by more than 2.5 standard errors
of the simulation, and the mean over the cells fails when it is beyond the bound at all.
"""

import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy import integrate, special

from annotation.results.agreement import alpha, alpha_point
from annotation.results.data import Codes, Estimate, Floats
from annotation.results.intervals import mean_variance, share_interval, t_quantile, wilson
from annotation.results.resampling import Resampling
from annotation.results.sequential import MIN_ITEMS, band_path, half_width

LEVEL = 0.95
TOLERANCE = 2.5
EFFECT = 0.6


@dataclass(frozen=True)
class Study:
    """Size and truth of a simulated study; preference 0 means that no system is better."""

    items: int
    k: int
    annotators: int
    annotator_sd: float
    preference: float = 0.0
    item_sd: float = 0.7
    tie_cut: float = 0.6

    @property
    def truth(self) -> float:
        """The win score over all dialogues and annotators there could be."""
        spread = math.hypot(self.item_sd, self.annotator_sd)

        def density(effect: float) -> float:
            latent = self.preference + spread * effect
            score = (special.expit(latent - self.tie_cut) + special.expit(latent + self.tie_cut)) / 2
            return float(score * math.exp(-(effect**2) / 2) / math.sqrt(2 * math.pi))

        return float(integrate.quad(density, -9, 9)[0])

    def judge(self, rng: np.random.Generator) -> "Judged":
        """One study: k different annotators, drawn at random, for each item."""
        item = np.repeat(np.arange(self.items), self.k)
        annotator = rng.random((self.items, self.annotators)).argsort(axis=1)[:, : self.k].ravel()
        latent = (
            self.preference
            + rng.normal(0, self.item_sd, self.items)[item]
            + rng.normal(0, self.annotator_sd, self.annotators)[annotator]
            + rng.logistic(0, 1, len(item))
        )
        return Judged(np.digitize(latent, (-self.tie_cut, self.tie_cut)) / 2, item, annotator)


@dataclass(frozen=True)
class Judged:
    score: Floats
    item: Codes
    annotator: Codes


@dataclass
class Check:
    """A simulated share in percent that has to lie within bounds, cell by cell and on average."""

    name: str
    low: float
    high: float
    shares: list[float]
    runs: int

    def failures(self) -> list[str]:
        found = [share for share in self.shares if not self._holds(share)]
        mean = float(np.mean(self.shares))
        lines = [f"{self.name}: {share:.1f} % in one cell" for share in found]
        if not self.low <= mean <= self.high:
            lines.append(f"{self.name}: {mean:.2f} % on average")
        return lines

    def _holds(self, share: float) -> bool:
        error = [100 * math.sqrt(bound * (100 - bound) / 1e4 / self.runs) for bound in (self.low, self.high)]
        return self.low - TOLERANCE * error[0] <= share <= self.high + TOLERANCE * error[1]

    def __str__(self) -> str:
        bounds = f"at most {self.high:g} %" if self.low == 0 else f"{self.low:g} to {self.high:g} %"
        verdict = "FAIL" if self.failures() else "ok  "
        spread = f"{min(self.shares):.1f} to {max(self.shares):.1f} %, mean {np.mean(self.shares):.2f} %"
        return f"{verdict} {self.name}: {spread} over {len(self.shares)} cells of {self.runs:,} studies ({bounds})"


def share_of(study: Study, runs: int, seed: int, holds: Callable[[Judged], bool]) -> float:
    """In how many of the simulated studies something holds, in percent."""
    rng = np.random.default_rng([seed, study.items, study.k, study.annotators, round(100 * study.annotator_sd)])
    return 100 * sum(holds(study.judge(rng)) for _ in range(runs)) / runs


def covers(truth: float, two_way: bool = True) -> Callable[[Judged], bool]:
    def holds(data: Judged) -> bool:
        figure = share_interval(data.score, data.item, data.annotator, level=LEVEL, two_way=two_way)
        return isinstance(figure, Estimate) and figure.low <= truth <= figure.high

    return holds


def check_win_score() -> list[Check]:
    """The two-way interval over the sizes of ordinary studies, without and with a difference."""
    cells = [Study(*cell) for cell in product((50, 300), (3, 5), (5, 10, 30), (0.0, 0.3, 0.6))]
    null = [100 - share_of(cell, 6000, 1, covers(0.5)) for cell in cells]
    different = [replace(cell, preference=EFFECT) for cell in cells]
    covered = [share_of(cell, 3000, 2, covers(cell.truth)) for cell in different]
    for cell, false_alarms, coverage in zip(cells, null, covered, strict=True):
        print(
            f"     {cell.items:4} items, k {cell.k}, {cell.annotators:2} annotators, s.d. {cell.annotator_sd:.1f}: "
            f"coverage {coverage:.1f} %; without a difference {100 - false_alarms:.1f} %, alarms {false_alarms:.1f} %"
        )
    return [
        Check("win score, coverage", 93, 98, covered, 3000),
        Check("win score, coverage without a difference", 93, 98, [100 - share for share in null], 6000),
        Check("win score, false alarms", 0, 6, null, 6000),
    ]


def compare_methods() -> None:
    """What others do, in the same studies: for the documentation, without bounds."""
    cells = [Study(*cell) for cell in product((150,), (3, 5), (5, 10, 30), (0.3, 0.6))]
    methods: dict[str, Callable[[Judged], bool]] = {
        "Wilson's interval on votes": wilson_covers,
        "item bootstrap": lambda data: item_bootstrap_covers(data, np.random.default_rng(3)),
        "pigeonhole bootstrap": lambda data: pigeonhole_covers(data, np.random.default_rng(4)),
        "clustered over items": covers(0.5, two_way=False),
        "two-way (ours)": covers(0.5),
    }
    for name, holds in methods.items():
        covered = [share_of(cell, 400, 5, holds) for cell in cells]
        print(f"     {name}: covers {min(covered):.0f} to {max(covered):.0f} %, mean {np.mean(covered):.1f} %")
    three = [100 - share_of(Study(150, 3, 3, sd), 2000, 6, covers(0.5)) for sd in (0.0, 0.3, 0.6)]
    print(f"     two-way with 3 annotators: false alarms {min(three):.1f} to {max(three):.1f} %")


def wilson_covers(data: Judged) -> bool:
    decided = data.score[data.score != 0.5]
    low, high = wilson(int(decided.sum()), len(decided), level=LEVEL)
    return low <= 0.5 <= high


def item_bootstrap_covers(data: Judged, rng: np.random.Generator, resamples: int = 500) -> bool:
    items = int(data.item.max()) + 1
    weights = rng.multinomial(items, np.full(items, 1 / items), size=resamples)
    return percentiles_cover(weights @ np.bincount(data.item, data.score) / (weights @ np.bincount(data.item)))


def pigeonhole_covers(data: Judged, rng: np.random.Generator, resamples: int = 500) -> bool:
    """Items and annotators resampled at once (Owen 2007)."""
    drawn = []
    for codes in (data.item, data.annotator):
        n = int(codes.max()) + 1
        drawn.append(rng.multinomial(n, np.full(n, 1 / n), size=resamples)[:, codes])
    weights = drawn[0] * drawn[1]
    return percentiles_cover(weights @ data.score / weights.sum(axis=1))


def percentiles_cover(draws: Floats) -> bool:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return bool(low <= 0.5 <= high)


def check_alpha() -> list[Check]:
    """Intervals of alpha for ordinary mixes of labels."""
    mixes = {"even": (0.0, 0.6), "few ties": (0.0, 0.2), "one-sided": (0.7, 0.6), "many ties": (0.0, 1.3)}
    covered = []
    for (mix, (preference, cut)), items, k in product(mixes.items(), (100, 300), (3, 5)):
        study = Study(items, k, 30, 0.3, preference, item_sd=1.5, tie_cut=cut)
        truth = alpha_point(label_counts(replace(study, items=200_000).judge(np.random.default_rng(7))), "ordinal")
        covered.append(share_of(study, 1000, 8, alpha_covers(truth)))
        print(f"     alpha {truth:.2f}, {mix}, {items} items, k {k}: coverage {covered[-1]:.1f} %")
    return [Check("alpha, coverage", 92, 97, covered, 1000)]


def label_counts(data: Judged) -> Floats:
    items = int(data.item.max()) + 1
    category = (2 * data.score).astype(np.int64)
    return np.bincount(data.item * 3 + category, minlength=3 * items).reshape(items, 3).astype(float)


def alpha_covers(truth: float) -> Callable[[Judged], bool]:
    def holds(data: Judged) -> bool:
        figure = alpha(label_counts(data), "ordinal", Resampling(LEVEL, resamples=1000))
        return isinstance(figure, Estimate) and figure.low <= truth <= figure.high

    return holds


def check_band() -> list[Check]:
    """False alarms when the band is looked at after every item, from the 20th to the last planned one."""
    none = [Study(*cell, 0.0) for cell in product((100, 300), (3, 5), (5, 10, 30))]
    some = [Study(*cell, 0.3) for cell in product((100, 300), (3, 5), (10, 30))]
    return [
        Check("band, false alarms without annotator effects", 0, 5, alarms(none, band_alarms), 2000),
        Check("band, false alarms at annotator s.d. .3", 0, 8, alarms(some, band_alarms), 2000),
    ]


def alarms(cells: Sequence[Study], sounds: Callable[[Judged], bool], runs: int = 2000) -> list[float]:
    return [share_of(cell, runs, 9, sounds) for cell in cells]


def band_alarms(data: Judged) -> bool:
    path = band_path(data.score, data.item, data.annotator, planned_items=int(data.item.max()) + 1, level=LEVEL)
    return bool(((path.low > 0.5) | (path.high < 0.5)).any())


def fixed_alarms(data: Judged) -> bool:
    """The interval for a fixed size, looked at after every item."""
    for items in range(MIN_ITEMS, int(data.item.max()) + 2):
        seen = data.item < items
        variance = mean_variance(data.score[seen], data.item[seen], data.annotator[seen])
        half = t_quantile((1 + LEVEL) / 2, items - 1) * math.sqrt(variance.items)
        if abs(data.score[seen].mean() - 0.5) > half:
            return True
    return False


def item_mean_alarms(data: Judged) -> bool:
    """The published sequence: items taken for independent, annotators left out of account."""
    items = int(data.item.max()) + 1
    means = np.bincount(data.item, data.score) / np.bincount(data.item)
    t = np.arange(1, items + 1)
    mean = means.cumsum() / t
    variance = np.maximum((means**2).cumsum() / t - mean**2, 1e-12) / t
    half = half_width(variance, t, planned_items=items, level=LEVEL)
    return bool((np.abs(mean - 0.5) > half)[MIN_ITEMS - 1 :].any())


def compare_peeking() -> None:
    """What continuous looking does to other intervals: for the documentation, without bounds."""
    for sd in (0.0, 0.15, 0.3):
        cells = [Study(300, k, annotators, sd) for k, annotators in product((3, 5), (10,))]
        fixed, sequence = alarms(cells, fixed_alarms, 200), alarms(cells, item_mean_alarms, 1000)
        print(
            f"     false alarms when looked at after every item, s.d. {sd}: fixed interval {np.mean(fixed):.0f} %, "
            f"sequence on item means {np.mean(sequence):.0f} %, band {np.mean(alarms(cells, band_alarms, 1000)):.0f} %"
        )


def main() -> int:
    start = time.perf_counter()
    checks = [*check_win_score(), *check_alpha(), *check_band()]
    compare_methods()
    compare_peeking()
    print(*checks, sep="\n")
    failures = [line for check in checks for line in check.failures()]
    print(f"{time.perf_counter() - start:.0f} s; " + ("; ".join(failures) or "every interval holds what it promises"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
