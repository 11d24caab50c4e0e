"""What is known of each annotator's work. Figures to look at: nobody is left out because of them by itself."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotation.results.agreement import same_question
from annotation.results.data import Codes, Flags, Floats, Judgements, Sample, compact
from annotation.results.intervals import wilson

# Nobody reads faster than this: about twice the fastest silent reading with understanding.
READING_WORDS_PER_SECOND = 10.0
FAST_QUANTILE = 0.05


@dataclass(frozen=True)
class OwnAgreement:
    """Share of the other judgements of the same comparison and criterion that say the same, with its standard error.

    se is clustered over comparisons; None where there are fewer than two.
    """

    estimate: float
    se: float | None
    n: int


@dataclass(frozen=True)
class Gold:
    """Comparisons with a known answer: how many were right, and the lower end of Wilson's interval."""

    correct: int
    asked: int
    share: float
    low: float


@dataclass(frozen=True)
class Quality:
    """One annotator. Answers are taken as they were shown (left, tie, right) where the side is known.

    modal_share: of the most frequent answer · longest_run: most equal answers in a row to one criterion · left_share:
    of decided judgements · median_seconds, fast_share (below the study's own 5 % quantile) and below_reading_share
    (faster than ten words a second): over comparisons with a known time.
    """

    annotator: str
    n_judgements: int
    n_comparisons: int
    agreement: OwnAgreement | None
    agreement_by_criterion: Mapping[str, OwnAgreement]
    modal_share: float
    longest_run: int
    left_share: float | None
    median_seconds: float | None
    fast_share: float | None
    below_reading_share: float | None
    gold: Gold | None


def quality_table(
    judgements: Judgements, *, gold: Mapping[str, tuple[int, int]] | None = None, level: float = 0.95
) -> tuple[Quality, ...]:
    """One row an annotator, in the order of their names. gold: annotator to (right, asked)."""
    people = np.unique(judgements.annotator)
    annotator = np.searchsorted(people, judgements.annotator)
    columns = _Columns.of(judgements, annotator, len(people))
    return tuple(
        columns.row(place, judgements.annotators[code], _gold((gold or {}).get(judgements.annotators[code]), level))
        for place, code in enumerate(people)
    )


def _gold(answers: tuple[int, int] | None, level: float) -> Gold | None:
    if not answers or not answers[1]:
        return None
    correct, asked = answers
    return Gold(correct, asked, correct / asked, wilson(correct, asked, level=level)[0])


@dataclass(frozen=True)
class _Agreements:
    mean: Floats
    se: Floats
    n: Codes

    @classmethod
    def of(cls, share: Floats, annotator: Codes, comparison: Codes, people: int) -> "_Agreements":
        """Mean share and its standard error over comparisons, for each annotator."""
        paired = np.isfinite(share)
        share, annotator, comparison = share[paired], annotator[paired], comparison[paired]
        n = np.bincount(annotator, minlength=people)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(annotator, share, minlength=people) / n
            first, cell = _cells(annotator, comparison)
            sums = np.bincount(cell, share - mean[annotator])
            who = annotator[first]
            clusters = np.bincount(who, minlength=people)
            variance = np.bincount(who, sums**2, minlength=people) / n**2 * clusters / (clusters - 1)
        return cls(mean, np.sqrt(np.where(clusters > 1, variance, np.nan)), n)

    def at(self, place: int) -> OwnAgreement | None:
        if not self.n[place]:
            return None
        return OwnAgreement(float(self.mean[place]), _known(self.se[place]), int(self.n[place]))


@dataclass(frozen=True)
class _Columns:
    """Every figure as an array over annotators."""

    n: Codes
    n_comparisons: Codes
    agreement: _Agreements
    by_criterion: Mapping[str, _Agreements]
    modal_share: Floats
    longest_run: Codes
    left_share: Floats
    median_seconds: Floats
    fast_share: Floats
    below_reading_share: Floats

    @classmethod
    def of(cls, judgements: Judgements, annotator: Codes, people: int) -> "_Columns":
        answer = _shown_answer(judgements)
        comparison = _comparison(judgements)
        share = agreement_with_others(judgements)
        first = _first_rows(annotator, comparison)
        seconds = judgements.seconds[first]
        timed = np.isfinite(seconds)
        quantile = _fast(seconds)
        floor = (judgements.length_a + judgements.length_b)[first] / READING_WORDS_PER_SECOND
        decided = (judgements.grade != 0) & (judgements.b_left >= 0)
        left_won = (judgements.grade > 0) == (judgements.b_left == 1)
        who = annotator[first]
        return cls(
            n=np.bincount(annotator, minlength=people),
            n_comparisons=np.bincount(who, minlength=people),
            agreement=_Agreements.of(share, annotator, comparison, people),
            by_criterion={
                judgements.criteria[code]: _Agreements.of(share[rows], annotator[rows], comparison[rows], people)
                for code, rows in ((code, judgements.criterion == code) for code in np.unique(judgements.criterion))
            },
            modal_share=_modal_share(annotator, answer, people),
            longest_run=_longest_run(judgements, annotator, answer, people),
            left_share=_share(left_won, decided, annotator, people),
            median_seconds=_medians(seconds, who, people),
            fast_share=_share(seconds < quantile, timed, who, people),
            below_reading_share=_share(seconds < floor, timed & np.isfinite(floor), who, people),
        )

    def row(self, place: int, name: str, gold: Gold | None) -> Quality:
        by_criterion = {criterion: column.at(place) for criterion, column in self.by_criterion.items()}
        return Quality(
            annotator=name,
            n_judgements=int(self.n[place]),
            n_comparisons=int(self.n_comparisons[place]),
            agreement=self.agreement.at(place),
            agreement_by_criterion={name: own for name, own in by_criterion.items() if own is not None},
            modal_share=float(self.modal_share[place]),
            longest_run=int(self.longest_run[place]),
            left_share=_known(self.left_share[place]),
            median_seconds=_known(self.median_seconds[place]),
            fast_share=_known(self.fast_share[place]),
            below_reading_share=_known(self.below_reading_share[place]),
            gold=gold,
        )


def fast_seconds(judgements: Judgements) -> float | None:
    """The time below which a comparison counts as fast: the study's own 5 % quantile; None without known times."""
    people = compact(judgements.annotator)
    return _known(_fast(judgements.seconds[_first_rows(people, _comparison(judgements))]))


def _fast(seconds: Floats) -> float:
    timed = np.isfinite(seconds)
    return float(np.quantile(seconds[timed], FAST_QUANTILE)) if timed.any() else math.nan


@dataclass(frozen=True)
class Repeats:
    """Answers that an annotator gave a second time to the same question, and how many of them were the same."""

    same: int
    asked: int


def repeats_by_annotator(sample: Sample) -> dict[str, Repeats]:
    """For every annotator with repeated comparisons whose first answers are in the data."""
    found: dict[str, list[int]] = {}
    for code in np.unique(sample.repeats.criterion).tolist():
        main, repeats = sample.main.of(code), sample.repeats.of(code)
        first, again = same_question(main, repeats)
        one, other = main.take(first), repeats.take(again)
        same = (one.grade == other.grade) & (one.both_bad == other.both_bad)
        for annotator, is_same in zip(one.annotator.tolist(), same.tolist(), strict=True):
            counts = found.setdefault(main.annotators[annotator], [0, 0])
            counts[0] += is_same
            counts[1] += 1
    return {name: Repeats(same, asked) for name, (same, asked) in found.items()}


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _comparison(judgements: Judgements) -> Codes:
    return compact(judgements.pair * len(judgements.items) + judgements.item)


def _label(judgements: Judgements) -> Codes:
    """The label as a code: the grade, both bad apart."""
    return np.where(judgements.both_bad, 1_000, judgements.grade)


def _shown_answer(judgements: Judgements) -> Codes:
    """The label as shown: negative the left response is better, where the side is known."""
    shown = np.where(judgements.b_left == 1, -judgements.grade, judgements.grade)
    return np.where(judgements.both_bad, 1_000, shown)


def agreement_with_others(judgements: Judgements) -> Floats:
    """For each judgement, the share of the others of its comparison and criterion that say the same; nan if alone."""
    unit = compact(judgements.criterion * (int(judgements.pair.max()) + 1) + judgements.pair)
    unit = compact(unit * len(judgements.items) + judgements.item)
    size = np.bincount(unit)[unit]
    cell = np.unique(unit * 2_001 + _label(judgements) + 1_000, return_inverse=True)[1]
    same = np.bincount(cell)[cell]
    with np.errstate(invalid="ignore"):
        return (same - 1) / np.where(size > 1, size - 1, np.nan)


def _cells(annotator: Codes, comparison: Codes) -> tuple[Codes, Codes]:
    """First row of each annotator's comparison, and the cell of each row."""
    key = annotator * (int(comparison.max(initial=0)) + 1) + comparison
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    return first.astype(np.int64), cell.astype(np.int64)


def _first_rows(annotator: Codes, comparison: Codes) -> Codes:
    return _cells(annotator, comparison)[0]


def _share(holds: Flags, counted: Flags, annotator: Codes, people: int) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.bincount(annotator, holds & counted, minlength=people) / np.bincount(
            annotator, counted, minlength=people
        )


def _modal_share(annotator: Codes, answer: Codes, people: int) -> Floats:
    key, counts = np.unique(annotator * 4_001 + answer + 2_000, return_counts=True)
    most = np.zeros(people)
    np.maximum.at(most, key // 4_001, counts)
    return np.asarray(most / np.bincount(annotator, minlength=people), dtype=float)


def _longest_run(judgements: Judgements, annotator: Codes, answer: Codes, people: int) -> Codes:
    """Most equal answers in a row to one criterion, in the order of submission."""
    order = np.lexsort((judgements.order, judgements.criterion, annotator))
    who, criterion, said = annotator[order], judgements.criterion[order], answer[order]
    begins = np.ones(len(order), bool)
    begins[1:] = (who[1:] != who[:-1]) | (criterion[1:] != criterion[:-1]) | (said[1:] != said[:-1])
    starts = np.flatnonzero(begins)
    longest = np.zeros(people, np.int64)
    np.maximum.at(longest, who[starts], np.diff(np.append(starts, len(order))))
    return longest


def _medians(values: Floats, group: Codes, groups: int) -> Floats:
    """Median of the known values of each group; nan for none."""
    known = np.isfinite(values)
    values, group = values[known], group[known]
    order = np.lexsort((values, group))
    values = np.append(values[order], np.nan)
    size = np.bincount(group, minlength=groups)
    start = np.cumsum(size) - size
    middle = (values[start + np.maximum(size - 1, 0) // 2] + values[start + size // 2]) / 2
    return np.where(size > 0, middle, np.nan)
