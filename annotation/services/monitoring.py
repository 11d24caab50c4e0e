"""Figures of a study that runs: how far it is, who is judging, and what people report."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, FloatField, Min, Q, QuerySet, Sum, Value
from django.db.models.aggregates import Aggregate
from django.db.models.functions import Coalesce, Extract

from annotation import forecast
from annotation.checks import main_in_full_part
from annotation.decisions import Decision
from annotation.flow import Step
from annotation.models import (
    Annotator,
    Assignment,
    CheckResult,
    Judgement,
    PlatformBatch,
    ProblemReport,
    Slot,
    StepAttempt,
    Study,
)
from annotation.pay import Cost, Pay, Work, cost_of, pay_of, people_to_come
from annotation.services import guide
from annotation.services.flows import read_steps
from annotation.services.sheets import checks_of
from annotation.services.times import working_times
from annotation.states import AssignmentState, ComparisonKind, Exit, Outcome, Side, StudyState

SOON = timedelta(minutes=5)
PEOPLE_SHOWN = 50
REPORTS_SHOWN = 10
# Faster than a third of the study's median, or nearly always the same answer: worth a look, and nothing more.
FAST_SHARE = 1 / 3
SAME_SHARE = 0.95
FEWEST_ANSWERS = 10


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
    checks: str
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """One step from consent to the end, with how many people reached it.

    lost: whose part ended between the step before and this one. open: who has not come so far, and not gone either.
    """

    name: str
    people: int
    share: float
    lost: int = 0
    open: int = 0


@dataclass(frozen=True)
class Batch:
    """Places of one platform batch, and what its people have done. Without a limit `places` is None."""

    pk: int
    name: str
    key: str
    places: int | None
    taken: int
    finished: int
    judged: int

    @property
    def is_full(self) -> bool:
        return self.places is not None and self.taken >= self.places


@dataclass(frozen=True)
class Look:
    """The study at one moment."""

    at: datetime
    counts: guide.Counts
    time_left: timedelta | None
    complete: int
    holding: int
    ending_soon: int
    median_seconds: float | None
    treatment_left: int
    treatment_right: int
    funnel: tuple[Stage, ...]
    exits: tuple[tuple[str, int], ...]
    batches: tuple[Batch, ...]
    pay: Pay | None
    cost: Cost | None
    people: tuple[Person, ...]
    reports: tuple[ProblemReport, ...]
    open_reports: int

    @property
    def done_at(self) -> datetime | None:
        """When the study is complete at the pace of the last hour."""
        return self.at + self.time_left if self.time_left else None

    @property
    def done_in(self) -> str:
        return forecast.in_words(self.time_left) if self.time_left else ""


def look(study: Study, *, now: datetime) -> Look:
    """Gather the figures of this moment."""
    counted = Assignment.objects.filter(comparison__study=study, comparison__kind=ComparisonKind.MAIN)
    submitted = counted.filter(state=AssignmentState.SUBMITTED)
    held = Assignment.objects.filter(comparison__study=study, state=AssignmentState.CLAIMED)
    counts = guide.count(study)
    recent = submitted.aggregate(
        n=Count("pk", filter=Q(submitted_at__gt=now - forecast.WINDOW)),
        first=Min("submitted_at"),
        left=Count("pk", filter=Q(slot__treatment_side=Side.LEFT)),
        right=Count("pk", filter=Q(slot__treatment_side=Side.RIGHT)),
    )
    median = submitted.aggregate(seconds=Median(SECONDS))["seconds"]
    left = forecast.time_left(
        missing=counts.slots - counts.judged if study.state == StudyState.RUNNING else 0,
        recent=recent["n"],
        since=now - (recent["first"] or now),
    )
    reports = ProblemReport.objects.filter(study=study)
    newest = reports.select_related("assignment__annotator", "assignment__comparison__dialogue")[:REPORTS_SHOWN]
    return Look(
        at=now,
        counts=counts,
        time_left=left,
        complete=_complete(study),
        holding=held.count(),
        ending_soon=held.filter(lease_until__lte=now + SOON).count(),
        median_seconds=median,
        treatment_left=recent["left"],
        treatment_right=recent["right"],
        funnel=_funnel(study),
        exits=_exits(study),
        batches=_batches(study),
        pay=_pay(study),
        cost=_cost(study, _work(study, held)),
        people=tuple(_people(study, held, now, median)),
        reports=tuple(newest),
        open_reports=reports.filter(resolved_at=None).count(),
    )


def _complete(study: Study) -> int:
    """Count the comparisons that have all their judgements."""
    done = Count("assignments", filter=Q(assignments__state=AssignmentState.SUBMITTED))
    return (
        study.comparisons.filter(excluded_at=None, kind=ComparisonKind.MAIN)
        .annotate(done=done)
        .filter(done__gte=study.judgements_per_comparison)
        .count()
    )


STEP_NAMES = {
    Step.DEVICE: "Looked at the screen",
    Step.INSTRUCTIONS: "Read the instructions",
    Step.COMPREHENSION: "Passed the questions",
}


def _funnel(study: Study) -> tuple[Stage, ...]:
    """Count who reached each step. Nobody is stored before consent, so it begins there."""
    everybody, gone = _reached(study, Q()), _reached(study, ~Q(exit=""))
    most = max(everybody[0][1], 1)
    stages = [Stage(everybody[0][0], everybody[0][1], everybody[0][1] / most)]
    for at in range(1, len(everybody)):
        name, people = everybody[at]
        lost = max(gone[at - 1][1] - gone[at][1], 0)
        missing = max(everybody[at - 1][1] - people, 0)
        stages.append(Stage(name, people, people / most, lost=lost, open=max(missing - lost, 0)))
    return tuple(stages)


def _reached(study: Study, who: Q) -> list[tuple[str, int]]:
    """Return each step's name, and how many of these people reached it."""
    theirs = study.annotators.filter(who)
    people = theirs.aggregate(
        consented=Count("pk"),
        instructed=Count("pk", filter=~Q(instructed_at=None)),
        judged=Count("pk", filter=Q(submitted_count__gt=0)),
        finished=Count("pk", filter=Q(exit=Exit.COMPLETED)),
    )
    steps = StepAttempt.objects.filter(annotator__in=theirs, is_right=True).values("step").order_by()
    passed = dict(steps.annotate(people=Count("annotator", distinct=True)).values_list("step", "people"))
    flow = read_steps(study).flow
    asked = [step for step in STEP_NAMES if flow.has(step)]
    last = "Passed the training" if flow.training else STEP_NAMES[asked[-1]] if asked else "Began"
    before = asked if flow.training else asked[:-1]
    return [
        ("Agreed to take part", people["consented"]),
        *((STEP_NAMES[step], passed.get(step, 0)) for step in before),
        (last, people["instructed"]),
        ("Judged at least once", people["judged"]),
        ("Finished", people["finished"]),
    ]


def _exits(study: Study) -> tuple[tuple[str, int], ...]:
    """Count how people's parts ended, most first."""
    ended = study.annotators.exclude(exit="").values("exit").order_by()
    rows = ended.annotate(n=Count("pk")).values_list("exit", "n").order_by("-n", "exit")
    return tuple((how.replace("_", " "), n) for how, n in rows)


def _batches(study: Study) -> tuple[Batch, ...]:
    """Count places and work for each platform batch, in the order in which they were made."""
    rows = PlatformBatch.objects.filter(recruitment__study=study).annotate(
        finished=Count("annotators", filter=Q(annotators__exit=Exit.COMPLETED)),
        judged=Coalesce(Sum("annotators__submitted_count"), 0),
    )
    facts = ("pk", "name", "key", "places", "places_taken", "finished", "judged")
    return tuple(Batch(*row) for row in rows.order_by("pk").values_list(*facts))


def _pay(study: Study) -> Pay | None:
    if study.payment_amount is None:
        return None
    seconds = [each.active for each in working_times(study).values()]
    return pay_of(seconds, amount=study.payment_amount, floor=study.hourly_floor)


def _cost(study: Study, work: Work) -> Cost | None:
    """Return what those who finished cost, bonuses with them and the rejected left out, and what is to come."""
    if study.payment_amount is None:
        return None
    finished = study.annotators.filter(exit=Exit.COMPLETED)
    paid = finished.exclude(pay_decision__decision=Decision.REJECT).count()
    bonuses = finished.aggregate(sum=Sum("pay_decision__bonus"))["sum"] or Decimal(0)
    open_ = study.state in (StudyState.RUNNING, StudyState.PAUSED)
    expected = people_to_come(work, places=_places_left(study, finished.count())) if open_ else 0
    return cost_of(paid, expected, amount=study.payment_amount, fee_percent=study.fee_percent, bonuses=bonuses)


def _places_left(study: Study, finished: int) -> int | None:
    """Return how many people may still finish by the places of the study and of its batches; None without limits."""
    batches = PlatformBatch.objects.filter(recruitment__study=study).aggregate(
        n=Count("pk"), open=Count("pk", filter=Q(places=None)), places=Sum("places")
    )
    limits = [study.annotators_limit, batches["places"] if batches["n"] and not batches["open"] else None]
    known = [limit for limit in limits if limit is not None]
    return max(min(known) - finished, 0) if known else None


def _work(study: Study, held: QuerySet[Assignment]) -> Work:
    """Count the work that is left, and how much of it those will do who are at it now."""
    quota = study.quota_per_annotator
    done = dict(held.values_list("annotator", "annotator__submitted_count"))
    return Work(
        open=Slot.objects.filter(study=study, is_open=True).count(),
        quota=quota,
        main_share=main_in_full_part(checks_of(study), quota),
        people=len(done),
        theirs=sum(max(quota - each - 1, 0) for each in done.values()),
    )


def _people(study: Study, held: QuerySet[Assignment], now: datetime, median: float | None) -> list[Person]:
    """Return who holds a comparison, longest first."""
    holding = list(held.select_related("annotator").order_by("claimed_at")[:PEOPLE_SHOWN])
    submitted = Q(assignments__state=AssignmentState.SUBMITTED)
    paces = dict(
        Annotator.objects.filter(pk__in=[each.annotator_id for each in holding])
        .annotate(pace=Median(_through_assignments(), filter=submitted))
        .values_list("pk", "pace")
    )
    checks = _checks([each.annotator_id for each in holding])
    same = _same_answer([each.annotator_id for each in holding])
    return [
        Person(
            pseudonym=each.annotator.pseudonym,
            done=each.annotator.submitted_count,
            quota=study.quota_per_annotator,
            claimed_at=each.claimed_at,
            lease_until=each.lease_until,
            median_seconds=paces.get(each.annotator_id),
            checks=checks.get(each.annotator_id, "–"),
            notices=tuple(_notices(each, paces.get(each.annotator_id), now, median, each.annotator_id in same)),
        )
        for each in holding
    ]


def _checks(people: list[int]) -> dict[int, str]:
    """Say for each person how many checks they passed, of how many."""
    rows = CheckResult.objects.filter(annotator__in=people).values("annotator").order_by()
    counted = rows.annotate(passed=Count("pk", filter=Q(is_passed=True)), asked=Count("pk"))
    return {row["annotator"]: f"{row['passed']} of {row['asked']}" for row in counted}


def _same_answer(people: list[int]) -> set[int]:
    """Return who nearly always gives the same answer, as it was shown: left, right, or about the same."""
    theirs = Judgement.objects.filter(assignment__annotator__in=people, assignment__state=AssignmentState.SUBMITTED)
    rows = theirs.values("assignment__annotator", "outcome", "treatment_side").order_by().annotate(n=Count("pk"))
    shown: dict[int, Counter[str]] = {}
    for row in rows:
        answer = _as_shown(Outcome(row["outcome"]), Side(row["treatment_side"]))
        shown.setdefault(row["assignment__annotator"], Counter())[answer] += row["n"]
    return {who for who, answers in shown.items() if _is_uniform(answers)}


def _as_shown(outcome: Outcome, treatment: Side) -> str:
    """Return an outcome in the frame of the screen."""
    if outcome not in (Outcome.TREATMENT, Outcome.BASELINE):
        return outcome
    is_left = (outcome == Outcome.TREATMENT) == (treatment == Side.LEFT)
    return Side.LEFT if is_left else Side.RIGHT


def _is_uniform(answers: Mapping[str, int]) -> bool:
    total = sum(answers.values())
    return total >= FEWEST_ANSWERS and max(answers.values()) >= SAME_SHARE * total


def _through_assignments() -> Coalesce:
    between = Extract(F("assignments__submitted_at") - F("assignments__claimed_at"), "epoch")
    return Coalesce(F("assignments__active_ms") / Value(1000.0), between, output_field=FloatField())


def _notices(held: Assignment, pace: float | None, now: datetime, median: float | None, is_uniform: bool) -> list[str]:
    notices = []
    if pace is not None and median and pace < median * FAST_SHARE:
        notices.append("fast")
    if is_uniform:
        notices.append("same answer")
    if now > held.lease_until:
        notices.append("away")
    return notices
