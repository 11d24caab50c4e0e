"""Names of the default queue's own tasks, and when beat runs them. No Django: webapp.celery reads it early."""

from datetime import timedelta
from typing import Any

DISPATCH_TASK = "annotation.dispatch"
REPORT_TASK = "annotation.report"
SWEEP_TASK = "annotation.sweep"
SWEEP_EVERY = timedelta(seconds=5)

# A sweep that waited behind other messages is of no use: it expires when the next one is due.
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    SWEEP_TASK: {
        "task": SWEEP_TASK,
        "schedule": SWEEP_EVERY,
        "options": {"expires": SWEEP_EVERY.total_seconds()},
    }
}
