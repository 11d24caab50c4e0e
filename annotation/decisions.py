"""What may be decided about a person's pay, and the platform's rule for it. Pure: no Django.

The rules are Prolific's, the strictest of the platforms, and they are applied everywhere: a person may be rejected only
for two fair checks failed (one where the study takes less than five minutes) or for working more than three standard
deviations too fast over the whole study, beside people who judged as many comparisons. Gold comparisons, disagreement
and straight-lining are never grounds.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from annotation.states import Exit

SHORT_STUDY_SECONDS = 5 * 60
FEWEST_TO_COMPARE = 10
"""With fewer finished people a standard deviation says nothing about who is too fast."""
SHORTEST_MESSAGE = 100


class Decision(StrEnum):
    """What a researcher can decide. BONUS is an approval with something on top."""

    APPROVE = "approve"
    BONUS = "bonus"
    RETURN = "return"
    REJECT = "reject"


class Ground(StrEnum):
    """Why a person may be rejected, in the platform's words for it."""

    FAILED_CHECK = "FAILED_CHECK"
    TOO_QUICKLY = "TOO_QUICKLY"


@dataclass(frozen=True)
class Facts:
    """What is known of one person.

    seconds: active, for their pay. passed: by the server's clock, never less; nobody is too fast who had longer.
    study_seconds: how long the whole study was announced to take, or takes people, whichever is longer.
    """

    exit: str
    seconds: float
    passed: float
    checks_failed: int
    study_seconds: float
    missing: Decimal = Decimal(0)


@dataclass(frozen=True)
class Crowd:
    """The active seconds of everybody who finished and judged as many comparisons."""

    mean: float
    sd: float
    n: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Crowd":
        return cls(
            statistics.fmean(seconds) if seconds else 0.0,
            statistics.stdev(seconds) if len(seconds) > 1 else 0.0,
            len(seconds),
        )


RULE_CHECKS = "Rejection for attention checks needs fair ones failed: one in a study under 5 minutes, else two."
RULE_SPEED = (
    "Rejection for speed needs a time more than 3 standard deviations below the mean, over the whole study and beside "
    f"at least {FEWEST_TO_COMPARE} people who judged as many comparisons."
)
RULE_COMPLETED = "Only a submission that was completed can be approved."
RULE_RETURN = "People who fail the questions or the training, or do not fit, are asked to return, not rejected."
RULE_MESSAGE = f"A rejection needs a message to the person of at least {SHORTEST_MESSAGE} characters."
RULE_BONUS = "A bonus needs an amount above zero."


def checks_needed(facts: Facts) -> int:
    """Return how many failed checks are a ground."""
    return 1 if facts.study_seconds < SHORT_STUDY_SECONDS else 2


def grounds(facts: Facts, crowd: Crowd) -> list[Ground]:
    """Return on what grounds this person may be rejected; empty for nearly everybody."""
    if facts.exit != Exit.COMPLETED:
        return []
    found = [Ground.FAILED_CHECK] if facts.checks_failed >= checks_needed(facts) else []
    is_too_fast = crowd.n >= FEWEST_TO_COMPARE and crowd.sd > 0 and facts.passed < crowd.mean - 3 * crowd.sd
    return [*found, Ground.TOO_QUICKLY] if is_too_fast else found


def propose(facts: Facts, crowd: Crowd) -> tuple[Decision | None, str]:
    """Return what the rules suggest, with the reason; None where there is nothing to decide. A person decides."""
    if facts.exit in {Exit.FAILED_COMPREHENSION, Exit.FAILED_TRAINING, Exit.NOT_ELIGIBLE, Exit.WITHDREW}:
        return Decision.RETURN, RULE_RETURN if facts.exit != Exit.WITHDREW else "They left before the end."
    if facts.exit != Exit.COMPLETED:
        return None, "Not completed."
    if found := grounds(facts, crowd):
        said = {Ground.FAILED_CHECK: RULE_CHECKS, Ground.TOO_QUICKLY: RULE_SPEED}
        return Decision.REJECT, "May be rejected; look first. " + " ".join(said[ground] for ground in found)
    if facts.missing > 0:
        return Decision.BONUS, "Earned less than the floor by the hour."
    return Decision.APPROVE, "Completed."


def why_not(decision: Decision, facts: Facts, crowd: Crowd, *, message: str = "", bonus: Decimal = Decimal(0)) -> str:
    """Return the rule that forbids a decision; empty where it may be made and exported."""
    if decision == Decision.RETURN:
        return "" if facts.exit and facts.exit != Exit.COMPLETED else RULE_RETURN
    if facts.exit != Exit.COMPLETED:
        return RULE_COMPLETED if decision != Decision.REJECT else RULE_RETURN
    if decision == Decision.REJECT:
        if not grounds(facts, crowd):
            return f"{RULE_CHECKS} {RULE_SPEED}"
        return "" if len(message.strip()) >= SHORTEST_MESSAGE else RULE_MESSAGE
    return RULE_BONUS if decision == Decision.BONUS and bonus <= 0 else ""
