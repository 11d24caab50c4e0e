"""Take a worker's word about itself: note what it serves, and renew the leases of what it runs."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from annotation.models import GenerationUnit, LanguageModel, Worker
from annotation.quality import storable
from annotation.services.generation.leases import LEASE, LONGEST_WAIT
from annotation.states import UnitState
from inference_worker.schema import Alive

logger = logging.getLogger(__name__)


def alive(message: Alive, *, now: datetime) -> int | None:
    """Note the worker and renew its leases. Returns the id of the model that it serves, None for an unknown one."""
    model = LanguageModel.objects.filter(slug=storable(message.model)).first()
    if model is None:
        logger.warning("A worker serves %r, which is no registered model.", message.model[:80])
        _note(message, None, now)
        return None
    with transaction.atomic():
        worker = _note(message, model, now)
        _renew_held(worker, message.batches, now)
        if message.batches:
            _renew_waiting(model, now)
    return model.pk


def _note(message: Alive, model: LanguageModel | None, now: datetime) -> Worker:
    worker, _ = Worker.objects.update_or_create(
        name=storable(message.worker)[:200],
        defaults={
            "slug": storable(message.model)[:80],
            "model": model,
            "revision": storable(message.revision)[:200],
            "engine": storable(message.engine)[:60],
            "engine_version": storable(message.engine_version)[:60],
            "device": storable(message.device)[:200],
            "memory_bytes": min(max(0, message.memory_bytes), 2**63 - 1),
            "tokens_per_second": message.tokens_per_second if message.tokens_per_second >= 0 else 0,
            "seen_at": now,
            "is_stopping": message.stopping,
        },
    )
    return worker


def _renew_held(worker: Worker, batches: Mapping[str, Sequence[str]], now: datetime) -> None:
    """Renew what this worker runs, also where the lease ran out but nothing was sent again yet."""
    held = Q()
    for batch, tokens in batches.items():
        if valid := [token for token in tokens if _is_uuid(token)]:
            held |= Q(batch=batch, token__in=set(valid)) if _is_uuid(batch) else Q()
    if not held:
        return
    # Signs of life are many more than leases need: what is this worker's and runs for long yet stays as it is.
    is_due = ~Q(worker=worker.name) | Q(lease_until__lt=now + LEASE * 0.8)
    units = GenerationUnit.objects.filter(
        held, is_due, model_id=worker.model_id, state__in=[UnitState.SENT, UnitState.QUEUED]
    )
    _locked(units).update(state=UnitState.SENT, lease_until=now + LEASE, not_before=None, worker=worker.name)


def _renew_waiting(model: LanguageModel, now: datetime) -> None:
    """While the model's workers are busy, batches wait their turn in its queue: no reason to send them again."""
    waiting = GenerationUnit.objects.filter(
        model=model, state=UnitState.SENT, worker="", sent_at__gt=now - LONGEST_WAIT
    )
    _locked(waiting.filter(lease_until__lt=now + LEASE / 2)).update(lease_until=now + LEASE)


def _locked(units: QuerySet[GenerationUnit]) -> QuerySet[GenerationUnit]:
    """Lock these units in the order of ids, as records do: two that lock the same never wait for each other."""
    ids = list(units.order_by("pk").select_for_update().values_list("pk", flat=True))
    return GenerationUnit.objects.filter(pk__in=ids)


def _is_uuid(word: str) -> bool:
    try:
        UUID(word)
    except ValueError:
        return False
    return True
