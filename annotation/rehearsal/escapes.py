"""How many cheaters a rehearsal may leave unfound: as many as the checks that they met let through. Pure: no Django.

Half of a check's options pass, so who guesses, or takes the same place every time, passes n checks with chance 1/2^n.
Whoever answers all checks wrongly, answers faster than anybody reads, or gives one answer ten times cannot but show.
"""

from collections.abc import Sequence

from annotation.rehearsal.flags import FEWEST_JUDGEMENTS
from annotation.rehearsal.kinds import Kind

PASSED_BY_CHANCE = 0.5


def escape_chance(kind: Kind, *, checks: int, judgements: int) -> float:
    """Return the chance that nothing gives away a cheater who met so many checks and gave so many judgements."""
    match kind:
        case Kind.HURRIED:
            return 0.0 if judgements else 1.0
        case Kind.CARELESS:
            return 0.0 if checks else 1.0
        case Kind.LEFT if judgements >= FEWEST_JUDGEMENTS:
            return 0.0
    return float(PASSED_BY_CHANCE**checks)


def most_missed(chances: Sequence[float], chance: float) -> int:
    """Return how many escape at most, but for this chance, where each escapes with a chance of their own."""
    beyond, missed = 1.0, 0
    for share in _distribution(chances):
        beyond -= share
        if beyond <= chance:
            break
        missed += 1
    return min(missed, len(chances))


def _distribution(chances: Sequence[float]) -> list[float]:
    """Return the chance that exactly 0, 1, 2, … escape."""
    shares = [1.0]
    for each in chances:
        stay, go = [share * (1 - each) for share in shares], [share * each for share in shares]
        shares = [a + b for a, b in zip([*stay, 0.0], [0.0, *go], strict=True)]
    return shares
