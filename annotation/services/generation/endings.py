"""How units end without a text, and what that means for those that wait for them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from annotation.models import GenerationUnit
from annotation.services.generation.tallies import Tallies
from annotation.states import UnitState

# Errors that may pass by themselves are tried so often; waits double from the first.
MAX_ERRORS = 5
# From the fourth loss on a unit runs alone in every usual batch size (a quarter of it after each loss).
MAX_LOSSES = 6
LOST = f"{MAX_LOSSES} workers went silent while they ran it, in the end with nothing else to do."
FIRST_PAUSE_SECONDS = 5
LONGEST_PAUSE_SECONDS = 300


def fail(units: Iterable[int], *, reason: str, tallies: Tallies, now: datetime) -> int:
    """End open units with a reason, and those that wait for their skill-of-mind. Returns how many failed."""
    ended = _end(GenerationUnit.objects.filter(pk__in=list(units)), reason, tallies, now)
    followers = GenerationUnit.objects.filter(thinks_first__in=[unit.pk for unit in ended], state=UnitState.WAITING)
    return len(ended) + len(_end(followers, f"Its skill-of-mind failed: {reason}", tallies, now))


def take_back(units: Iterable[GenerationUnit], *, tallies: Tallies, now: datetime) -> int:
    """Queue units again whose worker went silent while it ran them; those that lost too many workers fail.

    Their token stays good until they are sent again: a record that was only late still counts.
    """
    doomed: list[int] = []
    count = 0
    for unit in units:
        count += 1
        tallies.add(unit, lost=1)
        if unit.losses + 1 >= MAX_LOSSES:
            doomed.append(unit.pk)
            continue
        GenerationUnit.objects.filter(pk=unit.pk).update(
            state=UnitState.QUEUED,
            losses=F("losses") + 1,
            not_before=now + timedelta(seconds=pause_seconds(unit.losses + 1)),
        )
    fail(doomed, reason=LOST, tallies=tallies, now=now)
    return count


def pause_seconds(times: int) -> int:
    """Return how long to wait after so many errors or losses."""
    return int(min(FIRST_PAUSE_SECONDS * 2 ** max(0, times - 1), LONGEST_PAUSE_SECONDS))


def _end(units: QuerySet[GenerationUnit], reason: str, tallies: Tallies, now: datetime) -> list[GenerationUnit]:
    found = list(units.filter(state__in=UnitState.open()).order_by("pk").select_for_update())
    for unit in found:
        tallies.add(unit, failed=1)
    GenerationUnit.objects.filter(pk__in=[unit.pk for unit in found]).update(
        state=UnitState.FAILED, reason=reason, token=None, finished_at=now
    )
    return found
