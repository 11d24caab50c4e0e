"""Places in a study and in its platform batches: taken with consent, and given back by people who will not go on."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from annotation.errors import DuologueError, gettext_noop
from annotation.models import Annotator, PlatformBatch, Study
from annotation.platforms import Visitor
from annotation.services.actors import Actor
from annotation.services.trail import record
from annotation.states import StudyState


class StudyNotOpen(DuologueError):
    user_message = gettext_noop("This study is not open at the moment. Thank you for your interest.")


class NoPlaceLeft(DuologueError):
    user_message = gettext_noop("All places in this study are taken. Thank you for your interest.")


class NoSuchBatch(DuologueError):
    """The link names no batch of the study, and no batch is for everybody else."""

    user_message = gettext_noop(
        "This link belongs to no part of this study that is open. Please open the study again from the place where "
        "you found it."
    )


class TooFewPlaces(DuologueError):
    """A batch cannot have fewer places than people have taken."""


def batch_of(study: Study, visitor: Visitor | None) -> PlatformBatch | None:
    """Return the batch to which a visitor's link belongs; None where the study has no batches. Raises: NoSuchBatch."""
    batches = {batch.key: batch for batch in PlatformBatch.objects.filter(recruitment__study=study)}
    if not batches:
        return None
    found = batches.get(visitor.batch if visitor else "") or batches.get("")
    if found is None:
        raise NoSuchBatch()
    return found


def is_full(study: Study, batch: PlatformBatch | None) -> bool:
    """Whether the study, or the batch in it, has no place left."""
    full = Study.objects.filter(pk=study.pk, places_taken__gte=F("annotators_limit"))
    return full.exists() or bool(batch and batch.places is not None and batch.places_taken >= batch.places)


def take_place(study: Study, batch: PlatformBatch | None) -> None:
    """Take a place in a running study and in the batch, inside the caller's transaction.

    The rows are locked in this order everywhere: study, batch. Raises: StudyNotOpen, NoPlaceLeft.
    """
    has_place = Q(annotators_limit=None) | Q(places_taken__lt=F("annotators_limit"))
    running = Study.objects.filter(pk=study.pk, state=StudyState.RUNNING)
    if not running.filter(has_place).update(places_taken=F("places_taken") + 1):
        raise NoPlaceLeft() if running.exists() else StudyNotOpen()
    if batch is None:
        return
    free = PlatformBatch.objects.filter(Q(places=None) | Q(places_taken__lt=F("places")), pk=batch.pk)
    if not free.update(places_taken=F("places_taken") + 1):
        raise NoPlaceLeft()


def give_back_place(annotator: Annotator) -> None:
    """Open the place of a person who will not go on to somebody else, in the study and in their batch."""
    taken = {"places_taken__gt": 0}
    Study.objects.filter(pk=annotator.study_id, **taken).update(places_taken=F("places_taken") - 1)
    if annotator.batch_id is not None:
        PlatformBatch.objects.filter(pk=annotator.batch_id, **taken).update(places_taken=F("places_taken") - 1)


@transaction.atomic
def save_batch(batch: PlatformBatch, *, fields: Sequence[str] = (), actor: Actor = None) -> PlatformBatch:
    """Store a new batch, or these fields of one: people take places meanwhile. Raises: TooFewPlaces."""
    try:
        with transaction.atomic():
            batch.save(update_fields=fields or None)
    except IntegrityError as error:
        if "people_within_batch" in str(error):
            taken = PlatformBatch.objects.get(pk=batch.pk).places_taken
            raise TooFewPlaces(f"{taken} places of “{batch}” are taken already. Give it no fewer.") from error
        raise
    record(batch.recruitment.study, "platform batch", actor=actor, batch=batch.name, id=batch.key, places=batch.places)
    return batch


@transaction.atomic
def remove_batch(batch: PlatformBatch, *, actor: Actor = None) -> None:
    """Remove a batch in which nobody has taken a place."""
    record(batch.recruitment.study, "platform batch removed", actor=actor, batch=batch.name, id=batch.key)
    batch.delete()
