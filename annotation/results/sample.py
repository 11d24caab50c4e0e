"""From a table of ratings to the judgements that are analysed: who counts, in which frame, each once.

Rows are put into a fixed order (criterion, pair, item, annotator), so that no figure depends on the order of the rows.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from annotation.results.data import Coded, Codes, Counts, Flags, Floats, Judgements, Rows, Sample
from annotation.results.errors import EmptyTable, UnknownAnnotator
from annotation.results.table import REQUIRED, Table

LABELS = {"a": -1, "b": 1, "tie": 0, "both_bad": 0}
LARGEST_GRADE = 100
TRUE_WORDS = {"true", "t", "1", "yes"}


def prepare(table: Table, *, exclude_annotators: Collection[str] = ()) -> Sample:
    """Sort out which rows count, map every pair to one frame, and keep the last of equal judgements.

    The frame of a pair is the order in which its first row names the two systems.

    Raises: BadRow for a row that counts and cannot be read; UnknownAnnotator; EmptyTable when nothing is left.
    """
    status = _sort_out(table, exclude_annotators)
    if not status.main.any():
        raise EmptyTable(f"None of the {len(table)} rows is to be analysed: {status.sentence()}.")
    used = status.main | status.repeat
    _check_names(table, used)
    grades = _Grades(table, used)
    columns = _in_one_frame(table, used, grades)
    main, duplicates = _last_of_each(columns, np.flatnonzero(status.main))
    repeats, repeat_duplicates = _last_of_each(columns, np.flatnonzero(status.repeat))
    counts = status.counts(analysed=len(main), duplicates=duplicates + repeat_duplicates, repeats=len(repeats))
    return Sample(columns.take(main), columns.take(repeats), counts)


@dataclass(frozen=True)
class _Status:
    """For every row: does it count, and if not, why."""

    table: Table
    main: Flags
    repeat: Flags
    rehearsal: Flags
    left_out: Flags
    reason: Flags
    other_kind: Flags
    is_rehearsal: bool

    def counts(self, *, analysed: int, duplicates: int, repeats: int) -> Counts:
        return Counts(
            rows=len(self.table),
            analysed=analysed,
            duplicates=duplicates,
            repeats=repeats,
            rehearsal=int(self.rehearsal.sum()),
            excluded_annotators=_tally(self.table.columns["rater_id"], self.left_out),
            excluded_reasons=_tally(self.table.columns.get("excluded_reason"), self.reason),
            other_kinds=_tally(self.table.columns.get("kind"), self.other_kind),
            is_rehearsal=self.is_rehearsal,
            system_notes=_system_notes(self.table),
        )

    def sentence(self) -> str:
        parts = {
            "from a rehearsal": self.rehearsal,
            "from annotators left out": self.left_out,
            "excluded with a reason": self.reason,
            "of another kind than main": self.other_kind | self.repeat,
        }
        return ", ".join(f"{int(rows.sum())} {words}" for words, rows in parts.items() if rows.any())


def _sort_out(table: Table, exclude_annotators: Collection[str]) -> _Status:
    """Each row gets the first of these that fits: rehearsal, annotator left out, reason, other kind, repeat, main."""
    rehearsal = _rows_where(table.columns.get("is_rehearsal"), len(table), lambda text: text.lower() in TRUE_WORDS)
    only_rehearsal = bool(rehearsal.all())
    if only_rehearsal:
        rehearsal = np.zeros(len(table), bool)
    raters = table.columns["rater_id"]
    unknown = sorted(set(exclude_annotators) - set(raters.names))
    if unknown:
        raise UnknownAnnotator(f"No judgement is by {', '.join(unknown)}; check the annotators to leave out.")
    left_out = ~rehearsal & np.isin(raters.codes, [raters.names.index(name) for name in set(exclude_annotators)])
    open_rows = ~rehearsal & ~left_out
    reason = open_rows & _rows_where(table.columns.get("excluded_reason"), len(table), bool)
    open_rows &= ~reason
    kinds = table.columns.get("kind")
    repeat = open_rows & _rows_where(kinds, len(table), lambda text: text.lower() == "repeat")
    other = open_rows & ~repeat & _rows_where(kinds, len(table), lambda text: text.lower() not in ("", "main"))
    return _Status(table, open_rows & ~repeat & ~other, repeat, rehearsal, left_out, reason, other, only_rehearsal)


def _rows_where(column: Coded | None, n: int, holds: Callable[[str], object]) -> Flags:
    if column is None:
        return np.zeros(n, bool)
    return np.array([bool(holds(name.strip())) for name in column.names], bool)[column.codes]


def _system_notes(table: Table) -> tuple[str, ...]:
    """What the file says must be said wherever a system appears, each sentence once."""
    found: set[str] = set()
    for system, note in (("system_a", "note_a"), ("system_b", "note_b")):
        if note in table.columns:
            systems, notes = table.columns[system], table.columns[note]
            pairs = np.unique(np.stack([systems.codes, notes.codes]), axis=1).T
            found |= {f"{systems.names[s]}: {notes.names[n]}" for s, n in pairs if notes.names[n].strip()}
    return tuple(sorted(found))


def _tally(column: Coded | None, rows: Flags) -> dict[str, int]:
    """How many of some rows have each value of a column; the most frequent first."""
    if column is None or not rows.any():
        return {}
    counts = np.bincount(column.codes[rows], minlength=len(column.names))
    return {column.names[code]: int(counts[code]) for code in np.argsort(-counts, kind="stable") if counts[code]}


def _check_names(table: Table, used: Flags) -> None:
    for name in REQUIRED:
        empty = used & _rows_where(table.columns[name], len(table), lambda text: not text)
        if empty.any():
            raise table.refuse(int(np.argmax(empty)), f"{name} is empty.")


class _Grades:
    """Labels as grades in the frame of their row: below 0 A is better, above 0 B."""

    def __init__(self, table: Table, used: Flags) -> None:
        labels = table.columns["label"]
        words = [name.strip().lower() for name in labels.names]
        grades = [LABELS.get(word, _integer(word)) for word in words]
        known = np.array([grade is not None for grade in grades], bool)[labels.codes]
        if (used & ~known).any():
            row = int(np.argmax(used & ~known))
            raise table.refuse(row, _unknown_label(labels.names[labels.codes[row]]))
        self.grade: Codes = np.array([grade or 0 for grade in grades], np.int64)[labels.codes]
        self.both_bad: Flags = np.array([word == "both_bad" for word in words], bool)[labels.codes]
        self.is_number: Flags = np.array([word not in LABELS for word in words], bool)[labels.codes]


def _integer(word: str) -> int | None:
    try:
        grade = int(word)
    except ValueError:
        return None
    return grade if abs(grade) <= LARGEST_GRADE else None


def _unknown_label(label: str) -> str:
    return (
        f"label {label!r} is none of A, B, tie, both_bad or an integer from -{LARGEST_GRADE} to {LARGEST_GRADE} "
        "(negative: A better)."
    )


def _in_one_frame(table: Table, used: Flags, grades: _Grades) -> Judgements:
    """All rows as judgements; what row says of (B, A) is turned to (A, B)."""
    columns = table.columns
    systems = _joined(columns["system_a"], columns["system_b"], columns.get("shown_left"))
    first, second = systems.codes[0], systems.codes[1]
    same = used & (first == second)
    if same.any():
        row = int(np.argmax(same))
        raise table.refuse(row, f"{systems.names[first[row]]} is compared with itself; name two systems.")
    pair, frames = _frames(first, second, len(systems.names))
    turned = first != frames[pair, 0]
    length_a, length_b = _lengths(table, "length_a", used), _lengths(table, "length_b", used)
    items, raters = _alphabetic(columns["item_id"]), _alphabetic(columns["rater_id"])
    return Judgements(
        items=items.names,
        annotators=raters.names,
        criteria=columns["dimension"].names,
        pairs=tuple((systems.names[a], systems.names[b]) for a, b in frames),
        graded=frozenset(np.unique(columns["dimension"].codes[used & grades.is_number]).tolist()),
        item=items.codes,
        annotator=raters.codes,
        criterion=columns["dimension"].codes,
        pair=pair,
        grade=np.where(turned, -grades.grade, grades.grade),
        both_bad=grades.both_bad,
        b_left=_b_left(table, systems, frames[pair, 1], used),
        length_a=np.where(turned, length_b, length_a),
        length_b=np.where(turned, length_a, length_b),
        seconds=table.seconds,
        order=np.arange(len(table)),
        strata=table.strata,
    )


@dataclass(frozen=True)
class _Systems:
    names: tuple[str, ...]
    codes: list[Codes]


def _joined(*columns: Coded | None) -> _Systems:
    """Several columns that name systems, coded with one list of names."""
    names: dict[str, int] = {}
    codes = []
    for column in columns:
        if column is not None:
            renumber = np.array([names.setdefault(name, len(names)) for name in column.names], np.int64)
            codes.append(renumber[column.codes])
    return _Systems(tuple(names), codes)


def _frames(first: Codes, second: Codes, n_systems: int) -> tuple[Codes, Codes]:
    """Pair of each row, pairs numbered as they first appear, and the frame (A, B) of each pair: shape (pairs, 2)."""
    key = np.minimum(first, second) * n_systems + np.maximum(first, second)
    _, first_row, pair = np.unique(key, return_index=True, return_inverse=True)
    appearance = np.argsort(first_row)
    rank = np.empty_like(appearance)
    rank[appearance] = np.arange(len(appearance))
    rows = first_row[appearance]
    return rank[pair], np.column_stack([first[rows], second[rows]])


def _b_left(table: Table, systems: _Systems, b: Codes, used: Flags) -> Codes:
    """1 where B stood on the left, 0 where A did, -1 where the row does not say."""
    if "shown_left" not in table.columns:
        return np.full(len(table), -1)
    first, second, left = systems.codes
    said = np.array([bool(name.strip()) for name in systems.names])[left]
    neither = used & said & (left != first) & (left != second)
    if neither.any():
        row = int(np.argmax(neither))
        problem = f"shown_left is {systems.names[left[row]]!r}, which is neither of the two systems compared."
        raise table.refuse(row, problem)
    return np.where(said, (left == b).astype(np.int64), -1)


def _lengths(table: Table, name: str, used: Flags) -> Floats:
    """Lengths of a column; nan where a cell is empty or the column is absent. Raises: BadRow."""
    column = table.columns.get(name)
    if column is None:
        return np.full(len(table), np.nan)
    values = np.array([_length(text) for text in column.names])
    wrong = used & (values < 0)[column.codes]
    if wrong.any():
        row = int(np.argmax(wrong))
        text = column.names[column.codes[row]]
        raise table.refuse(row, f"{name} is {text!r}; write a number of words (0 or more), or nothing.")
    return values[column.codes]


def _length(text: str) -> float:
    """A length, nan for an empty cell, -1 for what is none."""
    if not text.strip():
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        return -1.0
    return value if np.isfinite(value) and value >= 0 else -1.0


def _last_of_each(columns: Judgements, rows: Rows) -> tuple[Rows, int]:
    """Rows in fixed order, only the last of those with equal item, annotator, criterion and pair; and how many fell."""
    parts = (
        (columns.criterion[rows], len(columns.criteria)),
        (columns.pair[rows], len(columns.pairs)),
        (columns.item[rows], len(columns.items)),
        (columns.annotator[rows], len(columns.annotators)),
    )
    key = np.zeros(len(rows), np.int64)
    size = 1
    for codes, n in parts:
        if size > np.iinfo(np.int64).max // max(n, 1):
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            size = len(rows)
        key, size = key * n + codes, size * n
    _, last = np.unique(key[::-1], return_index=True)
    return rows[::-1][last], len(rows) - len(last)


def _alphabetic(column: Coded) -> Coded:
    """The same column with its names sorted."""
    order = sorted(range(len(column.names)), key=column.names.__getitem__)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return Coded(rank[column.codes], tuple(column.names[code] for code in order))
