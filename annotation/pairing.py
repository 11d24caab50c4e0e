"""Which dialogues a study takes, and what frame an answer is stored in. Pure: no Django."""

import random
from collections.abc import Iterable, Mapping, Sequence

from annotation.states import Outcome, Side


def draw_evenly(ids_by_kind: Mapping[str, Sequence[int]], limit: int | None, seed: int) -> list[int]:
    """Draw up to `limit` ids, as equal a number of every kind as there are, and return them sorted.

    Kinds that run out leave their share to the others. Without a limit all ids are taken.
    """
    rng = random.Random(f"dialogues {seed}")  # noqa: S311 - a draw that must repeat, not a secret
    decks = [rng.sample(sorted(ids), len(ids)) for _, ids in sorted(ids_by_kind.items())]
    rng.shuffle(decks)
    return sorted(list(_take_turns(decks))[:limit])


def _take_turns(decks: Iterable[Sequence[int]]) -> Iterable[int]:
    rows = list(decks)
    for turn in range(max(map(len, rows), default=0)):
        yield from (deck[turn] for deck in rows if turn < len(deck))


def opposite(side: Side) -> Side:
    return Side.RIGHT if side == Side.LEFT else Side.LEFT


def in_agents_frame(lean: int, treatment_side: Side) -> int:
    """Turn a lean on the screen (negative = left) into one between agents (negative = baseline)."""
    return -lean if treatment_side == Side.LEFT else lean


def on_screen(grade: int, treatment_side: Side) -> int:
    """The way back of `in_agents_frame`: for showing an answer again on the page that it was given on."""
    return in_agents_frame(grade, treatment_side)


def winner(grade: int) -> Outcome:
    if grade == 0:
        return Outcome.TIE
    return Outcome.TREATMENT if grade > 0 else Outcome.BASELINE
