"""Batches go out under a lease, bounded in number and size, and only to workers that are there."""

from datetime import timedelta

import pytest
from celery import Celery

from annotation.models import Agent, Backend, GenerationUnit, LanguageModel, Stage
from annotation.services import generation
from annotation.services.generation.dispatch import limits_of
from annotation.services.generation.leases import LEASE, LONGEST_WAIT
from annotation.services.generation.recipes import plan_agent
from annotation.services.registry import DEMO_BASELINE
from annotation.states import UnitState
from inference_worker.schema import SKILLS
from tests.build import make_dialogue, make_model
from tests.generation.worker import answer, holds

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_batches(study):
    LanguageModel.objects.update(batch_items=2)


def fill(study, count):
    for number in range(count):
        make_dialogue(collection=study.collections.get(), external_id=f"more {number}")


def states(run):
    return sorted(run.units.values_list("state", flat=True))


def test_nothing_is_sent_while_no_worker_is_there(study, crew, now):
    run = generation.start_run(study, now=now)
    assert crew.dispatch(now=now) == []
    assert UnitState.SENT not in states(run)


def test_nothing_is_sent_to_a_worker_that_went_silent(study, crew, now):
    generation.start_run(study, now=now)
    crew.announce(now=now - timedelta(minutes=5))
    assert crew.dispatch(now=now) == []


def test_nothing_is_sent_to_a_worker_that_is_stopping(study, crew, now):
    generation.start_run(study, now=now)
    crew.announce(now=now, stopping=True)
    assert crew.dispatch(now=now) == []


def test_batches_in_flight_are_bounded_by_the_workers(study, crew, now, small_batches):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    assert len(crew.dispatch(now=now)) == 2
    assert crew.dispatch(now=now) == []
    crew.announce(now=now, worker="w2")
    assert len(crew.dispatch(now=now)) == 2


def test_an_engine_that_takes_texts_up_while_it_writes_waits_for_a_short_batch_only(study, crew, now):
    LanguageModel.objects.update(backend=Backend.VLLM)
    fill(study, 200)
    generation.start_run(study, now=now)
    crew.announce(now=now)
    first, second = crew.dispatch(now=now)
    assert len(first.items) == limits_of(LanguageModel.objects.get(slug=first.model.slug)).first == 64
    assert len(second.items) > 100


def test_a_first_batch_is_no_longer_than_the_models_own_limit(study, crew, now, small_batches):
    LanguageModel.objects.update(backend=Backend.VLLM)
    generation.start_run(study, now=now)
    crew.announce(now=now)
    assert [len(batch.items) for batch in crew.dispatch(now=now)] == [2, 2]


@pytest.mark.parametrize(("pace", "texts"), [(0.0, 16), (60.0, 16), (400.0, 48), (5000.0, 128)])
def test_a_fast_model_of_llamacpp_gets_as_much_as_it_does_in_ten_seconds(study, crew, now, pace, texts):
    fill(study, 300)
    generation.start_run(study, now=now)
    crew.announce(now=now, tokens_per_second=pace)
    assert {len(batch.items) for batch in crew.dispatch(now=now)} == {texts}


def test_the_slowest_of_several_workers_sets_the_size_of_a_batch(study, crew, now):
    fill(study, 300)
    generation.start_run(study, now=now)
    crew.announce(now=now, tokens_per_second=5000.0)
    crew.announce(now=now, worker="w2", tokens_per_second=60.0)
    assert {len(batch.items) for batch in crew.dispatch(now=now)} == {16}


def test_a_models_own_limits_hold_for_a_fast_worker_too(study, crew, now, small_batches):
    fill(study, 300)
    generation.start_run(study, now=now)
    crew.announce(now=now, tokens_per_second=5000.0)
    assert {len(batch.items) for batch in crew.dispatch(now=now)} == {2}


def test_a_recorded_batch_makes_room_for_the_next(study, crew, now, small_batches):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    first, _ = crew.dispatch(now=now)
    generation.record(answer(first), now=now)
    assert len(crew.dispatch(now=now)) == 1


def test_a_batch_keeps_to_its_tokens(study, crew, now):
    for number in range(4):
        turns = [{"speaker": "Ana", "text": "word " * 2000}]
        make_dialogue(collection=study.collections.get(), external_id=f"long{number}", turns=turns)
    LanguageModel.objects.update(batch_tokens=6000)
    generation.start_run(study, now=now)
    crew.announce(now=now, worker="w2")
    crew.announce(now=now, worker="w3")
    sizes = [len(batch.items) for batch in crew.dispatch(now=now)]
    assert max(sizes) < 9
    assert min(sizes) >= 1


def test_a_text_larger_than_a_batch_is_sent_alone(study, crew, now):
    LanguageModel.objects.update(batch_tokens=1)
    generation.start_run(study, now=now)
    crew.announce(now=now)
    assert [len(batch.items) for batch in crew.dispatch(now=now)] == [1, 1]


def test_a_batch_carries_all_that_its_worker_needs(study, crew, now):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    think = next(recipe for recipe in batch.recipes.values() if recipe.stage == Stage.THINK)
    assert (think.skills, think.skill_grammar) == (SKILLS, True)
    item = next(item for item in batch.items if batch.recipes[item.recipe] == think)
    unit = GenerationUnit.objects.select_related("dialogue").get(pk=item.unit)
    assert [turn.text for turn in item.turns] == [turn["text"] for turn in unit.dialogue.turns]
    assert (item.token, item.seed) == (str(unit.token), unit.seed)
    assert batch.model.slug == crew.model.slug


def test_guidance_travels_with_the_response_that_waited_for_it(study, crew, now):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    for batch in crew.dispatch(now=now):
        generation.record(answer(batch), now=now)
    (batch,) = crew.dispatch(now=now)
    assert {(item.explanation, item.skill) for item in batch.items} == {("She is sad.", "Empathy")}


def test_a_paused_run_sends_nothing_and_a_resumed_one_goes_on(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    assert generation.pause(run)
    assert crew.dispatch(now=now) == []
    assert generation.resume(run, now=now)
    assert crew.dispatch(now=now)


def test_what_workers_hold_is_recorded_while_a_run_is_paused(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    batches = crew.dispatch(now=now)
    generation.pause(run)
    for batch in batches:
        generation.record(answer(batch), now=now)
    assert generation.progress(run, now=now).done == 10


def test_a_cancelled_run_gives_up_what_workers_hold(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    assert generation.cancel(run, now=now) == 15
    generation.record(answer(batch), now=now)
    assert set(states(run)) == {UnitState.CANCELLED}
    assert generation.progress(run, now=now).waiting == 0
    with pytest.raises(generation.RunHasEnded):
        generation.cancel(run, now=now)


def test_a_broker_that_is_down_loses_nothing(study, crew, now):
    run = generation.start_run(study, now=now)
    crew.announce(now=now)
    down = Celery("down", broker="amqp://127.0.0.1:1//", set_as_current=True)
    crew.dispatch(now=now)
    down.close()
    crew.broker.set_current()
    assert UnitState.SENT not in states(run)
    later = now + timedelta(seconds=11)
    crew.work_off(now=later)
    assert generation.progress(run, now=later).done == 15


def test_units_whose_agent_was_changed_meanwhile_fail_and_say_so(study, crew, now):
    run = generation.start_run(study, now=now)
    Agent.objects.filter(name=DEMO_BASELINE).update(temperature=0.1)
    crew.work_off(now=now)
    failed = run.units.filter(state=UnitState.FAILED)
    assert set(failed.values_list("agent__name", flat=True)) == {DEMO_BASELINE}
    assert set(failed.values_list("reason", flat=True)) == {
        "Its settings were changed after the run was started. Start a new run."
    }
    generation.retry_failed(run, now=now)
    crew.work_off(now=now)
    assert generation.progress(run, now=now).done == 15


def test_what_is_retried_goes_to_the_responder_that_the_agent_has_by_now(study, crew, now):
    agent = Agent.objects.get(name=DEMO_BASELINE)
    run = generation.start_run(agents=[agent], dialogues=study.collections.get().dialogues.all(), now=now)
    before, after = agent.responder, make_model(slug="other")
    crew.announce(now=now)
    batch = crew.dispatch(now=now)[0]
    generation.record(answer(batch, error="Broken."), now=now)
    Agent.objects.filter(pk=agent.pk).update(responder=after)
    assert generation.retry_failed(run, now=now) == 5
    assert set(run.units.values_list("model", "state", "settings_hash")) == {
        (after.pk, UnitState.QUEUED, plan_agent(Agent.objects.get(pk=agent.pk)).settings_hash)
    }
    assert dict(run.tallies.values_list("model", "total")) == {before.pk: 0, after.pk: 5}
    assert set(run.tallies.values_list("failed", flat=True)) == {0}


def test_the_oldest_run_comes_first(study, crew, now, small_batches):
    generation.start_run(study, now=now)
    later = generation.start_run(
        agents=[Agent.objects.get(name=DEMO_BASELINE)], dialogues=[make_dialogue() for _ in range(2)], now=now
    )
    crew.announce(now=now)
    sent = {item.unit for batch in crew.dispatch(now=now) for item in batch.items}
    assert not later.units.filter(pk__in=sent).exists()


def test_the_lease_of_a_batch_that_a_worker_runs_is_renewed(study, crew, now, small_batches):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    running, waiting = crew.dispatch(now=now)
    later = now + LEASE * 0.9
    crew.announce(now=later, batches=holds(running))
    assert generation.sweep(now=now + LEASE * 1.5) == 0
    assert GenerationUnit.objects.get(pk=waiting.items[0].unit).worker == ""
    assert generation.sweep(now=later + LEASE * 1.1) == 4


def test_a_lease_that_runs_for_long_yet_is_left_alone(study, crew, now, small_batches):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    running, _ = crew.dispatch(now=now)
    crew.announce(now=now, batches=holds(running))
    crew.announce(now=now + LEASE * 0.1, batches=holds(running))
    assert set(GenerationUnit.objects.exclude(worker="").values_list("lease_until", flat=True)) == {now + LEASE}
    crew.announce(now=now + LEASE * 0.3, batches=holds(running))
    assert set(GenerationUnit.objects.exclude(worker="").values_list("lease_until", flat=True)) == {now + LEASE * 1.3}


def test_a_message_that_waits_for_too_long_beside_others_was_lost(study, crew, now, small_batches):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    running, _ = crew.dispatch(now=now)
    while now < crew.sent_at() + LONGEST_WAIT:
        now += LEASE * 0.9
        crew.announce(now=now, batches=holds(running))
    assert generation.sweep(now=now + LEASE * 0.9) == 2


def test_an_idle_worker_renews_nothing(study, crew, now):
    generation.start_run(study, now=now)
    crew.announce(now=now)
    (batch,) = crew.dispatch(now=now)
    crew.announce(now=now + LEASE * 0.9)
    assert generation.sweep(now=now + LEASE * 1.1) == len(batch.items)
