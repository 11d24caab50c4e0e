"""What the pipeline costs beside the engine: queued units to stored responses, against the engine alone.

`make bench-generate`, or `python -m bench.bench_generate --parts vllm,llamacpp,one-by-one,memory --json out.json`.
Both sides write texts for the same 2,000 dialogues with the same tiny model, settings and threads; starts are not
counted, and runs of the two alternate. The pipeline is the product's own: PostgreSQL with fsync on, Valkey, the default
worker, beat, a model worker. `memory` has a replayed model work through 1,000 and then 100,000 queued units.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import generation_stage as on
from bench.machine import calibrate

OPTIONS = {
    "vllm": {"dtype": "float32", "enforce_eager": True, "gpu_memory_utilization": 0.1, "max_model_len": 512},
    "llamacpp": {"n_ctx": 512, "threads": 1},
}
PARTS = ("vllm", "llamacpp", "one-by-one", "memory")


@dataclass(frozen=True)
class Run:
    """One side of one round."""

    part: str
    side: str
    texts: int
    tokens: int
    seconds: float
    calibration: float

    @property
    def texts_per_second(self) -> float:
        return self.texts / self.seconds

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds


def model_of(kind: str) -> str:
    """Return the tiny model as this engine reads it; it is trained where it is missing, for some minutes."""
    path = on.BENCH_MODEL.with_suffix(".gguf") if kind == "llamacpp" else on.BENCH_MODEL
    if not path.exists():
        print("Training the tiny model of the benchmarks …", file=sys.stderr)
        subprocess.run([on.python_of("vllm"), "-m", "tests.engines.models"], cwd=on.ROOT, check=True)
    return str(path)


def measure_engine(kind: str, options: argparse.Namespace) -> list[Run]:
    """Let the bare engine and the pipeline write the same texts, in turns."""
    runs = []
    with tempfile.TemporaryDirectory(prefix="duologue-bench-") as folder, on.running_stage(Path(folder)) as stage:
        model = on.make_model(kind, model_of(kind), **OPTIONS[kind])
        dialogues = on.make_dialogues(options.units)
        # The engine's own settings are those of the bare one; this one says how batches are given to it.
        pipelining = {"batches_at_once": 2} if kind == "vllm" else {}
        flags = ["--model", model.slug, "--backend", kind, "--source", model.source]
        flags += [
            part
            for name, value in {**OPTIONS[kind], **pipelining}.items()
            for part in ("--option", f"{name}={json.dumps(value)}")
        ]
        environment = on.VLLM_ENVIRONMENT if kind == "vllm" else {}
        stage.start_model_worker(on.python_of(kind), *flags, **environment)
        file = Path(folder) / "requests.json"
        file.write_text(json.dumps(on.requests_of(on.make_agent(model, number=0), dialogues)))
        bare = on.Bare(on.python_of(kind), kind, model.source, file)
        on.wait_for_worker(model)
        warm_up(model, dialogues)
        for number in range(1, options.runs + 1):
            runs.append(tell(bare_run(kind, bare)))
            # Other dialogues each time: of the same ones the engine would remember the prompts.
            dialogues = on.make_dialogues(options.units, seed=1 + number)
            runs.append(tell(pipeline_run(kind, model, dialogues, number)))
        bare.stop()
    return runs


def warm_up(model, dialogues) -> None:
    run, _ = on.order(on.make_agent(model, number=999), dialogues[:64])
    on.wait_for_run(run)


def bare_run(kind: str, bare: on.Bare) -> Run:
    calibration = calibrate()
    found = bare.run()
    return Run(kind, "bare", int(found["texts"]), int(found["tokens"]), found["seconds"], calibration)


def pipeline_run(kind: str, model, dialogues, number: int) -> Run:
    calibration = calibrate()
    run, queued = on.order(on.make_agent(model, number=number), dialogues)
    seconds = on.wait_for_run(run) - queued
    texts, tokens = on.tokens_of(run)
    return Run(kind, "pipeline", texts, tokens, seconds, calibration)


def measure_one_by_one(options: argparse.Namespace) -> list[Run]:
    """Let transformers write texts one at a time, as the published way does."""
    with tempfile.TemporaryDirectory(prefix="duologue-bench-") as folder, on.running_stage(Path(folder)):
        model = on.make_model("transformers", model_of("transformers"))
        dialogues = on.make_dialogues(options.single)
        file = Path(folder) / "requests.json"
        file.write_text(json.dumps(on.requests_of(on.make_agent(model, number=0), dialogues)))
        bare = on.Bare(on.python_of("transformers"), "one-by-one", model.source, file)
        runs = [tell(bare_run("one-by-one", bare)) for _ in range(options.runs)]
        bare.stop()
    return runs


def measure_memory(options: argparse.Namespace) -> list[dict[str, float]]:
    """Work through few and then many queued units; return the megabytes of every process at its largest."""
    table = []
    with tempfile.TemporaryDirectory(prefix="duologue-bench-") as folder, on.running_stage(Path(folder)) as stage:
        answers = Path(folder) / "answers.jsonl"
        answers.write_text("\n".join(json.dumps({"text": f"I see, number {n}. Tell me more."}) for n in range(97)))
        model = on.make_model("replay", str(answers))
        stage.start_model_worker(sys.executable, "--model", model.slug, "--backend", "replay", "--source", str(answers))
        on.wait_for_worker(model)
        warm_up(model, on.make_dialogues(1000))
        for number, count in enumerate(options.queued):
            dialogues = on.make_dialogues(count)
            with watched(stage) as peak:
                run, _ = on.order(on.make_agent(model, number=number), dialogues)
                wait_a_while(run, seconds=options.memory_seconds)
            table.append({"queued": count, "written": on.end(run), **peak})
            print(f"  {table[-1]}", file=sys.stderr)
    return table


@contextmanager
def watched(stage: on.Stage) -> Iterator[dict[str, float]]:
    """Look at every process five times a second meanwhile; gives the largest megabytes of each."""
    peak: dict[str, float] = {}
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.2):
            for name, megabytes in stage.memory().items():
                peak[f"{name} MB"] = max(peak.get(f"{name} MB", 0.0), round(megabytes, 1))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()


def wait_a_while(run, *, seconds: float) -> None:
    """Return when the run is done or the time is over."""
    from annotation.states import RunState

    until = time.monotonic() + seconds
    while run.state != RunState.DONE and time.monotonic() < until:
        time.sleep(0.5)
        run.refresh_from_db(fields=["state"])


def tell(run: Run) -> Run:
    print(
        f"  {run.part:>10} {run.side:>8}: {run.texts} texts in {run.seconds:6.2f} s, "
        f"{run.texts_per_second:6.1f} texts/s, {run.tokens_per_second:7.0f} tokens/s, "
        f"calibration {run.calibration:5.1f} ms",
        file=sys.stderr,
    )
    return run


def summary(runs: list[Run]) -> list[dict[str, float | str]]:
    """Return, for each engine, the median tokens a second of both sides and their ratio.

    Tokens, since the two sides draw other texts; the ratio of texts stands beside it.
    """
    table = []
    for part in dict.fromkeys(run.part for run in runs):
        rows: dict[str, float | str] = {"engine": part}
        for side in ("bare", "pipeline"):
            if found := [run for run in runs if (run.part, run.side) == (part, side)]:
                rows[f"{side} tokens/s"] = round(statistics.median(run.tokens_per_second for run in found), 1)
                rows[f"{side} texts/s"] = round(statistics.median(run.texts_per_second for run in found), 2)
        if "pipeline tokens/s" in rows:
            for unit in ("tokens/s", "texts/s"):
                rows[f"ratio of {unit}"] = round(float(rows[f"pipeline {unit}"]) / float(rows[f"bare {unit}"]), 3)
        table.append(rows)
    return table


def show(table: list[dict]) -> None:
    """Print rows as a table; columns are those of all rows."""
    columns = list(dict.fromkeys(name for row in table for name in row))
    cells = [columns, *([str(row.get(name, "–")) for name in columns] for row in table)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(columns))]
    for row in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def read_options(arguments: list[str] | None = None) -> argparse.Namespace:
    def words(text: str) -> list[str]:
        return text.split(",")

    parser = argparse.ArgumentParser(prog="python -m bench.bench_generate", description=__doc__)
    parser.add_argument("--parts", type=words, default=list(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--units", type=int, default=2000, help="texts of one run")
    parser.add_argument("--single", type=int, default=100, help="texts of one run of transformers, one at a time")
    parser.add_argument("--runs", type=int, default=3, help="of each side; medians are printed")
    parser.add_argument("--queued", type=lambda text: [int(n) for n in text.split(",")], default=[1000, 100_000])
    parser.add_argument("--memory-seconds", type=float, default=90, help="how long to work on the queued ones")
    parser.add_argument("--json", type=Path, help="write runs and tables to this file")
    return parser.parse_args(arguments)


def measure_apart(options: argparse.Namespace) -> tuple[list[Run], list[dict[str, float]]]:
    """Measure each part in a process of its own: Django knows one database in a process."""
    runs: list[Run] = []
    memory: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="duologue-bench-") as folder:
        for part in options.parts:
            file = Path(folder) / f"{part}.json"
            # Of flags that are given twice the last one counts.
            flags = [*sys.argv[1:], "--parts", part, "--json", str(file)]
            subprocess.run([sys.executable, "-m", "bench.bench_generate", *flags], check=True, stdout=sys.stderr)
            found = json.loads(file.read_text())
            runs += [Run(**run) for run in found["runs"]]
            memory += found["memory"]
    return runs, memory


def measure(part: str, options: argparse.Namespace) -> tuple[list[Run], list[dict[str, float]]]:
    """Measure one part here."""
    if part == "memory":
        return [], measure_memory(options)
    return (measure_one_by_one(options) if part == "one-by-one" else measure_engine(part, options)), []


def main() -> None:
    options = read_options()
    runs, memory = measure(options.parts[0], options) if len(options.parts) == 1 else measure_apart(options)
    table = summary(runs)
    for rows in (table, memory):
        if rows:
            show(rows)
    if options.json:
        found = {"table": table, "memory": memory, "runs": [asdict(run) for run in runs]}
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
