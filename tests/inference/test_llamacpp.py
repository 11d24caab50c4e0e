"""The embedded engine with the packaged model, for real."""

import shutil
import struct
import threading

import pytest

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


def responses(count, **sampling):
    given = Sampling(**{"temperature": 0.8, "max_new_tokens": 16} | sampling)
    return [Request(render(make_recipe(), make_item(unit)), given, seed=unit) for unit in range(count)]


@pytest.mark.model
def test_the_record_names_the_weights_by_their_hash(engine):
    assert engine.engine.revision == "sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    assert engine.engine.is_reproducible


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
    assert ask(engine, *responses(2, max_new_tokens=200, temperature=1.5), stop=stop) == {}


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


@pytest.mark.parametrize(("name", "value"), [("slots", 0), ("n_ctx", "many"), ("threads", -1)])
def test_an_option_that_makes_no_sense_is_named(name, value):
    with pytest.raises(EngineError, match=f"The option {name} of llamacpp"):
        load_backend(make_spec(backend="llamacpp", source=SOURCE, options={name: value}))


def test_the_head_of_the_packaged_model_is_read():
    head = read_head(find_weights(SOURCE))
    assert (head.architecture, head.context_length, head.has_chat_template) == ("llama", 8192, True)


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
