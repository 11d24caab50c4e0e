"""Large study bundles: ordered on a page, made by the default worker, kept for a week."""

import logging
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from celery import current_app
from django.db import transaction
from django.db.models import Q, QuerySet
from kombu.exceptions import OperationalError

from annotation.errors import DuologueError
from annotation.models import BundlePiece, StoredBundle, Study
from annotation.schedule import BUNDLE_TASK
from annotation.services.actors import Actor
from annotation.services.exports.bundle import Bundle, Pages, make_bundle
from inference_worker.schema import DEFAULT_QUEUE

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)
# A million judgements take about ten minutes; an order that is older than this was lost with its worker.
ORDER_LASTS = timedelta(hours=1)
PIECE_BYTES = 1 << 20


def order(study: Study, *, actor: Actor, now: datetime) -> bool:
    """Ask the default worker for a bundle, once. False where the broker does not take the order."""
    stored, _ = StoredBundle.objects.get_or_create(study=study)
    unordered = Q(ordered_at=None) | Q(ordered_at__lt=now - ORDER_LASTS)
    mine = StoredBundle.objects.filter(unordered, pk=stored.pk)
    if not mine.update(ordered_at=now, ordered_by=actor, started_at=None, problem=""):
        return True
    try:
        current_app.send_task(BUNDLE_TASK, args=[stored.pk], queue=DEFAULT_QUEUE, retry=False)
    except (OperationalError, OSError) as problem:
        logger.warning("The broker does not take the order for a bundle: %s", problem)
        StoredBundle.objects.filter(pk=stored.pk, started_at=None).update(ordered_at=None)
        return False
    return True


def make(stored_id: int, *, pages: Pages, now: datetime, piece_bytes: int = PIECE_BYTES) -> None:
    """Make the bundle that was ordered, and keep it in pieces; done twice, or after the order is gone, do nothing."""
    waiting = StoredBundle.objects.filter(pk=stored_id, started_at=None, ordered_at__isnull=False)
    if not waiting.update(started_at=now):
        return
    stored = StoredBundle.objects.select_related("study", "ordered_by").get(pk=stored_id)
    try:
        with tempfile.TemporaryDirectory() as folder:
            bundle = make_bundle(stored.study, Path(folder), pages=pages, actor=stored.ordered_by)
            _keep(stored, bundle, now=now, piece_bytes=piece_bytes)
    except Exception as problem:
        lost = "The worker could not write it; its log says more. Order it again."
        said = problem.user_message if isinstance(problem, DuologueError) else lost
        _mine(stored).update(ordered_at=None, started_at=None, problem=said)
        raise


def _mine(stored: StoredBundle) -> QuerySet[StoredBundle]:
    """The row while it is still this order: whoever is erased meanwhile takes it away, and nothing is kept."""
    return StoredBundle.objects.filter(pk=stored.pk, ordered_at=stored.ordered_at, started_at=stored.started_at)


@transaction.atomic
def _keep(stored: StoredBundle, made: Bundle, *, now: datetime, piece_bytes: int) -> None:
    facts = {"name": made.name, "sha256": made.sha256, "size": made.size, "made_at": now, "expires_at": now + KEPT}
    if not _mine(stored).update(ordered_at=None, started_at=None, problem="", **facts):
        return
    BundlePiece.objects.filter(bundle=stored).delete()
    with made.path.open("rb") as file:
        for number, content in enumerate(iter(lambda: file.read(piece_bytes), b"")):
            BundlePiece.objects.create(bundle=stored, number=number, content=content)


def ready(study: Study, *, now: datetime) -> StoredBundle | None:
    """Return the bundle that can be downloaded now."""
    return StoredBundle.objects.filter(study=study, made_at__isnull=False, expires_at__gt=now).first()


def pieces(stored: StoredBundle) -> Iterator[bytes]:
    """Yield the bytes of a bundle, piece by piece."""
    for piece in BundlePiece.objects.filter(bundle=stored).order_by("number").iterator(chunk_size=1):
        yield bytes(piece.content)


def forget(study: Study) -> None:
    """Take away what is kept of a study, and the order for more: somebody in it has been erased."""
    StoredBundle.objects.filter(study=study).delete()


def expire(*, now: datetime) -> None:
    """Take away what has expired; an order that runs meanwhile makes a new one."""
    old = StoredBundle.objects.filter(expires_at__lte=now)
    BundlePiece.objects.filter(bundle__in=old).delete()
    old.update(name="", sha256="", size=0, made_at=None, expires_at=None)
