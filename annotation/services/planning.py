"""The size of a study, planned before its launch and kept with it."""

import math
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from annotation.errors import DuologueError
from annotation.models import Dialogue, Judgement, Study
from annotation.results.planning import GUESS, USUAL_SPREAD, NoPilot, Pilot, StudyPlan, pilots_in
from annotation.results.power import Plan, Spread
from annotation.services import reports
from annotation.services.actors import Actor
from annotation.services.members import studies_of
from annotation.services.trail import record
from annotation.states import ComparisonKind


class PlanIsFixed(DuologueError):
    """A study that was launched is planned again."""

    user_message = (
        "The study was launched, so its plan stays as it was: a plan made after the launch would be none. "
        "Copy the study and plan the copy."
    )


@dataclass(frozen=True)
class Sizes:
    """What the settings of a study come to: comparisons of each matchup, annotators, and tests."""

    n_items: int
    k: int
    n_annotators: int
    tests: int


def sizes_of(study: Study) -> Sizes:
    """Read the size of a study off its settings; where they leave it open, off its dialogues and quota."""
    matchups = max(1, study.matchups.count())
    items = _items(study)
    k = study.judgements_per_comparison
    needed = max(k, 2, math.ceil(items * matchups * k / study.quota_per_annotator))
    people = max(2, study.annotators_limit or needed)
    return Sizes(items, k, people, tests=matchups * max(1, study.criteria.count()))


def _items(study: Study) -> int:
    main = Q(kind=ComparisonKind.MAIN, excluded_at=None)
    made = study.comparisons.filter(main).values("matchup").annotate(n=Count("pk")).aggregate(most=Max("n"))["most"]
    if made:
        return max(2, int(made))
    dialogues = Dialogue.objects.filter(collection__studies=study).count()
    return max(2, min(dialogues, study.dialogues_limit or dialogues))


def asked_of(study: Study) -> dict[str, Any]:
    """Return what a planner starts from: the stored plan, or else the study's settings with a usual spread."""
    if plan := stored_plan(study):
        expected = {"effect": plan.effect, "wanted": plan.wanted, "level": plan.plan.level}
        return _sizes_and_spread(plan.plan, plan.plan.spread) | expected
    return _sizes_and_spread(sizes_of(study), USUAL_SPREAD) | {"effect": 0.1, "wanted": 0.8, "level": 0.95}


def _sizes_and_spread(sizes: Sizes | Plan, spread: Spread) -> dict[str, Any]:
    numbers = {name: getattr(sizes, name) for name in ("n_items", "k", "n_annotators", "tests")}
    return numbers | asdict(spread)


def source_of(spread: Spread, study: Study | None) -> str:
    """Say where a spread comes from: as the stored plan does when it is the same, else somebody guessed it."""
    plan = stored_plan(study) if study else None
    return plan.source if plan and plan.plan.spread == spread else GUESS


def stored_plan(study: Study) -> StudyPlan | None:
    """Return the plan that was stored with a study."""
    return StudyPlan.from_json(study.planned_power) if study.planned_power else None


@transaction.atomic
def store_plan(study: Study, *, plan: StudyPlan, actor: Actor, now: datetime) -> Study:
    """Keep a plan with a draft, in place of an earlier one. Raises: PlanIsFixed after the launch."""
    held = Study.objects.select_for_update().get(pk=study.pk)
    if held.is_frozen:
        raise PlanIsFixed()
    written = plan.to_json() | {"planned_at": now.isoformat(timespec="seconds")}
    Study.objects.filter(pk=study.pk).update(planned_power=written)
    study.planned_power = written
    record(study, "plan", actor=actor, plan=written)
    return study


def pilot_studies(study: Study, *, user: User | AnonymousUser) -> QuerySet[Study]:
    """Return the other studies that people have judged and whose results this person may see, the newest first."""
    judged = Exists(Judgement.objects.filter(assignment__comparison__study=OuterRef("pk")))
    others = studies_of(user).filter(judged, rehearsal_of=None).exclude(pk=study.pk)
    return others.order_by("-created_at")


def pilots_of(study: Study, *, now: datetime) -> list[Pilot]:
    """Return how much the judgements of a study vary. Raises: NoPilot with the reason."""
    shown = reports.show(study, now=now)
    if shown.content is None:
        raise NoPilot(f"“{study}” cannot be the pilot. {shown.reason}")
    return pilots_in(shown.content)
