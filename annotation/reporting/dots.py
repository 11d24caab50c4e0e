"""A plot of dots: one for each person, or for a few where there are many, stacked over an axis. Pure geometry."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

COLUMNS, ROWS = 28, 8
RADIUS, PITCH = 5.0, 12.0
LEFT, TOP, FOOT = 12.0, 6.0, 26.0
# Beyond so many medians one value would press all others together: the last column takes what is above.
FURTHEST = 3.0
TICKS = 4


@dataclass(frozen=True)
class Dot:
    """One mark; `is_low` where its column lies below the floor."""

    x: float
    y: float
    is_low: bool


@dataclass(frozen=True)
class Row:
    """One column as words: from here up to there, and how many people. The last one has no upper end."""

    low: str
    high: str
    people: int


@dataclass(frozen=True)
class Dots:
    """The plot. `each`: how many people one dot stands for at most."""

    dots: tuple[Dot, ...]
    ticks: tuple[tuple[float, str], ...]
    rows: tuple[Row, ...]
    floor: float | None
    each: int
    width: float = 2 * LEFT + COLUMNS * PITCH
    height: float = TOP + ROWS * PITCH + FOOT

    @property
    def base(self) -> float:
        """Where the axis is."""
        return TOP + ROWS * PITCH

    @property
    def right(self) -> float:
        return self.width - LEFT

    @property
    def enough(self) -> float:
        """How wide the part at or above the floor is."""
        return self.right - (self.floor or 0.0)

    @property
    def feet(self) -> float:
        return self.height - 8


def dots(values: Sequence[float], *, floor: float | None) -> Dots | None:
    """Place the values in columns of one round width, of which none reaches over the floor; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    most = min(ordered[-1], FURTHEST * ordered[len(ordered) // 2])
    least = min(ordered[0], most, *([floor] if floor is not None else []))
    # Two columns in reserve: the ends are moved to whole columns from the floor.
    step = _round_up((max(most, floor or 0.0) - least) / (COLUMNS - 2))
    origin = floor or 0.0
    start = origin + math.floor((least - origin) / step + 1e-9) * step
    columns = [min(max(math.floor((value - start) / step + 1e-9), 0), COLUMNS - 1) for value in ordered]
    counted = Counter(columns)
    each = math.ceil(max(counted.values()) / ROWS)

    def x_of(value: float) -> float:
        return round(LEFT + (value - start) / step * PITCH, 1)

    marks = [
        Dot(
            x=LEFT + (column + 0.5) * PITCH,
            y=TOP + (ROWS - row - 0.5) * PITCH,
            is_low=floor is not None and start + column * step < floor - 1e-9,
        )
        for column, people in sorted(counted.items())
        for row in range(math.ceil(people / each))
    ]
    every = COLUMNS // TICKS
    ticks = [(x_of(start + n * step), _words(start + n * step, step)) for n in range(0, COLUMNS + 1, every)]
    rows = [_row(column, people, start, step) for column, people in sorted(counted.items())]
    return Dots(tuple(marks), tuple(ticks), tuple(rows), x_of(floor) if floor is not None else None, each)


def _row(column: int, people: int, start: float, step: float) -> Row:
    high = "" if column == COLUMNS - 1 else _words(start + (column + 1) * step, step)
    return Row(_words(start + column * step, step), high, people)


def _round_up(width: float) -> float:
    """Return the next of 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, … that is wide enough."""
    size = 10.0 ** math.floor(math.log10(max(width, 0.01)) + 1e-9)
    return next((size * n for n in (1, 2, 5) if size * n >= width - 1e-9), size * 10)


def _words(value: float, step: float) -> str:
    return f"{value:.0f}" if step >= 1 and abs(value - round(value)) < 1e-6 else f"{value:.2f}"
