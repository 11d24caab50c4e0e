"""What becomes of the items of a batch, each by itself. The engine is the replay of a file."""

import threading
from dataclasses import replace

import pytest

from inference_worker.backends import load_backend
from inference_worker.batches import generate_isolated, run_batch
from inference_worker.prompts import render
from tests.inference.made import make_batch, make_item, make_recipe, make_spec, write_replies


@pytest.fixture
def replies(tmp_path):
    return write_replies(
        tmp_path / "replies.jsonl",
        {"text": "Mina: I will ask them.", "contains": "hospital"},
        {"text": "I want to know more. [RESULT SKILL] Clarification", "contains": "### Explanation"},
        {"error": "The recorded system refused.", "contains": "wet beach"},
        {"text": "I see."},
    )


def run(batch, path, *, stop=None, served=None):
    backend = load_backend(replace(batch.model, source=str(path)))
    return {
        record.unit: record for record in run_batch(batch, backend, served or batch.model, stop or threading.Event())
    }


def test_each_item_gets_its_text_and_where_it_came_from(replies):
    records = run(make_batch(3), replies)
    assert [records[unit].text for unit in (1, 2, 3)] == ["I see."] * 3
    provenance = records[1].provenance
    assert provenance.prompt_sha256 == render(make_recipe(), make_item(1)).sha256()
    assert (provenance.engine, provenance.seed, provenance.finish_reason) == ("replay", 1, "stop")
    assert provenance.revision.startswith("sha256:")
    assert provenance.reproducible


def test_a_thought_is_read_and_kept_raw(replies):
    record = run(make_batch([make_item(1, recipe="t")], t=make_recipe("think")), replies)[1]
    assert record.text == "I want to know more. [RESULT SKILL] Clarification"
    assert (record.thought.outcome, record.thought.skill) == ("ok", "Clarification")


def test_a_rationale_needs_no_marker(replies):
    recipe = make_recipe("doctor", reads="rationale")
    thought = run(make_batch([make_item(1, recipe="t")], t=recipe), replies)[1].thought
    assert (thought.outcome, thought.skill) == ("ok", "")


def test_the_begun_answer_belongs_to_a_thought_and_not_to_a_response(replies):
    spec = make_spec(options={"think_start": "I notice that", "respond_start": "{next_speaker}:"})
    items = [make_item(1), make_item(2, recipe="t")]
    records = run(make_batch(items, spec=spec, r=make_recipe(), t=make_recipe("think")), replies)
    assert records[1].text == "I see."
    assert records[2].text.startswith("I notice that")
    assert records[1].provenance.prompt_sha256 != run(make_batch(items[:1]), replies)[1].provenance.prompt_sha256


def test_the_models_repetition_penalty_is_recorded(replies):
    spec = make_spec(options={"repetition_penalty": 1.1})
    assert run(make_batch(1, spec=spec), replies)[1].provenance.sampling.repetition_penalty == 1.1


def test_one_bad_item_does_not_take_the_others_along(replies):
    items = [make_item(1), make_item(2, recipe="missing"), make_item(5), make_item(3, recipe="both")]
    records = run(make_batch(items, r=make_recipe(), both=make_recipe("both")), replies)
    assert records[1].text == "I see."
    assert "no recipe 'missing'" in records[2].error
    assert records[5].error == "The recorded system refused."
    assert "{explanation}" in records[3].error
    assert not any(record.can_retry for record in records.values())


@pytest.mark.parametrize("field", ["slug", "backend", "source", "revision"])
def test_a_batch_for_another_model_is_refused(replies, field):
    batch = make_batch(2)
    records = run(batch, replies, served=replace(batch.model, **{field: "other"}))
    assert all(f"model with {field}" in record.error and not record.can_retry for record in records.values())


@pytest.mark.parametrize("options", [{}, {"lora": "other"}, {"lora": "thanos", "quantization": "fp8"}])
def test_a_batch_for_other_weights_of_the_same_source_is_refused(replies, options):
    batch = make_batch(1, spec=make_spec(options={"lora": "thanos"}))
    record = run(batch, replies, served=replace(batch.model, options=options))[1]
    assert "start a worker for the model as it stands in the registry" in record.error
    assert run(batch, replies, served=replace(batch.model, options={"lora": "thanos", "dtype": "float32"}))[1].text


def test_what_a_stopped_worker_did_not_write_is_handed_back(replies):
    stop = threading.Event()
    stop.set()
    records = run(make_batch(2), replies, stop=stop)
    assert all(record.handed_back and record.can_retry for record in records.values())


class Breaking:
    """An engine that breaks, whole batch and all, wherever a certain text is in it."""

    def __init__(self, backend, bad_seed):
        self.backend, self.bad_seed, self.calls = backend, bad_seed, 0

    def generate(self, requests, stop):
        self.calls += 1
        if any(request.seed == self.bad_seed for request in requests):
            raise RuntimeError("kernel panic")
        yield from self.backend.generate(requests, stop)


def test_an_item_that_breaks_its_batch_is_found_by_splitting(replies):
    batch = make_batch(16)
    whole = load_backend(replace(batch.model, source=str(replies)))
    engine = Breaking(whole, bad_seed=11)
    engine.engine = whole.engine
    records = {record.unit: record for record in run_batch(batch, engine, batch.model, threading.Event())}
    assert len(records) == 16
    assert [unit for unit, record in records.items() if record.error and "kernel panic" in record.error] == [11]
    assert records[11].can_retry
    assert engine.calls == 9


def test_an_engine_that_breaks_on_everything_ends(replies):
    class Broken:
        def generate(self, requests, stop):
            raise RuntimeError("gone")

    requests = [object()] * 5
    answers = dict(generate_isolated(Broken(), requests, threading.Event()))
    assert sorted(answers) == [0, 1, 2, 3, 4]
