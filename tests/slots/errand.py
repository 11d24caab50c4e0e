"""What the survival test does with Django, in a process of its own: it works on another database than the test run.

`python -m tests.slots.errand prepare COMPARISONS QUOTA | free | lapse | check CODE FILE`, with DATA_DIR set.
"""

import json
import os
import sys
import time
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"


def prepare(comparisons: str, quota: str) -> None:
    """Make the tables and a launched study of three judgements for each comparison; print its code."""
    from django.core.management import call_command

    from bench.stage import Size, make_study

    call_command("migrate", verbosity=0)
    print(make_study(Size(comparisons=int(comparisons), k=3, quota=int(quota))).code)


def free() -> None:
    """End all leases, as if nothing had been heard of anybody for a day."""
    from datetime import timedelta

    from django.utils import timezone

    from annotation.services.slots import expire_stale

    expire_stale(now=timezone.now() + timedelta(days=1))


def lapse() -> None:
    """Do that every few seconds until somebody ends this process."""
    while True:
        free()
        time.sleep(4)


def check(code: str, acknowledged: str) -> None:
    """Fail unless the study is complete and holds every answer that was acknowledged, whole and once.

    An answer that came too late may be there as a surplus, and what its person had erased must be gone.
    """
    from django.db.models import Count

    from annotation.models import Assignment, Study
    from annotation.states import AssignmentState
    from tests.slots.crowd import assert_complete

    study = Study.objects.get(code=code)
    assert_complete(study)
    theirs = Assignment.objects.filter(annotator__study=study)
    saved = theirs.filter(state__in=[AssignmentState.SUBMITTED, AssignmentState.SURPLUS])
    whole = saved.annotate(answers=Count("judgements")).filter(answers=study.criteria.count())
    stored = {str(one) for one in whole.values_list("code", flat=True)}
    lines = Path(acknowledged).read_text().split()
    erased = {line[1:] for line in lines if line.startswith("-")}
    told = {line for line in lines if not line.startswith("-")} - erased
    assert told <= stored, f"{len(told - stored)} acknowledged answers are lost"
    assert not erased & stored, f"{len(erased & stored)} erased answers are still there"
    facts = {"acknowledged": len(told), "stored": len(stored), "erased": len(erased - {""})}
    facts |= {"people": study.annotators.count(), "slots": study.slots.count()}
    facts |= dict(theirs.values_list("state").annotate(n=Count("pk")).order_by("state"))
    print(json.dumps(facts))


if __name__ == "__main__":
    import django

    django.setup()
    {"prepare": prepare, "free": free, "lapse": lapse, "check": check}[sys.argv[1]](*sys.argv[2:])
