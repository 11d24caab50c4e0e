"""Workers as they announce themselves: who serves what, and what an agent waits for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from annotation.models import Agent, Augmenter, Backend, LanguageModel, Worker
from annotation.models.agent import Source
from annotation.services.generation.leases import SILENCE


@dataclass(frozen=True)
class Served:
    """Whether somebody serves all that an agent needs, and the sentence that says so."""

    is_served: bool
    sentence: str


def live_workers(*, now: datetime) -> list[Worker]:
    """Return the workers that spoke lately and are not about to stop."""
    found = Worker.objects.filter(seen_at__gt=now - SILENCE, is_stopping=False)
    return list(found.select_related("model"))


def count_live(model: LanguageModel | int, *, now: datetime) -> int:
    """Return how many workers serve this model now."""
    return Worker.objects.filter(model=model, seen_at__gt=now - SILENCE, is_stopping=False).count()


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
    commands = " and ".join(f"python -m inference_worker --model {model.slug}" for model in missing)
    return Served(False, f"Waits for a worker that serves {_names(missing)}{_hint(missing)}. Start one: {commands}")


def _thinker(augmenter: Augmenter | None) -> LanguageModel | None:
    if augmenter is None or augmenter.source in (Source.RANDOM, Source.FIXED, Source.OWN):
        return None
    return augmenter.model


def _names(models: Iterable[LanguageModel]) -> str:
    return " and ".join(model.name for model in models)


def _hint(models: Iterable[LanguageModel]) -> str:
    return " (needs a GPU)" if any(model.backend == Backend.VLLM for model in models) else ""
