"""Draw the dialogues of a study evenly over their kinds. Pure: the same seed draws the same ones."""

import random
from collections import defaultdict
from collections.abc import Iterable
from itertools import chain, zip_longest


def draw_evenly(items: Iterable[tuple[int, str]], *, limit: int | None, seed: int) -> list[int]:
    """Draw `limit` of the (id, kind) pairs, as many of each kind as there are; without a limit, all of them.

    Ids come back in ascending order. Within a kind the draw is random, and kinds take turns until the limit is reached.
    """
    by_kind: dict[str, list[int]] = defaultdict(list)
    for identity, kind in sorted(items):
        by_kind[kind].append(identity)
    rng = random.Random(seed)  # noqa: S311 - a draw to repeat, not a secret
    for identities in by_kind.values():
        rng.shuffle(identities)
    rounds = zip_longest(*(by_kind[kind] for kind in sorted(by_kind)))
    drawn = [identity for identity in chain.from_iterable(rounds) if identity is not None]
    return sorted(drawn[:limit])
