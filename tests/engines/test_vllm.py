"""vLLM on the CPU, against transformers on the same weights."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from inference_worker.backends import Completion, EngineError, Failure, Request
from inference_worker.backends.chat import chat_text, require_chat_template
from inference_worker.backends.vllm import engine_arguments
from inference_worker.backends.vllm_steps import Text
from inference_worker.prompts import Prompt
from inference_worker.schema import SKILLS, ModelSpec, Sampling
from inference_worker.skills import parse_skill_of_mind
from tests.engines.asking import SMALL, ask, load, texts, thinking


@pytest.fixture(scope="module")
def engine(tiny):
    backend = load("vllm", tiny, max_model_len=256, **SMALL)
    yield backend
    backend.close()


def test_greedy_texts_are_those_of_transformers_on_the_same_weights(tiny, engine):
    requests = thinking(24)
    assert texts(ask(engine, requests)) == texts(ask(load("transformers", tiny), requests))


def test_the_same_batch_gives_the_same_texts_again(engine):
    requests = thinking(12, temperature=0.9)
    first = texts(ask(engine, requests))
    assert texts(ask(engine, requests)) == first
    assert len(set(first)) > 6
    assert engine.engine.is_reproducible


def test_more_prompts_than_one_step_can_read_are_drawn_with_seeds_of_their_own(engine):
    requests = thinking(400, temperature=0.9, max_new_tokens=8)
    answers = ask(engine, requests)
    assert sum(answer.prompt_tokens for answer in answers) > 4096
    assert all(isinstance(answer, Completion) for answer in answers)


def test_shares_of_the_engines_time_add_up_to_all_of_it(engine):
    requests = thinking(24)
    began, worked = time.monotonic(), time.thread_time()
    shares = sum(answer.engine_ms for answer in ask(engine, requests)) / 1000
    worked, whole = time.thread_time() - worked, time.monotonic() - began
    rounding = 0.001
    # This thread works at little else than the engine's steps, and no clock on the wall runs slower than its own.
    assert worked / 2 <= shares <= whole + rounding


def test_who_writes_longer_beside_another_has_more_of_the_engines_time(engine):
    longer, shorter = ask(engine, [*thinking(1, max_new_tokens=20), *thinking(1, max_new_tokens=2)])
    assert longer.completion_tokens > shorter.completion_tokens
    assert longer.engine_ms > shorter.engine_ms > 0


def test_a_text_ends_before_a_stop_string(engine):
    for answer in ask(engine, thinking(5, stop=(", so",))):
        assert ", so" not in answer.text
        assert answer.finish_reason == "stop"


def test_a_forced_form_is_kept_by_a_model_that_draws_wildly(engine):
    requests = thinking(6, temperature=2.0, max_new_tokens=120, skills=SKILLS)
    found = [parse_skill_of_mind(answer.text, finish_reason=answer.finish_reason) for answer in ask(engine, requests)]
    assert {thought.outcome for thought in found} <= {"ok", "truncated"}
    assert sum(thought.outcome == "ok" for thought in found) >= 3


def test_the_answer_goes_on_from_its_beginning(engine):
    (answer,) = ask(engine, thinking(1, start="Jonas is worried about"))
    assert answer.text.startswith(" the ")


def test_counts_and_times_are_told(engine):
    (answer,) = ask(engine, thinking(1, max_new_tokens=5))
    assert isinstance(answer, Completion)
    assert (answer.completion_tokens, answer.finish_reason) == (5, "length")
    assert answer.prompt_tokens > 10
    assert answer.first_token_ms > 0


def test_a_prompt_that_is_too_long_is_one_failure_among_texts(engine):
    long = Request(Prompt("", "exam " * 600), Sampling(max_new_tokens=4), seed=1)
    failed, fine = ask(engine, [long, *thinking(1)])
    assert isinstance(failed, Failure)
    assert not failed.can_retry
    assert isinstance(fine, Completion)


def test_a_stop_leaves_nothing_running_in_the_engine(engine):
    stop = threading.Event()
    answers = engine.generate([*thinking(1, max_new_tokens=2), *thinking(40, max_new_tokens=8)], stop)
    next(answers)
    stop.set()
    assert list(answers) == []
    assert len(ask(engine, thinking(3))) == 3


def test_a_template_that_is_given_is_the_one_that_is_used(tiny, engine):
    """vLLM keeps its tokenizers in a pool: a template must reach each of them."""
    tokenizer = engine._llm.get_tokenizer()
    own = tokenizer.chat_template
    try:
        require_chat_template(tokenizer, "tiny", given="{{ strftime_now('%Y') }}: {{ messages[0]['content'] }}")
        assert chat_text(tokenizer, Prompt("", "Hello.")) == "2024: Hello."
    finally:
        tokenizer.chat_template = own


def test_what_breaks_a_step_is_raised_and_the_next_batch_is_written(engine):
    (parameters,) = [engine._parameters(request) for request in thinking(1)]
    # No check of a request looks for it, and the draw cannot work with it.
    parameters.presence_penalty = "much"
    with pytest.raises((TypeError, ValueError), match=r"much|str"):
        list(engine._stepper.write([Text(0, [10, 11], parameters)], threading.Event()))
    assert all(isinstance(answer, Completion) for answer in ask(engine, thinking(3)))


def test_what_breaks_as_a_batch_is_taken_in_is_raised_and_the_next_one_is_written(engine):
    (parameters,) = [engine._parameters(request) for request in thinking(1)]
    with pytest.raises(TypeError):
        list(engine._stepper.write([Text(0, [10, 11], parameters), Text(1, None, parameters)], threading.Event()))
    assert all(isinstance(answer, Completion) for answer in ask(engine, thinking(3)))


def test_options_reach_the_engine():
    options = {
        "tensor_parallel_size": 4,
        "gpu_memory_utilization": 0.8,
        "dtype": "bfloat16",
        "lora": "a",
        "lora_rank": 64,
    }
    found = engine_arguments(ModelSpec("m", "vllm", "org/model", "abc", options | {"respond_start": "x"}))
    assert found == {
        "model": "org/model",
        "revision": "abc",
        "seed": 0,
        "disable_log_stats": True,
        "tensor_parallel_size": 4,
        "gpu_memory_utilization": 0.8,
        "dtype": "bfloat16",
        "enable_lora": True,
        "max_lora_rank": 64,
    }


def test_an_unknown_option_is_named():
    with pytest.raises(EngineError, match="no option 'gpus'"):
        engine_arguments(ModelSpec("m", "vllm", "org/model", "", {"gpus": 2}))


def test_a_missing_model_is_named():
    with pytest.raises(EngineError, match="vLLM could not load /nowhere/model"):
        load("vllm", "/nowhere/model")


def test_a_context_longer_than_the_models_own_is_refused(tiny):
    with pytest.raises(EngineError, match=r"could not load .*max_model_len"):
        load("vllm", tiny, max_model_len=100_000_000, **SMALL)


def counting(words):
    return Request(Prompt("", "exam " * words), Sampling(temperature=0.9, max_new_tokens=12), seed=words)


def lengths(answers):
    return [answer.prompt_tokens for answer in answers]


def test_two_batches_at_once_get_their_own_texts(engine):
    """As a worker with `batches_at_once` asks: two threads, one engine."""
    # Told apart by their lengths: what is drawn beside other texts may differ in the last digits.
    batches = [[counting(words) for words in range(2, 22)], [counting(words) for words in range(30, 37)]]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda requests: lengths(ask(engine, requests)), batches))
    assert together == [lengths(ask(engine, requests)) for requests in batches]
    assert len({length for found in together for length in found}) == 27


def test_a_stop_of_one_batch_leaves_the_other_alone(engine):
    stop = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        # How far the other thread has stepped the engine by then is a matter of luck, but no further than its own
        # texts reach, which end long before these can have the form of a skill-of-mind.
        whole = pool.submit(lambda: texts(ask(engine, thinking(20, max_new_tokens=4))))
        long = thinking(40, temperature=2.0, max_new_tokens=150, skills=SKILLS)
        stopped = engine.generate([*thinking(1, max_new_tokens=1), *long], stop)
        next(stopped)
        stop.set()
        assert list(stopped) == []
        assert len(whole.result()) == 20


def test_a_number_of_batches_that_makes_no_sense_is_named():
    with pytest.raises(EngineError, match="batches_at_once of vllm"):
        load("vllm", "/nowhere/model", batches_at_once=0)
