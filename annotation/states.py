"""The states that rows move through, and the words for outcomes. Pure: no Django."""

from enum import StrEnum


class StudyState(StrEnum):
    """A study is edited as a draft, collects while running, and is over once closed."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"


class AssignmentState(StrEnum):
    """A claimed one is answered, or expires, or is released (handed back or skipped), or its annotator withdraws.

    An expired one may still be answered: as if in time while its slot is open, and as surplus, outside the results,
    once somebody else has the slot.
    """

    CLAIMED = "claimed"
    SUBMITTED = "submitted"
    EXPIRED = "expired"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"
    SURPLUS = "surplus"


class Side(StrEnum):
    """Where on the screen a response stands."""

    LEFT = "left"
    RIGHT = "right"


class Outcome(StrEnum):
    """Who won, in the agents' frame, never in the frame of the screen."""

    BASELINE = "baseline"
    TIE = "tie"
    TREATMENT = "treatment"
    BOTH_BAD = "both_bad"


class ComparisonKind(StrEnum):
    """Only MAIN comparisons enter the results."""

    MAIN = "main"
    CHECK = "check"
    GOLD = "gold"
    REPEAT = "repeat"
    TRAINING = "training"


class Exit(StrEnum):
    """How an annotator's part in a study ended."""

    COMPLETED = "completed"
    NO_CONSENT = "no_consent"
    NOT_ELIGIBLE = "not_eligible"
    FAILED_COMPREHENSION = "failed_comprehension"
    FAILED_TRAINING = "failed_training"
    QUOTA_FULL = "quota_full"
    RETURNED = "returned"
    TIMED_OUT = "timed_out"
    WITHDREW = "withdrew"
    TECHNICAL_PROBLEM = "technical_problem"


class RunState(StrEnum):
    """A generation run sends batches while running."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class UnitState(StrEnum):
    """WAITING units lack their skill-of-mind; QUEUED ones wait for a batch; SENT ones are with a worker."""

    WAITING = "waiting"
    QUEUED = "queued"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @classmethod
    def open(cls) -> list["UnitState"]:
        """The states of a unit that has not ended."""
        return [cls.WAITING, cls.QUEUED, cls.SENT]
