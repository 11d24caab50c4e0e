"""Figures of a study that runs: how far it is, who is judging, and what people report."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, FloatField, Q, QuerySet, Value
from django.db.models.aggregates import Aggregate
from django.db.models.functions import Coalesce, Extract

from annotation.models import Annotator, Assignment, ProblemReport, Study
from annotation.services import guide
from annotation.states import AssignmentState, Exit, Side

SOON = timedelta(minutes=5)
PEOPLE_SHOWN = 50
REPORTS_SHOWN = 10
# Faster than a third of the study's median is worth a look; nothing follows from it by itself.
FAST_SHARE = 1 / 3


class Percentile(Aggregate):
    """The value below which this share of the values lies, computed by PostgreSQL."""

    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)%(filter)s"
    output_field = FloatField()

    def __init__(self, expression: Any, *, share: float, filter: Q | None = None) -> None:
        super().__init__(expression, filter=filter, share=float(share))


class Median(Percentile):
    """The middle value."""

    def __init__(self, expression: Any, *, filter: Q | None = None) -> None:
        super().__init__(expression, share=0.5, filter=filter)


# What the page counted as active; else the time between claim and answer.
SECONDS = Coalesce(
    F("active_ms") / Value(1000.0), Extract(F("submitted_at") - F("claimed_at"), "epoch"), output_field=FloatField()
)


@dataclass(frozen=True)
class Person:
    """Somebody who is judging now."""

    pseudonym: str
    done: int
    quota: int
    claimed_at: datetime
    lease_until: datetime
    median_seconds: float | None
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """One step from the link to the end, with how many people reached it."""

    name: str
    people: int
    share: float


@dataclass(frozen=True)
class Look:
    """The study at one moment."""

    at: datetime
    counts: guide.Counts
    complete: int
    ending_soon: int
    median_seconds: float | None
    treatment_left: int
    treatment_right: int
    funnel: tuple[Stage, ...]
    people: tuple[Person, ...]
    reports: tuple[ProblemReport, ...]
    open_reports: int


def look(study: Study, *, now: datetime) -> Look:
    """Gather the figures of this moment."""
    submitted = Assignment.objects.filter(comparison__study=study, state=AssignmentState.SUBMITTED)
    held = Assignment.objects.filter(comparison__study=study, state=AssignmentState.CLAIMED)
    sides = submitted.aggregate(
        left=Count("pk", filter=Q(slot__treatment_side=Side.LEFT)),
        right=Count("pk", filter=Q(slot__treatment_side=Side.RIGHT)),
    )
    median = submitted.aggregate(seconds=Median(SECONDS))["seconds"]
    reports = ProblemReport.objects.filter(study=study)
    newest = reports.select_related("assignment__annotator", "assignment__comparison__dialogue")[:REPORTS_SHOWN]
    return Look(
        at=now,
        counts=guide.count(study),
        complete=_complete(study),
        ending_soon=held.filter(lease_until__lte=now + SOON).count(),
        median_seconds=median,
        treatment_left=sides["left"],
        treatment_right=sides["right"],
        funnel=_funnel(study),
        people=tuple(_people(study, held, now, median)),
        reports=tuple(newest),
        open_reports=reports.filter(resolved_at=None).count(),
    )


def _complete(study: Study) -> int:
    """Count the comparisons that have all their judgements."""
    done = Count("assignments", filter=Q(assignments__state=AssignmentState.SUBMITTED))
    return (
        study.comparisons.filter(excluded_at=None)
        .annotate(done=done)
        .filter(done__gte=study.judgements_per_comparison)
        .count()
    )


def _funnel(study: Study) -> tuple[Stage, ...]:
    people = study.annotators.aggregate(
        consented=Count("pk"),
        instructed=Count("pk", filter=~Q(instructed_at=None)),
        judged=Count("pk", filter=Q(submitted_count__gt=0)),
        finished=Count("pk", filter=Q(exit=Exit.COMPLETED)),
    )
    names = {
        "consented": "Agreed to take part",
        "instructed": "Read the instructions",
        "judged": "Judged at least once",
        "finished": "Finished",
    }
    most = max(people["consented"], 1)
    return tuple(Stage(name, people[key], people[key] / most) for key, name in names.items())


def _people(study: Study, held: QuerySet[Assignment], now: datetime, median: float | None) -> list[Person]:
    """Return who holds a comparison, longest first."""
    holding = list(held.select_related("annotator").order_by("claimed_at")[:PEOPLE_SHOWN])
    submitted = Q(assignments__state=AssignmentState.SUBMITTED)
    paces = dict(
        Annotator.objects.filter(pk__in=[each.annotator_id for each in holding])
        .annotate(pace=Median(_through_assignments(), filter=submitted))
        .values_list("pk", "pace")
    )
    return [
        Person(
            pseudonym=each.annotator.pseudonym,
            done=each.annotator.submitted_count,
            quota=study.quota_per_annotator,
            claimed_at=each.claimed_at,
            lease_until=each.lease_until,
            median_seconds=paces.get(each.annotator_id),
            notices=tuple(_notices(each, paces.get(each.annotator_id), now, median)),
        )
        for each in holding
    ]


def _through_assignments() -> Coalesce:
    between = Extract(F("assignments__submitted_at") - F("assignments__claimed_at"), "epoch")
    return Coalesce(F("assignments__active_ms") / Value(1000.0), between, output_field=FloatField())


def _notices(held: Assignment, pace: float | None, now: datetime, median: float | None) -> list[str]:
    notices = []
    if pace is not None and median and pace < median * FAST_SHARE:
        notices.append("fast")
    if now > held.lease_until:
        notices.append("away")
    return notices
