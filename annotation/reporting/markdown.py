"""A report, or any text of people, as Markdown: nothing that somebody wrote changes what the page looks like. Pure."""

import re
from collections.abc import Iterable, Sequence

from annotation.reporting.paper import Paper, Table

# What Markdown or the HTML within it may take for a mark.
_MARKS = re.compile(r"([\\`*_\[\]<|~$&])")
_NUMBERED = re.compile(r"^(\d+)([.)](?:\s|$))")
_LINED = re.compile(r"^([-=+#>])")


def as_markdown(paper: Paper) -> str:
    """The whole report."""
    blocks = [f"# {plain(paper.title)}"]
    blocks += [f"> **Note:** {plain(warning)}" for warning in paper.warnings]
    for section in paper.sections:
        blocks += [f"## {plain(section.title)}", f"**{plain(section.answer)}**", plain(section.lede)]
        blocks += [block for table in section.tables for block in _titled(table)]
        blocks += [plain(note) for note in section.notes]
    blocks += [block for table in paper.tables for block in _titled(table)]
    blocks += ["## How it was computed", *map(plain, paper.method)]
    return "\n\n".join(blocks) + "\n"


def _titled(table: Table) -> list[str]:
    return [f"### {plain(table.title)}", rows(table.head, table.rows), *map(plain, table.notes)]


def rows(head: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [_row(head), _row([":--", *["--:"] * (len(head) - 1)], is_escaped=True)]
    return "\n".join([*lines, *map(_row, cells)])


def _row(cells: Sequence[str], *, is_escaped: bool = False) -> str:
    return "| " + " | ".join(cell if is_escaped else plain(cell) for cell in cells) + " |"


def plain(text: str) -> str:
    """Text on one line, as it reads: marks are escaped and line breaks become blanks."""
    line = _MARKS.sub(r"\\\1", " ".join(text.split()))
    return _LINED.sub(r"\\\1", _NUMBERED.sub(r"\1\\\2", line))


def quoted(text: str) -> str:
    """A longer text of people, line by line, as a quotation."""
    return "\n".join(f"> {plain(line)}".rstrip() for line in text.splitlines()) or ">"
