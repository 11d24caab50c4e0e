"""What would narrow the interval of a win score most: more dialogues or more people."""

import math
from dataclasses import dataclass

import numpy as np

from annotation.results.data import Codes, Figure, Judgements, NotEstimable, compact
from annotation.results.intervals import t_quantile
from annotation.results.win_scores import VarianceShares

GROWTH = 1.5
# Gains that differ by less than this much of the interval are called equal.
NEGLIGIBLE = 0.02


@dataclass(frozen=True)
class Advice:
    """Half-widths of the interval now, with half as many dialogues again, and with half as many people again.

    More dialogues are judged by the same people; more people share the same judgements. `add` is dialogues,
    people or either.
    """

    add: str
    half_width: float
    with_more_dialogues: float
    with_more_people: float
    sentence: str


def advise(judgements: Judgements, shares: VarianceShares | NotEstimable, score: Figure) -> Advice | NotEstimable:
    """Advice from the variance split of one criterion and pair."""
    if isinstance(shares, NotEstimable):
        return shares
    if isinstance(score, NotEstimable):
        return score
    from_items, from_people = _parts(judgements, shares)
    quantile = t_quantile((1 + score.level) / 2, score.df) if score.df else 2.0
    now = quantile * math.sqrt(from_items + from_people)
    more_dialogues = quantile * math.sqrt(from_items / GROWTH + from_people)
    more_people = quantile * math.sqrt(from_items + from_people / GROWTH)
    add = _better(now, more_dialogues, more_people)
    return Advice(add, now, more_dialogues, more_people, _sentence(add, now, more_dialogues, more_people))


def _parts(judgements: Judgements, shares: VarianceShares) -> tuple[float, float]:
    """Variance of the win score that more dialogues reduce, and that more people reduce."""
    n = len(judgements)
    load = np.bincount(compact(judgements.annotator))
    from_items = shares.item_sd**2 * _squared_shares(np.bincount(compact(judgements.item))) + shares.rest_sd**2 / n
    return from_items, shares.annotator_sd**2 * _squared_shares(load)


def _squared_shares(sizes: Codes) -> float:
    return float((sizes / sizes.sum()) @ (sizes / sizes.sum()))


def _better(now: float, more_dialogues: float, more_people: float) -> str:
    if abs(more_dialogues - more_people) < NEGLIGIBLE * now:
        return "either"
    return "dialogues" if more_dialogues < more_people else "people"


def _sentence(add: str, now: float, more_dialogues: float, more_people: float) -> str:
    now, more_dialogues, more_people = (100 * width for width in (now, more_dialogues, more_people))
    widths = (
        f"half as many dialogues again would bring the interval from about ±{now:.1f} to ±{more_dialogues:.1f} points, "
        f"half as many people again to ±{more_people:.1f}"
    )
    heads = {
        "dialogues": "More dialogues narrow the interval faster than more people",
        "people": "More people narrow the interval faster than more dialogues",
        "either": "More dialogues and more people narrow the interval about equally",
    }
    return f"{heads[add]}: {widths}."
