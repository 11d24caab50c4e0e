"""Win scores within parts of the data (collection, kind of dialogue, skill ...), for forest plots."""

from dataclasses import dataclass, replace

import numpy as np

from annotation.results.data import Estimate, Figure, Judgements
from annotation.results.intervals import holm
from annotation.results.sequential import running_band
from annotation.results.settings import Settings
from annotation.results.win_scores import win_score

NO_VALUE = "(none)"


@dataclass(frozen=True)
class Stratum:
    """One value of a column: the win score of B over its judgements.

    holm_p: corrected over the column's values · band: only for a running study, planned in proportion to its items.
    """

    value: str
    n_judgements: int
    n_items: int
    win_score_b: Figure
    holm_p: float | None
    band: Figure | None


@dataclass(frozen=True)
class Stratified:
    """All values of one column, for one criterion and pair of systems."""

    column: str
    criterion: str
    system_a: str
    system_b: str
    strata: tuple[Stratum, ...]
    note: str


def stratify(
    judgements: Judgements, column: str, *, criterion: str, pair: tuple[str, str], settings: Settings
) -> Stratified:
    """judgements: of one criterion and pair."""
    coded = judgements.strata[column]
    codes = sorted(np.unique(coded.codes).tolist(), key=lambda code: coded.names[code])
    planned = None if settings.planned_items is None else settings.planned_items / judgements.n_items
    strata = [
        _stratum(judgements.take(coded.codes == code), coded.names[code] or NO_VALUE, settings, planned)
        for code in codes
    ]
    return Stratified(column, criterion, *pair, strata=_corrected(strata), note=_note(len(strata), settings.level))


def _stratum(judgements: Judgements, name: str, settings: Settings, planned: float | None) -> Stratum:
    """planned: items the study plans for each it has so far."""
    n_items = judgements.n_items
    return Stratum(
        value=name,
        n_judgements=len(judgements),
        n_items=n_items,
        win_score_b=win_score(judgements, level=settings.level),
        holm_p=None,
        band=None if planned is None else _band(judgements, settings, round(planned * n_items)),
    )


def _band(judgements: Judgements, settings: Settings, planned_items: int) -> Figure:
    return running_band(judgements, settings, planned_items=max(1, planned_items))


def _corrected(strata: list[Stratum]) -> tuple[Stratum, ...]:
    p_values = {
        place: stratum.win_score_b.p
        for place, stratum in enumerate(strata)
        if isinstance(stratum.win_score_b, Estimate) and stratum.win_score_b.p is not None
    }
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return tuple(replace(stratum, holm_p=corrected.get(place)) for place, stratum in enumerate(strata))


def _note(intervals: int, level: float) -> str:
    if intervals < 2:
        return "There is one value only."
    return (
        f"{intervals} intervals, each on its own: about one in {round(1 / (1 - level))} misses by chance. "
        "Before a difference between parts is claimed, read the p values corrected over them (holm_p)."
    )
