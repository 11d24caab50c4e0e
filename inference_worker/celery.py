"""The Celery side of a model worker: JSON only, no result backend, one queue to read and one exchange to write.

What a worker may do at the broker is little (docs/decisions/broker-rights.md): it declares and reads the queue of its
model and publishes to the exchange of the results. So Celery's remote control, gossip, mingle and events are off.
"""

from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from inference_worker.schema import ALIVE_TASK, RECORD_TASK, RESULTS_QUEUE, Alive, Records, model_queue, to_json

# A broker that restarts is back within a minute; after that the database's leases see to the work.
RECORD_RETRIES = {"max_retries": 40, "interval_start": 0.2, "interval_step": 0.4, "interval_max": 2.0}
ALIVE_RETRIES = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
# A batch of a large model may take longer than the hour after which this broker would hand it to another worker.
VISIBILITY_SECONDS = 12 * 3600


class UnboundQueue(Queue):
    """A queue that is declared and never bound: binding needs the right to write to it, and batches come without."""

    def declare(self, nowait: bool = False, channel: Any = None) -> str:
        """Declare the queue alone; Celery would give it an exchange and bind the two."""
        self.queue_declare(nowait=nowait, channel=channel)
        return str(self.name)


def make_app(broker_url: str, slug: str) -> Celery:
    """Return the app of a worker that serves one model."""
    # Without fixups, a Django that happens to be installed beside the worker is never set up.
    app = Celery("inference_worker", broker=broker_url, fixups=[])
    queue = model_queue(slug)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        # What kills its worker must not be handed to the next one (docs/decisions/early-acknowledgement.md).
        task_acks_late=False,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_queues=[UnboundQueue(queue, exchange=Exchange(queue), routing_key=queue)],
        task_default_queue=queue,
        timezone="UTC",
    )
    if broker_url.startswith(("redis", "rediss")):
        app.conf.broker_transport_options = {
            "visibility_timeout": VISIBILITY_SECONDS,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
        }
    return app


class Results:
    """Where records and alive messages go. Safe to use from any thread."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def record(self, records: Records) -> None:
        """Send finished texts; waits about a minute for a broker that is away."""
        self._send(RECORD_TASK, to_json(records), retry_policy=RECORD_RETRIES)

    def alive(self, alive: Alive) -> None:
        """Send a sign of life."""
        self._send(ALIVE_TASK, to_json(alive), retry_policy=ALIVE_RETRIES)

    def _send(self, task: str, message: dict[str, Any], **options: Any) -> None:
        self._app.send_task(
            task,
            args=[message],
            exchange=RESULTS_QUEUE,
            exchange_type="direct",
            routing_key=RESULTS_QUEUE,
            declare=[],
            retry=True,
            **options,
        )
