"""When a running study will be complete, at the pace of the last hour. Pure: no Django."""

from datetime import timedelta

WINDOW = timedelta(hours=1)
FEWEST = 5
"""Of fewer judgements nothing is foretold."""
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=365)


def time_left(*, missing: int, recent: int, since: timedelta) -> timedelta | None:
    """Return how long the missing judgements take; None where nothing is missing or too little is known.

    `recent` judgements came within the last hour, or within `since` where the first one came later.
    """
    if missing <= 0 or recent < FEWEST:
        return None
    span = max(min(since, WINDOW), SHORTEST)
    left = span * (missing / recent)
    return left if left <= LONGEST else None


def in_words(left: timedelta) -> str:
    """Say a length of time as people would."""
    minutes = left / timedelta(minutes=1)
    if minutes < 90:
        return _counted(minutes, "minute")
    return _counted(minutes / 60, "hour") if minutes < 36 * 60 else _counted(minutes / (24 * 60), "day")


def _counted(number: float, name: str) -> str:
    n = max(round(number), 1)
    return f"{n} {name}{'s' if n != 1 else ''}"
