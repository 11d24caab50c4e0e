"""What the survival test does with Django, in a process of its own: it works on another database than the test run.

`python -m tests.slots.errand prepare | free | check CODE FILE`, with DATA_DIR in the environment.
"""

import os
import sys
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"


def prepare() -> None:
    """Make the tables and a launched study; print its code."""
    from django.core.management import call_command

    from bench.stage import Size, make_study

    call_command("migrate", verbosity=0)
    print(make_study(Size(comparisons=150, k=3, quota=150)).code)


def free() -> None:
    """End the leases of people who will never be heard of again."""
    from datetime import timedelta

    from django.utils import timezone

    from annotation.services.slots import expire_stale

    print(expire_stale(now=timezone.now() + timedelta(days=1)), "leases ended")


def check(code: str, acknowledged: str) -> None:
    """Fail unless the study is complete and holds every answer that was acknowledged, whole and once."""
    from django.db.models import Count

    from annotation.models import Assignment, Study
    from annotation.states import AssignmentState
    from tests.slots.crowd import assert_complete

    study = Study.objects.get(code=code)
    assert_complete(study)
    saved = Assignment.objects.filter(annotator__study=study, state=AssignmentState.SUBMITTED)
    whole = saved.annotate(answers=Count("judgements")).filter(answers=study.criteria.count())
    stored = {str(one) for one in whole.values_list("code", flat=True)}
    told = set(Path(acknowledged).read_text().split())
    assert told <= stored, f"{len(told - stored)} acknowledged answers are lost"
    print(f"{len(told)} acknowledged, {len(stored)} stored, none lost")


if __name__ == "__main__":
    import django

    django.setup()
    {"prepare": prepare, "free": free, "check": check}[sys.argv[1]](*sys.argv[2:])
