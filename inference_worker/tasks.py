"""The worker's one task: a batch in, records out."""

import logging
from typing import Any

from celery import Celery

from inference_worker.schema import GENERATE_TASK, Batch, SchemaError, from_json
from inference_worker.worker import Worker

log = logging.getLogger(__name__)


def register(app: Celery, worker: Worker) -> None:
    """Let this app's task run on this worker."""

    @app.task(name=GENERATE_TASK)
    def generate(message: Any) -> None:
        """Write the texts of a batch."""
        try:
            batch = from_json(Batch, message)
        except SchemaError as problem:
            log.warning("Dropped a malformed batch: %s", problem)
            return
        worker.run(batch)
