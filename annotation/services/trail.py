"""The append-only trail: every change of a study leaves an event, and so does every file that leaves it."""

from typing import Any

from annotation.models import Event, Study
from annotation.services.actors import Actor

ERASE = "erase annotator"
EXPORT = "export"
EXPORT_BUNDLE = "export bundle"
EXPORT_IDS = "export platform ids"
EXPORT_FIGURE = "export figure"
EXPORT_OF_PEOPLE = (EXPORT, EXPORT_BUNDLE, EXPORT_IDS)
"""Events of files that hold what single people did: an erasure names them."""

EXPORT_VERBS = (*EXPORT_OF_PEOPLE, EXPORT_FIGURE)
"""Events that change nothing about a study: reports stay current, and bundles do not tell of each other."""


def record(study: Study, verb: str, *, actor: Actor = None, **detail: Any) -> Event:
    """Write down what was done to a study. `detail` must be JSON."""
    return Event.objects.create(study=study, verb=verb, actor=actor, detail=detail)
