"""CSV as it is sent: a line at a time, and without cells that a spreadsheet would run as formulas."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

# A spreadsheet runs a cell that begins with one of these; a leading ' makes it text (OWASP, "CSV injection"). A text
# that looks disarmed already gets one more, so that a reader who takes exactly one away has every text as it was.
FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_FIRST = frozenset("'=+-@\t\r\n")


def defused(cell: Any) -> Any:
    """Return the cell as no spreadsheet runs it. Numbers stay numbers, a negative grade too."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in _FIRST and FORMULA.match(cell) else cell


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
