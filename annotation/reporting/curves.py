"""Power curves as geometry, and as the table with the same numbers. Templates draw them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from annotation.reporting.plots import Axis, Tick
from annotation.results.planning import Line, StudyPlan
from annotation.results.planning_text import score, share

WIDTH, HEIGHT = 560.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 420.0, 12.0, 252.0
# Labels at the ends of lines keep this distance, in user units.
LABEL_GAP = 17.0
STYLES = {0.5: "less", 1.0: "planned", 2.0: "more"}


@dataclass(frozen=True)
class Curve:
    """A line with its label at the right end."""

    css: str
    path: str
    label: str
    label_y: float


@dataclass(frozen=True)
class Curves:
    """Lines of power on one pair of axes; the dot is the plan, the dashed line the wanted power."""

    lines: tuple[Curve, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_name: str
    wanted: float
    dot: tuple[float, float]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = RIGHT
    top: float = TOP
    bottom: float = BOTTOM


@dataclass(frozen=True)
class CurveTable:
    """The points of the curves: one row an x, one column a line; `is_planned` marks the row of the plan."""

    head: tuple[str, ...]
    rows: tuple[tuple[bool, tuple[str, ...]], ...]


def by_items(study_plan: StudyPlan, lines: Sequence[Line]) -> Curves:
    """Power to find the expected effect, by number of comparisons."""
    named = [(line, f"{line.plan.n_annotators:,} annotators") for line in lines]
    planned = next(line for line in lines if line.factor == 1)
    ticks = [(x, f"{x:,.0f}") for x, _ in planned.points]
    return _curves(study_plan, named, ticks, study_plan.plan.n_items, "Comparisons")


def by_effect(study_plan: StudyPlan, lines: Sequence[Line]) -> Curves:
    """Power by the true win score."""
    named = [(line, f"{line.plan.n_items:,} comparisons") for line in lines]
    ticks = [(x, f"{50 + 100 * x:g} %") for x, _ in lines[0].points]
    return _curves(study_plan, named, ticks, study_plan.effect, "True win score")


def _curves(
    study_plan: StudyPlan,
    named: Sequence[tuple[Line, str]],
    ticks: Sequence[tuple[float, str]],
    x: float,
    x_name: str,
) -> Curves:
    places = [value for line, _ in named for value, _ in line.points]
    across = Axis(min(places), max(places), LEFT, RIGHT)
    up = Axis(0, 1, BOTTOM, TOP)
    labels = _apart([up.at(line.points[-1][1]) for line, _ in named])
    planned = next(line for line, _ in named if line.factor == 1)
    return Curves(
        lines=tuple(
            Curve(STYLES[line.factor], _path(line, across, up), label, y)
            for (line, label), y in zip(named, labels, strict=True)
        ),
        x_ticks=tuple(Tick(across.at(value), text) for value, text in _thinned(ticks, across)),
        y_ticks=tuple(Tick(up.at(value), f"{100 * value:.0f} %") for value in (0, 0.2, 0.4, 0.6, 0.8, 1)),
        x_name=x_name,
        wanted=up.at(study_plan.wanted),
        dot=(across.at(x), up.at(_on(planned, x))),
    )


def _path(line: Line, across: Axis, up: Axis) -> str:
    return "M" + "L".join(f"{across.at(x)} {up.at(y)}" for x, y in line.points)


def _on(line: Line, x: float) -> float:
    """Height of the drawn line at x, between two of its points too."""
    before = max((point for point in line.points if point[0] <= x), default=line.points[0])
    after = min((point for point in line.points if point[0] >= x), default=line.points[-1])
    if after[0] == before[0]:
        return before[1]
    return before[1] + (after[1] - before[1]) * (x - before[0]) / (after[0] - before[0])


def _apart(heights: Sequence[float]) -> list[float]:
    """Move labels that would touch away from each other, in their order from top to bottom."""
    placed = list(heights)
    order = sorted(range(len(placed)), key=lambda n: (placed[n], -n))
    for above, below in pairwise(order):
        placed[below] = round(max(placed[below], placed[above] + LABEL_GAP), 1)
    return placed


def _thinned(ticks: Sequence[tuple[float, str]], axis: Axis) -> list[tuple[float, str]]:
    """As many ticks as have room for their words."""
    kept: list[tuple[float, str]] = []
    for value, text in ticks:
        if not kept or axis.at(value) - axis.at(kept[-1][0]) >= 7 * len(text) + 12:
            kept.append((value, text))
    return kept


def items_table(study_plan: StudyPlan, lines: Sequence[Line]) -> CurveTable:
    """The points of `by_items`."""
    head = ("Comparisons", *(f"{line.plan.n_annotators:,} annotators" for line in lines))
    return _table(head, lines, lambda x: f"{x:,.0f}", study_plan.plan.n_items)


def effect_table(study_plan: StudyPlan, lines: Sequence[Line]) -> CurveTable:
    """The points of `by_effect`."""
    head = ("True win score", *(f"{line.plan.n_items:,} comparisons" for line in lines))
    return _table(head, lines, score, study_plan.effect)


def _table(head: tuple[str, ...], lines: Sequence[Line], words: Callable[[float], str], planned: float) -> CurveTable:
    every = sorted({x for line in lines for x, _ in line.points})
    points = [dict(line.points) for line in lines]
    rows = [(x == planned, (words(x), *(share(line[x]) if x in line else "–" for line in points))) for x in every]
    return CurveTable(head, tuple(rows))
