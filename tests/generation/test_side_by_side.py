"""Several default workers at once: what two of them do at the same moment happens once."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import close_old_connections, connection

from annotation.models import GenerationRun, GenerationUnit, LanguageModel, Response, RunTally, SkillOfMind
from annotation.services import generation
from annotation.states import RunState, UnitState
from inference_worker.schema import Records
from tests.generation.worker import answer

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run these in threads that start together, each over a connection of its own; return what they gave or raised."""
    start = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int, work: Callable[[], object]) -> None:
        close_old_connections()
        start.wait()
        try:
            results[place] = work()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


@pytest.fixture
def small_batches(study):
    LanguageModel.objects.update(batch_items=1)


def tallies_are_in_step() -> bool:
    """Tallies are counted along with the units: counting the units themselves must give the same."""
    counted = Counter()
    for unit in GenerationUnit.objects.all():
        counted[unit.run_id, unit.stage, unit.model_id, unit.state] += 1
    return all(
        getattr(tally, name) == counted[tally.run_id, tally.stage, tally.model_id, state]
        for tally in RunTally.objects.all()
        for name, state in [
            ("done", UnitState.DONE),
            ("failed", UnitState.FAILED),
            ("cancelled", UnitState.CANCELLED),
        ]
    )


@pytest.fixture
def take_part(crew, broker):
    """Threads have no current Celery app of their own: give them the test's."""

    def take_part(work):
        def inside():
            broker.set_current()
            return work()

        return inside

    return take_part


def test_two_records_of_one_batch_at_once_are_stored_once(study, crew, now):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    records = answer(batch)
    backwards = Records(records.batch, "w2", tuple(reversed(records.records)))
    results = at_once(*[lambda r=r: generation.record(r, now=now) for r in (records, backwards) * 3])
    assert not [result for result in results if isinstance(result, Exception)]
    assert (Response.objects.count(), SkillOfMind.objects.count()) == (5, 5)
    assert tallies_are_in_step()


def test_two_dispatchers_at_once_keep_to_the_bound(study, crew, now, small_batches, take_part):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    at_once(*[take_part(lambda: generation.dispatch(crew.model.pk, now=now))] * 4)
    assert len(crew.take_batches()) == 2
    assert GenerationUnit.objects.filter(state=UnitState.SENT).values("batch").distinct().count() == 2


def test_two_orders_at_once_make_each_unit_once(study, crew, now, take_part):
    results = at_once(*[take_part(lambda: generation.start_run(study, now=now))] * 3)
    assert all(isinstance(result, GenerationRun) for result in results)
    assert GenerationUnit.objects.count() == 15
    crew.work_off(now=now)
    assert Response.objects.count() == 10
    assert tallies_are_in_step()


def test_an_order_while_another_run_is_recorded_misses_nothing(study, crew, now, take_part):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    results = at_once(
        take_part(lambda: generation.start_run(study, now=now)),
        take_part(lambda: generation.record(answer(batch), now=now)),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    crew.work_off(now=now)
    assert Response.objects.filter(is_current=True).count() == Response.objects.count() == 10
    assert not GenerationUnit.objects.filter(state__in=UnitState.open()).exists()
    assert tallies_are_in_step()


def test_a_run_cancelled_while_it_is_recorded_ends_whole(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    results = at_once(
        lambda: generation.cancel(run, now=now),
        lambda: generation.record(answer(batch), now=now),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    assert not GenerationUnit.objects.filter(state__in=UnitState.open()).exists()
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert tallies_are_in_step()


def test_sweeps_at_once_take_everything_back_once(study, crew, now, small_batches):
    LanguageModel.objects.update(batch_items=16)
    generation.start_run(study, now=now)
    crew.announce(now=now)
    crew.dispatch(now=now)
    later = now + generation.LEASE * 2
    results = at_once(*[lambda: generation.sweep(now=later)] * 4)
    assert sum(results) == 10
