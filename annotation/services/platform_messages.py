"""What a platform must be told: written down with the exit it belongs to, sent by a task, tried again for a day.

A task carries the number of the row alone: no id of a person ever reaches the broker.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F
from kombu.exceptions import OperationalError

from annotation.models import Annotator, PlatformIdentity, PlatformMessage, Recruitment
from annotation.platforms import Deed
from annotation.schedule import TELL_PLATFORM_TASK
from annotation.services import platform_clients
from annotation.services.identities import SealedWithAnotherKey, open_submission, unseal
from annotation.services.recruiting import platform_of
from annotation.states import Exit
from inference_worker.schema import DEFAULT_QUEUE

logger = logging.getLogger(__name__)

PATIENCE = timedelta(days=1)
"""After so long somebody has to look at it."""

_FIRST_PAUSE = timedelta(seconds=20)
_LONGEST_PAUSE = timedelta(hours=1)
_LEASE = timedelta(minutes=2)


def order_deed(annotator: Annotator, how: Exit, *, now: datetime) -> PlatformMessage | None:
    """Write down what the platform must be told of this exit, and send it once the exit is stored for good."""
    deed = platform_of(annotator.study).deed_at(how)
    identity = PlatformIdentity.objects.filter(annotator=annotator).first()
    return order(identity, deed, {}, now=now) if deed and identity else None


def order(identity: PlatformIdentity, deed: Deed, body: Mapping[str, Any], *, now: datetime) -> PlatformMessage:
    """Write down one thing to tell the platform; asked twice, it is told once."""
    with transaction.atomic():
        message, is_new = PlatformMessage.objects.get_or_create(
            identity=identity,
            deed=deed,
            failed_at=None,
            defaults={"body": dict(body), "created_at": now, "next_at": now},
        )
        if is_new:
            transaction.on_commit(lambda: wake(message.pk))
    return message


def wake(pk: int) -> None:
    """Ask a worker to send a message. A wake-up that is lost costs time: the sweep finds the row."""
    try:
        current_app.send_task(TELL_PLATFORM_TASK, args=[pk], queue=DEFAULT_QUEUE, retry=False)
    except (OperationalError, OSError) as problem:
        logger.warning("The broker does not take the message for a platform: %s", problem)


def due(*, now: datetime) -> list[int]:
    """Return the messages that wait for another attempt."""
    waiting = PlatformMessage.objects.filter(sent_at=None, failed_at=None, next_at__lte=now)
    return list(waiting.order_by("next_at").values_list("pk", flat=True)[:100])


def send(pk: int, *, now: datetime) -> None:
    """Make one attempt. Of two tasks for one message only the first goes on."""
    pause = min(_FIRST_PAUSE * 2 ** min(_attempts(pk), 20), _LONGEST_PAUSE)
    mine = PlatformMessage.objects.filter(pk=pk, sent_at=None, failed_at=None, next_at__lte=now)
    if not mine.update(attempts=F("attempts") + 1, next_at=now + max(pause, _LEASE)):
        return
    message = PlatformMessage.objects.select_related("identity__annotator__study").get(pk=pk)
    try:
        _tell(message)
    except (platform_clients.Refused, SealedWithAnotherKey) as refusal:
        _fail(message, str(refusal), now=now)
    except platform_clients.NotNow as problem:
        too_late = now - message.created_at > PATIENCE
        if too_late:
            _fail(message, str(problem), now=now)
        else:
            PlatformMessage.objects.filter(pk=pk).update(next_at=now + pause, problem=str(problem)[:300])
    else:
        PlatformMessage.objects.filter(pk=pk).update(sent_at=now, problem="")


def _attempts(pk: int) -> int:
    return PlatformMessage.objects.filter(pk=pk).values_list("attempts", flat=True).first() or 0


def _fail(message: PlatformMessage, problem: str, *, now: datetime) -> None:
    PlatformMessage.objects.filter(pk=message.pk).update(failed_at=now, problem=problem[:300])


def _tell(message: PlatformMessage) -> None:
    """Tell the platform. Raises: Refused, NotNow, SealedWithAnotherKey."""
    submission = open_submission(message.identity)
    if not submission:
        raise platform_clients.Refused("The person's id is erased, so the platform cannot be told any more.")
    if message.deed == Deed.TRANSITION:
        platform_clients.move_submission(submission, message.body)
        return
    recruitment = Recruitment.objects.filter(study=message.identity.annotator.study).first()
    if recruitment is None or not recruitment.sealed_credit_token:
        raise platform_clients.Refused("The study has no credit token.")
    platform_clients.grant_credit(
        settings.SONA_URL.format(host=recruitment.sona_host),
        experiment=recruitment.sona_experiment,
        token=unseal(recruitment.sealed_credit_token),
        survey_code=submission,
    )
