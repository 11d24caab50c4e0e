"""Compose the way through a draft: by a preset, or with comparisons of the study itself."""

from datetime import datetime

from django.db import transaction

from annotation.models import Comparison, Practice, Study
from annotation.presets import PRESETS, Preset
from annotation.services.actors import Actor
from annotation.services.comparisons import NothingToShow, exclude_comparison, why_nothing_to_show
from annotation.services.editing import require_draft
from annotation.services.reasons import NoReason
from annotation.services.trail import record
from annotation.states import Outcome


@transaction.atomic
def apply_preset(study: Study, name: str, *, actor: Actor) -> Preset:
    """Give a draft the steps of a preset; parts that somebody wrote stay where the preset has that step.

    A step that the preset leaves out loses its parts. Raises: StudyIsFrozen.
    """
    require_draft(study, "the way through the study")
    preset = PRESETS[name]
    Study.objects.filter(pk=study.pk).update(**preset.settings)
    for rows, parts in (
        (study.practice, preset.practice),
        (study.comprehension_questions, preset.questions),
        (study.closing_questions, preset.closing),
    ):
        if not parts:
            rows.all().delete()
        elif not rows.exists():
            for position, part in enumerate(parts, start=1):
                rows.create(position=position, **part)
    study.refresh_from_db()
    record(study, "compose", actor=actor, preset=name)
    return preset


@transaction.atomic
def use_for_training(
    comparison: Comparison, better: Outcome, feedback: str, *, actor: Actor, now: datetime
) -> Practice:
    """Copy a comparison's texts into a training comparison, and keep it from the main part.

    The treatment stands left. Raises: StudyIsFrozen, NothingToShow, NoReason without a sentence of feedback.
    """
    study = comparison.study
    require_draft(study, "training")
    if not feedback.strip():
        raise NoReason("Write why this response is better: annotators read it after their answer.")
    if lacks := why_nothing_to_show(comparison):
        raise NothingToShow(f"{lacks} There is nothing to compare.")
    dialogue = comparison.dialogue
    practice = study.practice.create(
        position=study.practice.count() + 1,
        social_context=dialogue.social_context,
        turns="\n".join(f"{turn['speaker']}: {' '.join(turn['text'].split())}" for turn in dialogue.turns),
        next_speaker=dialogue.next_speaker,
        left=comparison.treatment_response.text if comparison.treatment_response else "",
        right=comparison.baseline_response.text if comparison.baseline_response else "",
        expected=Practice.Expected.LEFT if better == Outcome.TREATMENT else Practice.Expected.RIGHT,
        feedback=feedback.strip(),
    )
    exclude_comparison(comparison, "used for training", actor=actor, now=now)
    return practice
