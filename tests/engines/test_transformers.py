"""transformers: the reference engine."""

import threading

import pytest
import torch
import transformers

from inference_worker.backends import EngineError, Failure
from inference_worker.backends.chat import chat_text, require_chat_template
from inference_worker.config import known_models
from inference_worker.prompts import Prompt
from inference_worker.schema import SKILLS
from inference_worker.skills import parse_skill_of_mind
from tests.engines.asking import ask, load, texts, thinking
from tests.engines.models import TEMPLATE


@pytest.fixture(scope="module")
def engine(tiny):
    return load("transformers", tiny, batch_size=4)


def test_the_trained_model_writes_well_formed_skills_of_mind(engine):
    for answer in ask(engine, thinking(8)):
        thought = parse_skill_of_mind(answer.text, finish_reason=answer.finish_reason)
        assert thought.outcome == "ok", answer.text


def test_a_text_does_not_change_with_its_neighbours(tiny, engine):
    alone = load("transformers", tiny, batch_size=1)
    for temperature in (0.0, 0.9):
        requests = thinking(6, temperature=temperature)
        assert texts(ask(engine, requests)) == texts(ask(alone, requests))


def test_the_same_seed_draws_the_same_text_and_another_seed_another(engine):
    (request,) = thinking(1, temperature=1.2)
    same = ask(engine, [request] * 4)
    assert len(set(texts(same))) == 1
    others = ask(engine, [type(request)(request.prompt, request.sampling, seed) for seed in range(8)])
    assert len(set(texts(others))) > 1


def test_a_small_top_p_is_greedy(engine):
    assert texts(ask(engine, thinking(4, temperature=1.5, top_p=0.001))) == texts(ask(engine, thinking(4)))


def test_draws_follow_the_probabilities_of_the_model():
    from inference_worker.backends.transformers_sampling import Draw

    scores = torch.log(torch.tensor([[0.7, 0.2, 0.1]])).repeat(4000, 1)
    drawn = Draw(torch, 1.0, 1.0, range(4000))(None, scores).argmax(-1)
    shares = torch.bincount(drawn, minlength=3) / 4000
    assert torch.allclose(shares, torch.tensor([0.7, 0.2, 0.1]), atol=0.03)
    kept = Draw(torch, 1.0, 0.85, range(4000))(None, scores).argmax(-1)
    assert torch.bincount(kept, minlength=3)[2] == 0
    assert torch.bincount(kept, minlength=3)[1] > 0


def test_a_text_ends_before_a_stop_string(engine):
    for answer in ask(engine, thinking(5, stop=(", so",))):
        assert ", so" not in answer.text
        assert answer.text
        assert answer.finish_reason == "stop"


def test_a_text_that_runs_out_of_tokens_says_so(engine):
    for answer in ask(engine, thinking(5, max_new_tokens=3)):
        assert (answer.completion_tokens, answer.finish_reason) == (3, "length")


def test_the_answer_goes_on_from_its_beginning(engine):
    (answer,) = ask(engine, thinking(1, start="Jonas is worried about"))
    assert answer.text.startswith(" the ")


def test_what_is_sampled_differently_is_not_mixed_up(engine):
    requests = [*thinking(3, max_new_tokens=2), *thinking(3, max_new_tokens=5)]
    assert [answer.completion_tokens for answer in ask(engine, requests)] == [2, 2, 2, 5, 5, 5]


def test_a_stop_ends_a_batch_within_a_token(engine):
    stop = threading.Event()
    answers = engine.generate(thinking(12), stop)
    next(answers)
    stop.set()
    assert len(list(answers)) < 4


def test_a_forced_form_is_refused_with_a_reason(engine):
    (answer,) = ask(engine, thinking(1, skills=SKILLS))
    assert isinstance(answer, Failure)
    assert "cannot force the form" in answer.reason


def test_the_record_says_what_ran(engine):
    assert engine.engine.revision.startswith("sha256:")
    assert engine.engine.version.startswith(transformers.__version__)
    assert engine.engine.device == "cpu, float32"
    assert engine.engine.is_reproducible


def test_a_model_without_chat_template_is_refused_unless_one_is_given(tiny, tmp_path, engine):
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).symlink_to(tiny / name)
    with pytest.raises(EngineError, match="has no chat template"):
        load("transformers", tmp_path)
    given = load("transformers", tmp_path, chat_template=TEMPLATE)
    assert texts(ask(given, thinking(4))) == texts(ask(engine, thinking(4)))


def test_the_template_that_comes_with_vicuna_writes_its_form(tiny):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny, bos_token="<s>")
    require_chat_template(tokenizer, "vicuna", given=known_models()["vicuna-7b"]["options"]["chat_template"])
    assert chat_text(tokenizer, Prompt("Be kind.", "Hello.")) == "<s>Be kind. USER: Hello. ASSISTANT:"


@pytest.mark.parametrize("backend", ["transformers", "vllm"])
def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(tiny, tmp_path, backend):
    for file in tiny.iterdir():
        (tmp_path / file.name).symlink_to(file)
    with (tmp_path / "more.safetensors").open("wb") as more:
        more.truncate(4_000_000_000_000)
    with pytest.raises(EngineError, match=r"does not fit: its weights have 4,000,00\d MB"):
        load(backend, tmp_path)


def test_a_missing_model_is_named():
    with pytest.raises(EngineError, match="could not load /nowhere/model"):
        load("transformers", "/nowhere/model")


@pytest.mark.parametrize(("name", "value"), [("dtype", "float7"), ("device", "cuda:9")])
def test_an_option_that_makes_no_sense_is_named(tiny, name, value):
    with pytest.raises(EngineError, match=value):
        load("transformers", tiny, **{name: value})


def test_a_seq2seq_model_answers_without_a_template(tiny, tmp_path):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=1,
        num_heads=2,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    torch.manual_seed(1)
    transformers.T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    answers = ask(load("transformers", tmp_path, batch_size=2), thinking(3, max_new_tokens=6, temperature=1.0))
    assert all(0 < answer.completion_tokens <= 6 for answer in answers)
