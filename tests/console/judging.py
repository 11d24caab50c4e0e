"""Judged studies for tests of what researchers see; outcomes are drawn with a seed, so figures stay the same."""

import random
from datetime import timedelta

from django.utils import timezone

from annotation.models import Study
from annotation.states import Outcome
from tests import build

OUTCOMES = [Outcome.BASELINE, Outcome.TIE, Outcome.TREATMENT]


def make_judged_study(*, dialogues: int = 24, k: int = 3, annotators: int = 8, pull: float = 0.5, **over) -> Study:
    """A study whose slots are all judged; the treatment wins the first criterion the more often, the larger `pull`."""
    study = build.make_running_study(dialogues=dialogues, k=k, **over)
    rng = random.Random(7)
    people = [build.make_annotator(study, pseudonym=f"Heron {n:02}") for n in range(annotators)]
    start = timezone.now() - timedelta(hours=2)
    for place, slot in enumerate(study.slots.select_related("comparison").order_by("pk")):
        weights = [[1 - pull, 0.3, 1 + pull], [1, 0.5, 1], [1, 0.2, 1.1]]
        outcomes = [rng.choices(OUTCOMES, row)[0] for row in weights]
        came = start + timedelta(seconds=20 * place)
        judged = {"claimed_at": came, "submitted_at": came + timedelta(seconds=rng.randint(15, 60))}
        build.judge(slot, people[place % annotators], outcomes, **judged)
    return study
