"""Read JSONL and CSV files that people made, row by row, and collect what is wrong with them. Pure: no Django."""

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import PurePath
from typing import IO, NoReturn

from annotation.errors import DuologueError

MAX_BYTES = 50 * 1024 * 1024
PROBLEMS_SHOWN = 20
# A file with more problems is another kind of file; reading it to the end could take minutes.
PROBLEMS_COUNTED = 10_000
CSV_DELIMITERS = {".csv": ",;\t", ".tsv": "\t,;"}
JSONL_SUFFIXES = {".jsonl", ".ndjson", ".json"}
# A cell may hold a whole dialogue. The limit is one for the whole process, so it is set once, not around each file.
LONGEST_CELL = 16 * 1024 * 1024
csv.field_size_limit(LONGEST_CELL)
# More fields than this are no row of ours, and looking for misspelt names among them would take minutes.
MAX_FIELDS = 1000
NOT_UTF8 = "This is not UTF-8 text. Save the file as UTF-8 (in Excel: “CSV UTF-8”) and try again."


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, and a sentence that says what and how to mend it."""

    line: int | None
    field: str
    message: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"Line {self.line}" if self.line else "", self.field) if part)
        return f"{place}: {self.message}" if place else self.message


class FileErrors(DuologueError):
    """A file that cannot be used. Carries the first problems and the number of all."""

    def __init__(self, problems: Collection[Problem], total: int) -> None:
        self.problems = tuple(problems)
        self.total = total
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        yield from map(str, self.problems)
        unseen = self.total - len(self.problems)
        if self.total >= PROBLEMS_COUNTED:
            yield f"… and at least {unseen:,} more, where reading stopped. Is this the right file?"
        elif unseen > 0:
            yield f"… and {unseen:,} more. Mend these first; nothing was imported."


@dataclass
class Problems:
    """Keeps the first problems, counts the rest, and gives a hopeless file up."""

    error: type[FileErrors] = FileErrors
    first: list[Problem] = field(default_factory=list)
    total: int = 0

    def add(self, line: int | None, field: str, message: str) -> None:
        self.total += 1
        if len(self.first) < PROBLEMS_SHOWN:
            self.first.append(Problem(line, field, message))
        if self.total >= PROBLEMS_COUNTED:
            raise self.error(self.first, self.total)

    def stop(self, message: str, *, line: int | None = None, field: str = "") -> NoReturn:
        """Add the problem that makes reading on pointless, and raise them all."""
        self.add(line, field, message)
        raise self.error(self.first, self.total)

    def raise_if_any(self) -> None:
        if self.total:
            raise self.error(self.first, self.total)


@dataclass(frozen=True)
class Row:
    """One line of JSONL or one record of CSV. `line` is where it begins, counted from 1."""

    line: int
    cells: Mapping[str, object]
    is_csv: bool


def read_rows(
    file: IO[bytes], *, filename: str, fields: Collection[str], problems: Problems, required: Collection[str] = ()
) -> Iterator[Row]:
    """Yield the rows; the ending of `filename` says which format it is. A CSV file must have the `required` columns.

    `fields` are the names that the caller knows. Other fields pass through, but one that looks like a misspelling of a
    known field is a problem, because its content would be lost without a word.
    """
    suffix = PurePath(filename).suffix.lower()
    if suffix not in JSONL_SUFFIXES and suffix not in CSV_DELIMITERS:
        problems.stop(f"Cannot tell the format of “{filename}” from its name. Let it end in .jsonl or .csv.")
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        problems.stop(f"The file is larger than {MAX_BYTES // 2**20} MB. Split it and import the parts one by one.")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        problems.stop(NOT_UTF8)
    data = data.removeprefix(codecs.BOM_UTF8)
    if suffix in JSONL_SUFFIXES:
        return _jsonl_rows(data, fields, problems)
    return _csv_rows(data, fields, required, problems, CSV_DELIMITERS[suffix])


def text_problem(text: str) -> str:
    """Say why PostgreSQL could not store this text; empty if it can."""
    if "\x00" in text:
        return "It contains a null character (\\u0000). Remove it."
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "It contains half of a character (a lone surrogate, \\ud800 to \\udfff). Replace it."
    return ""


def _jsonl_rows(data: bytes, fields: Collection[str], problems: Problems) -> Iterator[Row]:
    if data.lstrip().startswith(b"["):
        problems.stop(
            "This is one JSON list. JSONL has one object a line, without brackets or commas around them "
            "(jq -c '.[]' turns the one into the other).",
            line=1,
        )
    for line, raw in enumerate(data.split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            cells = _json_object(raw)
        except ValueError as error:
            problems.add(line, "", str(error))
        else:
            _refuse_misspelt(cells, line, fields, problems)
            yield Row(line, cells, is_csv=False)


def _json_object(raw: bytes) -> dict[str, object]:
    try:
        value = parse_json(raw.decode())
    except UnicodeDecodeError:
        raise ValueError(NOT_UTF8) from None
    if not isinstance(value, dict):
        raise ValueError("Expected a JSON object, { … }, on a line of its own.")
    return value


def parse_json(text: str) -> object:
    """Read JSON strictly: no NaN, no field named twice. Raises: ValueError with a sentence for the person."""
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, parse_int=_short_number, object_pairs_hook=_without_doubles
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"This is not JSON: {error.msg} at column {error.colno}.") from None
    except RecursionError:
        raise ValueError("The JSON is nested too deeply. A list of objects is enough.") from None
    except ValueError as error:
        raise ValueError(f"This JSON cannot be used: {error}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def _short_number(digits: str) -> int:
    if len(digits) > 400:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse an object that names a field twice: one of the two values would vanish."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise ValueError(f"the field {names.most_common(1)[0][0][:60]!r} is there twice")
    return found


def _csv_rows(
    data: bytes, fields: Collection[str], required: Collection[str], problems: Problems, delimiters: str
) -> Iterator[Row]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        problems.stop(NOT_UTF8, line=data.count(b"\n", 0, error.start) + 1)
    header, delimiter = _header(text, fields, delimiters)
    _check_header(header, fields, required, problems)
    for line, values in _csv_records(text, delimiter, problems):
        if len(values) != len(header):
            problems.add(
                line,
                "",
                f"This row has {len(values)} cells, the header has {len(header)}. "
                "Put text that contains the separator, a quote or a line break in double quotes.",
            )
        else:
            yield Row(line, dict(zip(header, values, strict=True)), is_csv=True)


def _header(text: str, fields: Collection[str], delimiters: str) -> tuple[list[str], str]:
    """Return the column names and the separator under which most of them are known (Excel may write semicolons)."""
    first = re.split(r"[\r\n]", text.lstrip(), maxsplit=1)[0]

    def names(delimiter: str) -> list[str]:
        return [name.strip().strip('"').strip().lower().replace(" ", "_") for name in first.split(delimiter)]

    best = max(delimiters, key=lambda delimiter: len(set(names(delimiter)) & set(fields)))
    return names(best), best


def _check_header(header: list[str], fields: Collection[str], required: Collection[str], problems: Problems) -> None:
    if not set(header) & set(fields):
        problems.stop(f"The first line must name the columns: {', '.join(fields)}.", line=1)
    _refuse_misspelt(header, 1, fields, problems)
    if not problems.total:
        for name in required:
            if name not in header:
                problems.add(1, name, "The header does not name this column, and every row needs it.")
    for name in sorted({name for name in header if name and header.count(name) > 1}):
        problems.add(1, name, "The header names this column twice. Remove one of them.")
    problems.raise_if_any()


def _csv_records(text: str, delimiter: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Yield each record after the header with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    is_header = True
    try:
        for values in reader:
            if any(value.strip() for value in values):
                if not is_header:
                    yield begins, values
                is_header = False
            begins = reader.line_num + 1
    except csv.Error as error:
        problems.add(begins, "", f"The quotes or the length of this row are off ({error}). Reading stopped here.")


def _refuse_misspelt(names: Collection[str], line: int, fields: Collection[str], problems: Problems) -> None:
    if len(names) > MAX_FIELDS:
        problems.stop(f"There are {len(names):,} fields here. Is this the right file?", line=line)
    for name in names:
        if name not in fields and (near := get_close_matches(name[:60].lower(), fields, n=1, cutoff=0.8)):
            problems.add(line, name[:60], f"There is no such field. Did you mean “{near[0]}”?")
