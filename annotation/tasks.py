"""Celery tasks of the default worker: each reads its message, calls one service and is safe to run twice."""

import logging
from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from annotation.models import Study
from annotation.schedule import DISPATCH_TASK, REPORT_TASK, SWEEP_TASK
from annotation.services import generation, reports
from annotation.services.claiming import expire_stale
from inference_worker.schema import ALIVE_TASK, RECORD_TASK, Alive, Records, SchemaError, from_json

logger = logging.getLogger(__name__)

# A database that is away comes back: the message waits for it, however long that takes.
PATIENT: dict[str, Any] = {
    "autoretry_for": (OperationalError, InterfaceError),
    "retry_backoff": True,
    "retry_backoff_max": 30,
    "max_retries": None,
}


@shared_task(name=RECORD_TASK, **PATIENT)
def record(message: Any) -> None:
    """Store what a worker wrote, and send what it made possible."""
    try:
        records = from_json(Records, message)
    except SchemaError as problem:
        logger.warning("Dropped a malformed record: %s", problem)
        return
    for model in generation.record(records, now=timezone.now()):
        generation.dispatch(model, now=timezone.now())


@shared_task(name=ALIVE_TASK, **PATIENT)
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
    for model in {worker.model_id for worker in generation.live_workers(now=now)}:
        generation.dispatch(model, now=now)


@shared_task(name=REPORT_TASK)
def report(study: int, filters: dict[str, Any]) -> None:
    """Make the report of a study that is too large to be made while somebody waits for the page."""
    found = Study.objects.filter(pk=study).first()
    chosen = reports.Filters.from_json(filters)
    if found is not None and not reports.show_stored(found, chosen).is_current:
        reports.compute(found, chosen, now=timezone.now())
