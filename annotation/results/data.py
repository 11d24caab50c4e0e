"""The data of an analysis: figures with their provenance, and judgements as columns in the systems' frame.

A judgement is one annotator's answer to one criterion of one comparison (item x pair of systems). Item means dialogue.
Every pair has a frame (A, B); grades below 0 say that A is better, above 0 that B is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval, and all it takes to say where both come from.

    `se` and `df` are None where the method has none; `p` is two-sided against `null`, None where nothing is tested.
    """

    estimate: float
    low: float
    high: float
    method: str
    n: int
    level: float
    n_items: int | None = None
    n_annotators: int | None = None
    se: float | None = None
    df: float | None = None
    null: float | None = None
    p: float | None = None
    seed: int | None = None


@dataclass(frozen=True)
class NotEstimable:
    """A figure these data cannot give, and why. Never 0, nan or an interval without width."""

    reason: str
    estimate: None = None


type Figure = Estimate | NotEstimable


class Coded(NamedTuple):
    """A column of text: one code a row, pointing into the distinct values."""

    codes: Codes
    names: tuple[str, ...]

    def take(self, rows: Rows | Flags | slice) -> "Coded":
        return Coded(self.codes[rows], self.names)


@dataclass(frozen=True)
class Judgements:
    """n judgements as columns of length n; `item`, `annotator`, `criterion` and `pair` are codes into the name
    tuples (which may hold names that no row uses).

    grade: integer, 0 for a tie and for both bad · b_left: 1 B stood on the left, 0 A did, -1 not known ·
    length_a, length_b: words, nan where not known · seconds: time taken, nan where not known ·
    order: place in the order of submission · strata: further columns that describe the item.
    """

    items: tuple[str, ...]
    annotators: tuple[str, ...]
    criteria: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    graded: frozenset[int]
    item: Codes
    annotator: Codes
    criterion: Codes
    pair: Codes
    grade: Codes
    both_bad: Flags
    b_left: Codes
    length_a: Floats
    length_b: Floats
    seconds: Floats
    order: Codes
    strata: Mapping[str, Coded] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.item)

    @property
    def score(self) -> Floats:
        """1 where B won, 1/2 tie or both bad, 0 where A won."""
        return (np.sign(self.grade) + 1) / 2

    @property
    def n_items(self) -> int:
        return distinct(self.item)

    @property
    def n_annotators(self) -> int:
        return distinct(self.annotator)

    def take(self, rows: Rows | Flags | slice) -> "Judgements":
        """The same columns for some rows, in the order given."""
        columns = {name: getattr(self, name)[rows] for name in ROW_COLUMNS}
        return replace(self, **columns, strata={name: column.take(rows) for name, column in self.strata.items()})

    def of(self, criterion: int, pair: int | None = None) -> "Judgements":
        """The judgements of one criterion, or of one criterion and pair."""
        rows = self.criterion == criterion
        return self.take(rows if pair is None else rows & (self.pair == pair))


ROW_COLUMNS = (
    "item",
    "annotator",
    "criterion",
    "pair",
    "grade",
    "both_bad",
    "b_left",
    "length_a",
    "length_b",
    "seconds",
    "order",
)


@dataclass(frozen=True)
class Counts:
    """What became of the rows that were read."""

    rows: int
    analysed: int
    duplicates: int
    repeats: int
    rehearsal: int
    excluded_annotators: Mapping[str, int]
    excluded_reasons: Mapping[str, int]
    other_kinds: Mapping[str, int]
    is_rehearsal: bool = False
    system_notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sample:
    """What is analysed: the main judgements, the repeated ones (the same annotator a second time), and the counts."""

    main: Judgements
    repeats: Judgements
    counts: Counts


def distinct(codes: Codes) -> int:
    """Number of different codes."""
    return int(compact(codes).max()) + 1 if len(codes) else 0


def compact(codes: Codes) -> Codes:
    """The same grouping with codes 0, 1, 2 ... without gaps, in the same order."""
    if not len(codes):
        return codes
    if int(codes.max()) > 8 * len(codes):
        return np.unique(codes, return_inverse=True)[1].astype(np.int64)
    seen = np.bincount(codes) > 0
    return (np.cumsum(seen) - 1)[codes]
