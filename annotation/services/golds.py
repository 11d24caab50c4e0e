"""Gold comparisons: chosen while a study is a draft, and how people answered them."""

from django.db import transaction
from django.db.models import Count, F, Q

from annotation.models import Comparison, GoldAnswer, Judgement, Study
from annotation.services.actors import Actor
from annotation.services.editing import require_draft
from annotation.services.trail import record
from annotation.states import AssignmentState, ComparisonKind, Outcome

_GOLD = "assignment__comparison__gold_answers"


@transaction.atomic
def mark_gold(comparison: Comparison, expected: Outcome | None, *, actor: Actor) -> None:
    """Make a comparison gold, with this answer expected to every criterion; None makes it an ordinary one again.

    Raises: StudyIsFrozen.
    """
    study = comparison.study
    require_draft(study, "gold comparisons")
    comparison.gold_answers.all().delete()
    comparison.kind = ComparisonKind.MAIN if expected is None else ComparisonKind.GOLD
    comparison.save(update_fields=["kind"])
    if expected is not None:
        GoldAnswer.objects.bulk_create(
            GoldAnswer(study=study, comparison=comparison, criterion=criterion, expected=expected)
            for criterion in study.criteria.all()
        )
    record(study, "gold", actor=actor, comparison=str(comparison.code), expected=expected or "")


def copy_gold(study: Study, *, to: Study) -> None:
    """Give the gold comparisons of a copy the answers of the original."""
    criteria = {criterion.key: criterion for criterion in to.criteria.all()}
    twins = {
        (twin.dialogue_id, twin.matchup.baseline_id, twin.matchup.treatment_id): twin
        for twin in to.comparisons.filter(kind=ComparisonKind.GOLD).select_related("matchup")
    }
    golds = study.gold_answers.select_related("comparison__matchup", "criterion")
    GoldAnswer.objects.bulk_create(
        GoldAnswer(
            study=to,
            comparison=twins[
                gold.comparison.dialogue_id,
                gold.comparison.matchup.baseline_id,
                gold.comparison.matchup.treatment_id,
            ],
            criterion=criteria[gold.criterion.key],
            expected=gold.expected,
        )
        for gold in golds
    )


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
