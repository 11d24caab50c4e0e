"""Names of the default queue's own tasks, and when beat runs them. No Django: webapp.celery reads it early."""

from datetime import timedelta
from typing import Any

DISPATCH_TASK = "annotation.dispatch"
BUNDLE_TASK = "annotation.bundle"
REPORT_TASK = "annotation.report"
SWEEP_TASK = "annotation.sweep"
TELL_PLATFORM_TASK = "annotation.tell_platform"
REFRESH_KEYS_TASK = "annotation.refresh_keys"
MOST_SECONDS = 5.0


def beat_schedule(lease_seconds: float) -> dict[str, dict[str, Any]]:
    """Return what beat runs: a sweep several times in the length of a lease, and a look at platforms' keys each hour.

    A sweep that waited behind other messages is of no use: it expires when the next one is due.
    """
    seconds = min(MOST_SECONDS, lease_seconds / 4)
    options = {"expires": seconds}
    return {
        SWEEP_TASK: {"task": SWEEP_TASK, "schedule": timedelta(seconds=seconds), "options": options},
        REFRESH_KEYS_TASK: {"task": REFRESH_KEYS_TASK, "schedule": timedelta(hours=1), "options": {"expires": 3600}},
    }
