"""The append-only trail: every change of a study leaves an event."""

from typing import Any

from annotation.models import Event, Study
from annotation.services.actors import Actor


def record(study: Study, verb: str, *, actor: Actor = None, **detail: Any) -> Event:
    """Write down what was done to a study. `detail` must be JSON."""
    return Event.objects.create(study=study, verb=verb, actor=actor, detail=detail)
