"""Order responses, and pause, resume, cancel or retry what was ordered."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from annotation.errors import DuologueError
from annotation.models import Agent, Dialogue, GenerationRun, GenerationUnit, Response, Stage, Study
from annotation.services.comparisons import chosen_dialogues
from annotation.services.generation.dispatch import wake
from annotation.services.generation.guidance import adopt
from annotation.services.generation.orders import Failed, Order, fresh
from annotation.services.generation.recipes import plan_agent
from annotation.services.generation.tallies import Tallies, finish_runs
from annotation.states import RunState, UnitState

# Orders are placed one at a time, so that two of them never make the same unit.
ORDER_LOCK = 7_201_001


class NothingToGenerate(DuologueError):
    """A run without agents or dialogues."""


class RunHasEnded(DuologueError):
    user_message = "This run has ended; start a new one."


@transaction.atomic
def start_run(
    study: Study | None = None,
    *,
    agents: Iterable[Agent] | None = None,
    dialogues: Iterable[Dialogue] | None = None,
    samples: int = 1,
    now: datetime | None = None,
) -> GenerationRun:
    """Order one response (or `samples`) of every agent to every dialogue; by default those of the study.

    What is there already with equal settings is kept, and what another run is at work on moves to this one. Agents
    without a responder (imported responses) are passed over. Raises NothingToGenerate and NotReady in plain words.
    """
    now = now or timezone.now()
    chosen = list(agents) if agents is not None else agents_of(study) if study else []
    ids = [each.pk for each in dialogues] if dialogues is not None else chosen_dialogues(study) if study else []
    if not chosen or not ids:
        raise NothingToGenerate(f"There is nothing to generate: choose {'dialogues' if chosen else 'agents'} first.")
    plans = [plan_agent(agent) for agent in chosen if agent.responder_id]
    _begin_order()
    run = GenerationRun.objects.create(study=study)
    tallies = Tallies()
    for plan in plans:
        Order(run, plan, ids, tallies).place(samples)
    return _begin(run, tallies, now)


@transaction.atomic
def regenerate(
    responses: Iterable[Response], *, study: Study | None = None, rethink: bool = False, now: datetime | None = None
) -> GenerationRun:
    """Order a new text for each of these responses, with a new seed. The old ones stay, no longer current.

    With `rethink` the skill-of-mind is written again as well. A draft study takes up the new texts when it is launched
    or its comparisons are prepared again; a launched one keeps what it shows.
    """
    now = now or timezone.now()
    _begin_order()
    run = GenerationRun.objects.create(study=study)
    tallies = Tallies()
    groups: dict[tuple[int, int], list[Response]] = {}
    for response in responses:
        groups.setdefault((response.agent_id, response.sample), []).append(response)
    for (_, sample), members in sorted(groups.items()):
        plan = plan_agent(members[0].agent)
        order = Order(run, plan, [each.dialogue_id for each in members], tallies, is_again=True, rethinks=rethink)
        order.place_sample(sample)
    return _begin(run, tallies, now)


def agents_of(study: Study) -> list[Agent]:
    """Return the agents that meet in the study's matchups, each once."""
    pairs = study.matchups.values_list("baseline_id", "treatment_id")
    ids = {identity for pair in pairs for identity in pair}
    related = ("augmenter__model", "augmenter__prompt_set", "prompt_set")
    return list(Agent.objects.filter(pk__in=ids).select_related(*related).order_by("pk"))


def notes_of(study: Study) -> list[tuple[Agent, str]]:
    """Return the agents of a study of which something must be said wherever they appear, with what it is."""
    return [(agent, agent.notes) for agent in agents_of(study) if agent.notes]


@transaction.atomic
def pause(run: GenerationRun, *, now: datetime | None = None) -> bool:
    """Send nothing more for this run; what workers hold is still recorded."""
    is_paused = bool(GenerationRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(state=RunState.PAUSED))
    _move_awaited(_of_others(thinks_first__run=run, run__state=RunState.RUNNING), now=now or timezone.now())
    return is_paused


@transaction.atomic
def resume(run: GenerationRun, *, now: datetime | None = None) -> bool:
    """Go on sending."""
    now = now or timezone.now()
    is_resumed = bool(GenerationRun.objects.filter(pk=run.pk, state=RunState.PAUSED).update(state=RunState.RUNNING))
    _move_awaited(_of_others(run=run, thinks_first__run__state=RunState.PAUSED), now=now)
    finish_runs([run.pk], now=now)
    wake(run)
    return is_resumed


@transaction.atomic
def cancel(run: GenerationRun, *, now: datetime | None = None) -> int:
    """End the run: what is not written yet is given up, also what workers hold. Returns how many units that were.

    Skills-of-mind that another run's responses wait for are not: that run takes them over.
    """
    now = now or timezone.now()
    states = [RunState.RUNNING, RunState.PAUSED]
    if not GenerationRun.objects.filter(pk=run.pk, state__in=states).update(state=RunState.CANCELLED, finished_at=now):
        raise RunHasEnded()
    _move_awaited(_of_others(thinks_first__run=run, run__state__in=states), now=now)
    open_units = run.units.filter(state__in=UnitState.open())
    tallies = Tallies()
    for unit in open_units.order_by("pk").select_for_update().only("pk", "run_id", "stage", "model_id").iterator():
        tallies.add(unit, cancelled=1)
    count = open_units.update(state=UnitState.CANCELLED, token=None, finished_at=now)
    tallies.write(now=now)
    return count


@transaction.atomic
def retry_failed(run: GenerationRun, *, now: datetime | None = None) -> int:
    """Queue the failed units of a run again, from their first attempt. Returns how many.

    A unit that failed for its skill-of-mind waits until that is written again, with a new seed.
    """
    now = now or timezone.now()
    _begin_order()
    tallies = Tallies()
    count = _requeue_thoughts(run, tallies)
    failed = run.units.filter(state=UnitState.FAILED, stage=Stage.RESPOND).order_by("pk")
    groups: dict[tuple[int, int], list[Failed]] = {}
    for agent, sample, *unit in failed.values_list("agent", "sample", "pk", "dialogue", "model").iterator():
        groups.setdefault((agent, sample), []).append(Failed(*unit))
    for (agent, sample), units in sorted(groups.items()):
        plan = plan_agent(Agent.objects.get(pk=agent))
        count += Order(run, plan, [each.dialogue for each in units], tallies).place_again(units, sample)
    GenerationRun.objects.filter(pk=run.pk, state=RunState.DONE).update(state=RunState.RUNNING, finished_at=None)
    _begin(run, tallies, now)
    return count


def _requeue_thoughts(run: GenerationRun, tallies: Tallies) -> int:
    """Queue the failed think units of which no other run has an open twin."""
    open_twin = GenerationUnit.objects.filter(
        stage=Stage.THINK,
        state__in=UnitState.open(),
        dialogue=OuterRef("dialogue"),
        settings_hash=OuterRef("settings_hash"),
        sample=OuterRef("sample"),
    )
    failed = run.units.filter(~Exists(open_twin), state=UnitState.FAILED, stage=Stage.THINK)
    units = list(failed.order_by("pk").values_list("pk", "model"))
    for _, model in units:
        tallies.add_to((run.pk, Stage.THINK, model), failed=-1)
    return GenerationUnit.objects.filter(pk__in=[unit for unit, _ in units]).update(**fresh())


def _of_others(**which: Any) -> QuerySet[GenerationUnit]:
    """Return responses that wait for a skill-of-mind which another run is at work on."""
    return GenerationUnit.objects.filter(state=UnitState.WAITING, **which).exclude(run=F("thinks_first__run"))


def _move_awaited(waiting: QuerySet[GenerationUnit], *, now: datetime) -> None:
    """Let the runs of these responses take over what they wait for: nobody else will write it."""
    heirs = {first: run for first, run in waiting.order_by("-pk").values_list("thinks_first", "run") if first}
    if not heirs:
        return
    tallies = Tallies()
    awaited = GenerationUnit.objects.filter(pk__in=heirs, state__in=UnitState.open())
    moved: dict[int, list[GenerationUnit]] = {}
    for unit in awaited.order_by("pk").select_for_update():
        moved.setdefault(heirs[unit.pk], []).append(unit)
    for heir in GenerationRun.objects.filter(pk__in=moved):
        adopt(moved[heir.pk], heir, tallies)
        wake(heir)
    tallies.write(now=now)


def _begin(run: GenerationRun, tallies: Tallies, now: datetime) -> GenerationRun:
    tallies.write(now=now)
    finish_runs([run.pk], now=now)
    run.refresh_from_db()
    wake(run)
    return run


def _begin_order() -> None:
    """Wait for other orders to end. References are checked with each statement: left to the commit, the database keeps
    84 bytes in memory for every unit until then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ORDER_LOCK])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
