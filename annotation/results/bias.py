"""Does the side or the length of a response move judgements, and what is the win score without that pull?

Both corrections come from one regression of the score on the side of B (+1/2 left, -1/2 right) and the centred
logarithm of the length ratio (B / A), by least squares, with errors clustered over items and annotators.
"""

from dataclasses import dataclass

import numpy as np

from annotation.results.data import Codes, Figure, Flags, Floats, Judgements, NotEstimable
from annotation.results.intervals import clustered, share_interval, two_way_interval

UNLIMITED = (-np.inf, np.inf)


@dataclass(frozen=True)
class Position:
    """left_share: of decided judgements whose sides are known, how many the left response won; p tests 1/2.

    effect: what standing on the left adds to a response's score · corrected: win score of B with sides in balance.
    """

    left_share: Figure
    p: float | None
    b_shown_left: float
    effect: Figure
    corrected_win_score_b: Figure


@dataclass(frozen=True)
class Length:
    """slope: change of B's score for a response e times as long · at_equal_length: win score of B at equal length.

    A sensitivity figure, not a correction to believe: quality and length go together.
    """

    mean_ratio: float
    slope: Figure
    at_equal_length: Figure
    p: float | None


def position(judgements: Judgements, *, level: float) -> Position | None:
    """Position bias; None where no side is known."""
    known = judgements.b_left >= 0
    if not known.any():
        return None
    decided = judgements.take(known & (judgements.grade != 0))
    left_won = ((decided.grade > 0) == (decided.b_left == 1)).astype(float)
    left_share = share_interval(left_won, decided.item, decided.annotator, level=level)
    model = _Regression.of(judgements, level)
    return Position(
        left_share=left_share,
        p=_p(left_share),
        b_shown_left=float((judgements.b_left[known] == 1).mean()),
        effect=model.coefficient("side"),
        corrected_win_score_b=model.level_at_mean(),
    )


def length(judgements: Judgements, *, level: float) -> Length | None:
    """Length bias; None where no pair of lengths is known."""
    known = _lengths_known(judgements)
    if not known.any():
        return None
    model = _Regression.of(judgements, level)
    slope = model.coefficient("length")
    return Length(
        mean_ratio=float(np.exp(_log_ratio(judgements.take(known)).mean())),
        slope=slope,
        at_equal_length=model.level_at_equal_length(),
        p=_p(slope),
    )


def _p(figure: Figure) -> float | None:
    return None if isinstance(figure, NotEstimable) else figure.p


def _lengths_known(judgements: Judgements) -> Flags:
    """Both responses have words; a ratio to nothing is none."""
    return (judgements.length_a > 0) & (judgements.length_b > 0)


def _log_ratio(judgements: Judgements) -> Floats:
    return np.log(judgements.length_b / judgements.length_a)


@dataclass(frozen=True)
class _Regression:
    """Least squares of the score on 1, side and centred log length ratio, as far as they are known and vary."""

    names: tuple[str, ...]
    beta: Floats
    bread: Floats
    design: Floats
    residual: Floats
    mean_log_ratio: float
    item: Codes
    annotator: Codes
    level: float

    @classmethod
    def of(cls, judgements: Judgements, level: float) -> "_Regression":
        sides, lengths = judgements.b_left >= 0, _lengths_known(judgements)
        rows = np.ones(len(judgements), bool)
        rows &= sides if sides.any() else True
        rows &= lengths if lengths.any() else True
        used = judgements.take(rows)
        columns: dict[str, Floats] = {"one": np.ones(len(used))}
        mean_log_ratio = 0.0
        if sides.any():
            columns["side"] = used.b_left.astype(np.float64) - 0.5
        if lengths.any() and len(used):
            log_ratio = _log_ratio(used)
            mean_log_ratio = float(log_ratio.mean())
            columns["length"] = log_ratio - mean_log_ratio
        names = tuple(name for name, column in columns.items() if name == "one" or _varies(column))
        design = np.column_stack([columns[name] for name in names])
        bread = np.linalg.pinv(design.T @ design)
        beta = bread @ (design.T @ used.score)
        return cls(
            names=names,
            beta=beta,
            bread=bread,
            design=design,
            residual=used.score - design @ beta,
            mean_log_ratio=mean_log_ratio,
            item=used.item,
            annotator=used.annotator,
            level=level,
        )

    def coefficient(self, name: str) -> Figure:
        """A slope, tested against 0."""
        if name not in self.names:
            return NotEstimable(f"{name} is the same in all judgements that can be used")
        return self._combination({name: 1.0}, null=0.0, limits=UNLIMITED)

    def level_at_mean(self) -> Figure:
        """Expected score with sides in balance, at the mean length ratio."""
        if "side" not in self.names:
            return NotEstimable("B stood on the same side in all judgements that can be used")
        return self._combination({"one": 1.0}, null=0.5, limits=(0.0, 1.0))

    def level_at_equal_length(self) -> Figure:
        """Expected score at a length ratio of 1, with sides in balance."""
        if "length" not in self.names:
            return NotEstimable("the length ratio is the same in all judgements that can be used")
        return self._combination({"one": 1.0, "length": -self.mean_log_ratio}, null=0.5, limits=(0.0, 1.0))

    def _combination(self, weights: dict[str, float], *, null: float, limits: tuple[float, float]) -> Figure:
        """A linear combination of coefficients with the two-way interval."""
        if len(self.residual) <= len(self.names) or np.linalg.matrix_rank(self.bread) < len(self.names):
            return NotEstimable("side and length cannot be told apart in so few judgements")
        direction = np.array([weights.get(name, 0.0) for name in self.names])
        influence = (self.design @ (self.bread @ direction)) * self.residual
        variance = clustered(influence, self.item, self.annotator)
        value = float(direction @ self.beta)
        if not limits[0] <= value <= limits[1]:
            return NotEstimable(f"the regression line leaves the scale there ({value:.2f}); too far from the data")
        return two_way_interval(value, variance, level=self.level, null=null, limits=limits)


def _varies(column: Floats) -> bool:
    return len(column) > 1 and float(np.ptp(column)) > 0
