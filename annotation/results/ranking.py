"""Scores for three or more systems on one scale.

Bradley-Terry counts a tie as half a win for each; Davidson (1970) models ties, and the side a response stood on.
Both are log-linear models of the outcome of a pair, fitted by Newton's method until the gradient vanishes. Intervals
come from the sandwich with scores clustered over items and annotators, on the log-odds of the normalised score.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.sparse import csgraph

from annotation.results.data import Codes, Floats, Judgements
from annotation.results.errors import NoFiniteEstimate
from annotation.results.intervals import NO_VARIANCE, clustered, t_quantile

Tensor = npt.NDArray[np.float64]

# Largest gradient that counts as a maximum, and the steps Newton's method may take (5 to 8 are usual).
GRADIENT_LIMIT = 1e-6
STEPS = 100
# Where no maximum is finite the gradient vanishes too, but so does the information: less than this, in judgements.
LEAST_INFORMATION = 1e-4
FARTHEST = 30.0
NO_INTERVAL = "there is one item only, or the judgements do not vary"


@dataclass(frozen=True)
class Standing:
    """A system's share of the total strength, with its interval; None where there is no finite estimate."""

    system: str
    score: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Ranking:
    """All systems of one criterion, strongest first.

    tie_parameter: Davidson's nu, ties of equal systems in proportion to half of their decided judgements ·
    left_advantage: odds of winning on the left against on the right, for equal systems.
    """

    bradley_terry: tuple[Standing, ...]
    davidson: tuple[Standing, ...]
    tie_parameter: float | None
    left_advantage: float | None
    method: str
    level: float
    n: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Model:
    """Cells of judgements that have equal chances: the log of an outcome's chance is features @ beta less a constant.

    features: shape (cells, outcomes, parameters) · counts: shape (cells, outcomes), halves allowed. The first `systems`
    parameters are only determined up to a constant, so their sum is held at 0.
    """

    features: Tensor
    counts: Floats
    systems: int

    def probabilities(self, beta: Floats) -> Floats:
        return np.asarray(special.softmax(self.features @ beta, axis=1), dtype=float)

    def gradient_and_information(self, beta: Floats) -> tuple[Floats, Floats]:
        chance = self.probabilities(beta)
        n = self.counts.sum(axis=1)
        mean = np.einsum("co,cop->cp", chance, self.features)
        gradient = np.einsum("co,cop->p", self.counts, self.features) - n @ mean
        weighted = self.features * (chance * n[:, None])[:, :, None]
        information = np.einsum("cop,coq->pq", weighted, self.features) - (mean * n[:, None]).T @ mean
        information[: self.systems, : self.systems] += n.sum() / self.systems**2
        return gradient, information

    def log_likelihood(self, beta: Floats) -> float:
        return float((self.counts * special.log_softmax(self.features @ beta, axis=1)).sum())

    def scores(self, beta: Floats) -> Tensor:
        """Gradient of one judgement's log-likelihood, by cell and outcome: shape (cells, outcomes, parameters)."""
        mean = np.einsum("co,cop->cp", self.probabilities(beta), self.features)
        return np.asarray(self.features - mean[:, None, :], dtype=float)


def fit(model: _Model) -> Floats:
    """Parameters of the largest likelihood. Raises: NoFiniteEstimate when the gradient does not vanish."""
    beta = np.zeros(model.features.shape[2])
    for _ in range(STEPS):
        gradient, information = model.gradient_and_information(beta)
        if np.abs(gradient).max() <= GRADIENT_LIMIT:
            if np.linalg.eigvalsh(information)[0] > LEAST_INFORMATION:
                return beta
            break
        beta = _step(model, beta, np.linalg.lstsq(information, gradient, rcond=None)[0])
        if np.abs(beta).max() > FARTHEST:
            break
    raise NoFiniteEstimate("the likelihood keeps growing as scores move apart")


def _step(model: _Model, beta: Floats, step: Floats) -> Floats:
    """Newton's step, halved until the likelihood does not fall."""
    before = model.log_likelihood(beta)
    for halving in range(40):
        following = beta + step / 2**halving
        if model.log_likelihood(following) >= before - 1e-12 * abs(before):
            return np.asarray(following, dtype=float)
    return beta


def rank(judgements: Judgements, *, level: float) -> Ranking | None:
    """Ranking of one criterion's judgements; None where they are about two systems only."""
    present = np.unique(judgements.pair)
    systems = tuple(dict.fromkeys(name for pair in present for name in judgements.pairs[pair]))
    if len(systems) < 3:
        return None
    board = _Board.of(judgements, systems)
    notes = board.obstacles()
    bradley_terry, davidson = _Fit(_unranked(systems)), _Fit(_unranked(systems))
    if not notes:
        bradley_terry = _fitted(board, *board.bradley_terry(), level)
        davidson = _fitted(board, *board.davidson(), level)
        notes += [f"Bradley-Terry: {note}" for note in bradley_terry.notes]
        notes += [f"Davidson: {note}" for note in davidson.notes]
    tie_parameter, left_advantage = board.extras(davidson.beta)
    notes += board.remarks()
    clusters = "items and annotators" if judgements.n_annotators > 1 else "items (one annotator)"
    return Ranking(
        bradley_terry=bradley_terry.standings,
        davidson=davidson.standings,
        tie_parameter=tie_parameter,
        left_advantage=left_advantage,
        method=f"sandwich clustered over {clusters}, on the log-odds of the score",
        level=level,
        n=len(judgements),
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Fit:
    """A fitted model: standings, the parameters where there is a finite estimate, and what to say of it."""

    standings: tuple[Standing, ...]
    beta: Floats | None = None
    notes: tuple[str, ...] = ()


def _fitted(board: "_Board", model: _Model, influence: Callable[[Tensor], Floats], level: float) -> _Fit:
    try:
        beta = fit(model)
    except NoFiniteEstimate as error:
        return _Fit(_unranked(board.systems), notes=(f"no finite estimate: {error}.",))
    standings = _standings(board, model, beta, influence, level)
    if any(standing.low is None for standing in standings):
        return _Fit(standings, beta, (f"no intervals: {NO_INTERVAL}.",))
    return _Fit(standings, beta)


def _unranked(systems: tuple[str, ...]) -> tuple[Standing, ...]:
    return tuple(Standing(system, None, None, None) for system in systems)


@dataclass(frozen=True)
class _Board:
    """The judgements of a criterion with the systems numbered: A and B of each judgement are first and second."""

    judgements: Judgements
    systems: tuple[str, ...]
    first: Codes
    second: Codes
    outcome: Codes
    side: Codes

    @classmethod
    def of(cls, judgements: Judgements, systems: tuple[str, ...]) -> "_Board":
        number = {name: code for code, name in enumerate(systems)}
        pairs = np.array([[number.get(a, -1), number.get(b, -1)] for a, b in judgements.pairs])
        return cls(
            judgements=judgements,
            systems=systems,
            first=pairs[judgements.pair, 0],
            second=pairs[judgements.pair, 1],
            outcome=np.sign(judgements.grade) + 1,
            side=judgements.b_left,
        )

    @property
    def size(self) -> int:
        return len(self.systems)

    def wins(self) -> Floats:
        """wins[i, j]: how often i won against j, ties half."""
        m = self.size
        score = self.judgements.score
        b_over_a = np.bincount(self.second * m + self.first, score, minlength=m * m)
        a_over_b = np.bincount(self.first * m + self.second, 1 - score, minlength=m * m)
        return (b_over_a + a_over_b).reshape(m, m)

    def obstacles(self) -> list[str]:
        """Why no finite estimate exists: parts never compared, or a part that never loses to the others."""
        wins = self.wins()
        n_parts, part = csgraph.connected_components(wins + wins.T, directed=False)
        if n_parts > 1:
            apart = "; ".join(", ".join(self._names(part == code)) for code in range(n_parts))
            return [f"No finite estimate: these groups of systems were never compared with each other: {apart}."]
        n_strong, strong = csgraph.connected_components(wins, connection="strong")
        if n_strong == 1:
            return []
        groups = [strong == code for code in range(n_strong)]
        return [self._dominance(wins, group) for group in groups if self._is_extreme(wins, group)]

    def _is_extreme(self, wins: Floats, group: npt.NDArray[np.bool_]) -> bool:
        return not wins[np.ix_(~group, group)].any() or not wins[np.ix_(group, ~group)].any()

    def _dominance(self, wins: Floats, group: npt.NDArray[np.bool_]) -> str:
        names = ", ".join(self._names(group))
        verb = "never lost or tied" if not wins[np.ix_(~group, group)].any() else "never won or tied"
        return f"No finite estimate: {names} {verb} against the other systems."

    def _names(self, group: npt.NDArray[np.bool_]) -> list[str]:
        return [name for name, chosen in zip(self.systems, group, strict=True) if chosen]

    def bradley_terry(self) -> tuple[_Model, Callable[[Tensor], Floats]]:
        """Outcomes A and B; a tie adds half to each."""
        m = self.size
        cell_of, cells = _cells(self.first * m + self.second)
        features = np.zeros((len(cells), 2, m))
        rows = np.arange(len(cells))
        features[rows, 0, cells // m] = 1
        features[rows, 1, cells % m] = 1
        score = self.judgements.score
        counts = np.column_stack([np.bincount(cell_of, 1 - score), np.bincount(cell_of, score)])

        def influence(table: Tensor) -> Floats:
            return np.asarray(table[cell_of, 0] * (1 - score) + table[cell_of, 1] * score, dtype=float)

        return _Model(features, counts, m), influence

    @property
    def has_ties(self) -> bool:
        return bool((self.outcome == 1).any())

    @property
    def has_sides(self) -> bool:
        """Both sides occur and every judgement says which."""
        return len(np.unique(self.side)) == 2 and bool((self.side >= 0).all())

    def davidson(self) -> tuple[_Model, Callable[[Tensor], Floats]]:
        """Outcomes A, tie, B. Parameters: systems, log nu if there are ties, log left advantage if sides are known."""
        m = self.size
        side = self.side if self.has_sides else np.zeros_like(self.side)
        cell_of, cells = _cells((self.first * m + self.second) * 2 + side)
        first, second, b_left = cells // 2 // m, cells // 2 % m, cells % 2
        features = np.zeros((len(cells), 3, m + 2))
        rows = np.arange(len(cells))
        features[rows, 0, first] = features[rows, 2, second] = 1
        features[rows, 1, first] = features[rows, 1, second] = 0.5
        features[:, 1, m] = 1
        features[:, 0, m + 1] = 0.5 - b_left
        features[:, 2, m + 1] = b_left - 0.5
        used = [*range(m), *([m] if self.has_ties else []), *([m + 1] if self.has_sides else [])]
        outcomes = [0, 1, 2] if self.has_ties else [0, 2]
        counts = np.bincount(cell_of * 3 + self.outcome, minlength=3 * len(cells)).reshape(-1, 3).astype(float)
        column = np.searchsorted(outcomes, self.outcome)

        def influence(table: Tensor) -> Floats:
            return np.asarray(table[cell_of, column], dtype=float)

        return _Model(features[:, outcomes][:, :, used], counts[:, outcomes], m), influence

    def extras(self, beta: Floats | None) -> tuple[float | None, float | None]:
        """Davidson's nu (0 without ties) and the left advantage."""
        if beta is None:
            return None, None
        rest = list(beta[self.size :])
        nu = math.exp(rest.pop(0)) if self.has_ties else 0.0
        return nu, math.exp(rest.pop(0)) if self.has_sides else None

    def remarks(self) -> list[str]:
        remarks = []
        if not self.has_sides:
            remarks.append("The side is not known for every judgement, so the Davidson model has no side effect.")
        if not self.has_ties:
            remarks.append("There are no ties; the Davidson model is then a Bradley-Terry model.")
        if self.judgements.n_annotators < 2:
            remarks.append("One annotator: the intervals hold for this annotator only.")
        return remarks


def _cells(key: Codes) -> tuple[Codes, Codes]:
    """Cell of each judgement, and the key of each cell."""
    cells, cell_of = np.unique(key, return_inverse=True)
    return cell_of.astype(np.int64), cells


def _standings(
    board: _Board, model: _Model, beta: Floats, influence: Callable[[Tensor], Floats], level: float
) -> tuple[Standing, ...]:
    """Normalised scores with their intervals, strongest first."""
    m = board.size
    share = special.softmax(beta[:m])
    inverse = np.linalg.pinv(model.gradient_and_information(beta)[1])
    scores = model.scores(beta)
    standings = []
    for system in range(m):
        direction = np.zeros(len(beta))
        direction[:m] = -share / (1 - share[system])
        direction[system] = 1
        spread = _half_width(board.judgements, influence(scores @ (inverse @ direction)), level)
        logit = float(special.logit(share[system]))
        low, high = (None, None) if spread is None else map(float, special.expit([logit - spread, logit + spread]))
        standings.append(Standing(board.systems[system], float(share[system]), low, high))
    return tuple(sorted(standings, key=lambda standing: -(standing.score or 0)))


def _half_width(judgements: Judgements, influence: Floats, level: float) -> float | None:
    """None where one item is all there is, or nothing varies."""
    variance = clustered(influence, judgements.item, judgements.annotator)
    one_annotator = variance.n_annotators < 2
    if variance.n_items < 2 or (variance.items if one_annotator else variance.two_way) < NO_VARIANCE:
        return None
    if one_annotator:
        return t_quantile((1 + level) / 2, variance.n_items - 1) * math.sqrt(variance.items)
    return t_quantile((1 + level) / 2, variance.two_way_df) * math.sqrt(variance.two_way)
