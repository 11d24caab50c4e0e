"""Who judges what, on which side, in which order: the rules that hold by construction. Pure: no Django.

At launch every comparison gets k slots in k layers. Within a comparison the side alternates from layer to layer, and
from comparison to comparison the first side alternates, so sides are balanced in every comparison and in every layer.
Each layer and side is a ring of random ranks. A claim looks along the ring from a place that only the annotator's seed
and the number of the comparison decide, so everyone has an order of their own and no claim has to sort anything.
"""

import random
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from annotation.pairing import opposite
from annotation.states import Side

RING = 2**31 - 1
"""Ranks and places lie in [0, RING): they fit a 4-byte column."""

_WORD = 2**64 - 1


class PlannedSlot(NamedTuple):
    """A slot to be made: which comparison (as given), which layer, where the treatment stands, where on the ring."""

    comparison: int
    ordinal: int
    treatment_side: Side
    rank: int


def plan_slots(matchups: Iterable[Sequence[int]], *, k: int, seed: int) -> list[PlannedSlot]:
    """Plan k slots for each comparison; `matchups` lists the comparisons of each matchup.

    Half of a comparison's slots are flipped. Where k is odd the odd one alternates over the comparisons, in an order
    shuffled within each matchup, so that neither import order nor matchup decides who stands left more often.
    """
    rng = random.Random(f"slots {seed}")  # noqa: S311 - an order that must repeat, not a secret
    first = rng.choice([Side.LEFT, Side.RIGHT])
    slots = []
    for comparisons in matchups:
        for comparison in rng.sample(sorted(comparisons), len(comparisons)):
            for ordinal, side in enumerate(alternating(first, k)):
                slots.append(PlannedSlot(comparison, ordinal, side, rng.randrange(RING)))
            first = opposite(first)
    return slots


def alternating(first: Side, k: int) -> list[Side]:
    """Return k sides that take turns, beginning with `first`."""
    return [first if ordinal % 2 == 0 else opposite(first) for ordinal in range(k)]


def ring_position(seed: int, number: int) -> int:
    """Return where an annotator with this seed looks first for comparison `number`, in [0, RING).

    The finaliser of SplitMix64 (Steele, Lea & Flood 2014): every bit of both numbers moves every bit of the result.
    """
    mixed = (seed * 0x9E3779B97F4A7C15 + number * 0xD1B54A32D192ED03) & _WORD
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
    return (mixed ^ (mixed >> 31)) % RING


def preferred_side(balance: int, *, seed: int, number: int) -> Side:
    """Return the side on which this annotator should see the treatment next.

    `balance` is how often they have judged it left minus how often right; at 0 the seed decides.
    """
    if balance:
        return Side.RIGHT if balance > 0 else Side.LEFT
    return Side.LEFT if ring_position(seed, -number) % 2 else Side.RIGHT


def criteria_order(keys: Sequence[str], *, seed: int) -> list[str]:
    """Return the criteria in the order that this annotator sees throughout a study that shuffles them."""
    return random.Random(f"criteria {seed}").sample(list(keys), len(keys))  # noqa: S311 - repeats, not a secret
