"""The web side of the broker, played by a test: sends batches to a model's queue and reads what comes back."""

import time
from contextlib import closing
from queue import Empty

from celery import Celery
from kombu import Exchange, Queue

from inference_worker.schema import (
    ALIVE_TASK,
    GENERATE_TASK,
    RECORD_TASK,
    RESULTS_QUEUE,
    Alive,
    Batch,
    Record,
    Records,
    from_json,
    model_queue,
    to_json,
)

RESULTS = Queue(RESULTS_QUEUE, Exchange(RESULTS_QUEUE, type="direct"), routing_key=RESULTS_QUEUE)
KINDS = {RECORD_TASK: Records, ALIVE_TASK: Alive}


class WebSide:
    """Sends batches and gathers records and signs of life. Results are bound before a worker starts."""

    def __init__(self, url: str) -> None:
        self.app = Celery("web-side", broker=url, set_as_current=False)
        self.app.conf.update(task_ignore_result=True)
        self.records: dict[int, Record] = {}
        self.portions: list[Records] = []
        self.signs: list[Alive] = []
        with self.app.connection_for_write() as connection:
            RESULTS(connection.default_channel).declare()

    def send(self, batch: Batch) -> None:
        self.app.send_task(GENERATE_TASK, args=[to_json(batch)], queue=model_queue(batch.model.slug))

    def read(self) -> None:
        """Take all that is there now."""
        with self.app.connection_for_read() as connection, closing(connection.SimpleQueue(RESULTS)) as queue:
            while True:
                try:
                    message = queue.get(timeout=0.1)
                except Empty:
                    return
                message.ack()
                self._note(from_json(KINDS[message.headers["task"]], message.payload[0][0]))

    def wait_until(self, is_so, *, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not is_so(self):
            assert time.monotonic() < deadline, (len(self.records), self.signs[-3:])
            self.read()

    def _note(self, word: Records | Alive) -> None:
        if isinstance(word, Alive):
            self.signs.append(word)
            return
        self.portions.append(word)
        for record in word.records:
            assert record.unit not in self.records
            self.records[record.unit] = record
