"""Small batches to give to a worker."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from inference_worker.schema import RESPOND, SKILLS, THINK, Batch, Item, ModelSpec, Recipe, Sampling, Turn

ROOT = Path(__file__).resolve().parent.parent.parent
OWN = json.loads((ROOT / "inference_worker" / "prompts.json").read_text())["templates"]

DIALOGUES = [
    ("Mina and Jonas are siblings. Their father is ill.", ["I called the hospital again.", "And? What did they say?"]),
    ("Two bakers before sunrise.", ["The oven is making that sound again.", "Did you try the switch at the back?"]),
    ("A student and a tutor, the day before an exam.", ["Where are you stuck?", "Everywhere. Nothing stays."]),
    ("A customer phones about a ticket.", ["How can I help?", "I have to change my train to Graz, to Saturday."]),
    ("Neighbours on the stairs.", ["Your children ran around until eleven.", "I am so sorry. They had cake."]),
    ("Old friends and an old picture.", ["[Sharing Image] a wet beach, a broken umbrella", "Ha! You kept that?"]),
]


def make_recipe(role: str = "baseline", **over: Any) -> Recipe:
    stage = THINK if role in {"think", "own_skill", "doctor"} else RESPOND
    template = OWN[role]
    sampling = Sampling(temperature=0.5, max_new_tokens=48, stop=tuple(template.get("stop", ())))
    return Recipe(
        **{"stage": stage, "system": template["system"], "user": template["user"]}
        | {"sampling": sampling}
        | {"skills": SKILLS if stage == THINK else ()}
        | over
    )


def make_item(unit: int = 1, **over: Any) -> Item:
    context, texts = DIALOGUES[unit % len(DIALOGUES)]
    turns = tuple(Turn(("Mina", "Jonas")[n % 2], text) for n, text in enumerate(texts))
    values = {"unit": unit, "token": "11111111-1111-1111-1111-111111111111", "recipe": "r", "seed": unit}
    values |= {"social_context": context, "turns": turns, "next_speaker": "Mina"}
    return Item(**values | over)


def make_spec(**over: Any) -> ModelSpec:
    return ModelSpec(**{"slug": "test", "backend": "replay", "source": "replies.jsonl"} | over)


def make_batch(items: list[Item] | int = 3, *, spec: ModelSpec | None = None, **recipes: Recipe) -> Batch:
    chosen = [make_item(unit) for unit in range(1, items + 1)] if isinstance(items, int) else items
    return Batch("batch-1", spec or make_spec(), recipes or {"r": make_recipe()}, tuple(chosen))


def write_replies(path: Path, *lines: dict[str, str]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines or [{"text": "I see."}]))
    return path


class WorkerProcess:
    """`python -m inference_worker` as a person would start it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "inference_worker", *arguments],
            cwd=ROOT,
            env={**kept, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.communicate()

    def finish(self, seconds: float = 30) -> tuple[int, str]:
        """Return the exit status and what was written to stderr."""
        _, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, errors
