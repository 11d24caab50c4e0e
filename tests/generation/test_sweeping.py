"""What is lost is sent again: after a pause, in smaller batches, and not for ever."""

from datetime import timedelta

import pytest
from django.db import connection

from annotation.models import GenerationUnit, LanguageModel, Response
from annotation.services import generation
from annotation.services.generation.endings import LOST, MAX_LOSSES
from annotation.services.generation.leases import LEASE
from annotation.services.generation.sweep import SWEEP_LOCK
from annotation.states import UnitState
from tests.build import make_dialogue
from tests.generation.worker import Crew, answer, holds

pytestmark = pytest.mark.django_db


def go_on_with_a_worker_that_dies_of(poison: int, crew: Crew, now):
    """Run to the end; a batch that holds the poisonous unit takes its worker down. Returns sizes of lost batches."""
    lost = []
    while GenerationUnit.objects.filter(state__in=UnitState.open()).exists():
        crew.announce(now=now)
        batches = crew.dispatch(now=now)
        for batch in batches:
            crew.announce(now=now, batches=holds(batch))
            if poison in {item.unit for item in batch.items}:
                lost.append(len(batch.items))
            else:
                generation.record(answer(batch), now=now)
        now += LEASE + timedelta(minutes=6)
        generation.sweep(now=now)
    return lost


def test_a_message_that_nobody_took_up_is_sent_again_and_nobody_is_blamed(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    crew.dispatch(now=now)
    assert generation.sweep(now=now + LEASE * 2) == 10
    assert set(run.units.values_list("losses", flat=True)) == {0}
    crew.work_off(now=now + LEASE * 3)
    assert generation.progress(run, now=now).done == 15


def test_what_a_worker_ran_when_it_went_silent_is_counted(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    crew.announce(now=now, batches=holds(batch))
    assert generation.sweep(now=now + LEASE * 2) == 10
    assert sum(stage.lost for stage in generation.progress(run, now=now).stages) == 10


def test_a_unit_that_kills_its_worker_is_isolated_and_fails_alone(study, crew, now):
    for number in range(30):
        make_dialogue(collection=study.collections.get(), external_id=f"more{number}")
    run = generation.start_run(study, now=now)
    poison = run.units.filter(augmenter=None, thinks_first=None).order_by("pk")[3]
    lost = go_on_with_a_worker_that_dies_of(poison.pk, crew, now)
    poison.refresh_from_db()
    assert (poison.state, poison.reason) == (UnitState.FAILED, LOST)
    assert lost[-2:] == [1, 1]
    assert len(lost) == MAX_LOSSES
    progress = generation.progress(run, now=now)
    assert (progress.failed, progress.waiting, progress.done) == (1, 0, 104)
    assert Response.objects.count() == 69


def test_a_worker_that_speaks_again_before_the_unit_is_sent_again_keeps_it(study, crew, now):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    crew.announce(now=now, batches=holds(batch))
    generation.sweep(now=now + LEASE * 2)
    crew.announce(now=now + LEASE * 2, batches=holds(batch))
    assert GenerationUnit.objects.filter(state=UnitState.SENT).count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_sweep_beside_another_one_does_nothing(study, crew, now):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    crew.dispatch(now=now)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN; SELECT pg_advisory_xact_lock(%s)", [SWEEP_LOCK])
        assert generation.sweep(now=now + LEASE * 2) == 0
        cursor.execute("ROLLBACK")
    other.close()
    assert generation.sweep(now=now + LEASE * 2) == 10


def test_the_size_of_batches_follows_the_losses(study, crew, now):
    for number in range(30):
        make_dialogue(collection=study.collections.get(), external_id=f"more{number}")
    LanguageModel.objects.update(batch_items=16)
    generation.start_run(study, now=now)
    GenerationUnit.objects.update(losses=1)
    crew.announce(now=now)
    assert {len(batch.items) for batch in crew.dispatch(now=now)} == {4}
