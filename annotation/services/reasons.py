"""Reasons that are kept with a study and printed in exports."""

from annotation.errors import DuologueError

LONGEST = 300


class NoReason(DuologueError):
    user_message = "Give a reason: it is kept with the study and printed in exports."


class ReasonTooLong(DuologueError):
    """What was written does not fit in the place where it is kept."""


def clean_reason(reason: str) -> str:
    """Return a reason as it is kept: on one line, without characters that PostgreSQL cannot store.

    Raises: NoReason, ReasonTooLong.
    """
    kept = " ".join(reason.replace("\x00", "").split())
    if not kept:
        raise NoReason()
    if len(kept) > LONGEST:
        raise ReasonTooLong(f"The reason has {len(kept)} characters; say it in {LONGEST}.")
    return kept
