"""Turn rows into texts: order, dispatch, record, sweep.

The rows are the truth and messages are wake-ups: see docs/generation.md for the life of a unit.
"""

from annotation.services.generation.alive import alive
from annotation.services.generation.dispatch import dispatch
from annotation.services.generation.leases import LEASE
from annotation.services.generation.progress import Progress, StageProgress, progress
from annotation.services.generation.recipes import NotReady
from annotation.services.generation.records import record
from annotation.services.generation.runs import (
    NothingToGenerate,
    RunHasEnded,
    agents_of,
    cancel,
    notes_of,
    pause,
    regenerate,
    resume,
    retry_failed,
    start_run,
)
from annotation.services.generation.sweep import sweep
from annotation.services.generation.unusable import Lack, unusable
from annotation.services.generation.workers import Served, live_workers, models_of, who_serves

__all__ = [
    "LEASE",
    "Lack",
    "NotReady",
    "NothingToGenerate",
    "Progress",
    "RunHasEnded",
    "Served",
    "StageProgress",
    "agents_of",
    "alive",
    "cancel",
    "dispatch",
    "live_workers",
    "models_of",
    "notes_of",
    "pause",
    "progress",
    "record",
    "regenerate",
    "resume",
    "retry_failed",
    "start_run",
    "sweep",
    "unusable",
    "who_serves",
]
