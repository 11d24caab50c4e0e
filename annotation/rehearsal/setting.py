"""The study of a mixed rehearsal: the whole way through, all checks, and as many judgements as the crowd can give."""

from annotation.models import Comparison, Practice, Scale, Study
from annotation.rehearsal.annotator import Known
from annotation.rehearsal.kinds import LEAVERS, Kind
from annotation.rehearsal.rule import expected_score
from annotation.services.actors import Actor
from annotation.services.composing import apply_preset
from annotation.services.golds import mark_gold
from annotation.states import ComparisonKind, Outcome

QUOTA, CHECK_EVERY, MINIMUM_SECONDS = 8, 2, 5
# Of a person's comparisons one is gold. Not everybody comes to the repeated one.
SPECIALS = 1
USED = 0.85
"""So much of what the crowd can judge is asked of it; the rest fills the places of those who leave."""


def arrange(rehearsal: Study, crowd: list[Kind], *, actor: Actor) -> Study:
    """Give a draft every step and check, short leases, one gold comparison, and a k that this crowd can fill."""
    apply_preset(rehearsal, "paid-strangers", actor=actor)
    if not rehearsal.gold_answers.exists():
        comparison, expected = _clearest(rehearsal)
        mark_gold(comparison, expected, actor=actor)
    shown = rehearsal.comparisons.filter(kind=ComparisonKind.MAIN, excluded_at=None).count()
    staying = sum(kind not in LEAVERS for kind in crowd)
    each = min(QUOTA - SPECIALS, shown)
    Study.objects.filter(pk=rehearsal.pk).update(
        quota_per_annotator=QUOTA,
        judgements_per_comparison=max(1, int(USED * staying * each / max(shown, 1))),
        check_every=CHECK_EVERY,
        gold_every=QUOTA,
        repeat_every=QUOTA,
        minimum_seconds=MINIMUM_SECONDS,
        annotators_limit=None,
        lease_minutes=1,
        language="en",
    )
    rehearsal.refresh_from_db()
    return rehearsal


def _clearest(rehearsal: Study) -> tuple[Comparison, Outcome]:
    """Return the comparison on whose winner the rule is surest over all criteria, with that winner."""
    questions = list(rehearsal.criteria.values_list("question", flat=True))
    has_tie = rehearsal.scale != Scale.TWO
    found: list[tuple[float, Comparison]] = []
    main = rehearsal.comparisons.filter(kind=ComparisonKind.MAIN, excluded_at=None).order_by("pk")
    for each in main.select_related("baseline_response", "treatment_response"):
        if each.treatment_response and each.baseline_response:
            texts = each.treatment_response.text, each.baseline_response.text
            found.append((sum(expected_score(q, *texts, has_tie=has_tie).mean - 0.5 for q in questions), each))
    surest, comparison = max(found, key=lambda pair: abs(pair[0]))
    return comparison, Outcome.TREATMENT if surest > 0 else Outcome.BASELINE


def known_of(rehearsal: Study) -> Known:
    """Return what somebody knows who has read the study's instructions."""
    training = rehearsal.practice.filter(use=Practice.Use.TRAINING)
    return Known(
        options={" ".join(q.text.split()): q.right_option for q in rehearsal.comprehension_questions.all()},
        better={" ".join(row.left.split()): row.expected for row in training},
    )
