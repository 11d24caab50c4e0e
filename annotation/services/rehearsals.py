"""Rehearsals: a copy of a study that machines or the team judge. It shares the responses and nothing else."""

from django.db import transaction

from annotation.errors import DuologueError
from annotation.models import Annotator, Assignment, Comparison, Criterion, Event, Judgement, Matchup, Slot, Study
from annotation.services import members
from annotation.services.actors import Actor
from annotation.services.copying import copy_questions
from annotation.services.golds import copy_gold
from annotation.services.trail import record
from annotation.states import ComparisonKind, StudyState

_NOT_COPIED = {"id", "code", "name", "state", "rehearsal_of", "places_taken", "frozen_sha256", "created_at"} | {
    "launched_at",
    "closed_at",
    "message",
    "message_number",
    "message_at",
}


class NoRehearsal(DuologueError):
    user_message = "This study is no rehearsal, so it cannot be deleted as one."


class RehearsalOfRehearsal(DuologueError):
    user_message = "This study is a rehearsal itself. Make a rehearsal of the study that it was copied from."


@transaction.atomic
def make_rehearsal(study: Study, *, actor: Actor = None) -> Study:
    """Copy a study with its criteria, matchups and comparisons into a new draft that is marked as its rehearsal.

    Raises: RehearsalOfRehearsal.
    """
    if study.is_rehearsal:
        raise RehearsalOfRehearsal()
    copied = {
        column.attname: getattr(study, column.attname)
        for column in Study._meta.concrete_fields
        if column.name not in _NOT_COPIED
    }
    rehearsal = Study.objects.create(**copied, name=f"{study.name} (rehearsal)"[:200], rehearsal_of=study)
    rehearsal.collections.set(study.collections.all())
    copy_questions(study, to=rehearsal)
    for matchup in Matchup.objects.filter(study=study):
        twin = Matchup.objects.create(
            study=rehearsal, baseline_id=matchup.baseline_id, treatment_id=matchup.treatment_id
        )
        originals = matchup.comparisons.exclude(kind=ComparisonKind.REPEAT)
        Comparison.objects.bulk_create(_twin(c, rehearsal, twin) for c in originals.order_by("pk"))
    copy_gold(study, to=rehearsal)
    members.inherit(rehearsal, source=study)
    record(study, "make rehearsal", actor=actor, rehearsal=str(rehearsal.code))
    return rehearsal


def _twin(comparison: Comparison, rehearsal: Study, matchup: Matchup) -> Comparison:
    return Comparison(
        study=rehearsal,
        matchup=matchup,
        dialogue_id=comparison.dialogue_id,
        baseline_response_id=comparison.baseline_response_id,
        treatment_response_id=comparison.treatment_response_id,
        kind=comparison.kind,
        excluded_at=comparison.excluded_at,
        excluded_reason=comparison.excluded_reason,
        released_at=comparison.released_at,
        released_reason=comparison.released_reason,
    )


@transaction.atomic
def delete_rehearsal(rehearsal: Study, *, actor: Actor = None) -> None:
    """Delete a rehearsal with everything that was judged in it. Raises: NoRehearsal for any other study."""
    original = rehearsal.rehearsal_of
    if original is None:
        raise NoRehearsal()
    Study.objects.filter(pk=rehearsal.pk).update(state=StudyState.CLOSED)
    Judgement.objects.filter(assignment__annotator__study=rehearsal).delete()
    Assignment.objects.filter(annotator__study=rehearsal).delete()
    for model in (Annotator, Slot, Comparison, Matchup, Criterion, Event):
        model.objects.filter(study=rehearsal).delete()
    rehearsal.delete()
    record(original, "delete rehearsal", actor=actor)
