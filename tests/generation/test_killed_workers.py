"""What happens to a run when its processes are killed: it takes longer, and every text is there once."""

import time

import pytest
from django.db.models import Count

from annotation.models import Backend, GenerationUnit, LanguageModel, Response, RunTally, SkillOfMind
from annotation.services import generation
from annotation.services.registry import own_prompts
from annotation.states import RunState, UnitState
from tests.build import make_agent, make_augmenter, make_collection, make_dialogue
from tests.generation.factory import Factory, connected_to, wait_for

pytestmark = pytest.mark.stack


@pytest.fixture
def factory(django_db_blocker):
    factory = Factory()
    try:
        factory.start_postgres()
        factory.start_broker()
        factory.migrate()
        with django_db_blocker.unblock(), connected_to(factory):
            yield factory
    finally:
        factory.stop()


def make_run(factory: Factory, *, dialogues: int):
    """Order the responses of two agents that one replayed model plays, thinker and responder."""
    model = LanguageModel.objects.create(
        name="Replayed", slug="replayed", backend=Backend.REPLAY, source=str(factory.replay), batch_items=8
    )
    prompts = own_prompts()
    augmenter = make_augmenter(model=model, prompt_set=prompts)
    agents = [
        make_agent(responder=model, prompt_set=prompts),
        make_agent(responder=model, prompt_set=prompts, augmenter=augmenter),
    ]
    collection = make_collection()
    contexts = [make_dialogue(collection=collection) for _ in range(dialogues)]
    return generation.start_run(agents=agents, dialogues=contexts)


def is_done(run) -> bool:
    run.refresh_from_db()
    return run.state == RunState.DONE


def assert_every_text_is_there_once(run, *, dialogues: int) -> None:
    tally = {each.stage: (each.total, each.done, each.failed) for each in RunTally.objects.filter(run=run)}
    assert tally == {"think": (dialogues, dialogues, 0), "respond": (2 * dialogues, 2 * dialogues, 0)}
    assert set(GenerationUnit.objects.values_list("state", flat=True)) == {UnitState.DONE}
    counts = Response.objects.values("dialogue", "agent").annotate(n=Count("pk")).values_list("n", flat=True)
    assert list(counts) == [1] * 2 * dialogues
    assert SkillOfMind.objects.count() == dialogues


@pytest.mark.long
def test_a_model_worker_killed_in_the_middle_costs_time_and_no_text(factory):
    factory.start_default_worker()
    factory.start_beat()
    factory.start_model_worker("model", "replayed", seconds_per_text=0.2)
    run = make_run(factory, dialogues=20)
    wait_for(lambda: Response.objects.exists(), seconds=120, say=factory.words)
    factory.kill("model")
    assert not is_done(run)
    time.sleep(1)
    factory.start_model_worker("model", "replayed", seconds_per_text=0.01)
    wait_for(lambda: is_done(run), seconds=120, say=factory.words)
    assert_every_text_is_there_once(run, dialogues=20)
    assert RunTally.objects.filter(run=run, lost__gt=0).exists()
