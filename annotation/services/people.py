"""Who judged in a study, how, and who is left out: for the researchers' pages about people."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from annotation.models import Annotator, Assignment, Event, Judgement, Study
from annotation.reporting.filters import NO_FILTERS
from annotation.services import reports
from annotation.states import AssignmentState, Outcome

EXCLUSIONS = (
    "exclude annotator",
    "include annotator",
    "exclude comparison",
    "include comparison",
    "release comparison",
    "regenerate",
)
KEPT = (AssignmentState.SUBMITTED, AssignmentState.SURPLUS)


@dataclass(frozen=True)
class Standing:
    """Figures of everybody, of when, and the rows of the database they belong to, by pseudonym."""

    shown: reports.Shown
    annotators: dict[str, Annotator]

    @property
    def figures(self) -> list[dict[str, Any]]:
        """The annotators' figures as JSON; people without a judgement that counts have none."""
        return list(self.shown.people.get("annotators", []))

    @property
    def fast_seconds(self) -> float | None:
        return self.shown.people.get("fast_seconds")

    @property
    def excluded(self) -> list[Annotator]:
        return [annotator for annotator in self.annotators.values() if annotator.excluded_at]


def standing(study: Study, *, now: datetime) -> Standing:
    """Return the newest figures of the study's annotators."""
    return Standing(reports.show(study, NO_FILTERS, now=now), {each.pseudonym: each for each in study.annotators.all()})


@dataclass(frozen=True)
class Answered:
    """One answer of a person: who won in their eyes, and what the others said of the same question."""

    criterion: str
    words: str
    others: str
    reason: str


@dataclass(frozen=True)
class Judged:
    """One comparison that a person judged."""

    assignment: Assignment
    seconds: float | None
    answers: tuple[Answered, ...]


def judged_by(annotator: Annotator) -> QuerySet[Assignment]:
    """The comparisons that a person judged, in their order."""
    found = annotator.assignments.filter(state__in=KEPT).order_by("number")
    return found.select_related(
        "comparison__dialogue", "comparison__matchup__baseline", "comparison__matchup__treatment", "slot"
    )


def with_answers(assignments: Sequence[Assignment]) -> list[Judged]:
    """The same with every answer, and beside it the answers of the others. Two queries, however many there are."""
    comparisons = [each.comparison_id for each in assignments]
    said = Judgement.objects.filter(assignment__comparison__in=comparisons, assignment__state=AssignmentState.SUBMITTED)
    others: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    facts = ("assignment__comparison_id", "criterion_id", "assignment_id", "outcome")
    own = {each.pk for each in assignments}
    for comparison, criterion, assignment, outcome in said.values_list(*facts):
        if assignment not in own:
            others[comparison, criterion][outcome] += 1
    answers: dict[int, list[Judgement]] = defaultdict(list)
    mine = Judgement.objects.filter(assignment__in=own).select_related("criterion").order_by("criterion__position")
    for judgement in mine:
        answers[judgement.assignment_id].append(judgement)
    return [_judged(each, answers[each.pk], others) for each in assignments]


def _judged(assignment: Assignment, own: Sequence[Judgement], others: dict[tuple[int, int], Counter[str]]) -> Judged:
    answers = [
        _answered(assignment, judgement, others[assignment.comparison_id, judgement.criterion_id]) for judgement in own
    ]
    return Judged(assignment, _seconds(assignment), tuple(answers))


def _answered(assignment: Assignment, judgement: Judgement, others: Counter[str]) -> Answered:
    counted = ", ".join(f"{n} × {_words(assignment, outcome)}" for outcome, n in others.most_common())
    strength = f", {abs(judgement.grade)} on the scale" if judgement.grade else ""
    return Answered(
        criterion=judgement.criterion.name,
        words=_words(assignment, judgement.outcome) + strength,
        others=counted or "nobody yet",
        reason=judgement.reason,
    )


def _words(assignment: Assignment, outcome: str) -> str:
    matchup = assignment.comparison.matchup
    return {
        Outcome.BASELINE: matchup.baseline.name,
        Outcome.TREATMENT: matchup.treatment.name,
        Outcome.TIE: "about the same",
        Outcome.BOTH_BAD: "both bad",
    }[Outcome(outcome)]


def _seconds(assignment: Assignment) -> float | None:
    """What the page counted as active; else the time between claim and answer."""
    if assignment.active_ms is not None:
        return assignment.active_ms / 1000
    if assignment.submitted_at is None:
        return None
    return (assignment.submitted_at - assignment.claimed_at).total_seconds()


def ledger(study: Study) -> QuerySet[Event]:
    """Who and what was left out, taken in again, shown all the same or written again, newest first, with reasons."""
    return study.events.filter(verb__in=EXCLUSIONS).select_related("actor").order_by("-at", "-pk")


def flags_in(event: Event) -> str:
    """What the checks had found in the responses that an event is about, agent by agent; "" where it tells nothing."""
    told = event.detail.get("responses")
    if isinstance(told, int):
        return f"something about {told} responses"
    responses = told if isinstance(told, list) else []
    return "; ".join(f"{each['agent']}: {', '.join(each['flags'])}" for each in responses if each["flags"])


def dialogues_of(study: Study, events: Sequence[Event]) -> dict[str, str]:
    """The dialogue behind the code of each comparison that events name."""
    codes = {str(event.detail["comparison"]) for event in events if "comparison" in event.detail}
    found = study.comparisons.filter(code__in=codes).values_list("code", "dialogue__external_id")
    return {str(code): dialogue for code, dialogue in found}
