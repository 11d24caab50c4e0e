"""Celery tasks of the default worker: each reads its message, calls one service and is safe to run twice."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import shared_task
from celery.exceptions import Reject
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from annotation.models import Recruitment, Study
from annotation.reporting.filters import Filters
from annotation.schedule import (
    BUNDLE_TASK,
    DISPATCH_TASK,
    REFRESH_KEYS_TASK,
    REPORT_TASK,
    SWEEP_TASK,
    TELL_PLATFORM_TASK,
)
from annotation.services import generation, platform_messages, reports, signing_keys
from annotation.services.claiming import expire_stale
from annotation.services.exports import stored_bundles
from annotation.views.snapshots import snapshots
from inference_worker.schema import ALIVE_TASK, RECORD_TASK, Alive, Records, SchemaError, from_json

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 2


def patient(work: Callable[[Any], None]) -> Callable[[Any], None]:
    """Give the message back to the broker while the database is away: it comes back, however long that takes."""

    @wraps(work)
    def try_once(message: Any) -> None:
        try:
            work(message)
        except (OperationalError, InterfaceError) as problem:
            logger.warning("The database does not answer, the message waits: %s", problem)
            time.sleep(PAUSE_SECONDS)
            raise Reject(problem, requeue=True) from problem

    return try_once


@shared_task(name=RECORD_TASK)
@patient
def record(message: Any) -> None:
    """Store what a worker wrote, and send what it made possible."""
    try:
        records = from_json(Records, message)
    except SchemaError as problem:
        logger.warning("Dropped a malformed record: %s", problem)
        return
    for model in generation.record(records, now=timezone.now()):
        generation.dispatch(model, now=timezone.now())


@shared_task(name=ALIVE_TASK)
@patient
def alive(message: Any) -> None:
    """Note a worker, renew its leases, and give it work."""
    try:
        word = from_json(Alive, message)
    except SchemaError as problem:
        logger.warning("Dropped a malformed alive message: %s", problem)
        return
    model = generation.alive(word, now=timezone.now())
    if model is not None:
        generation.dispatch(model, now=timezone.now())


@shared_task(name=DISPATCH_TASK)
def dispatch(model: int) -> None:
    """Send what is queued for a model."""
    generation.dispatch(model, now=timezone.now())


@shared_task(name=SWEEP_TASK)
def sweep() -> None:
    """Take back what was lost, of workers and of annotators, and send it again. Run by beat every few seconds."""
    now = timezone.now()
    generation.sweep(now=now)
    expire_stale(now=now)
    stored_bundles.expire(now=now)
    for message in platform_messages.due(now=now):
        platform_messages.wake(message)
    for model in {worker.model_id for worker in generation.live_workers(now=now) if worker.model_id}:
        generation.dispatch(model, now=now)


@shared_task(name=REPORT_TASK)
def report(study: int, filters: dict[str, Any]) -> None:
    """Make the report of a study that is too large to be made while somebody waits for the page."""
    found = Study.objects.filter(pk=study).first()
    chosen = Filters.from_json(filters)
    if found is not None and not reports.show_stored(found, chosen).is_current:
        reports.compute(found, chosen, now=timezone.now())


@shared_task(name=BUNDLE_TASK)
def bundle(stored: int) -> None:
    """Make the bundle of a study that is too large to be made while somebody waits for it."""
    stored_bundles.make(stored, pages=snapshots, now=timezone.now())


@shared_task(name=TELL_PLATFORM_TASK)
def tell_platform(message: int) -> None:
    """Send what a platform must be told; the row says what and whether it is still to be sent."""
    platform_messages.send(message, now=timezone.now())


@shared_task(name=REFRESH_KEYS_TASK)
def refresh_keys() -> None:
    """Fetch the keys of a platform whose signed links are in use. Run by beat."""
    if Recruitment.objects.filter(requires_signed_entry=True).exists():
        signing_keys.refresh(settings.PROLIFIC_JWKS_URL)
