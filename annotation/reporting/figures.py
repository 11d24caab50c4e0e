"""A figure: a picture, the table with the same numbers as people read them, and the numbers of its file. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.reporting.words import is_known

type Json = dict[str, Any]
type Numbers = Mapping[str, Any]


@dataclass(frozen=True)
class TableRow:
    """A row of a table beside a plot: a name and its cells as text."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """One figure of a report.

    key: names its files · title: what it shows, on the file as well · kind: the template that draws it ·
    plot: the picture on the page · drawing: the picture in a file, with room for whole names ·
    numbers: the rows of its CSV.
    """

    key: str
    title: str
    kind: str
    plot: Any
    drawing: Any
    head: tuple[str, ...]
    rows: tuple[TableRow, ...]
    numbers: tuple[Numbers, ...]
    notes: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        """The template that draws it."""
        return f"console/plots/{self.kind}.svg"


def csv_table(figure: Figure, said: Numbers) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of a figure's CSV. `said` stands in every row: of which study, when, with which filters."""
    header = list(dict.fromkeys([*(name for row in figure.numbers for name in row), *said]))
    rows = [[_cell({**row, **said}.get(name)) for name in header] for row in figure.numbers]
    return header, rows


def _cell(value: Any) -> Any:
    return "" if value is None else value


def spread(name: str, figure: Json | None) -> dict[str, Any]:
    """A figure as three columns: its estimate and its limits, empty where it is not estimable."""
    known = figure if figure is not None and is_known(figure) else {}
    return {name: known.get("estimate"), f"{name}_low": known.get("low"), f"{name}_high": known.get("high")}


def limits(figure: Json) -> tuple[float, float, float] | None:
    """What an interval plot draws."""
    return (figure["low"], figure["estimate"], figure["high"]) if is_known(figure) else None


def unique(sentences: Iterable[str]) -> tuple[str, ...]:
    """Each sentence once, in order."""
    return tuple(dict.fromkeys(sentences))


def named(found: Sequence[tuple[str, Json]]) -> list[tuple[str, Numbers, Json]]:
    """Criteria with the columns that say which one of which pair a row is about."""
    return [(name, {"criterion": name, "system_a": m["system_a"], "system_b": m["system_b"]}, m) for name, m in found]
