"""How far annotators agree: Krippendorff's alpha and what belongs beside it.

All coefficients are computed from a table of counts, one row a unit (item x pair), one column a category in scale
order. Units with one judgement say nothing of agreement and are left out where pairs are needed.
"""

from dataclasses import dataclass

import krippendorff
import numpy as np
import numpy.typing as npt

from annotation.results.data import Codes, Figure, Floats, Judgements, NotEstimable, Rows, compact
from annotation.results.intervals import share_interval
from annotation.results.resampling import Patterns, Resampling, Scale, alpha_intervals, alphas

DEFAULT = Resampling()

NO_PAIRS = "no item has two or more judgements"
NO_VARIATION = "all judgements agree on one label, so agreement beyond chance is not defined"

# Above this many cells (160 MB an array) krippendorff.alpha would need more memory than the rest of the report.
PACKAGE_CELLS = 20_000_000


@dataclass(frozen=True)
class Intra:
    """Agreement of annotators with themselves on comparisons shown twice."""

    same: Figure
    n_annotators: int


@dataclass(frozen=True)
class Agreement:
    """Agreement on one criterion, over one pair of systems or pooled over several.

    percent: mean over units with two or more judgements of the share of agreeing pairs · ac1 (nominal) and ac2 (ordinal
    weights, graded scales only) after Gwet · reliability: of the mean of `judgements_per_unit` judgements.
    """

    alpha_ordinal: Figure
    alpha_nominal: Figure
    percent: float | None
    ac1: float | None
    ac2: float | None
    label_shares: dict[str, float]
    n_items_multi: int
    n_units: int
    judgements_per_unit: float
    reliability: float | None
    pooled_over_matchups: bool
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LabelCounts:
    """Counts of labels by unit: shape (units, categories), with the names of the categories in scale order."""

    ordinal: Floats
    nominal: Floats
    ordinal_names: tuple[str, ...]
    nominal_names: tuple[str, ...]


def count_labels(judgements: Judgements, *, graded: bool) -> LabelCounts:
    """Units x categories. Both bad is a tie on the ordinal scale and a category of its own on the nominal one."""
    unit = compact(judgements.pair * (int(judgements.item.max()) + 1) + judgements.item)
    grades = np.unique(judgements.grade) if graded else np.array([-1, 0, 1])
    category = np.searchsorted(grades, judgements.grade)
    ordinal = _crosstab(unit, category, len(grades))
    nominal = _crosstab(unit, np.where(judgements.both_bad, len(grades), category), len(grades) + 1)
    names = tuple(map(str, grades.tolist())) if graded else ("A", "tie", "B")
    return LabelCounts(ordinal, nominal, names, (*names, "both_bad"))


def _crosstab(unit: Codes, category: npt.NDArray[np.integer], n_categories: int) -> Floats:
    cells = unit * n_categories + category
    return np.bincount(cells, minlength=(int(unit.max()) + 1) * n_categories).reshape(-1, n_categories).astype(float)


def agreement(judgements: Judgements, *, graded: bool, resampling: Resampling, pooled: bool = False) -> Agreement:
    """All coefficients for one criterion. The intervals of alpha resample items (BCa), never pairs of judgements."""
    counts = count_labels(judgements, graded=graded)
    alphas_by_scale = alpha_figures({"ordinal": counts.ordinal, "nominal": counts.nominal}, resampling)
    alpha_nominal, alpha_ordinal = alphas_by_scale["nominal"], alphas_by_scale["ordinal"]
    per_unit = len(judgements) / len(counts.ordinal)
    percent = percent_agreement(counts.nominal)
    label_shares = _label_shares(counts)
    return Agreement(
        alpha_ordinal=alpha_ordinal,
        alpha_nominal=alpha_nominal,
        percent=percent,
        ac1=gwet_ac1(counts.nominal),
        ac2=gwet_ac2(counts.ordinal) if graded else None,
        label_shares=label_shares,
        n_items_multi=int((counts.ordinal.sum(axis=1) >= 2).sum()),
        n_units=len(counts.ordinal),
        judgements_per_unit=per_unit,
        reliability=_spearman_brown(alpha_ordinal, per_unit),
        pooled_over_matchups=pooled,
        notes=_warnings(counts, label_shares, percent, alpha_nominal),
    )


def alpha(counts: Floats, scale: Scale, resampling: Resampling = DEFAULT) -> Figure:
    """Krippendorff's alpha (2018) with a BCa interval over items.

    counts: shape (units, categories), categories in scale order. Units with one judgement are left out, as usual.
    """
    return alpha_figures({scale: counts}, resampling)[scale]


def alpha_figures(tables: dict[Scale, Floats], resampling: Resampling) -> dict[Scale, Figure]:
    """Alphas of the same units on several scales, from the same resamples; the last table is the finest."""
    figures: dict[Scale, Figure] = {}
    defined: dict[Scale, Floats] = {}
    for scale, counts in tables.items():
        pairable = counts[counts.sum(axis=1) >= 2]
        pairable = pairable[:, pairable.any(axis=0)]
        if not len(pairable):
            figures[scale] = NotEstimable(NO_PAIRS)
        elif pairable.shape[1] < 2:
            figures[scale] = NotEstimable(NO_VARIATION)
        else:
            defined[scale] = pairable
    if defined:
        points = {scale: alpha_point(counts, scale) for scale, counts in defined.items()}
        figures.update(alpha_intervals(points, defined, resampling))
    return figures


def alpha_point(counts: Floats, scale: Scale) -> float:
    """Krippendorff's alpha of pairable units with two or more categories, by the krippendorff package.

    The package holds units x categories x categories in memory; tables too large for that take our own sums, equal to
    1e-12.
    """
    units, categories = counts.shape
    if units * categories**2 > PACKAGE_CELLS:
        patterns = Patterns.of(counts)
        return float(alphas(counts[patterns.first], patterns.units[None, :].astype(float), scale)[0])
    domain = list(range(categories))
    return float(krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=scale))


def percent_agreement(counts: Floats) -> float | None:
    """Mean over units with two or more judgements of the share of pairs that agree; None without such a unit."""
    size = counts.sum(axis=1)
    multi = size >= 2
    if not multi.any():
        return None
    rows, size = counts[multi], size[multi]
    return float(((rows * (rows - 1)).sum(axis=1) / (size * (size - 1))).mean())


def gwet_ac1(counts: Floats) -> float | None:
    """Gwet's AC1 (2008) over the labels that occur; None where it is not defined."""
    return gwet_ac2(counts, np.eye(counts[:, counts.any(axis=0)].shape[1]))


def gwet_ac2(counts: Floats, weights: Floats | None = None) -> float | None:
    """Gwet's AC2 (2014) over the labels that occur, ordinal weights unless others are given."""
    counts = counts[:, counts.any(axis=0)]
    size = counts.sum(axis=1, keepdims=True)
    multi = size[:, 0] >= 2
    categories = counts.shape[1]
    if not multi.any() or categories < 2:
        return None
    weights = ordinal_weights(categories) if weights is None else weights
    rows, sizes = counts[multi], size[multi][:, 0]
    observed = float(((rows * (rows @ weights - 1)).sum(axis=1) / (sizes * (sizes - 1))).mean())
    share = (counts / size).mean(axis=0)
    expected = float(weights.sum() * (share * (1 - share)).sum() / (categories * (categories - 1)))
    return (observed - expected) / (1 - expected)


def ordinal_weights(categories: int) -> Floats:
    """Gwet's ordinal weights: 1 less the share of pairs of categories between two, both ends included."""
    steps = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories)))
    return np.asarray(1 - (steps + 1) * steps / (categories * (categories - 1)), dtype=float)


def cohen_kappa(first: Codes, second: Codes) -> float | None:
    """Cohen's kappa (1960) of two annotators' labels for the same items; None where both use one label only."""
    n = max(int(first.max()), int(second.max())) + 1
    table = np.bincount(first * n + second, minlength=n * n).reshape(n, n) / len(first)
    expected = float(table.sum(axis=1) @ table.sum(axis=0))
    return None if expected == 1 else (float(np.trace(table)) - expected) / (1 - expected)


def fleiss_kappa(counts: Floats) -> float | None:
    """Fleiss' kappa (1971), Scott's pi with two annotators; None without variation.

    Gaps after Gwet: agreement over units with two or more judgements, chance over all.
    """
    observed = percent_agreement(counts)
    if observed is None:
        return None
    share = (counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    expected = float(share @ share)
    return None if np.isclose(expected, 1) else (observed - expected) / (1 - expected)


def intra_agreement(main: Judgements, repeats: Judgements, *, level: float) -> Intra | NotEstimable | None:
    """Agreement of annotators with themselves; both of one criterion. None without repeated comparisons."""
    if not len(repeats):
        return None
    first, again = same_question(main, repeats)
    if not len(first):
        return NotEstimable("no repeated judgement has its first one in the data")
    one, other = main.take(first), repeats.take(again)
    same = ((one.grade == other.grade) & (one.both_bad == other.both_bad)).astype(float)
    return Intra(same=share_interval(same, one.item, one.annotator, level=level), n_annotators=one.n_annotators)


def same_question(main: Judgements, repeats: Judgements) -> tuple[Rows, Rows]:
    """Rows of the two that are about the same pair and item, by the same annotator."""
    keys = [
        (rows.pair * len(rows.items) + rows.item) * len(rows.annotators) + rows.annotator for rows in (main, repeats)
    ]
    _, first, again = np.intersect1d(keys[0], keys[1], return_indices=True)
    return first, again


def _spearman_brown(figure: Figure, k: float) -> float | None:
    """Reliability of the mean of k judgements; None where alpha is not estimable or below 0."""
    if isinstance(figure, NotEstimable) or figure.estimate < 0:
        return None
    return k * figure.estimate / (1 + (k - 1) * figure.estimate)


def _label_shares(counts: LabelCounts) -> dict[str, float]:
    totals = counts.nominal.sum(axis=0)
    return {name: float(total / totals.sum()) for name, total in zip(counts.nominal_names, totals, strict=True)}


def _warnings(
    counts: LabelCounts, label_shares: dict[str, float], percent: float | None, figure: Figure
) -> tuple[str, ...]:
    """When alpha misleads: one label nearly always, or too few of the others for its interval."""
    if isinstance(figure, NotEstimable) or percent is None:
        return ()
    label, largest = max(label_shares.items(), key=lambda pair: pair[1])
    notes = []
    if largest > 0.85 and percent - figure.estimate > 0.3:
        notes.append(
            f"{largest:.0%} of the labels are {label}: alpha is low although {percent:.0%} of the pairs agree, "
            "because nearly all agreement could be chance. Read percent agreement and AC1 beside it."
        )
    minority = float(counts.nominal.sum()) * (1 - largest)
    if minority < 30:
        notes.append(
            f"Only {minority:.0f} labels are not {label}: the interval of alpha covers about 84 % rather than 95 %."
        )
    return tuple(notes)
