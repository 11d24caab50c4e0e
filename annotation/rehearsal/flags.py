"""Who is left out of a mixed rehearsal's results, by what the product shows of everybody. Pure: no Django.

The simulation knows who cheats; these rules do not. None of them looks at what somebody prefers.
"""

from annotation.results.quality import Quality

SAME_ANSWER = 0.95
FEWEST_JUDGEMENTS = 10


def reasons(quality: Quality | None, *, checks_failed: int, minimum_seconds: int) -> list[str]:
    """Return why a person is left out, in words for the ledger; empty for most."""
    found = ["failed a check"] if checks_failed else []
    if quality is None:
        return found
    if quality.median_seconds is not None and quality.median_seconds < minimum_seconds:
        found.append("faster than anybody reads")
    if quality.n_judgements >= FEWEST_JUDGEMENTS and quality.modal_share >= SAME_ANSWER:
        found.append("the same answer all the time")
    return found
