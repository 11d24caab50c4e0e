"""CSV text as batches of columns, fast where it can be.

Text without quotation marks is split at its separators, a block at a time, which takes half as long as the csv module;
from the first quotation mark on the csv module reads the rest. Both give the same cells.
"""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from annotation.results.errors import UnreadableFile

# Small batches stay in the processor's cache and leave little for the garbage collector.
BLOCK = 1 << 15
BATCH = 500
BYTE_ORDER_MARK = "\ufeff"

type Columns = list[Sequence[str]]


class RaggedRow(Exception):
    """A row with more or fewer cells than the header; `row` counts from the beginning of its batch."""

    def __init__(self, row: int, cells: int) -> None:
        super().__init__(row, cells)
        self.row = row
        self.cells = cells


class CsvText:
    """The header of a text, then its columns. Blank lines are left out.

    Raises: UnreadableFile for a text that is no CSV; UnicodeDecodeError from the stream.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines = 0
        self.header: list[str] = []
        # Decoding with "utf-8-sig" would take the mark away too, four times slower.
        if stream.read(1) != BYTE_ORDER_MARK:
            stream.seek(0)
        first = self._first_line()
        self.separator = separator_of(first)
        self._rows = _csv_rows(itertools.chain([first], stream), self._lines, self.separator)
        self._is_plain = '"' not in first
        plain = csv.reader([first], strict=True, delimiter=self.separator)
        self.header = next(plain, []) if self._is_plain else next(self._rows, [])

    def _first_line(self) -> str:
        while line := self._stream.readline():
            if line.strip("\r\n"):
                return line
            self._lines += 1
        return ""

    def batches(self, places: Sequence[int]) -> Iterator[Columns]:
        """The columns at these places, some rows at a time. Raises: RaggedRow."""
        if not self._is_plain:
            yield from _by_rows(self._rows, places, len(self.header))
            return
        self._lines += 1
        rest = ""
        while block := self._stream.read(BLOCK):
            text = rest + block
            cut = text.rfind("\n") + 1
            if '"' in block or not cut:
                yield from self._by_csv(_lines(text, self._stream), places)
                return
            yield from self._split(text[:cut], places)
            self._lines += text.count("\n")
            rest = text[cut:]
        if rest:
            yield from self._split(rest + "\n", places)

    def _split(self, text: str, places: Sequence[int]) -> Iterator[Columns]:
        """Whole lines without quotation marks. A cell with nothing but a line break ends each row."""
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        cells = text.replace("\n", f"{self.separator}\n{self.separator}").split(self.separator)
        cells.pop()
        step = len(self.header) + 1
        ends = cells[step - 1 :: step]
        is_even = len(cells) == len(ends) * step and ends.count("\n") == len(ends)
        if is_even and "\r" not in text:
            yield [cells[place::step] for place in places]
        else:
            yield from self._by_csv(io.StringIO(text, newline=""), places)

    def _by_csv(self, lines: Iterable[str], places: Sequence[int]) -> Iterator[Columns]:
        yield from _by_rows(_csv_rows(lines, self._lines, self.separator), places, len(self.header))


def _lines(text: str, stream: TextIO) -> Iterator[str]:
    """Lines of a text and of the stream that goes on where it ends, within a line or not."""
    yield from io.StringIO(text + stream.readline(), newline="")
    yield from stream


def separator_of(header: str) -> str:
    """What separates the cells, by the header's line: commas, or semicolons or tabs where it has no comma."""
    others = (sign for sign in ";\t" if sign in header)
    return "," if "," in header else next(others, ",")


def _csv_rows(lines: Iterable[str], lines_before: int, separator: str) -> Iterator[list[str]]:
    """Rows that are not blank; errors with the line of the file."""
    reader = csv.reader(lines, strict=True, delimiter=separator)
    try:
        yield from filter(None, reader)
    except csv.Error as error:
        raise UnreadableFile(
            f"Line {lines_before + reader.line_num}: not readable as CSV ({error}). "
            "Look for a quotation mark that is not closed, or a cell that is far too long."
        ) from error


def _by_rows(rows: Iterator[list[str]], places: Sequence[int], width: int) -> Iterator[Columns]:
    for batch in itertools.batched(rows, BATCH):
        if any(length != width for length in set(map(len, batch))):
            wrong = next(row for row, cells in enumerate(batch) if len(cells) != width)
            raise RaggedRow(wrong, len(batch[wrong]))
        columns = list(zip(*batch, strict=True))
        yield [columns[place] for place in places]
