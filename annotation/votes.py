"""Votes on one comparison and criterion, and what more than half of them say. Pure: no Django."""

from typing import NamedTuple

from annotation.states import Outcome


class Votes(NamedTuple):
    """How many judgements say what: A is the baseline, B the treatment."""

    a_wins: int = 0
    ties: int = 0
    b_wins: int = 0
    both_bad: int = 0

    @property
    def majority(self) -> str:
        """`A`, `tie` or `B`, whichever more than half of the votes say; both bad counts as a tie. Else empty."""
        said = {"A": self.a_wins, "tie": self.ties + self.both_bad, "B": self.b_wins}
        return next((word for word, votes in said.items() if 2 * votes > sum(self)), "")

    def plus(self, outcome: Outcome, votes: int) -> "Votes":
        """The same with some more votes of one outcome."""
        field = _FIELDS[outcome]
        return self._replace(**{field: getattr(self, field) + votes})


NO_VOTES = Votes()

_FIELDS = {
    Outcome.BASELINE: "a_wins",
    Outcome.TIE: "ties",
    Outcome.TREATMENT: "b_wins",
    Outcome.BOTH_BAD: "both_bad",
}
