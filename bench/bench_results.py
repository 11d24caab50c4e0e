"""How fast the results are: ratios within one run, so that they mean the same on any machine.

    python -m bench.bench_results

Fails when alpha with 2,000 resamples is not 100 times faster than a loop over krippendorff.alpha, when 10,000 items
take more than twice 1,000, or when the report of a million judgements takes 10 s or 1 GB.
"""

import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import krippendorff
import numpy as np

from annotation.results.agreement import alpha
from annotation.results.data import Floats
from annotation.results.resampling import Resampling

RESAMPLES = 2000
MILLION = 1_000_000
# The columns of our own export; the row of one judgement fills them.
CONSTANT = {
    "study": "study",
    "collection": "bundled",
    "dialogue_kind": "empathy",
    "language": "en",
    "tags": "",
    "kind": "main",
}
CONSTANT |= {"strength": "", "side_shown": "left", "skill": "Empathy", "excluded_reason": "", "is_rehearsal": "false"}
CONSTANT |= {"served_at": "2026-11-22T10:00:00+00:00", "submitted_at": "2026-11-22T10:01:00+00:00"}
VARYING = ("comparison", "item_id", "matchup", "system_a", "system_b", "rater_id", "dimension", "label", "outcome")
VARYING += ("shown_left", "length_a", "length_b", "seconds", "active_seconds")


def labels(items: int, annotators: int = 5, categories: int = 3, seed: int = 0) -> Floats:
    """Labels 0, 1, 2 of a shared and an own part: shape (annotators, items)."""
    rng = np.random.default_rng(seed)
    taste = rng.normal(0, 0.8, items) + rng.normal(0, 1, (annotators, items))
    cuts = np.quantile(taste, np.linspace(0, 1, categories + 1)[1:-1])
    return np.digitize(taste, cuts).astype(float)


def counts(ratings: Floats) -> Floats:
    """Counts of labels by item."""
    return np.stack([(ratings == category).sum(axis=0) for category in np.unique(ratings)], axis=1).astype(float)


def seconds(work: Callable[[], object], times: int) -> float:
    """Median time of the processor: on a busy machine the clock measures the others."""
    durations = []
    for _ in range(times):
        start = time.process_time()
        work()
        durations.append(time.process_time() - start)
    return float(np.median(durations))


def loop(ratings: Floats, resamples: int) -> None:
    """The plain way: the package's alpha of every resample of the items."""
    rng = np.random.default_rng(0)
    items = ratings.shape[1]
    for _ in range(resamples):
        krippendorff.alpha(ratings[:, rng.integers(0, items, items)], level_of_measurement="ordinal")


def bench_alpha() -> list[bool]:
    small, large = labels(1_000), labels(10_000)
    ours = seconds(lambda: alpha(counts(small), "ordinal", Resampling(resamples=RESAMPLES)), 21)
    ours_large = seconds(lambda: alpha(counts(large), "ordinal", Resampling(resamples=RESAMPLES)), 21)
    theirs = seconds(lambda: loop(small, RESAMPLES // 10), 5) * 10
    print(f"alpha, {RESAMPLES:,} resamples of 1,000 items x 5 annotators x 3 labels: {1e3 * ours:.1f} ms")
    faster, larger = theirs / ours, ours_large / ours
    return [
        verdict(f"a loop over krippendorff.alpha takes {theirs:.2f} s: {faster:.0f} times as long", faster >= 100),
        verdict(f"10,000 items take {1e3 * ours_large:.1f} ms: {larger:.2f} times as long", larger <= 2),
    ]


def write_million(path: Path, rows: int = MILLION) -> None:
    """An export of 3 criteria, k = 5, 2,000 annotators, 3 pairs of systems, in the columns of our own export."""
    rng = np.random.default_rng(0)
    per_comparison = 15
    systems = [("plain", "guided"), ("plain", "mentored"), ("guided", "mentored")]
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([*CONSTANT, *VARYING])
        for comparison in range(rows // per_comparison + 1):
            a, b = systems[comparison % 3]
            people = rng.integers(0, 2_000, 5)
            writer.writerows(rows_of(rng, comparison, a, b, people)[: max(0, rows - comparison * per_comparison)])


def rows_of(rng: np.random.Generator, comparison: int, a: str, b: str, people: np.ndarray) -> list[list[object]]:
    taste = rng.normal(0.2, 0.8)
    left = [a, b]
    found: list[list[object]] = []
    for place, person in enumerate(people):
        votes = np.digitize(taste + rng.normal(0, 1, 3), (-0.4, 0.4)).tolist()
        took = round(float(rng.gamma(4, 10)), 1)
        for criterion, vote in zip(("naturalness", "engagingness", "prosociality"), votes, strict=True):
            label = ("A", "tie", "B")[vote]
            outcome = ("baseline", "tie", "treatment")[vote]
            names = (f"c{comparison}", f"d{comparison // 3}", f"{a}-{b}", a, b, f"p{person}", criterion)
            lengths = (10 + comparison % 37, 12 + comparison % 41)
            found.append([*CONSTANT.values(), *names, label, outcome, left[place % 2], *lengths, took, took])
    return found


def bench_report(folder: Path) -> list[bool]:
    path = folder / "judgements.csv"
    write_million(path)
    start = time.perf_counter()
    command = [sys.executable, "-m", "annotation.results", str(path), "--json", str(folder / "report.json")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    clock = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    size = path.stat().st_size / 1e6
    return [
        verdict(
            f"report of {MILLION:,} judgements ({size:.0f} MB of CSV): {took:.1f} s (clock {clock:.1f} s)", took < 10
        ),
        verdict(f"its largest memory: {peak:.0f} MB", peak < 1024),
    ]


def verdict(sentence: str, holds: bool) -> bool:
    print(f"{'ok  ' if holds else 'FAIL'} {sentence}", flush=True)
    return holds


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        return 0 if all([*bench_alpha(), *bench_report(Path(folder))]) else 1


if __name__ == "__main__":
    sys.exit(main())
