"""The kinds of people in a mixed rehearsal, and how many there are of each. Pure: no Django."""

import random
from enum import StrEnum

from annotation.errors import DuologueError
from annotation.states import Exit


class Kind(StrEnum):
    """How a simulated annotator takes part. All but the last two groups prefer by the rule."""

    HONEST = "honest"
    SLOW = "slow: the time of a comparison runs out"
    VANISHES = "vanishes over a comparison"
    RETURNS = "returns the place"
    WITHDRAWS = "withdraws, answers stay"
    ERASES = "withdraws and erases"
    FAILS = "fails the questions"
    LEFT = "cheats: always left"
    RANDOM = "cheats: at random"
    CARELESS = "cheats: ignores checks"
    HURRIED = "cheats: reads nothing, too fast"


CHEATERS = frozenset({Kind.LEFT, Kind.RANDOM, Kind.CARELESS, Kind.HURRIED})
LEAVERS = frozenset({Kind.VANISHES, Kind.RETURNS, Kind.WITHDRAWS, Kind.ERASES, Kind.FAILS})

EXITS = {
    Kind.VANISHES: "",
    Kind.RETURNS: Exit.RETURNED,
    Kind.WITHDRAWS: Exit.WITHDREW,
    Kind.ERASES: Exit.WITHDREW,
    Kind.FAILS: Exit.FAILED_COMPREHENSION,
}
"""How the part of each leaver ends; everybody else finishes, or comes when nothing is left."""

SHARES = {
    Kind.SLOW: 0.08,
    Kind.VANISHES: 0.03,
    Kind.RETURNS: 0.03,
    Kind.WITHDRAWS: 0.02,
    Kind.ERASES: 0.02,
    Kind.FAILS: 0.03,
    **dict.fromkeys((Kind.LEFT, Kind.RANDOM, Kind.CARELESS, Kind.HURRIED), 0.04),
}
FEWEST = 20
LATECOMERS = 0.2
"""So many come last, all of them honest: the others find enough to judge."""


class TooFewPeople(DuologueError):
    user_message = f"A mixed rehearsal has people of {len(Kind)} kinds: let at least {FEWEST} come."


def make_crowd(people: int, *, seed: int) -> list[Kind]:
    """Return who comes, in order: at least one of each kind. Raises: TooFewPeople."""
    if people < FEWEST:
        raise TooFewPeople()
    others = [kind for kind, share in SHARES.items() for _ in range(max(1, round(share * people)))]
    late = round(LATECOMERS * people)
    early = others + [Kind.HONEST] * (people - late - len(others))
    random.Random(seed).shuffle(early)  # noqa: S311
    return early + [Kind.HONEST] * late
