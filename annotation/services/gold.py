"""Answers to comparisons whose answer is known beforehand: how many each annotator gave, and how many were right."""

from django.db.models import Count, F, Q

from annotation.models import Judgement, Study
from annotation.states import AssignmentState

_GOLD = "assignment__comparison__gold_answers"


def gold_of(study: Study) -> dict[str, tuple[int, int]]:
    """Return (right, asked) by pseudonym; whoever was asked nothing is absent. An answer is one criterion of one."""
    asked = Judgement.objects.filter(
        assignment__annotator__study=study,
        assignment__state=AssignmentState.SUBMITTED,
        **{f"{_GOLD}__criterion": F("criterion")},
    )
    counted = asked.values_list("assignment__annotator__pseudonym").annotate(
        right=Count("pk", filter=Q(outcome=F(f"{_GOLD}__expected"))), asked=Count("pk")
    )
    return {pseudonym: (right, asked) for pseudonym, right, asked in counted.order_by()}
