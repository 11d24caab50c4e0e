"""What a researcher does to a running study: more places, a message to everybody."""

from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from annotation.errors import DuologueError
from annotation.models import Annotator, PlatformBatch, Study
from annotation.services.actors import Actor
from annotation.services.trail import record
from annotation.states import StudyState

MOST_PLACES = 100_000
LONGEST_MESSAGE = 500


class NotRunning(DuologueError):
    user_message = "This study is not running, so this changes nothing. Reload the page."


class BadPlaces(DuologueError):
    user_message = f"Give a number of places from 1 to {MOST_PLACES:,}."


class NoSuchPlaces(DuologueError):
    user_message = "This study has no such batch. Reload the page."


class NoLimit(DuologueError):
    user_message = "This study has no limit of places, so there is nothing to add to."


class MessageTooLong(DuologueError):
    user_message = f"Say it in {LONGEST_MESSAGE} characters, so that it does not keep people from their work."


@transaction.atomic
def top_up(study: Study, places: int, *, actor: Actor) -> Study:
    """Add places to a study that is open. Raises: BadPlaces, NoLimit, NotRunning."""
    if not 1 <= places <= MOST_PLACES:
        raise BadPlaces()
    if study.annotators_limit is None:
        raise NoLimit()
    _change(study, annotators_limit=F("annotators_limit") + places)
    record(study, "top up", actor=actor, places=places)
    return study


@transaction.atomic
def top_up_batch(study: Study, batch_id: int, places: int, *, actor: Actor) -> PlatformBatch:
    """Add places to a platform batch of a study that is open. Raises: BadPlaces, NoSuchPlaces, NoLimit, NotRunning."""
    if not 1 <= places <= MOST_PLACES:
        raise BadPlaces()
    if not _open(study).exists():
        raise NotRunning()
    batch = PlatformBatch.objects.filter(pk=batch_id, recruitment__study=study).first()
    if batch is None:
        raise NoSuchPlaces()
    if not PlatformBatch.objects.filter(pk=batch_id).exclude(places=None).update(places=F("places") + places):
        raise NoLimit("This batch has no limit of places, so there is nothing to add to.")
    record(study, "top up", actor=actor, places=places, batch=batch.name)
    batch.refresh_from_db()
    return batch


@transaction.atomic
def tell_everybody(study: Study, text: str, *, actor: Actor, now: datetime) -> Study:
    """Show a message once to everybody who takes part now, on their next page; an empty one takes it back.

    Who comes later does not see it: it speaks of what they have not met. The last page of those who are through goes on
    showing what came after they left.

    Raises: MessageTooLong, NotRunning.
    """
    said = " ".join(text.replace("\x00", "").split())
    if len(said) > LONGEST_MESSAGE:
        raise MessageTooLong()
    _change(study, message=said, message_number=F("message_number") + 1, message_at=now)
    record(study, "message", actor=actor, text=said)
    return study


def _open(study: Study) -> QuerySet[Study]:
    return Study.objects.filter(pk=study.pk, state__in=[StudyState.RUNNING, StudyState.PAUSED])


def _change(study: Study, **values: object) -> None:
    if not _open(study).update(**values):
        raise NotRunning()
    study.refresh_from_db()


def mark_seen(annotator_id: int) -> None:
    """Remember that a person was shown the last message."""
    number = Study.objects.filter(annotators=annotator_id).values("message_number")[:1]
    Annotator.objects.filter(pk=annotator_id).update(message_seen=number)
