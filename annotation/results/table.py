"""Ratings in long format, one judgement a row, from a CSV file or from columns in memory.

Nothing is interpreted here but numbers: every text column becomes codes into its distinct values, read in batches, so
that a million rows cost seconds and little memory. `annotation.results.sample` turns a table into judgements.
"""

import csv
import itertools
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import numpy as np

from annotation.results.csv_text import CsvText, RaggedRow
from annotation.results.data import Coded, Floats
from annotation.results.errors import BadRow, EmptyTable, MissingColumns, RepeatedColumn, UnreadableFile

REQUIRED = ("item_id", "rater_id", "dimension", "label", "system_a", "system_b")
OPTIONAL = ("shown_left", "length_a", "length_b", "kind", "excluded_reason", "is_rehearsal", "note_a", "note_b")
# The time of a judgement: the time the page was in view where it is known, else the time that passed.
SECONDS = ("active_seconds", "seconds")

# Our exports put a ' in front of what a spreadsheet runs as a formula, and of what begins like this by itself.
DISARMED = re.compile(r"'+[=+\-@\t\r\n]")


@dataclass(frozen=True)
class Table:
    """Rows as read: coded text columns by name, and the seconds each judgement took (nan where not known)."""

    columns: Mapping[str, Coded]
    seconds: Floats
    strata: Mapping[str, Coded] = field(default_factory=dict)
    place_of: Callable[[int], str] = lambda row: f"Row {row + 1}"

    def __len__(self) -> int:
        return len(self.columns["item_id"].codes)

    def refuse(self, row: int, problem: str) -> BadRow:
        """The error for one row, with the place where it stands."""
        return BadRow(problem, self.place_of(row))


def read_csv(path: Path, *, strata: Sequence[str] = ()) -> Table:
    """Read a UTF-8 CSV file with a header. Columns that are not needed are not kept."""
    if not path.is_file():
        raise UnreadableFile(f"There is no file {path}.")
    return read_text(lambda: path.open(encoding="utf-8", newline=""), strata=strata)


def read_text(open_text: Callable[[], TextIO], *, strata: Sequence[str] = ()) -> Table:
    """Read CSV text; `open_text` is called again when the line of a faulty row has to be found."""

    separator = ","

    def place_of(row: int) -> str:
        return _line_of(open_text, row, separator)

    try:
        with open_text() as stream:
            text = CsvText(stream)
            separator = text.separator
            builder = _Builder([name.strip() for name in text.header], strata, restore=rearmed)
            for columns in text.batches(builder.places):
                builder.add(columns)
    except RaggedRow as ragged:
        problem = f"{ragged.cells} cells where the header has {builder.width}."
        raise BadRow(problem, place_of(builder.rows + ragged.row)) from ragged
    except UnicodeDecodeError as error:
        place = f"Line {_undecodable_line(open_text)}"
        raise UnreadableFile(f"{place}: not UTF-8 text ({error.reason}). Save the file as UTF-8.") from error
    return builder.table(place_of)


def from_columns(columns: Mapping[str, Sequence[str]], *, strata: Sequence[str] = ()) -> Table:
    """The same table from text columns in memory, named as in the CSV file. Raises: ValueError for unequal lengths."""
    builder = _Builder(list(columns), strata, restore=str)
    every = list(columns.values())
    if len(set(map(len, every))) > 1:
        raise ValueError(f"The columns have different lengths: {', '.join(str(len(column)) for column in every)}.")
    builder.add([every[place] for place in builder.places])
    return builder.table(lambda row: f"Row {row + 1}")


class _Distinct(dict[str, int]):
    """Gives every new value the next code."""

    def __missing__(self, value: str) -> int:
        self[value] = code = len(self)
        return code


class _Builder:
    """Collects batches of columns, of the header's `places`; `restore` turns a cell into the text it stands for."""

    def __init__(self, header: list[str], strata: Sequence[str], *, restore: Callable[[str], str]) -> None:
        _check_header(header, (*REQUIRED, *strata))
        self.restore = restore
        self.width = len(header)
        self.strata = tuple(dict.fromkeys(strata))
        wanted = [name for name in (*REQUIRED, *OPTIONAL) if name in header]
        self.names = list(dict.fromkeys((*wanted, *self.strata)))
        times = [name for name in SECONDS if name in header]
        self.places = [header.index(name) for name in (*self.names, *times)]
        self.values = [_Distinct() for _ in self.names]
        self.codes: list[list[np.ndarray[tuple[int], np.dtype[np.int32]]]] = [[] for _ in self.names]
        self.seconds: list[Floats] = []
        self.rows = 0

    def add(self, columns: Sequence[Sequence[str]]) -> None:
        """Code one batch; an empty one adds nothing."""
        rows = len(columns[0])
        if not rows:
            return
        for column, values, codes in zip(columns, self.values, self.codes, strict=False):
            codes.append(np.fromiter(map(values.__getitem__, column), np.int32, rows))
        self.seconds.append(_first_known(list(map(_seconds, columns[len(self.names) :])), rows))
        self.rows += rows

    def table(self, place_of: Callable[[int], str]) -> Table:
        """Raises: EmptyTable when no row followed the header."""
        if not self.rows:
            raise EmptyTable("There are no judgements: no row follows the header.")
        columns = zip(self.codes, self.values, strict=True)
        found = [_coded(codes, values, self.restore) for codes, values in columns]
        coded = dict(zip(self.names, found, strict=True))
        strata = {name: coded[name] for name in self.strata}
        return Table(coded, np.concatenate(self.seconds), strata, place_of)


def _check_header(header: list[str], needed: Iterable[str]) -> None:
    if not any(header):
        raise EmptyTable("There are no judgements: the file is empty.")
    missing = [name for name in needed if name not in header]
    if missing:
        raise MissingColumns(missing, header)
    twice = sorted({name for name in needed if header.count(name) > 1})
    if twice:
        raise RepeatedColumn(f"The header names {', '.join(twice)} more than once; keep one column of each name.")


def _line_of(open_text: Callable[[], TextIO], row: int, separator: str) -> str:
    """Line on which a row (from 0, without header and blank lines) ends."""
    with open_text() as stream:
        reader = csv.reader(stream, strict=True, delimiter=separator)
        next(itertools.islice(filter(None, reader), row + 1, None))
        return f"Line {reader.line_num}"


def _undecodable_line(open_text: Callable[[], TextIO]) -> int:
    """Line of the first bytes that are no UTF-8. Text streams decode whole blocks, so their lines end too early."""
    with open_text() as stream:
        return 1 + sum(1 for _ in itertools.takewhile(_is_utf_8, stream.buffer))


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _coded(
    codes: list[np.ndarray[tuple[int], np.dtype[np.int32]]], values: _Distinct, restore: Callable[[str], str]
) -> Coded:
    """One column; values that differ only by the mark of a disarmed formula become one."""
    joined = np.concatenate(codes).astype(np.int64)
    cleaned = list(map(restore, values))
    if cleaned == list(values):
        return Coded(joined, tuple(cleaned))
    merged = _Distinct()
    renumber = np.array([merged[value] for value in cleaned], np.int64)
    return Coded(renumber[joined], tuple(merged))


def rearmed(cell: str) -> str:
    """The text of a cell as it was before an export put a ' in front of what a spreadsheet takes for a formula."""
    return cell[1:] if DISARMED.match(cell) else cell


def _first_known(columns: list[Floats], n: int) -> Floats:
    """For each row the first number that is known, else nan."""
    found = np.full(n, math.nan)
    for column in reversed(columns):
        found = np.where(np.isfinite(column), column, found)
    return found


def _seconds(column: Sequence[str]) -> Floats:
    """Seconds as numbers; nan for anything else, as a column of this name may mean something else in other files."""
    try:
        return np.fromiter(map(float, column), np.float64, len(column))
    except ValueError:
        return np.array([_number(text) for text in column])


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
