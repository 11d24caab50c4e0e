"""How long people who finished have worked: for their pay as their page counted, for speed by the server's clock."""

from typing import NamedTuple

from django.db.models import F, FloatField, Q, Sum, Value
from django.db.models.functions import Coalesce, Extract, Least

from annotation.models import Study
from annotation.states import AssignmentState, Exit

LONGEST = 20 * 60.0
"""So many seconds at most count for one comparison, and for all that comes before the first: whoever goes away and
comes back the next day has not worked all night."""

_ANSWERED = Q(assignments__state__in=[AssignmentState.SUBMITTED, AssignmentState.SURPLUS])
_PASSED = Extract(F("assignments__submitted_at") - F("assignments__claimed_at"), "epoch")
_TOLD = Coalesce(F("assignments__active_ms") / Value(1000.0), _PASSED, output_field=FloatField())


class Worked(NamedTuple):
    """Seconds of one person, over so many comparisons.

    active: what their page counted, within the time that passed. passed: from getting each comparison to its answer.
    """

    active: float
    passed: float
    comparisons: int


def working_times(study: Study) -> dict[int, Worked]:
    """Return how long each person who finished has worked: before the main part, and on each comparison.

    Pages say how long they were active and can say anything, so they are believed within the time that passed here. In
    a rehearsal they are believed: simulated people say how long they would have taken.
    """
    longest = Value(LONGEST, output_field=FloatField())
    active = Least(_TOLD, longest) if study.is_rehearsal else Least(_TOLD, _PASSED, longest)
    passed = active if study.is_rehearsal else Least(_PASSED, longest)
    finished = study.annotators.filter(exit=Exit.COMPLETED)
    rows = finished.annotate(
        active=Sum(active, filter=_ANSWERED, output_field=FloatField()),
        passed=Sum(passed, filter=_ANSWERED, output_field=FloatField()),
    ).values_list("pk", "active", "passed", "submitted_count", "consented_at", "instructed_at")
    found = {}
    for pk, worked, clock, judged, came, began in rows:
        before = min(((began or came) - came).total_seconds(), LONGEST)
        found[pk] = Worked((worked or 0.0) + before, (clock or 0.0) + before, judged)
    return found
