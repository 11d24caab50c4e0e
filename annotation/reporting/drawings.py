"""Pictures that stand alone in a file: rows with their names, a legend, one scale. Pure geometry, as in plots."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.reporting.plots import BAR_WIDTH, LETTER, Diverging, Split, clipped, split

LABEL = 170.0
TEXT = 110.0
HEAD = 34.0
LINE = 62.0
SPLIT_LINE = 44.0


@dataclass(frozen=True)
class Line:
    """One row: its name, where it begins, its picture, and what stands at its right end."""

    label: str
    y: float
    plot: Diverging | Split
    text: str


@dataclass(frozen=True)
class Key:
    """A colour and what it means, placed along the legend."""

    css: str
    text: str
    x: float


@dataclass(frozen=True)
class Drawing:
    """Rows under a legend. `label` is the width of the names' column."""

    lines: tuple[Line, ...]
    keys: tuple[Key, ...]
    height: float
    zero: float = 0.0
    half: float = 0.0
    kind: str = ""
    label: float = LABEL
    width: float = LABEL + BAR_WIDTH + TEXT

    @property
    def floor(self) -> float:
        """Where the lines of the scale end."""
        return self.height - 22

    @property
    def feet(self) -> float:
        """Height of the words under the scale."""
        return self.height - 8


def outcomes(rows: Sequence[tuple[str, Diverging, str]], *, loser: str, winner: str, kind: str) -> Drawing:
    """Losses, ties and wins: (name, bars, text of the win score) under each other. `kind`: what the ranges are."""
    lines = [Line(_short(name), HEAD + LINE * n, plot, text) for n, (name, plot, text) in enumerate(rows)]
    legend = _legend([("loss", f"{loser} wins"), ("tie", "Tie"), ("win", f"{winner} wins")])
    first = rows[0][1]
    return Drawing(tuple(lines), legend, HEAD + LINE * len(rows) + 24, first.zero, first.half, kind)


def splits(rows: Sequence[tuple[str, Sequence[tuple[str, float]]]]) -> Drawing:
    """Shares that are together 1: (name, (css class, share)…) under each other."""
    lines = [Line(_short(name), HEAD + SPLIT_LINE * n, split(shares), "") for n, (name, shares) in enumerate(rows)]
    legend = _legend([("acc", "dialogues"), ("tie", "annotators"), ("sunk", "rest")])
    return Drawing(tuple(lines), legend, HEAD + SPLIT_LINE * len(rows) + 4, width=LABEL + 340)


def _short(name: str) -> str:
    return clipped(name, int(LABEL / LETTER))


def _legend(meanings: Sequence[tuple[str, str]]) -> tuple[Key, ...]:
    """Place meanings beside each other, each as wide as its words."""
    keys, x = [], 0.0
    for css, text in meanings:
        short = clipped(text, 44)
        keys.append(Key(css, short, round(x, 1)))
        x += 36 + len(short) * LETTER
    return tuple(keys)
