"""Workers as they announce themselves: who serves what, and what an agent waits for."""

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

from django.db.models import QuerySet

from annotation.models import Agent, Augmenter, Backend, LanguageModel, Worker
from annotation.models.agent import Source
from annotation.services.generation.leases import SILENCE

# Options that come with every batch; all others have to be given to the worker when it starts.
BATCH_OPTIONS = ("think_start", "respond_start", "repetition_penalty")


@dataclass(frozen=True)
class Served:
    """Whether somebody serves all that an agent needs, and the sentence that says so."""

    is_served: bool
    sentence: str


def live_workers(*, now: datetime) -> list[Worker]:
    """Return the workers of registered models that spoke lately and are not about to stop."""
    found = Worker.objects.filter(seen_at__gt=now - SILENCE, is_stopping=False).exclude(model=None)
    return list(found.select_related("model"))


def count_live(model: LanguageModel | int, *, now: datetime) -> int:
    """Return how many workers serve this model now."""
    return _serving(model, now=now).count()


def live_paces(model_id: int, *, now: datetime) -> list[float]:
    """Return the tokens a second of each worker that serves this model now; 0 before its first text."""
    return list(_serving(model_id, now=now).values_list("tokens_per_second", flat=True))


def _serving(model: LanguageModel | int, *, now: datetime) -> QuerySet[Worker]:
    return Worker.objects.filter(model=model, seen_at__gt=now - SILENCE, is_stopping=False)


def models_of(agent: Agent) -> list[LanguageModel]:
    """Return the models that must be served for this agent: the one that thinks and the one that responds."""
    needed = [_thinker(agent.augmenter), agent.responder]
    return list({model.pk: model for model in needed if model is not None}.values())


def who_serves(agent: Agent, *, now: datetime) -> Served:
    """Say whether workers serve this agent now, and if not, how to start them."""
    if agent.responder is None:
        return Served(True, "Its responses are imported; no worker is needed.")
    live = {worker.model_id for worker in live_workers(now=now)}
    missing = [model for model in models_of(agent) if model.pk not in live]
    if not missing:
        return Served(True, f"Served now: {_names(models_of(agent))}.")
    commands = " and ".join(start_command(model) for model in missing)
    return Served(False, f"Waits for a worker that serves {_names(missing)}{_hint(missing)}. Start one: {commands}")


def start_command(model: LanguageModel) -> str:
    """Return what starts a worker for a model as it stands in the registry; what the worker knows by itself is left
    out."""
    known = _known_models().get(model.slug, {})
    words = ["python -m inference_worker", f"--model {model.slug}"]
    if (model.backend, model.source) != (known.get("backend"), known.get("source")):
        words.append(f"--backend {model.backend} --source {shlex.quote(model.source)}")
    if model.revision:
        words.append(f"--revision {shlex.quote(model.revision)}")
    for name, value in model.options.items():
        if name not in BATCH_OPTIONS and value != known.get("options", {}).get(name):
            words.append(f"--option {shlex.quote(f'{name}={value if isinstance(value, str) else json.dumps(value)}')}")
    return " ".join(words)


def _known_models() -> dict[str, dict[str, Any]]:
    text = resources.files("inference_worker").joinpath("models.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def _thinker(augmenter: Augmenter | None) -> LanguageModel | None:
    if augmenter is None or augmenter.source in (Source.RANDOM, Source.FIXED, Source.OWN):
        return None
    return augmenter.model


def _names(models: Iterable[LanguageModel]) -> str:
    return " and ".join(model.name for model in models)


def _hint(models: Iterable[LanguageModel]) -> str:
    return " (needs a GPU)" if any(model.backend == Backend.VLLM for model in models) else ""
