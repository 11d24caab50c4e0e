"""What a step costs does not grow with what is already done or still waits: counted in rows touched, not in seconds."""

import pytest
from django.db import connection

from annotation.models import Agent, GenerationRun, GenerationUnit, RunTally
from annotation.services import generation
from annotation.services.generation.recipes import plan_agent
from annotation.services.registry import DEMO_BASELINE
from annotation.states import RunState
from tests.generation.worker import answer, holds

pytestmark = pytest.mark.django_db

_UNITS = """
INSERT INTO annotation_generationunit
    (run_id, stage, state, model_id, dialogue_id, agent_id, settings_hash, sample, seed, attempt, losses, errors,
     worker, reason)
SELECT %(run)s, 'respond', %(state)s, %(model)s, %(dialogue)s, %(agent)s, %(hash)s, n, n, 0, 0, 0, '', ''
FROM generate_series(%(first)s, %(last)s) n
"""


def fill(study, *, state: str, count: int, run_state: str = RunState.RUNNING, analyses: bool = True) -> GenerationRun:
    """Make a run with many units of one state. Without `analyses` the planner goes by what it knew before."""
    plan = plan_agent(Agent.objects.get(name=DEMO_BASELINE))
    run = GenerationRun.objects.create(study=study, state=run_state)
    taken = GenerationUnit.objects.count()
    values = {
        "run": run.pk,
        "state": state,
        "model": plan.model.pk,
        "dialogue": study.collections.get().dialogues.first().pk,
        "agent": plan.agent.pk,
        "hash": plan.settings_hash,
        "first": taken + 1,
        "last": taken + count,
    }
    with connection.cursor() as cursor:
        cursor.execute(_UNITS, values)
        if analyses:
            cursor.execute("ANALYZE annotation_generationunit")
    done = count if state == "done" else 0
    RunTally.objects.create(run=run, stage="respond", model=plan.model, total=count, done=done)
    return run


def rows_touched() -> int:
    """Rows of units that this transaction has read, by whatever way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + COALESCE(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables "
            "WHERE relname = 'annotation_generationunit'"
        )
        return cursor.fetchone()[0]


def costs(study, crew, now) -> dict[str, int]:
    """Rows touched by every step that is repeated while a run goes on."""
    found = {}

    def count(name, step):
        before = rows_touched()
        result = step()
        found[name] = rows_touched() - before
        return result

    run = GenerationRun.objects.filter(state=RunState.RUNNING).latest("pk")
    crew.announce(now=now)
    batches = count("dispatch", lambda: crew.dispatch(now=now))
    count("alive", lambda: crew.announce(now=now, batches=holds(batches[0])))
    count("record", lambda: generation.record(answer(batches[0]), now=now))
    count("sweep", lambda: generation.sweep(now=now))
    count("sweep that finds something", lambda: generation.sweep(now=now + generation.LEASE * 2))
    count("progress", lambda: generation.progress(run, now=now))
    count("pause", lambda: generation.pause(run))
    return found


def test_no_step_gets_dearer_with_a_hundred_thousand_units(study, crew, now):
    fill(study, state="done", count=500)
    fill(study, state="queued", count=500)
    few = costs(study, crew, now)
    GenerationUnit.objects.all().delete()
    GenerationRun.objects.all().delete()
    fill(study, state="done", count=40_000, run_state=RunState.DONE)
    fill(study, state="queued", count=20_000, run_state=RunState.PAUSED)
    fill(study, state="done", count=20_000)
    fill(study, state="queued", count=20_000)
    many = costs(study, crew, now)
    # With few rows the database may read them all, which is no dearer.
    assert {name: cost for name, cost in many.items() if cost > few[name] + 200} == {}
    assert many["dispatch"] < 500


def test_a_batch_reads_no_more_where_the_database_has_not_analysed_the_new_order_yet(study, crew, now):
    fill(study, state="done", count=2000)
    fill(study, state="queued", count=20_000, analyses=False)
    crew.announce(now=now)
    before = rows_touched()
    assert crew.dispatch(now=now)
    assert rows_touched() - before < 500
