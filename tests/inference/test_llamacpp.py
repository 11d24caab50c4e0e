"""The embedded engine with the packaged model, for real."""

import contextlib
import functools
import shutil
import struct
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_worker.backends import Completion, EngineError, Failure, Request, load_backend
from inference_worker.backends.gguf_file import NotGguf, read_head
from inference_worker.prompts import Prompt, render
from inference_worker.schema import SKILLS, Sampling
from inference_worker.skills import parse_skill_of_mind
from inference_worker.weights import find_weights, sha256_of
from tests.inference.made import DIALOGUES, make_item, make_recipe, make_spec

SOURCE = "packaged:smollm2-135m-instruct"


def load(**options):
    return load_backend(make_spec(backend="llamacpp", source=SOURCE, options=options))


@pytest.fixture(scope="module")
def engine():
    backend = load(n_ctx=1024)
    yield backend
    backend.close()


def ask(backend, *requests, stop=None):
    return dict(backend.generate(requests, stop or threading.Event()))


def texts(answers):
    return [answers[index].text for index in sorted(answers)]


def responses(count, **sampling):
    given = Sampling(**{"temperature": 0.8, "max_new_tokens": 16} | sampling)
    return [Request(render(make_recipe(), make_item(unit)), given, seed=unit) for unit in range(count)]


@pytest.mark.model
def test_the_record_names_the_weights_by_their_hash(engine):
    assert engine.engine.revision == "sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert engine.engine.is_reproducible


@pytest.mark.long
@pytest.mark.model
def test_forty_tokens_always_reach_a_known_skill(engine):
    sampling = Sampling(temperature=0.9, max_new_tokens=40, repetition_penalty=1.1)
    recipe = make_recipe("think")
    requests = [
        Request(render(recipe, make_item(unit), start="I notice that"), sampling, seed=unit, skills=SKILLS)
        for unit in range(2 * len(DIALOGUES))
    ]
    answers = ask(engine, *requests)
    assert len(answers) == len(requests)
    for answer in answers.values():
        thought = parse_skill_of_mind(answer.text, finish_reason=answer.finish_reason)
        assert thought.outcome == "ok", answer.text
        assert answer.completion_tokens <= 40


@pytest.mark.model
def test_the_longest_skills_fit_behind_an_explanation_that_runs_out_of_tokens(engine):
    sampling = Sampling(temperature=0.0, max_new_tokens=40)
    for skill in sorted(SKILLS, key=len)[-8:]:
        prompt = Prompt("", "Count up from one to a thousand in words.", start="One, two, three,")
        answer = ask(engine, Request(prompt, sampling, seed=1, skills=(skill,)))[0]
        assert answer.text.endswith(f"… [RESULT SKILL] {skill}")
        assert answer.completion_tokens <= 40


@pytest.mark.long
@pytest.mark.model
def test_the_same_batch_gives_the_same_texts_whatever_came_before(engine):
    first = ask(engine, *responses(4))
    ask(engine, *responses(6, temperature=0.2))
    assert {n: answer.text for n, answer in ask(engine, *responses(4)).items()} == {
        n: answer.text for n, answer in first.items()
    }


@pytest.mark.model
def test_another_seed_gives_another_text(engine):
    (request,) = responses(1)
    texts = {ask(engine, Request(request.prompt, request.sampling, seed))[0].text for seed in range(4)}
    assert len(texts) > 1


@pytest.mark.model
def test_several_slots_answer_all_and_promise_nothing():
    backend = load(slots=3, n_ctx=512)
    answers = ask(backend, *responses(5))
    assert sorted(answers) == [0, 1, 2, 3, 4]
    assert all(isinstance(answer, Completion) for answer in answers.values())
    assert not backend.engine.is_reproducible
    backend.close()


@pytest.mark.model
def test_a_text_ends_before_a_stop_string(engine):
    prompt = Prompt("", "Say the alphabet, letters only.", start="A B C D")
    whole = ask(engine, Request(prompt, Sampling(max_new_tokens=12), 1))[0]
    word = whole.text.split()[2]
    cut = ask(engine, Request(prompt, Sampling(max_new_tokens=12, stop=(f" {word}",)), 1))[0]
    assert cut.text == whole.text.split(f" {word}")[0]
    assert cut.finish_reason == "stop"


@pytest.mark.model
def test_a_prompt_that_is_too_long_is_one_failure_among_texts(engine):
    (request,) = responses(1)
    long = Request(Prompt("", "word " * 3000), Sampling(max_new_tokens=8), 1)
    answers = ask(engine, long, request)
    assert isinstance(answers[1], Completion)
    assert isinstance(answers[0], Failure)
    assert "this worker's context holds 1024" in answers[0].reason
    assert not answers[0].can_retry


class SetWhenAskedOften(threading.Event):
    """A stop that comes in the middle of a text on machines of any speed."""

    def __init__(self, times):
        super().__init__()
        self.left = times

    def is_set(self):
        self.left -= 1
        if self.left < 0:
            self.set()
        return super().is_set()


@pytest.mark.model
def test_a_stop_is_heard_within_a_text(engine):
    stop = SetWhenAskedOften(6)
    engine._pace.note(seconds=1, tokens=1)
    assert ask(engine, *responses(2, max_new_tokens=200, temperature=1.5), stop=stop) == {}


@pytest.mark.model
def test_short_texts_come_whole_and_are_the_same_as_streamed_ones(engine):
    (request,) = responses(1, max_new_tokens=6, temperature=0.9)
    engine._pace.note(seconds=3600, tokens=1)
    assert not engine._pace.is_short(6)
    (streamed,) = ask(engine, request).values()
    engine._pace.note(seconds=0.0001, tokens=1)
    assert engine._pace.is_short(6)
    (whole,) = ask(engine, request).values()
    assert whole == replace(streamed, first_token_ms=whole.first_token_ms)
    assert whole.first_token_ms > 0


def gguf(path, metadata):
    """Write the head of a GGUF file with text values."""
    pairs = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in metadata.items())
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, len(metadata)) + pairs)
    return path


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def test_a_model_without_chat_template_is_refused(tmp_path):
    path = gguf(tmp_path / "base.gguf", {"general.architecture": "llama"})
    with pytest.raises(EngineError, match=r"base\.gguf has no chat template.*choose an instruct model"):
        load_backend(make_spec(backend="llamacpp", source=str(path)))


@pytest.mark.parametrize("content", [b"", b"GGUF", b"PK\x03\x04" + b"0" * 40, b"GGUF\x03\0\0\0" + b"\xff" * 64])
def test_a_file_that_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=r"broken\.gguf"):
        load_backend(make_spec(backend="llamacpp", source=str(path)))


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(tmp_path):
    path = gguf(tmp_path / "huge.gguf", {"general.architecture": "llama", "tokenizer.chat_template": "x"})
    with path.open("ab") as file:
        file.truncate(4_000_000_000_000)
    with pytest.raises(EngineError, match=r"huge\.gguf needs about .* MB of memory"):
        load_backend(make_spec(backend="llamacpp", source=str(path)))


@pytest.mark.model
def test_contexts_that_do_not_fit_are_refused_before_they_are_made():
    with pytest.raises(EngineError, match=r"MB for the contexts of 100000 slots.*fewer slots"):
        load(slots=100_000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slots", 0),
        ("slots", True),
        ("slots", 257),
        ("n_ctx", "many"),
        ("threads", -1),
        ("threads", 9999),
        ("chat_template", 3),
    ],
)
def test_an_option_that_makes_no_sense_is_named(name, value):
    with pytest.raises(EngineError, match=f"The option {name} of llamacpp"):
        load_backend(make_spec(backend="llamacpp", source=SOURCE, options={name: value}))


@pytest.mark.model
@pytest.mark.parametrize(("slots", "n_ctx", "words"), [(257, 64, "at most 256, not 257"), (1, 1, "at least 64, not 1")])
def test_what_would_make_the_engine_end_the_process_is_refused(slots, n_ctx, words):
    with pytest.raises(EngineError, match=words):
        load(slots=slots, n_ctx=n_ctx)


@pytest.mark.model
@pytest.mark.parametrize("template", ["{% for m in %}", "{{ raise_exception('Not today.') }}"])
def test_a_chat_template_that_cannot_be_used_stops_the_worker_at_the_start(template):
    with pytest.raises(EngineError, match="chat template"):
        load(chat_template=template)


def test_an_option_that_is_not_there_is_named():
    with pytest.raises(EngineError, match="llamacpp has no option 'slot' here: known are chat_template, gpu_layers"):
        load(slot=2)


@pytest.mark.model
def test_layers_are_not_said_to_be_on_a_gpu_that_is_not_there():
    with pytest.raises(EngineError, match="sees no GPU here: leave gpu_layers at 0"):
        load(gpu_layers=10)


DATED = (
    "{{% for message in messages %}}<|im_start|>{{{{ message['role'] }}}}\n{{{{ message['content'] }}}}<|im_end|>\n"
    "{{% endfor %}}<|im_start|>assistant\nToday is {}. Now it is {}."
)


@pytest.mark.model
def test_a_template_that_tells_the_date_tells_the_same_one_every_day():
    """As those of Llama 3 do, to which this engine gives today's date."""
    told = "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
    dated = load(n_ctx=512, chat_template=told + DATED.format("{{ date_string }}", "late"))
    plain = load(n_ctx=512, chat_template=DATED.format("26 Jul 2024", "late"))
    asked = responses(3, temperature=0.0)
    assert texts(ask(dated, *asked)) == texts(ask(plain, *asked))
    assert dated.engine.is_reproducible
    dated.close()
    plain.close()


@pytest.mark.model
def test_a_template_that_tells_the_hour_is_no_promise_of_the_same_text():
    timed = load(n_ctx=512, chat_template=DATED.format("today", "{{ strftime_now('%H:%M') }}"))
    assert not timed.engine.is_reproducible
    timed.close()


@pytest.mark.model
def test_weights_that_were_not_fetched_whole_are_refused(tmp_path):
    path = tmp_path / "half.gguf"
    path.write_bytes(find_weights(SOURCE).read_bytes()[:20_000_000])
    with pytest.raises(EngineError, match=r"could not load half\.gguf.*Fetch the file again"):
        load_backend(make_spec(backend="llamacpp", source=str(path)))


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=9))
def test_a_damaged_head_is_read_or_refused(start, damage):
    whole = sample_head()
    content = whole[:start] + damage + whole[start + len(damage) :]
    with tempfile.NamedTemporaryFile(suffix=".gguf") as file:
        Path(file.name).write_bytes(content)
        with contextlib.suppress(NotGguf):
            read_head(Path(file.name))


@functools.cache
def sample_head():
    """The first part of the packaged model: texts, numbers and the beginning of a long array."""
    with find_weights(SOURCE).open("rb") as file:
        return file.read(3000)


@pytest.mark.parametrize("length", [1 << 40, 1 << 61, (1 << 64) - 1])
@pytest.mark.parametrize("kind", [0, 4, 8, 9, 12])
def test_a_head_with_an_endless_array_is_refused(tmp_path, kind, length):
    path = tmp_path / "long.gguf"
    path.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, kind, length))
    with pytest.raises(NotGguf, match="damaged"):
        read_head(path)


def test_a_head_whose_numbers_are_texts_is_refused(tmp_path):
    path = gguf(tmp_path / "odd.gguf", {"general.architecture": "llama", "llama.context_length": "long"})
    with pytest.raises(NotGguf, match="damaged"):
        read_head(path)


def test_the_head_of_the_packaged_model_is_read():
    head = read_head(find_weights(SOURCE))
    assert (head.architecture, head.context_length) == ("llama", 8192)
    assert "<|im_start|>" in head.chat_template


def test_a_head_with_an_endless_text_is_refused(tmp_path):
    path = tmp_path / "long.gguf"
    path.write_bytes(struct.pack("<4sIQQQ", b"GGUF", 3, 0, 1, 1 << 40))
    with pytest.raises(NotGguf, match="damaged"):
        read_head(path)


def test_a_changed_file_is_hashed_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    first = sha256_of(path)
    assert sha256_of(path) == first
    path.write_bytes(b"other")
    assert sha256_of(path) != first
    shutil.rmtree(tmp_path / "cache")
    assert sha256_of(path).startswith("sha256:")
