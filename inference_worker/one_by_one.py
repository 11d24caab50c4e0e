"""Serve a model without a broker: batches as lines of JSON in, records as lines of JSON out, one after the other.

`manage.py measure_latency` starts it: the first line is a ModelSpec, every further one a Batch. The answers are what
the engine is, once it is loaded, and then the records of each batch. A model that cannot start ends it with status 2.
"""

import dataclasses
import json
import os
import sys
import threading

from inference_worker.backends import EngineError, load_backend
from inference_worker.batches import run_batch
from inference_worker.schema import Batch, ModelSpec, Records, from_json, to_json


def main() -> int:
    """Answer until the input ends."""
    # Libraries write to standard output too; answers go to where it pointed at first.
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    spec = from_json(ModelSpec, json.loads(sys.stdin.readline()))
    try:
        backend = load_backend(spec)
    except EngineError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    out.write(json.dumps(dataclasses.asdict(backend.engine)) + "\n")
    never = threading.Event()
    for line in sys.stdin:
        batch = from_json(Batch, json.loads(line))
        records = tuple(run_batch(batch, backend, spec, never))
        out.write(json.dumps(to_json(Records(batch.id, "here", records))) + "\n")
    backend.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
