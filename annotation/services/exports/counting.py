"""Votes on comparisons: of each criterion, what the judgements say that count."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Count, Q

from annotation.models import Assignment, Judgement
from annotation.states import AssignmentState, Outcome
from annotation.votes import NO_VOTES, Votes

# Judgements count when they came in time and their annotator is not excluded. Whether their comparison is excluded is
# said beside them.
COUNTS = Q(state=AssignmentState.SUBMITTED, annotator__excluded_reason="")
ANSWERED = Q(state__in=[AssignmentState.SUBMITTED, AssignmentState.SURPLUS])


@dataclass(frozen=True)
class Tally:
    """What came in for one comparison: people whose answers count, people left out, and the votes by criterion id."""

    judged: int
    left_out: int
    votes: Mapping[int, Votes]

    def of(self, criterion_id: int) -> Votes:
        return self.votes.get(criterion_id, NO_VOTES)


def tally(comparison_ids: Collection[int]) -> dict[int, Tally]:
    """Count the votes of some comparisons, in two statements. Comparisons without answers are there, too."""
    votes: dict[int, dict[int, Votes]] = defaultdict(dict)
    counting = Judgement.objects.filter(
        assignment__comparison__in=comparison_ids,
        assignment__state=AssignmentState.SUBMITTED,
        assignment__annotator__excluded_reason="",
    )
    rows = counting.order_by().values_list("assignment__comparison", "criterion", "outcome").annotate(n=Count("pk"))
    for comparison, criterion, outcome, n in rows:
        of_comparison = votes[comparison]
        of_comparison[criterion] = of_comparison.get(criterion, NO_VOTES).plus(Outcome(outcome), n)
    people = _people(comparison_ids)
    return {pk: Tally(*people.get(pk, (0, 0)), votes.get(pk, {})) for pk in comparison_ids}


def _people(comparison_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    answered = Assignment.objects.filter(ANSWERED, comparison__in=comparison_ids).order_by()
    rows = answered.values_list("comparison").annotate(judged=Count("pk", filter=COUNTS), all=Count("pk"))
    return {comparison: (judged, every - judged) for comparison, judged, every in rows}
