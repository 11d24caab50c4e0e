"""CSV as it is sent: a line at a time, and without cells that a spreadsheet would run as formulas."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

# A spreadsheet runs a cell that begins like this; a leading ' makes it text (OWASP, "CSV injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def defused(cell: Any) -> Any:
    """Return the cell as no spreadsheet runs it. Numbers stay numbers, a negative grade too."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


class _Line:
    """The file that csv.writer wants; it keeps nothing."""

    def write(self, line: str) -> str:
        return line


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield the header and then every row, each as one line that ends as RFC 4180 says."""
    writer = csv.writer(_Line())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([defused(cell) for cell in row])
