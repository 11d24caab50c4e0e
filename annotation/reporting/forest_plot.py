"""A forest plot as geometry: win scores of parts under each other, and of all of them as a diamond. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.reporting.plots import LETTER, Axis, Span, Tick, clipped


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
    kind: str
    width: float

    @property
    def counts(self) -> float:
        """Right end of the numbers of comparisons."""
        return self.width - 76

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


def forest(
    strata: Sequence[Stratum], whole: Stratum, *, kind: str = "95 %", width: float = 560.0, label: float = 150.0
) -> Forest:
    """Draw win scores by stratum against the win score of all. `kind`: what the ranges are, over their column."""
    known = [value for row in (*strata, whole) if row.values for value in row.values]
    axis = Axis(min([0.25, *known]), max([0.75, *known]), label, width - 136)
    most = max((row.n_items for row in strata), default=1)
    squares = [
        Square(
            label=clipped(row.label, int(label / LETTER)),
            items=f"{row.n_items:,}",
            text=row.text,
            y=28 * n + 34,
            span=Span(*(axis.at(value) for value in row.values)) if row.values else None,
            size=round(5 + 6 * (row.n_items / most) ** 0.5, 1),
        )
        for n, row in enumerate(strata)
    ]
    band = Span(*(axis.at(value) for value in whole.values)) if whole.values else None
    return Forest(
        squares=tuple(squares),
        all_items=f"{whole.n_items:,}",
        all_text=whole.text,
        diamond=_diamond(band),
        band=band,
        ticks=tuple(Tick(axis.at(value), f"{100 * value:.0f} %") for value in _ticks(axis)),
        half=axis.at(0.5),
        kind=kind,
        width=width,
    )


def _ticks(axis: Axis) -> list[float]:
    step = 0.1 if axis.high - axis.low < 0.5 else 0.25
    return [value for value in (step * n for n in range(11)) if axis.low <= value <= axis.high]


def _diamond(band: Span | None) -> str:
    """Path of the diamond around the height 0; the template moves it to its row."""
    return f"M{band.low} 0L{band.mark} -7L{band.high} 0L{band.mark} 7Z" if band else ""
