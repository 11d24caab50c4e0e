"""Send again what was lost: units whose worker has not spoken of them for the length of a lease."""

from datetime import datetime

from django.db import connection, transaction

from annotation.models import GenerationUnit
from annotation.services.generation.endings import take_back
from annotation.services.generation.leases import GRACE
from annotation.services.generation.tallies import Tallies
from annotation.states import UnitState

SWEEP_LOCK = 7_201_002
# Units taken back in one transaction.
CHUNK = 500


def sweep(*, now: datetime) -> int:
    """Take back every unit whose lease ran out; return how many. Where another sweep is at work, do nothing."""
    count = 0
    while taken := _sweep_chunk(now):
        count += taken
    return count


@transaction.atomic
def _sweep_chunk(now: datetime) -> int:
    if not _is_alone():
        return 0
    expired = GenerationUnit.objects.filter(state=UnitState.SENT, lease_until__lt=now).order_by("lease_until", "pk")
    units = list(expired.select_for_update(skip_locked=True)[:CHUNK])
    tallies = Tallies()
    take_back([unit for unit in units if unit.worker], tallies=tallies, now=now)
    # A message that no worker has taken up was lost on the way, or its worker was: not the unit's fault.
    unread = [unit.pk for unit in units if not unit.worker]
    for unit in units:
        if not unit.worker:
            tallies.add(unit, lost=1)
    GenerationUnit.objects.filter(pk__in=unread).update(state=UnitState.QUEUED, not_before=now + GRACE)
    tallies.write(now=now)
    return len(units)


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SWEEP_LOCK])
        return bool(cursor.fetchone()[0])
