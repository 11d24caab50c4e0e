"""Start a worker: `BROKER_URL=… python -m inference_worker --model SLUG`."""

import logging
import os
import secrets
import signal
import socket
import sys
import threading
from typing import Any

from celery.signals import worker_shutting_down

from inference_worker.backends import Backend, EngineError
from inference_worker.celery import Results, make_app
from inference_worker.config import Config, read_config
from inference_worker.engine_process import start_engine
from inference_worker.schema import model_queue
from inference_worker.tasks import register
from inference_worker.worker import Pulse, Worker

log = logging.getLogger("inference_worker")


def main() -> int:
    """Load the model, then serve it until told to stop. Returns the exit status: 2 where it cannot start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        config = read_config(sys.argv[1:], os.environ)
        backend = start_engine(config.spec)
    except EngineError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    try:
        return serve(config, backend)
    finally:
        backend.close()


def serve(config: Config, backend: Backend) -> int:
    """Take batches from the model's queue until SIGTERM or SIGINT; what is unwritten then goes back."""
    slug = config.spec.slug
    app = make_app(config.broker_url, slug)
    name = f"{slug}@{socket.gethostname()}-{secrets.token_hex(3)}"
    worker = Worker(name, config.spec, backend, Results(app))
    register(app, worker)
    worker_shutting_down.connect(_stopper(worker), weak=False)
    pulse = Pulse(worker)
    pulse.start()
    log.info("%s serves %s from queue %s", name, config.spec.source, model_queue(slug))
    celery_worker = app.Worker(
        hostname=name,
        # Threads: the broker's heartbeats go on while a batch runs, and engines do not survive a fork.
        pool="threads",
        concurrency=backend.engine.batches_at_once,
        loglevel="WARNING",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    celery_worker.start()
    pulse.end()
    return int(celery_worker.exitcode or 0)


def _stopper(worker: Worker) -> Any:
    def stop(**_: Any) -> None:
        worker.stop()
        # A second word would be a cold stop, which forgets the running batch; the supervisor's next one is SIGKILL.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    return stop


if __name__ == "__main__":
    sys.exit(main())
