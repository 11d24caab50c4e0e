"""Replay: which recorded answer a prompt gets, and which files are refused."""

import threading

import pytest

from inference_worker.backends import Completion, EngineError, Failure, Request, load_backend
from inference_worker.prompts import Prompt
from inference_worker.schema import Sampling
from tests.inference.made import make_spec, write_replies


def ask(path, user, *, seed=0):
    backend = load_backend(make_spec(source=str(path)))
    return dict(backend.generate([Request(Prompt("", user), Sampling(), seed)], threading.Event()))[0]


def test_a_line_for_the_very_prompt_comes_first(tmp_path):
    exact = Prompt("", "How are you?")
    path = write_replies(
        tmp_path / "r.jsonl",
        {"text": "by words", "contains": "How"},
        {"text": "exact", "prompt_sha256": exact.sha256()},
        {"text": "any"},
    )
    assert ask(path, "How are you?").text == "exact"
    assert ask(path, "How old are you?").text == "by words"
    assert ask(path, "Who?").text == "any"


def test_the_seed_chooses_among_lines_for_any_prompt(tmp_path):
    path = write_replies(tmp_path / "r.jsonl", {"text": "a"}, {"text": "b"})
    assert [ask(path, "x", seed=seed).text for seed in (0, 1, 2)] == ["a", "b", "a"]


def test_a_prompt_without_a_line_is_a_failure(tmp_path):
    path = write_replies(tmp_path / "r.jsonl", {"text": "a", "contains": "tea"})
    assert ask(path, "coffee") == Failure("r.jsonl has no line for this prompt.")


def test_how_a_text_ended_is_replayed(tmp_path):
    answer = ask(write_replies(tmp_path / "r.jsonl", {"text": "I wa", "finish_reason": "length"}), "x")
    assert isinstance(answer, Completion)
    assert answer.finish_reason == "length"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "has no lines"),
        ("hello\n", "line 1 is no JSON object"),
        ('{"text": "a"}\n\n[1]\n', "line 3 must be a JSON object of texts"),
        ('{"text": 3}\n', "line 1 must be a JSON object of texts"),
        ('{"text": "a", "mood": "b"}\n', "line 1 has the unknown field mood"),
        ('{"contains": "a"}\n', "line 1 must have either text or error"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_line(tmp_path, content, complaint):
    path = tmp_path / "r.jsonl"
    path.write_text(content)
    with pytest.raises(EngineError, match=complaint):
        load_backend(make_spec(source=str(path)))


def test_a_missing_file_is_named():
    with pytest.raises(EngineError, match="no file /nowhere"):
        load_backend(make_spec(source="/nowhere"))
