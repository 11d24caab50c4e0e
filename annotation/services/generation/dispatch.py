"""Send queued units to the workers: batches sized by tokens, a bounded number in flight per model."""

import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F, Q, QuerySet
from kombu.exceptions import OperationalError

from annotation.models import Backend, GenerationRun, GenerationUnit, LanguageModel, Stage
from annotation.schedule import DISPATCH_TASK
from annotation.services.generation.endings import fail
from annotation.services.generation.leases import BROKER_PAUSE, LEASE
from annotation.services.generation.recipes import NotReady, model_spec, plan_agent, plan_think
from annotation.services.generation.tallies import Tallies
from annotation.services.generation.workers import live_paces
from annotation.states import RunState, UnitState
from inference_worker.schema import DEFAULT_QUEUE, GENERATE_TASK, Batch, Item, Recipe, Turn, model_queue, to_json

logger = logging.getLogger(__name__)

# One batch runs while the next one waits, for every worker.
IN_FLIGHT_PER_WORKER = 2
# A unit whose worker went silent is sent again in a batch a quarter of the size: one that kills workers ends alone.
SPLIT = 4
CHARACTERS_PER_TOKEN = 4
# The rest of a prompt: what stands around the dialogue.
INSTRUCTION_TOKENS = 250
# A batch may grow for a fast model up to so much work, where an answer has so many tokens.
BATCH_SECONDS, ANSWER_TOKENS = 10, 64


@dataclass(frozen=True)
class Limits:
    """The largest batch: texts, and tokens of prompts and answers together.

    `first` is the number of texts where nothing is under way, 0 for as many as ever. `most_times` is how often a batch
    may hold as much where the model is fast.
    """

    items: int
    tokens: int
    first: int = 0
    most_times: int = 1

    @property
    def at_first(self) -> int:
        """Return how many texts the batch holds for which the engine waits."""
        return min(self.items, self.first or self.items)

    def at(self, tokens_per_second: float) -> "Limits":
        """Return the limits for a model of this pace: what is done in a moment costs more to send than to write."""
        times = tokens_per_second * BATCH_SECONDS / (self.items * ANSWER_TOKENS)
        times = max(1, int(min(times, self.most_times)))
        return replace(self, items=self.items * times, tokens=self.tokens * times)


LIMITS = {
    # One text after the other: a small batch of a slow model is work for a minute.
    Backend.LLAMACPP: Limits(16, 16_000, most_times=8),
    Backend.TRANSFORMERS: Limits(64, 64_000),
    # Twice what runs side by side: towards the end of a batch fewer and fewer do. An engine that takes up more texts
    # while it writes need not wait until so many are read.
    Backend.VLLM: Limits(512, 800_000, first=64),
    Backend.OPENAI: Limits(64, 200_000),
    Backend.REPLAY: Limits(256, 1_000_000),
}


def wake(run: GenerationRun) -> None:
    """Ask the default worker, once this transaction is committed, to send what this run has queued."""
    models = run.units.filter(state=UnitState.QUEUED).order_by().values_list("model_id", flat=True).distinct()
    for model in models:
        transaction.on_commit(partial(_post, DISPATCH_TASK, [model], DEFAULT_QUEUE), robust=True)


def dispatch(model_id: int, *, now: datetime) -> int:
    """Send batches of this model's queued units until its workers have enough; return how many.

    Nothing is sent while no live worker serves the model: messages would pile up for work that is sent again later.
    """
    paces = live_paces(model_id, now=now)
    limit = len(paces) * IN_FLIGHT_PER_WORKER
    sent = 0
    # Asked before anything is locked, since most calls find enough under way.
    while _in_flight(model_id) < limit and _send_one(model_id, limit=limit, pace=min(paces), now=now):
        sent += 1
    return sent


@transaction.atomic
def _send_one(model_id: int, *, limit: int, pace: float, now: datetime) -> bool:
    # Dispatchers of a model take turns, so that the bound on batches in flight holds.
    model = LanguageModel.objects.select_for_update(no_key=True).filter(pk=model_id).first()
    in_flight = _in_flight(model_id)
    if model is None or in_flight >= limit:
        return False
    units = _take(model, limits_of(model).at(pace), is_first=not in_flight, now=now)
    if not units:
        return False
    batch = _build(model, units, now=now)
    if batch.items:
        GenerationUnit.objects.filter(pk__in=[item.unit for item in batch.items]).update(
            state=UnitState.SENT,
            batch=batch.id,
            token=batch.items[0].token,
            attempt=F("attempt") + 1,
            sent_at=now,
            lease_until=now + LEASE,
            worker="",
            not_before=None,
        )
        transaction.on_commit(partial(_send, batch, now=now))
    return True


def _in_flight(model_id: int) -> int:
    sent = GenerationUnit.objects.filter(model=model_id, state=UnitState.SENT)
    return sent.order_by().values("batch").distinct().count()


def _take(model: LanguageModel, limits: Limits, *, is_first: bool, now: datetime) -> list[GenerationUnit]:
    """Take the next units of the oldest running run, all with equally many losses, up to the size of a batch."""
    is_due = Q(not_before=None) | Q(not_before__lte=now)
    count = limits.at_first if is_first else limits.items
    # One run after the other: the index serves each in order, and paused runs are never looked through.
    for run in GenerationRun.objects.filter(state=RunState.RUNNING).order_by("pk").values_list("pk", flat=True):
        queued = GenerationUnit.objects.filter(is_due, model=model, run=run, state=UnitState.QUEUED).order_by("pk")
        # Joined in the same statement, all that is queued is read and sorted where the table was not analysed lately.
        ids = list(queued.select_for_update(skip_locked=True).values_list("pk", flat=True)[:count])
        if ids:
            units = list(_with_what_is_asked(GenerationUnit.objects.filter(pk__in=ids)).order_by("pk"))
            return _fit([unit for unit in units if unit.losses == units[0].losses], limits)
    return []


def _with_what_is_asked(units: QuerySet[GenerationUnit]) -> QuerySet[GenerationUnit]:
    # Joined, every unit would build its agent anew; looked up, the units of a batch share the few there are.
    return units.select_related("dialogue", "skill_of_mind").prefetch_related("agent", "augmenter")


def limits_of(model: LanguageModel) -> Limits:
    """Return the batch limits of a model: its own, or what suits its engine."""
    usual = LIMITS[Backend(model.backend)]
    most_times = 1 if model.batch_items or model.batch_tokens else usual.most_times
    return Limits(model.batch_items or usual.items, model.batch_tokens or usual.tokens, usual.first, most_times)


def _fit(units: Sequence[GenerationUnit], limits: Limits) -> list[GenerationUnit]:
    """Cut down to the size for the losses so far, and to the tokens of a batch; one unit always fits."""
    fitting: list[GenerationUnit] = []
    tokens = 0
    for unit in units[: max(1, limits.items // SPLIT ** units[0].losses)]:
        tokens += _expected_tokens(unit)
        if fitting and tokens > limits.tokens:
            break
        fitting.append(unit)
    return fitting


def _expected_tokens(unit: GenerationUnit) -> int:
    """Return a rough count of prompt and answer: the engine's own counts are not known before it has run."""
    characters = len(unit.dialogue.social_context) + sum(len(turn["text"]) for turn in unit.dialogue.turns)
    writer = unit.augmenter if unit.stage == Stage.THINK else unit.agent
    answer = writer.max_new_tokens if writer else 0
    return characters // CHARACTERS_PER_TOKEN + INSTRUCTION_TOKENS + answer


def _build(model: LanguageModel, units: Sequence[GenerationUnit], *, now: datetime) -> Batch:
    """Make the message. Units whose settings were changed since they were ordered fail with that reason."""
    recipes = Recipes()
    used: dict[str, Recipe] = {}
    items: list[Item] = []
    tallies = Tallies()
    token = str(uuid.uuid4())
    for unit in units:
        try:
            used[unit.settings_hash] = recipes.of(unit)
        except NotReady as why:
            fail([unit.pk], reason=why.user_message, tallies=tallies, now=now)
        else:
            items.append(_item(unit, token))
    tallies.write(now=now)
    return Batch(id=str(uuid.uuid4()), model=model_spec(model), recipes=used, items=tuple(items))


def _item(unit: GenerationUnit, token: str) -> Item:
    dialogue, guidance = unit.dialogue, unit.skill_of_mind
    return Item(
        unit=unit.pk,
        token=token,
        recipe=unit.settings_hash,
        seed=unit.seed,
        social_context=dialogue.social_context,
        turns=tuple(Turn(turn["speaker"], turn["text"]) for turn in dialogue.turns),
        next_speaker=dialogue.next_speaker,
        explanation=guidance.explanation if guidance else "",
        skill=guidance.skill if guidance else "",
    )


def _send(batch: Batch, *, now: datetime) -> None:
    if _post(GENERATE_TASK, [to_json(batch)], model_queue(batch.model.slug)):
        return
    # The message may have gone out all the same: the token stays good until the units are sent again.
    GenerationUnit.objects.filter(batch=batch.id, state=UnitState.SENT).update(
        state=UnitState.QUEUED, not_before=now + BROKER_PAUSE
    )


def _post(task: str, arguments: list[Any], queue: str) -> bool:
    """Put a message on a queue. False where the broker does not answer: the rows keep the work, a sweep sends it."""
    try:
        current_app.send_task(task, args=arguments, queue=queue, retry=False)
    except (OperationalError, OSError) as problem:
        logger.warning("The broker does not take %s for queue %s: %s", task, queue, problem)
        return False
    return True


class Recipes:
    """The recipes of units, worked out once for every agent and augmenter."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int | None, int], tuple[str, Recipe]] = {}

    def of(self, unit: GenerationUnit) -> Recipe:
        """Return the unit's recipe. Raises NotReady where the settings are not those that were ordered."""
        owner = unit.augmenter_id if unit.stage == Stage.THINK else unit.agent_id
        key = (unit.stage, owner, unit.model_id)
        if key not in self._known:
            self._known[key] = _think_recipe(unit) if unit.stage == Stage.THINK else _respond_recipe(unit)
        settings_hash, recipe = self._known[key]
        if settings_hash != unit.settings_hash:
            raise NotReady("Its settings were changed after the run was started. Start a new run.")
        return recipe


def _think_recipe(unit: GenerationUnit) -> tuple[str, Recipe]:
    if unit.augmenter is None:
        raise NotReady("Its augmenter has gone.")
    plan = plan_think(unit.augmenter, unit.model)
    if plan.recipe is None:
        raise NotReady("Its augmenter needs no model any more. Start a new run.")
    return plan.base_hash, plan.recipe


def _respond_recipe(unit: GenerationUnit) -> tuple[str, Recipe]:
    if unit.agent is None:
        raise NotReady("Its agent has gone.")
    plan = plan_agent(unit.agent)
    return plan.settings_hash, plan.recipe
