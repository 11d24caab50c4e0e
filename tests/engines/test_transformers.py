"""transformers: the reference engine."""

import json
import shutil
import threading

import pytest
import torch
import transformers

from inference_worker.backends import Completion, EngineError, Failure, Request
from inference_worker.backends.chat import chat_text, require_chat_template
from inference_worker.config import known_models
from inference_worker.prompts import Prompt
from inference_worker.schema import SKILLS, Sampling
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
    size = 4_000_000_000_000
    head = json.dumps({"x": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    with (tmp_path / "more.safetensors").open("wb") as more:
        more.write(len(head).to_bytes(8, "little") + head)
        more.truncate(8 + len(head) + size)
    with pytest.raises(EngineError, match=r"does not fit: its weights have 4,000,00\d MB"):
        load(backend, tmp_path)


def test_a_missing_model_is_named():
    with pytest.raises(EngineError, match="could not load /nowhere/model"):
        load("transformers", "/nowhere/model")


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("dtype", "float7", "float7"),
        ("dtype", 3, "no dtype 3"),
        ("device", "cuda:9", "cuda:9"),
        ("batch_size", 0, "batch_size of transformers must be a whole number from 1, not 0"),
        ("batch_size", "many", "whole number from 1"),
        ("batchsize", 4, "no option 'batchsize'"),
        ("chat_template", "{% for m in %}", "The chat template of .* cannot be used: Expected an expression"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(tiny, name, value, word):
    with pytest.raises(EngineError, match=word):
        load("transformers", tiny, **{name: value})


def half(weights):
    return weights[: len(weights) // 2]


def pointer(weights):
    return b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.mark.parametrize("backend", ["transformers", "vllm"])
@pytest.mark.parametrize("damage", [half, pointer, lambda weights: b""])
def test_weights_that_were_not_fetched_whole_are_named(tiny, tmp_path, backend, damage):
    broken = shutil.copytree(tiny, tmp_path / "broken") / "model.safetensors"
    broken.write_bytes(damage(broken.read_bytes()))
    with pytest.raises(EngineError, match=r"model.safetensors cannot be read to its end: .* Fetch it again"):
        load(backend, broken.parent)


def test_weights_of_another_shape_than_the_model_says_are_refused(tiny, tmp_path):
    other = shutil.copytree(tiny, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"hidden_size": 256}))
    with pytest.raises(EngineError, match="could not load"):
        load("transformers", other)


def test_a_prompt_that_is_too_long_is_one_failure_among_texts(engine):
    long = Request(Prompt("", "exam " * 600), Sampling(max_new_tokens=4), seed=1)
    failed, fine = ask(engine, [long, *thinking(1, max_new_tokens=4)])
    assert isinstance(failed, Failure)
    assert "this model's context holds 512" in failed.reason
    assert isinstance(fine, Completion)


def test_a_text_ends_where_the_context_does(engine):
    (answer,) = ask(engine, [Request(Prompt("", "exam " * 503), Sampling(max_new_tokens=40), seed=1)])
    assert answer.prompt_tokens + answer.completion_tokens == 512
    assert answer.finish_reason == "length"


def test_a_template_that_tells_the_date_tells_the_same_one_every_day(tiny):
    """As those of Llama 3.2 do; else a run written again tomorrow would have other prompts."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    template = (
        "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
        "{{ date_string }}, {{ strftime_now('%B %Y') }}: {{ messages[0]['content'] }}"
    )
    require_chat_template(tokenizer, "tiny", given=template)
    assert chat_text(tokenizer, Prompt("", "Hello.")) == "26 Jul 2024, July 2024: Hello."


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
