"""Rows of a public data set from a file of one's own, a folder of files, or the `datasets` library. Pure: no Django."""

import ast
import codecs
import csv
import importlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from annotation.errors import DuologueError
from annotation.row_files import LONGEST_CELL

csv.field_size_limit(LONGEST_CELL)
MAX_BYTES = 1024 * 1024 * 1024
# A list of JSON has to be read at once.
MAX_LIST_BYTES = 200 * 1024 * 1024
# No split that is used here has so many rows; more would fill the memory.
MAX_ROWS = 2_000_000
LINES, TABLE, COLUMNAR = {".jsonl", ".ndjson", ".json"}, {".csv": ",", ".tsv": "\t"}, {".parquet"}
INSTALL = "Install it (pip install 'datasets>=4,<6')"
# Where the hub keeps a copy as Parquet of sets that were published with a loading script, which nobody runs any more.
CONVERTED = "refs/convert/parquet"


class DataRefused(DuologueError):
    """The data cannot be read, or do not have the schema of the set."""


@dataclass(frozen=True)
class DataRow:
    """One row of a data set. `number` counts from 1: the line of a JSONL file, the record of any other."""

    number: int
    cells: Mapping[str, Any]


def read_rows(source: str, *, split: str, revision: str = "") -> Iterator[DataRow]:
    """Yield the rows of a file, a folder, or a data set on the hub, by what `source` is.

    JSONL, JSON and CSV are read here; Parquet files, folders and ids of the hub are read through `datasets`.
    Raises: DataRefused with what is wrong, where, and what to do.
    """
    path = Path(source).expanduser()
    suffix = path.suffix.lower()
    if path.is_file() and suffix in LINES:
        return _bounded(_json_rows(path))
    if path.is_file() and suffix in TABLE:
        return _bounded(_table_rows(path, TABLE[suffix]))
    if path.is_file() and suffix not in COLUMNAR:
        raise DataRefused(
            f"Cannot tell the format of “{path.name}”. Give a .jsonl, .json, .csv, .tsv or .parquet file."
        )
    if not path.exists() and (suffix in {*LINES, *TABLE, *COLUMNAR} or source.startswith(("/", ".", "~"))):
        raise DataRefused(f"There is no file {path}.")
    return _bounded(_library_rows(source if not path.exists() else path, split=split, revision=revision))


def _bounded(rows: Iterable[DataRow]) -> Iterator[DataRow]:
    yield from islice(rows, MAX_ROWS)
    if next(iter(rows), None) is not None:
        raise DataRefused(f"There are more than {MAX_ROWS:,} rows. Give one split of the set.")


def _json_rows(path: Path) -> Iterator[DataRow]:
    with _opened(path, MAX_BYTES) as file:
        if _is_list(path):
            yield from _listed(path)
            return
        for number, line in enumerate(_text_lines(file, path), start=1):
            if line.strip():
                yield DataRow(number, _object(_json(line, f"Line {number}"), f"Line {number}"))


def _is_list(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1024).removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"[")


def _listed(path: Path) -> Iterator[DataRow]:
    """Read a file that is one list of objects."""
    with _opened(path, MAX_LIST_BYTES) as file:
        rows = _json("".join(_text_lines(file, path)), path.name)
    for number, row in enumerate(rows, start=1):
        yield DataRow(number, _object(row, f"Row {number}"))


def _table_rows(path: Path, delimiter: str) -> Iterator[DataRow]:
    with _opened(path, MAX_BYTES) as file:
        reader = csv.DictReader(_text_lines(file, path), delimiter=delimiter)
        try:
            for number, cells in enumerate(reader, start=1):
                yield DataRow(number, {name: _cell(text) for name, text in cells.items() if name is not None})
        except csv.Error as error:
            raise DataRefused(f"{path.name}, near line {reader.line_num}: this is no CSV ({error}).") from None


def _library_rows(source: str | Path, *, split: str, revision: str) -> Iterator[DataRow]:
    options: dict[str, Any] = {"split": split, "streaming": True}
    name = str(source)
    if isinstance(source, Path) and source.is_file():
        name, options["data_files"] = "parquet", {split: name}
    library = _library()
    try:
        for number, row in enumerate(_loaded(library, name, options, revision), start=1):
            yield DataRow(number, row)
    except Exception as problem:
        # The library raises errors of a dozen packages; whatever it says is all that is known.
        said = " ".join(str(problem).split())[:300] or type(problem).__name__
        raise DataRefused(
            f"“{source}” (split {split}) cannot be loaded: {said} – Check the name, the split and the connection, "
            "or download the file and give its path."
        ) from problem


def _loaded(library: Any, name: str, options: dict[str, Any], revision: str) -> Any:
    """Open the set; where it was published with a script, the hub's own conversion of it."""
    try:
        return library.load_dataset(name, **options, revision=revision or None)
    except RuntimeError as problem:
        if revision or "script" not in str(problem) or Path(name).exists():
            raise
        return library.load_dataset(name, **options, revision=CONVERTED)


def _library() -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError:
        raise DataRefused(
            f"Parquet files, folders and the hub are read with the library “datasets”. {INSTALL}, "
            "or give a .jsonl, .json or .csv file."
        ) from None


def _opened(path: Path, limit: int) -> io.TextIOWrapper:
    try:
        if path.stat().st_size > limit:
            raise DataRefused(f"{path.name} is larger than {limit // 2**20} MB. Give one split, or one object a line.")
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise DataRefused(f"Cannot read {path}: {error.strerror}.") from None


def _text_lines(file: io.TextIOWrapper, path: Path) -> Iterator[str]:
    try:
        yield from file
    except UnicodeDecodeError:
        raise DataRefused(f"{path.name} is not UTF-8 text. Save it as UTF-8.") from None


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataRefused(f"{where} is not JSON: {error}.") from None


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise DataRefused(f"{where}: expected an object, {{ … }}, for each row.")
    return value


def _cell(text: Any) -> Any:
    """Return what a cell of CSV holds: a list where it was written as one, in JSON or as Python prints it."""
    if not isinstance(text, str) or not text.lstrip().startswith(("[", "{")):
        return text
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return text
