"""Plots as geometry: where every bar, line and mark stands, in user units of an SVG. Templates draw them.

Nothing is drawn that is not also in a table beside it, so the pictures are decoration to a screen reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass

BAR_WIDTH = 560.0
GAP = 2.0
ROW = 34.0
# Room that one letter takes at 12 px, on the safe side.
LETTER = 6.8


@dataclass(frozen=True)
class Axis:
    """Maps values to places: `low` stands at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Place of a value; what lies outside is put on the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


@dataclass(frozen=True)
class Bar:
    """One stretch of a row, with its text in the middle where there is room for it."""

    css: str
    x: float
    width: float
    text: str

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Span:
    """An interval with its estimate."""

    low: float
    mark: float
    high: float


@dataclass(frozen=True)
class Diverging:
    """Loss, tie and win side by side, ties centred on 0: the right end is the win score, where its interval hangs."""

    bars: tuple[Bar, ...]
    span: Span | None
    zero: float
    half: float
    width: float = BAR_WIDTH
    height: float = 58.0


@dataclass(frozen=True)
class Outcome:
    """Shares of one row, together 1, with the interval of the win score where there is one."""

    loss: float
    tie: float
    win: float
    interval: tuple[float, float] | None = None

    @property
    def left(self) -> float:
        return -(self.loss + self.tie / 2)

    @property
    def right(self) -> float:
        return self.win + self.tie / 2


def diverging(rows: Sequence[Outcome]) -> list[Diverging]:
    """Draw rows on one scale that holds all of them and the line at one half."""
    low = min((row.left for row in rows), default=-0.5)
    high = max([0.6, *(row.right for row in rows), *(row.interval[1] for row in rows if row.interval)])
    axis = Axis(min(low, -0.2), high, 8, BAR_WIDTH - 8)
    return [_row(row, axis) for row in rows]


def _row(row: Outcome, axis: Axis) -> Diverging:
    edges = [row.left, -row.tie / 2, row.tie / 2, row.right]
    shares = [("loss", row.loss), ("tie", row.tie), ("win", row.win)]
    bars = [
        _bar(css, axis.at(start), axis.at(end), share)
        for (css, share), start, end in zip(shares, edges, edges[1:], strict=False)
        if share > 0
    ]
    span = Span(axis.at(row.interval[0]), axis.at(row.right), axis.at(row.interval[1])) if row.interval else None
    return Diverging(tuple(bars), span, zero=axis.at(0), half=axis.at(0.5))


def _bar(css: str, start: float, end: float, share: float) -> Bar:
    width = max(round(end - start - GAP, 1), 1.0)
    return Bar(css, start, width, f"{100 * share:.0f} %" if width > 34 else "")


@dataclass(frozen=True)
class Dot:
    """One row of an interval plot: a label, an interval or none, and what stands at the right edge."""

    label: str
    text: str
    y: float
    span: Span | None


@dataclass(frozen=True)
class Tick:
    """A dashed line with its value."""

    x: float
    text: str


@dataclass(frozen=True)
class Intervals:
    """Intervals under each other on one axis."""

    dots: tuple[Dot, ...]
    ticks: tuple[Tick, ...]
    width: float
    height: float

    @property
    def floor(self) -> float:
        return self.height - 16

    @property
    def feet(self) -> float:
        """Height of the words under the ticks."""
        return self.height - 3


@dataclass(frozen=True)
class Labelled:
    """What an interval plot is made of: (low, estimate, high) or nothing."""

    label: str
    text: str
    values: tuple[float, float, float] | None


def intervals(
    rows: Sequence[Labelled], ticks: Sequence[tuple[float, str]], *, width: float = 340.0, label: float = 112.0
) -> Intervals:
    """Draw rows on one axis that holds every interval and every tick. `label`: width of the names' column."""
    known = [value for row in rows if row.values for value in row.values] + [value for value, _ in ticks]
    spread = max(max(known) - min(known), 0.05)
    axis = Axis(min(known) - spread * 0.05, max(known) + spread * 0.05, label, width - 96)
    height = ROW * len(rows) + 20
    dots = [
        Dot(clipped(row.label, int(label / LETTER)), row.text, n * ROW + 17, _span(row, axis))
        for n, row in enumerate(rows)
    ]
    return Intervals(tuple(dots), tuple(Tick(axis.at(value), text) for value, text in ticks), width, height)


def _span(row: Labelled, axis: Axis) -> Span | None:
    return Span(*(axis.at(value) for value in row.values)) if row.values else None


def clipped(label: str, length: int) -> str:
    """A label that fits beside its interval; the table has it whole."""
    return label if len(label) <= length else label[: length - 1] + "…"


@dataclass(frozen=True)
class Split:
    """One bar cut into shares that are together 1."""

    bars: tuple[Bar, ...]
    width: float = 330.0
    height: float = 30.0


def split(shares: Sequence[tuple[str, float]]) -> Split:
    """Cut a bar into (css class, share) from left to right."""
    bars, start = [], 0.0
    for css, share in shares:
        end = start + share * 330
        bars.append(_bar(css, round(start, 1), round(end, 1), share))
        start = end
    return Split(tuple(bars))
