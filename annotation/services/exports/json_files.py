"""JSON as it is sent: one object a line, or one indented document."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Line breaks to some readers of lines, plain characters to JSON: written as escapes, so that a line stays a line.
_BREAKS = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"})


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield every row as a line of its own (JSON Lines, UTF-8)."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_BREAKS) + "\n"


def json_document(value: Any) -> str:
    """Return a value as indented JSON that ends with a line break; keys stay in their order."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n"
