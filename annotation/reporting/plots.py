"""Plots as geometry: where every bar, line and mark stands, in user units of an SVG. Templates draw them.

Nothing is drawn that is not also in a table beside it, so the pictures are decoration to a screen reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass

BAR_WIDTH = 560.0
GAP = 2.0
ROW = 34.0


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


def intervals(rows: Sequence[Labelled], ticks: Sequence[tuple[float, str]], *, width: float = 340.0) -> Intervals:
    """Draw rows on one axis that holds every interval and every tick."""
    known = [value for row in rows if row.values for value in row.values] + [value for value, _ in ticks]
    spread = max(max(known) - min(known), 0.05)
    axis = Axis(min(known) - spread * 0.05, max(known) + spread * 0.05, 112, width - 96)
    height = ROW * len(rows) + 20
    dots = [Dot(clipped(row.label), row.text, n * ROW + 17, _span(row, axis)) for n, row in enumerate(rows)]
    return Intervals(tuple(dots), tuple(Tick(axis.at(value), text) for value, text in ticks), width, height)


def _span(row: Labelled, axis: Axis) -> Span | None:
    return Span(*(axis.at(value) for value in row.values)) if row.values else None


def clipped(label: str, length: int = 16) -> str:
    """A label that fits beside its interval; the table has it whole."""
    return label if len(label) <= length else label[: length - 1] + "…"


@dataclass(frozen=True)
class Square:
    """One stratum of a forest plot; the larger the square, the more comparisons."""

    label: str
    items: str
    text: str
    y: float
    span: Span | None
    size: float

    @property
    def corner(self) -> float:
        """Left edge of the square."""
        return round(self.span.mark - self.size / 2, 1) if self.span else 0.0

    @property
    def half(self) -> float:
        """Upper edge of the square, above the middle of its row."""
        return round(-self.size / 2, 1)


@dataclass(frozen=True)
class Forest:
    """Strata under each other, and all of them together as a diamond."""

    squares: tuple[Square, ...]
    all_items: str
    all_text: str
    diamond: str
    band: Span | None
    ticks: tuple[Tick, ...]
    half: float
    width: float = 560.0

    @property
    def base(self) -> float:
        """Height of the line above the row of all."""
        return 28.0 * len(self.squares) + 20

    @property
    def last(self) -> float:
        """Middle of the row of all."""
        return self.base + 16

    @property
    def axis(self) -> float:
        """Lower end of the plot area."""
        return self.base + 32

    @property
    def feet(self) -> float:
        """Height of the words under the axis."""
        return self.base + 47

    @property
    def height(self) -> float:
        return self.base + 54

    @property
    def band_width(self) -> float:
        return round(self.band.high - self.band.low, 1) if self.band else 0.0

    @property
    def band_height(self) -> float:
        return self.axis - 18


@dataclass(frozen=True)
class Stratum:
    """What one row of a forest plot is made of."""

    label: str
    n_items: int
    text: str
    values: tuple[float, float, float] | None


def forest(strata: Sequence[Stratum], whole: Stratum) -> Forest:
    """Draw win scores by stratum against the win score of all."""
    known = [value for row in (*strata, whole) if row.values for value in row.values]
    axis = Axis(min([0.25, *known]), max([0.75, *known]), 150, 430)
    most = max((row.n_items for row in strata), default=1)
    squares = [
        Square(
            label=clipped(row.label, 21),
            items=str(row.n_items),
            text=row.text,
            y=28 * n + 34,
            span=Span(*(axis.at(value) for value in row.values)) if row.values else None,
            size=round(5 + 6 * (row.n_items / most) ** 0.5, 1),
        )
        for n, row in enumerate(strata)
    ]
    band = Span(*(axis.at(value) for value in whole.values)) if whole.values else None
    ticks = [Tick(axis.at(value), f"{100 * value:.0f} %") for value in _ticks(axis)]
    return Forest(tuple(squares), str(whole.n_items), whole.text, _diamond(band), band, tuple(ticks), half=axis.at(0.5))


def _ticks(axis: Axis) -> list[float]:
    step = 0.1 if axis.high - axis.low < 0.5 else 0.25
    return [value for value in (step * n for n in range(11)) if axis.low <= value <= axis.high]


def _diamond(band: Span | None) -> str:
    """Path of the diamond around the height 0; the template moves it to its row."""
    return f"M{band.low} 0L{band.mark} -7L{band.high} 0L{band.mark} 7Z" if band else ""


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
