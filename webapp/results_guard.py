"""What the default worker takes from the results queue: records and alive messages, and nothing else.

A GPU worker's user at the broker may write that queue. Celery would run any registered task that is named there, and
would follow a message's callbacks with the default worker's own rights: so such messages are refused on arrival.
"""

import logging
from collections.abc import Callable
from typing import Any

from celery.worker.consumer import Consumer
from kombu.exceptions import KombuError

from inference_worker.schema import ALIVE_TASK, RECORD_TASK, RESULTS_QUEUE

logger = logging.getLogger(__name__)

ALLOWED_TASKS = {RECORD_TASK, ALIVE_TASK}


class GuardedConsumer(Consumer):
    """Celery's consumer, with a look at every message of the results queue before it becomes a task."""

    def create_task_handler(self, *args: Any, **options: Any) -> Callable[[Any], None]:
        receive = super().create_task_handler(*args, **options)
        broken: Any = self.connection_errors  # type: ignore[attr-defined]

        def on_task_received(message: Any) -> None:
            if reason := why_refused(message):
                logger.warning("Refused a message on the results queue: %s", reason)
                message.reject_log_error(logger, broken)
            else:
                receive(message)

        return on_task_received


def why_refused(message: Any) -> str:
    """Say why a message may not become a task; "" if it may."""
    place = message.delivery_info or {}
    if RESULTS_QUEUE not in (place.get("exchange"), place.get("routing_key")):
        return ""
    headers = message.headers or {}
    if headers.get("task") not in ALLOWED_TASKS:
        return f"it names the task {str(headers.get('task'))[:80]!r}."
    if headers.get("eta"):
        return "it is to be held until later."
    return _why_refused_body(message)


def _why_refused_body(message: Any) -> str:
    try:
        body = message.payload
    except (KombuError, ValueError):
        return "it is no JSON."
    if not isinstance(body, list | tuple) or len(body) != 3:
        return "it has another form than Celery's."
    args, kwargs, embedded = body
    if not isinstance(args, list | tuple) or len(args) != 1 or kwargs:
        return "it has other arguments than one message."
    if not isinstance(embedded, dict) or any(embedded.values()):
        return "it asks for callbacks."
    return ""
