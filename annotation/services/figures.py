"""The figures of a report as files: an SVG that stands alone, and a CSV with the same numbers."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from annotation.models import Study
from annotation.reporting.figures import Figure, csv_table
from annotation.reporting.page import report_page
from annotation.reporting.plots import LETTER, clipped
from annotation.services.exports.csv_files import csv_lines

# Control characters that a name may hold and an XML file may not.
NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
MARGIN = 24.0
HEAD = 56.0
LINE = 18.0


@dataclass(frozen=True)
class Said:
    """What every file says of itself: of which study and judgements it is, when it was computed, and its notes."""

    study: str
    judgements: str
    computed_at: datetime
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        said = f"{self.study}. {self.judgements}. Computed {self.computed_at:%Y-%m-%d %H:%M} UTC."
        return " ".join([said, *self.notes])

    @property
    def columns(self) -> dict[str, str]:
        moment = self.computed_at.isoformat(timespec="seconds")
        notes = {"notes": " ".join(self.notes)} if self.notes else {}
        return {"study": self.study, "judgements": self.judgements, "computed_at": moment, **notes}


@dataclass(frozen=True)
class FooterLine:
    """One line of the words under a picture."""

    text: str
    y: float


@dataclass(frozen=True)
class Sheet:
    """A picture with its heading and the words under it, as the file's template draws them."""

    figure: Figure
    said: str

    @property
    def plot(self) -> Any:
        return self.figure.drawing

    @property
    def body(self) -> str:
        return self.figure.body

    @property
    def title(self) -> str:
        return self.figure.title

    @property
    def heading(self) -> str:
        return clipped(self.figure.title, int(self.plot.width / (LETTER * 1.55)))

    @property
    def width(self) -> float:
        return float(self.plot.width + 2 * MARGIN)

    @property
    def lines(self) -> list[FooterLine]:
        words = textwrap.wrap(self.said, int(self.plot.width / (LETTER - 0.6)))
        top = HEAD + self.plot.height + 28
        return [FooterLine(text, top + LINE * n) for n, text in enumerate(words)]

    @property
    def height(self) -> float:
        return self.lines[-1].y + 16


def figure_svg(figure: Figure, said: Said) -> str:
    """The picture as a file of its own: colours and type are in it, and it needs nothing of the page."""
    return NO_XML.sub("", render_to_string("console/plots/file.svg", {"sheet": Sheet(figure, said.sentence)}))


def figure_csv(figure: Figure, said: Said) -> Iterator[str]:
    """The numbers of a figure, unrounded, line by line."""
    header, rows = csv_table(figure, said.columns)
    return csv_lines(header, rows)


def said_of(study: Study, report: dict[str, Any], computed_at: datetime) -> Said:
    """What the files of a report say of themselves; the report knows its own filters."""
    filters = "; ".join(report["settings"]["filters"])
    left_out = report["settings"]["exclude_annotators"]
    below = f" (left out: {', '.join(left_out)})" if left_out else ""
    which = f"Filtered: {filters}{below}" if filters else "All judgements that count"
    return Said(study.name, which, computed_at, tuple(report["data"]["system_notes"]))


def figure_files(study: Study, report: dict[str, Any], computed_at: datetime) -> Iterator[tuple[str, str]]:
    """Every figure of a report as (file name, SVG), for exports."""
    said = said_of(study, report, computed_at)
    page = report_page(report, dict(study.criteria.values_list("key", "name")))
    for figure in page.figures():
        yield f"{figure.key}.svg", figure_svg(figure, said)
