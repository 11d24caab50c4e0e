"""The product's own processes of generation over a directory of their own, and dialogues to write for."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bench.machine import memory_of, memory_of_tree, title
from webapp.stack.paths import broker_url, database_url, runtime_dir
from webapp.stack.postgres import create_database, start_postgres
from webapp.stack.process import Child, descendants
from webapp.stack.valkey import start_valkey

ROOT = Path(__file__).resolve().parent.parent
ENGINES_PYTHON = ROOT / ".venv-engines" / "bin" / "python"
BENCH_MODEL = ROOT / ".cache" / "engines" / "bench-1"
# vLLM on a small machine: one thread, a small cache, everything in one process (see tests/engines/conftest.py).
VLLM_ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
# As the tiny model learned it.
PROMPT = "### Dialogue:\n{dialogue}\n\n### Explanation: "
MAX_NEW_TOKENS, TEMPERATURE = 128, 0.9
NAMES = ["Mina", "Jonas", "Ife", "Ruth", "Sam", "Lea"]
TOPICS = ["exam", "move", "oven", "train", "garden", "dog", "letter", "concert"]
FEELINGS = ["worried", "glad", "tired", "curious", "angry", "proud"]
TURNS = 3


@dataclass
class Stage:
    """A running stack without a web server. Children by name; each can be asked for its memory."""

    data_dir: Path
    children: dict[str, Child] = field(default_factory=dict)

    def start_model_worker(self, python: Path | str, *arguments: str, **environment: str) -> None:
        """Start the worker of one model; it says itself when it is there."""
        env = {**self._environment(), **environment, "PYTHONPATH": str(ROOT)}
        program = [str(python), "-m", "inference_worker", *arguments]
        self.children["model worker"] = Child("model worker", program, env=env, log=self.data_dir / "model.log")

    def memory(self) -> dict[str, float]:
        """Return the megabytes of every process with its descendants; the database without its cache of fixed size.

        Autovacuum stands apart: it samples up to 30,000 stored rows of a table, however many there are.
        """
        found = {name: memory_of_tree(child.process.pid) for name, child in self.children.items() if name != "database"}
        server = self.children["database"].process.pid
        parts = {pid: title(pid) for pid in [server, *descendants(server)]}
        cleaners = [pid for pid, name in parts.items() if "autovacuum worker" in name]
        found["database"] = memory_of(parts.keys() - set(cleaners), kind="Pss_Anon")
        return {**found, "autovacuum": memory_of(cleaners, kind="Pss_Anon")}

    def start(self) -> None:
        from webapp.stack.services import celery, worker_program

        for name, program in (
            ("default worker", worker_program()),
            ("beat", celery("beat", "--scheduler", "celery.beat:Scheduler", "--pidfile", "")),
        ):
            log = self.data_dir / f"{name}.log"
            self.children[name] = Child(name, program, env=self._environment(), log=log)

    def stop(self) -> None:
        for name, child in reversed(self.children.items()):
            child.stop(signal.SIGINT if name == "database" else signal.SIGTERM, patience=5)

    def _environment(self) -> dict[str, str]:
        ours = {"DATABASE_URL": database_url(self.data_dir), "BROKER_URL": broker_url(self.data_dir)}
        return {**os.environ, **ours, "DATA_DIR": str(self.data_dir)}


@contextmanager
def running_stage(data_dir: Path) -> Iterator[Stage]:
    """Start database, broker, default worker and beat as `manage.py up` does, and point Django at them."""
    urls = {"DATABASE_URL": database_url(data_dir), "BROKER_URL": broker_url(data_dir)}
    os.environ.update({"DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "webapp.settings", **urls})
    stage, sockets = Stage(data_dir), runtime_dir(data_dir)
    sockets.mkdir(mode=0o700, exist_ok=True)
    with ExitStack() as undo:
        undo.callback(stage.stop)
        stage.children["database"] = start_postgres(
            data_dir / "postgres", sockets=sockets, log=data_dir / "database.log"
        )
        create_database(sockets)
        stage.children["broker"] = start_valkey(sockets=sockets, log=data_dir / "broker.log")
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        import webapp.celery  # noqa: F401 - orders go out through it

        call_command("migrate", verbosity=0)
        undo.callback(connections.close_all)
        stage.start()
        yield stage


def make_model(backend: str, source: str, **options: Any) -> Any:
    """Register the model of the bench."""
    from annotation.models import LanguageModel

    return LanguageModel.objects.create(
        name=f"Bench {backend}", slug=f"bench-{backend}", backend=backend, source=source, options=options
    )


def make_agent(model: Any, *, number: int) -> Any:
    """Make an agent that asks the model as it was trained; every number draws other texts."""
    from annotation.models import Agent, PromptSet

    templates = {"baseline": {"system": "", "user": PROMPT}}
    prompts, _ = PromptSet.objects.get_or_create(
        name="Bench", defaults={"sha256": hashlib.sha256(PROMPT.encode()).hexdigest(), "templates": templates}
    )
    sampling = {"temperature": TEMPERATURE, "max_new_tokens": MAX_NEW_TOKENS, "seed": number}
    return Agent.objects.create(name=f"Bench {model.slug} {number}", responder=model, prompt_set=prompts, **sampling)


def make_dialogues(count: int, *, seed: int = 1) -> list[Any]:
    """Make so many different dialogues, over a connection of their own."""
    from django.db import connection

    from annotation.models import Collection, Dialogue

    rng = random.Random(seed)
    collection = Collection.objects.create(name=f"Bench {count} {time.time()}")
    made = Dialogue.objects.bulk_create(
        (
            Dialogue(collection=collection, external_id=str(n), turns=make_turns(rng), next_speaker="Ana")
            for n in range(count)
        ),
        batch_size=2000,
    )
    connection.close()
    return made


def make_turns(rng: random.Random) -> list[dict[str, str]]:
    """Return what two people say in turn, in words that the tiny model knows."""
    people = rng.sample(NAMES, 2)
    return [{"speaker": people[turn % 2], "text": _sentence(rng)} for turn in range(TURNS)]


def _sentence(rng: random.Random) -> str:
    feeling, topic = rng.choice(FEELINGS), rng.choice(TOPICS)
    return rng.choice([f"I am {feeling} about the {topic}.", f"The {topic} makes me {feeling}."])


def order(agent: Any, dialogues: list[Any]) -> tuple[Any, float]:
    """Order a text for every dialogue; returns the run and when its units were queued."""
    from annotation.services import generation

    run = generation.start_run(agents=[agent], dialogues=dialogues)
    return run, time.perf_counter()


def wait_for_run(run: Any, *, until: float = 600) -> float:
    """Return when the run had ended."""
    from annotation.states import RunState

    deadline = time.monotonic() + until
    while time.monotonic() < deadline:
        run.refresh_from_db(fields=["state"])
        if run.state == RunState.DONE:
            return time.perf_counter()
        time.sleep(0.05)
    raise TimeoutError(f"{run} did not end in {until} s.")


def wait_for_worker(model: Any, *, seconds: float = 180) -> None:
    """Wait until a worker says that it serves the model."""
    from django.utils import timezone

    from annotation.services.generation.workers import count_live

    deadline = time.monotonic() + seconds
    while not count_live(model, now=timezone.now()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"No worker serves {model.slug} after {seconds} s.")
        time.sleep(0.2)


def tokens_of(run: Any) -> tuple[int, int]:
    """Return the texts and the tokens that a run has written."""
    from annotation.models import RunTally

    tally = RunTally.objects.get(run=run)
    if tally.failed:
        raise RuntimeError(f"{tally.failed} texts failed: {run.units.exclude(reason='').first().reason}")
    return tally.done, tally.completion_tokens


def end(run: Any) -> int:
    """Cancel what is left of a run; returns how many texts it has written."""
    from annotation.models import RunTally
    from annotation.services import generation
    from annotation.states import RunState

    run.refresh_from_db()
    if run.state == RunState.RUNNING:
        generation.cancel(run)
    return RunTally.objects.get(run=run).done


def requests_of(agent: Any, dialogues: list[Any]) -> list[dict[str, Any]]:
    """Return what the pipeline will ask for, as messages with sampling and seed: the same work for the bare engine."""
    from annotation.services.generation.dispatch import _item
    from annotation.services.generation.orders import Order
    from annotation.services.generation.recipes import plan_agent
    from annotation.services.generation.tallies import Tallies
    from inference_worker.prompts import render

    plan = plan_agent(agent)
    units = Order(None, plan, [each.pk for each in dialogues], Tallies())._units([each.pk for each in dialogues], 0)
    by_id = {each.pk: each for each in dialogues}
    found = []
    for unit in units:
        unit.pk, unit.dialogue = 0, by_id[unit.dialogue_id]
        found.append(
            {
                "messages": render(plan.recipe, _item(unit, "")).messages(),
                "temperature": plan.recipe.sampling.temperature,
                "top_p": plan.recipe.sampling.top_p,
                "max_tokens": plan.recipe.sampling.max_new_tokens,
                "seed": unit.seed,
            }
        )
    return found


class Bare:
    """A bare engine in a process of its own (bench/bare_engine.py): loaded once, run as often as asked."""

    def __init__(self, python: Path | str, kind: str, model: str, requests: Path) -> None:
        program = [str(python), str(ROOT / "bench" / "bare_engine.py"), kind, model, str(requests)]
        self.process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **VLLM_ENVIRONMENT}
        )
        self._line()

    def run(self) -> dict[str, float]:
        self._pipe(self.process.stdin).write("go\n")
        self._pipe(self.process.stdin).flush()
        found: dict[str, float] = json.loads(self._line())
        return found

    def stop(self) -> None:
        self._pipe(self.process.stdin).close()
        self.process.wait(timeout=60)

    def _line(self) -> str:
        line = self._pipe(self.process.stdout).readline()
        if not line:
            raise RuntimeError(f"The bare engine ended with {self.process.wait()}.")
        return line

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


def python_of(kind: str) -> Path | str:
    """Return the Python in which an engine is installed."""
    if kind == "llamacpp":
        return sys.executable
    if not ENGINES_PYTHON.exists():
        raise SystemExit("The environment of the engines is missing: run make engines first.")
    return ENGINES_PYTHON
