"""How long a person would wait: one turn at a time, on engines in processes of their own."""

import io
import json
import sys

import pytest
from django.core.management import CommandError, call_command

from annotation.models import Agent, Backend, GenerationUnit, LanguageModel, Response
from annotation.services import latency
from annotation.services.latency import CannotMeasure, Wait, percentile
from annotation.services.registry import own_prompts
from tests.build import make_agent, make_augmenter, make_collection, make_dialogue, make_matchup, make_study
from tests.generation.factory import write_answers

pytestmark = pytest.mark.django_db


@pytest.fixture
def answers(tmp_path):
    write_answers(tmp_path / "answers.jsonl")
    return tmp_path / "answers.jsonl"


def make_pair(model, **sampling):
    """Two agents on one model, the second one guided by it, on three dialogues of a study."""
    prompts = own_prompts()
    guided = make_augmenter(model=model, prompt_set=prompts, **sampling)
    agents = [
        make_agent(responder=model, prompt_set=prompts, **sampling),
        make_agent(responder=model, prompt_set=prompts, augmenter=guided, **sampling),
    ]
    collection = make_collection()
    dialogues = [make_dialogue(collection=collection) for _ in range(3)]
    study = make_study(collections=[collection])
    make_matchup(study, baseline=agents[0], treatment=agents[1])
    return study, agents, dialogues


def replayed(answers, pace=0.05):
    return LanguageModel.objects.create(
        name="Replayed", slug="r", backend=Backend.REPLAY, source=str(answers), options={"seconds_per_text": pace}
    )


def test_thinking_first_costs_one_text_more(answers):
    _, agents, dialogues = make_pair(replayed(answers))
    alone, unguided, guided = latency.measure(agents, dialogues, python=sys.executable)
    assert [each.thinks for each in (alone, unguided, guided)] == [False, False, True]
    assert {each.turns for each in (alone, unguided, guided)} == {3}
    # No upper bounds: how long a busy machine takes is nobody's to promise.
    assert unguided.last.p50 >= 0.05
    assert guided.last.p50 >= 0.1
    # A file does not tell when its first token came.
    assert guided.first is None
    assert not GenerationUnit.objects.exists()
    assert not Response.objects.exists()


@pytest.mark.model
@pytest.mark.long
def test_a_real_engine_tells_when_its_first_token_came():
    model = LanguageModel.objects.create(
        name="Small", slug="s", backend=Backend.LLAMACPP, source="packaged:smollm2-135m-instruct"
    )
    _, agents, dialogues = make_pair(model, max_new_tokens=32)
    agents[1].augmenter.uses_grammar = True
    alone, guided = latency.measure([agents[1]], dialogues[:1], python=sys.executable)
    assert 0 < alone.first.p50 < alone.last.p50
    assert 0 < guided.first.p50 < guided.last.p50
    assert guided.failed == 0


def test_a_thought_that_lacks_a_part_is_a_failed_turn(tmp_path):
    file = tmp_path / "answers.jsonl"
    file.write_text(json.dumps({"text": "No marker here."}))
    _, agents, dialogues = make_pair(replayed(file, pace=0))
    alone, guided = latency.measure([agents[1]], dialogues, python=sys.executable)
    assert (alone.turns, guided.turns, guided.failed, guided.last) == (3, 0, 3, None)


def test_an_engine_that_does_not_start_says_why(tmp_path):
    _, agents, dialogues = make_pair(replayed(tmp_path / "nothing.jsonl"))
    with pytest.raises(CannotMeasure, match="Replayed cannot be asked here: There is no file"):
        list(latency.measure(agents, dialogues, python=sys.executable))


def test_the_command_prints_a_table_and_writes_json(answers, tmp_path, capsys):
    study, agents, _ = make_pair(replayed(answers, pace=0))
    call_command("measure_latency", str(study.code), turns=2, json=tmp_path / "found.json", agent=[agents[1].name])
    said = capsys.readouterr().out
    assert "think, respond" in said
    assert "not told" in said
    assert [each["thinks"] for each in json.loads((tmp_path / "found.json").read_text())] == [False, True]


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ({"turns": 0}, "1 or more"),
        ({"agent": ["nobody"]}, "No agent of this study"),
        ({"engine_python": "/nowhere/python"}, "/nowhere/python cannot be started"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_reason(answers, over, sentence):
    study, _, _ = make_pair(replayed(answers))
    with pytest.raises(CommandError, match=sentence):
        call_command("measure_latency", str(study.code), stdout=io.StringIO(), **over)


def test_percentiles_lie_between_values():
    assert percentile([4.0], 0.95) == 4.0
    assert percentile([1.0, 2.0, 3.0, 4.0, 5.0], 0.95) == pytest.approx(4.8)
    assert Wait.of([1.0, None]) is None
    assert Wait.of([3.0, 1.0, 2.0]) == Wait(2.0, pytest.approx(2.9))


def test_the_agent_itself_is_left_as_it_is(answers):
    _, agents, dialogues = make_pair(replayed(answers, pace=0))
    list(latency.measure([agents[1]], dialogues[:1], python=sys.executable))
    assert Agent.objects.get(pk=agents[1].pk).augmenter is not None
